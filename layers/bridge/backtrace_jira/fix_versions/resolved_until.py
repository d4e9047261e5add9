"""Apply a ticket's boundary to one error group: resolved until a later version, or no longer. Does no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backtrace_jira.backtrace.reopen_criteria import plan_column
from backtrace_jira.fix_versions.boundary import Boundary, is_done
from backtrace_jira.fix_versions.criterion import version_criteria_of
from backtrace_jira.fix_versions.judge import Judgement, has_lost_criteria, is_same_boundary, opener_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.json_types import JSON
from backtrace_jira.links.last_synced import Opener
from backtrace_jira.links.pair import Pair
from backtrace_jira.states import State

_UNREADABLE = "its reopen criteria cannot be read; they were not changed"


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
    pair: Pair,
    ticket: Ticket,
    boundary: Boundary,
    state: State | None,
    noted: Iterable[str],
    judgement: Judgement = Judgement.NOTHING,
) -> ResolvedUntil:
    """Decide what becomes of a group.

    Args:
        pair: the link and its group.
        ticket: as it is.
        boundary: of the ticket.
        state: what synchronisation makes the group's state; None is as it is.
        noted: reopen criteria that the turn's last holder noted; it may have written them before it died.
        judgement: on an error that may have come back.
    """
    before = pair.synced.reopen_criteria
    ours = (*before, *noted)
    wanted = before if boundary.reopen_criteria is None else boundary.reopen_criteria
    again = judgement is Judgement.RESOLVE_AGAIN
    becomes = state or (State.RESOLVED if again else pair.group.state)
    as_it_is, is_lost = ResolvedUntil(state, before), has_lost_criteria(pair, ticket, boundary)
    if becomes is State.MUTED:
        return _without_ours(pair, state, ours)
    if not (again or is_lost) and ((wanted == before and not noted) or not (wanted or ours)):
        return as_it_is
    if pair.group.reopen_criteria is None:
        return ResolvedUntil(state, before, problem=_UNREADABLE)
    if wanted and becomes is not State.RESOLVED:
        if not _is_new(wanted, before) or opener_of(pair, ours) in (Opener.PERSON, Opener.THEIRS):
            return as_it_is  # what people opened stays open
        becomes = State.RESOLVED
    if not wanted and becomes is State.RESOLVED and not is_done(ticket, pair.integration):
        # The group was resolved because the ticket was; the ticket has been reopened.
        becomes = pair.state_of(ticket.status)
    state = becomes if becomes is not pair.group.state else None
    sentence = _again(pair, wanted) if again else _sentence(before, wanted, ticket)
    return ResolvedUntil(state, wanted, plan_column(pair.group.reopen_criteria, ours, wanted), sentence)


def _is_new(wanted: tuple[str, ...], before: tuple[str, ...]) -> bool:
    """Return whether a boundary is another one. The same in other words is no reason to resolve what came back."""
    return not is_same_boundary(wanted, before)


def _without_ours(pair: Pair, state: State | None, ours: Iterable[str]) -> ResolvedUntil:
    """Take our criteria out of a muted group: with them, it would be muted only until one is met."""
    column = plan_column(pair.group.reopen_criteria, ours, ())
    if column is None:
        return ResolvedUntil(state, pair.synced.reopen_criteria)
    return ResolvedUntil(
        state, (), column, sentence=f"{pair.short_name} is muted: nothing of ours reopens it"
    )


def _again(pair: Pair, wanted: Iterable[str]) -> str:
    """Say why a group is resolved once more."""
    criteria = " or ".join(map(str, version_criteria_of(wanted)))
    past = f"; no error was found past {criteria}" if criteria else ", which has no boundary any more"
    return f"{pair.short_name} was reopened by Backtrace and resolved again{past}"


def _sentence(before: Iterable[str], wanted: Iterable[str], ticket: Ticket) -> str:
    criteria = " or ".join(map(str, version_criteria_of(wanted)))
    if criteria:
        again = "once more " if wanted == before else ""
        return f"{ticket.status.name} in Jira: resolved in Backtrace {again}until {criteria}"
    withdrawn = " or ".join(map(str, version_criteria_of(before)))
    return f"{ticket.status.name} in Jira: no longer resolved until {withdrawn}" if withdrawn else ""
