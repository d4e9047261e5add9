"""Apply a ticket's boundary to one error group: resolved until a later version, or no longer. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backtrace_jira.backtrace.reopen_criteria import plan_column
from backtrace_jira.fix_versions.boundary import Boundary, is_done
from backtrace_jira.fix_versions.criterion import version_criteria_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.json_types import JSON
from backtrace_jira.links.pair import Pair
from backtrace_jira.states import State


@dataclass(frozen=True, slots=True)
class ResolvedUntil:
    """The write to a group; None leaves a value as it is."""

    state: State | None
    link_criteria: tuple[str, ...]
    """The reopen criteria that are this link's after that, as JSON texts."""
    reopen_criteria: list[JSON] | None = None
    """The whole column."""
    sentence: str = ""
    """A sentence for the operator on what the write does; empty if it does nothing."""
    problem: str = ""
    """A sentence for the operator on what cannot be written; empty if all can."""


def plan_resolved_until(
    pair: Pair, ticket: Ticket, boundary: Boundary, state: State | None, noted: Iterable[str]
) -> ResolvedUntil:
    """Decide what becomes of a group.

    Args:
        pair: the link and its group.
        ticket: as it is.
        boundary: of the ticket.
        state: what synchronisation makes the group's state; None is as it is.
        noted: reopen criteria that the turn's last holder noted; it may have written them before it died.
    """
    before = pair.synced.reopen_criteria
    as_it_is = ResolvedUntil(state, before)
    ours = (*before, *noted)
    wanted = boundary.reopen_criteria
    becomes = state or pair.group.state
    if wanted is None or (wanted == before and not noted) or not (wanted or ours):
        return as_it_is
    if becomes is State.MUTED:
        return as_it_is  # a muted group with reopen criteria would be muted only until one is met
    if pair.group.reopen_criteria is None:
        return ResolvedUntil(
            state, before, problem="its reopen criteria cannot be read; they were not changed"
        )
    if wanted and becomes is not State.RESOLVED:
        if _was_opened_by_somebody(pair):
            return as_it_is
        becomes = State.RESOLVED
    if not wanted and becomes is State.RESOLVED and not is_done(ticket, pair.integration):
        # The group was resolved because the ticket was; the ticket has been reopened.
        becomes = pair.state_of(ticket.status)
    return ResolvedUntil(
        becomes if becomes is not pair.group.state else None,
        wanted,
        plan_column(pair.group.reopen_criteria, ours, wanted),
        sentence=_sentence(before, wanted, ticket),
    )


def _was_opened_by_somebody(pair: Pair) -> bool:
    """Return whether somebody changed the group's state in Backtrace since ticket and group last agreed."""
    synced = pair.synced.state
    return synced is not None and synced is not pair.group.state


def _sentence(before: Iterable[str], wanted: Iterable[str], ticket: Ticket) -> str:
    criteria = " or ".join(map(str, version_criteria_of(wanted)))
    if criteria:
        return f"{ticket.status.name} in Jira: resolved in Backtrace until {criteria}"
    withdrawn = " or ".join(map(str, version_criteria_of(before)))
    return f"{ticket.status.name} in Jira: no longer resolved until {withdrawn}" if withdrawn else ""
