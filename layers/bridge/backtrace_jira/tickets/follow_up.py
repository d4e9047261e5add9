"""The ticket that follows another after a regression: which events make it, and what the one before is told.

The row keeps the ticket before until the new one is complete. So a group is never without a ticket, and a death or a
refusal leaves the one that it had.
"""

from __future__ import annotations

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.backtrace.page import link_to_page
from backtrace_jira.errors import CredentialRefused, InvalidField, Refused
from backtrace_jira.jira import wiki
from backtrace_jira.links.link import Link
from backtrace_jira.outcomes import error_text
from backtrace_jira.tickets.context import Case
from backtrace_jira.tickets.ports import JiraTickets
from backtrace_jira.times import CLOCKS


def is_asked_for(group: ErrorGroup, row: Link | None) -> bool:
    """Return whether an event's mark says what the row says: it asks for the row's next ticket, or for the one it has.

    Only then do no filter, frequency and threshold apply. Whoever may publish to the topic can write a mark.
    """
    mark = group.follow_up
    if mark is None or row is None or row.issue is None:
        return False
    is_next = (mark.issue_id, mark.generation) == (row.issue.id, row.next_generation)
    return is_next or mark.generation == row.generation


def ticket_to_follow(group: ErrorGroup, row: Link | None) -> str:
    """Return the id of the row's ticket, if this event is to make the one that follows it; else an empty text.

    Any event of the group does, in case the one that asks for it is lost. After a refusal only that one does: it is a
    dead letter until somebody replays it, and the group's other events would become dead letters beside it.
    """
    if row is None or row.issue is None or row.follow_up is None or not row.is_settled:
        return ""
    return row.issue.id if row.is_handed_over or is_asked_for(group, row) else ""


def concerns_ticket_before(error: Exception) -> bool:
    """Return whether an error has to be told on the ticket before: there will be no new one until somebody acts."""
    return isinstance(error, Refused | InvalidField) and not isinstance(error, CredentialRefused)


def tell_refusal(jira: JiraTickets, case: Case, row: Link, error: Exception, address: str) -> None:
    """Say on the ticket before why no new one follows it; once for each regression. `address` is the universe's own.

    Raises:
        BacktraceJiraError: Jira did not take the comment.
    """
    if row.issue is None:
        return
    begin = f"Error group {case.key.fingerprint[:12]} was seen again, but no new ticket could be created"
    page = case.group.group_url or row.page
    link = f" {link_to_page(page, address)}" if page else ""
    since = row.follow_up.wanted_at if row.follow_up else 0.0
    reason = wiki.escape(f": {error_text(error).rstrip('.')}.")
    _comment_once(jira, row.issue.id, wiki.escape(begin), reason + link, since)


def tell_follower(jira: JiraTickets, case: Case, before: str, key: str) -> None:
    """Say on the ticket before, known by its key, which one follows it. For where Jira does not take the link."""
    sentence = f"Error group {case.key.fingerprint[:12]} was seen again: {key} follows this ticket"
    _comment_once(jira, before, wiki.escape(sentence), ".", 0.0)


def _comment_once(jira: JiraTickets, issue: str, begin: str, rest: str, since: float) -> None:
    # Looked for first: a process that died after it had written the comment told nobody.
    if not any(at >= since - CLOCKS and begin in text for at, text in jira.comments(issue)):
        jira.comment(issue, begin + rest)
