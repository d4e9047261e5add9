"""What a ticket's boundary makes of one error group: resolved until then, or no longer. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backtrace_jira.backtrace.reopen_criteria import changed
from backtrace_jira.fix_versions.boundary import Boundary, is_done, rules_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.json_types import JSON
from backtrace_jira.links.pair import Pair
from backtrace_jira.states import State


@dataclass(frozen=True, slots=True)
class Until:
    """What to write to a group, None where it stays as it is, and which invariants are ours after that."""

    state: State | None
    ours: tuple[str, ...]
    invariants: list[JSON] | None = None
    told: str = ""
    problem: str = ""


def resolved_until(
    pair: Pair, ticket: Ticket, boundary: Boundary, state: State | None, noted: Iterable[str]
) -> Until:
    """Decide what becomes of a group.

    Args:
        pair: the link and its group.
        ticket: as it is.
        boundary: of the ticket.
        state: what synchronisation makes the group's state; None is as it is.
        noted: invariants that somebody may have written who did not come to the end.
    """
    before = pair.synced.reopen_criteria
    as_it_is = Until(state, before)
    ours = (*before, *noted)
    wanted = boundary.reopen_criteria
    becomes = state or pair.group.state
    if wanted is None or (wanted == before and not noted) or not (wanted or ours):
        return as_it_is
    if becomes is State.MUTED:
        return as_it_is  # with an invariant, it would be muted until then
    if pair.group.reopen_criteria is None:
        return Until(state, before, problem="its reopen criteria cannot be read; they were not changed")
    if wanted and becomes is not State.RESOLVED:
        if _is_somebody_elses(pair):
            return as_it_is
        becomes = State.RESOLVED
    if not wanted and becomes is State.RESOLVED and not is_done(ticket, pair.integration):
        becomes = pair.state_of(
            ticket.status
        )  # it was resolved for the ticket's sake, which is no longer done
    return Until(
        becomes if becomes is not pair.group.state else None,
        wanted,
        changed(pair.group.reopen_criteria, ours, wanted),
        told=_told(before, wanted, ticket),
    )


def _is_somebody_elses(pair: Pair) -> bool:
    """Tell whether the group is not resolved because somebody said so in Backtrace since the ticket was looked at."""
    synced = pair.synced.state
    return synced is not None and synced is not pair.group.state


def _told(before: Iterable[str], wanted: Iterable[str], ticket: Ticket) -> str:
    rules = " or ".join(map(str, rules_of(wanted)))
    if rules:
        return f"{ticket.status.name} in Jira: resolved in Backtrace until {rules}"
    withdrawn = " or ".join(map(str, rules_of(before)))
    return f"{ticket.status.name} in Jira: no longer resolved until {withdrawn}" if withdrawn else ""
