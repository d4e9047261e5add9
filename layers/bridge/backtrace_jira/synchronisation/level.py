"""The level: what ticket and group say now, against what was really agreed on and written.

Hints tell of changes, and each is looked at soon. What a hint missed, what a server refused and what other settings
would have made of it show in the level, whenever somebody looks. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Iterator

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.resolved_until import plan_resolved_until
from backtrace_jira.fix_versions.standing import see_versions
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.link import Link
from backtrace_jira.links.pair import Pair
from backtrace_jira.synchronisation.conflicts import group_proposes, ticket_proposes
from backtrace_jira.synchronisation.fields import FIELDS
from backtrace_jira.synchronisation.news import was_never_compared
from backtrace_jira.synchronisation.regressions import find_refused
from backtrace_jira.synchronisation.to_backtrace import UNLINKED, is_linked

RETRY = 3600.0
"""Seconds before a server is offered again what it has refused."""


def differences(pair: Pair, ticket: Ticket) -> tuple[str, ...]:
    """Return what a turn at this pair would have to do, a few words for each; nothing if the pair is in step.

    Args:
        pair: the link with its settings and its group as it is now.
        ticket: as it is now; its changelog need not be known.
    """
    if pair.link.is_handed_over:
        return ("a new ticket is to follow",)
    if not is_linked(pair, ticket):
        told = any(UNLINKED in problem for problem in pair.synced.problems)
        return () if told else ("somebody unlinked the ticket in Backtrace",)
    if was_never_compared(pair.link):
        return ("ticket and group were never compared",)
    return tuple(_differences(pair, ticket))


def _differences(pair: Pair, ticket: Ticket) -> Iterator[str]:
    if "ticket" in pair.synced.refused:
        yield "Jira shows the ticket again"
    if find_refused(pair, ticket):
        yield "the ticket is to be reopened"
    if pair.link.issue and pair.link.issue.key != ticket.issue.key:
        yield f"the ticket's key is {ticket.issue.key}"
    for field in FIELDS:
        if ticket_proposes(field, pair, ticket, None):
            yield f"{field.name} in Jira"
        if group_proposes(field, pair, ticket):
            yield f"{field.name} in Backtrace"
    settings = pair.integration.fix_versions
    if settings.enabled and pair.group.reopens != pair.synced.reopens:
        yield "Backtrace has reopened the group"
    if settings.enabled and pair.synced.needs_another_look:
        yield "the group was resolved again a short time ago"
    yield from _boundary_differences(pair, ticket)


def _boundary_differences(pair: Pair, ticket: Ticket) -> Iterator[str]:
    boundary, synced = boundary_of(ticket, pair.integration), pair.synced
    if see_versions(ticket, pair.integration, boundary) != synced.versions_seen:
        yield "what people see of the Fix Versions"
    if boundary.remarks != synced.unread_versions:
        yield "what is to be said of the Fix Versions"
    if boundary.reopen_criteria is None:
        return
    if dict(boundary.fix_versions) != dict(synced.fix_versions):
        yield "the Fix Versions"
    until = plan_resolved_until(pair, ticket, boundary, None, ())
    if (until.state, until.reopen_criteria) != (None, None) or until.link_criteria != synced.reopen_criteria:
        yield "the version until which the group is resolved"


def rests(link: Link, now: float) -> bool:
    """Return whether a server has refused something of this link a short time ago: it is not offered again yet."""
    synced = link.synced
    return synced is not None and now - synced.refused_at < RETRY
