"""A row of the link table in an operator's words."""

from __future__ import annotations

from backtrace_jira.links.link import Link, LinkState
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.fix_version_words import describe_fix_versions
from backtrace_jira_cli.link_words import (
    NO_ANSWER,
    ago,
    describe_record,
    describe_synced,
    moment,
)

STATES = {
    LinkState.CREATING: "a ticket is being created",
    LinkState.UNCERTAIN: NO_ANSWER,
    LinkState.RELEASED: "no ticket",
    LinkState.HELD: "frequency and threshold hold it back",
    LinkState.COMPLETE: "linked",
}


def describe_link(link: Link, settings: Integration | None, now: float) -> list[tuple[str, str]]:
    """Return everything that a row holds, as rows of name and text, without empty ones.

    Args:
        link: the row.
        settings: of its integration; None if they cannot be used.
        now: unix seconds.
    """
    issue, record = link.issue, link.record
    rows = [
        ("state", STATES[link.state]),
        ("ticket", f"{issue.key} (id {issue.id})" if issue else ""),
        ("address", issue.url if issue else ""),
        (
            "linked in Backtrace",
            ("yes" if link.linked_in_backtrace else "not yet; it is tried again") if issue else "",
        ),
        ("to be followed", _follow_up(link)),
        ("leased until", moment(link.lease_until) if link.lease_until > now else ""),
        ("without an answer since", moment(link.uncertain_since) if link.uncertain_since else ""),
        ("searched for", f"{link.lookups} times" if link.lookups else ""),
    ]
    if record:
        rows += [("last decision", f"{record.decision}, {moment(record.at)} ({ago(now - record.at)})")]
        rows += describe_record(record)
    if link.issue:
        rows += describe_fix_versions(link, settings)
    if link.synced:
        rows += describe_synced(link.synced, now)
    return [(name, text) for name, text in rows if text]


def _follow_up(link: Link) -> str:
    """Return what is known of the ticket that is to follow this one; empty if none is."""
    if link.follows:
        return "by a new ticket that is being created"
    if not (link.follow_up and link.issue):
        return ""
    if link.is_handed_over:
        return "by a new ticket, because the error came back"
    return "by a new ticket, once the event that was refused is moved back from the dead letters"
