"""A row of the link table in an operator's words, and as JSON for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from backtrace_jira.links.link import Link, LinkState
from backtrace_jira_cli.link_words import (
    NO_ANSWER,
    ago,
    describe_record,
    describe_synced,
    moment,
    synced_json,
)

STATES = {
    LinkState.CREATING: "a ticket is being created",
    LinkState.UNCERTAIN: NO_ANSWER,
    LinkState.RELEASED: "no ticket",
    LinkState.HELD: "frequency and threshold hold it back",
    LinkState.COMPLETE: "linked",
}


def describe_link(link: Link, now: float) -> list[tuple[str, str]]:
    """Return everything that a row holds, as rows of name and text, without empty ones."""
    issue, record = link.issue, link.record
    rows = [
        ("state", STATES[link.state]),
        ("ticket", f"{issue.key} (id {issue.id})" if issue else ""),
        ("address", issue.url if issue else ""),
        (
            "linked in Backtrace",
            ("yes" if link.linked_in_backtrace else "not yet; it is tried again") if issue else "",
        ),
        ("leased until", moment(link.lease_until) if link.lease_until > now else ""),
        ("without an answer since", moment(link.uncertain_since) if link.uncertain_since else ""),
        ("searched for", f"{link.lookups} times" if link.lookups else ""),
    ]
    if record:
        rows += [("last decision", f"{record.decision}, {moment(record.at)} ({ago(now - record.at)})")]
        rows += describe_record(record)
    if link.synced:
        rows += describe_synced(link.synced, now)
    return [(name, text) for name, text in rows if text]


def as_json(link: Link) -> dict[str, Any]:
    """Return a row for machines. Times are unix seconds."""
    return {
        "integration": link.key.integration,
        "fingerprint": link.key.fingerprint,
        "trace": link.key.trace,
        "state": str(link.state),
        "ticket": asdict(link.issue) if link.issue else None,
        "linked_in_backtrace": link.linked_in_backtrace,
        "lease_until": link.lease_until or None,
        "record": asdict(link.record) if link.record else None,
        "synced": synced_json(link.synced) if link.synced else None,
    }
