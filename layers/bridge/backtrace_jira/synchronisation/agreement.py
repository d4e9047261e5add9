"""What a turn leaves open: a value that the other side did not take is not agreed on. Nothing here does I/O.

The memory of such a value stays as it was before, so that it is news to the next look at the level. It is noted beside
the memory, so that a mere hint does not offer it again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.judge import has_lost_criteria
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.last_synced import LOST_CRITERIA, REOPENING, LastSynced, refused_criteria
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import Turn
from backtrace_jira.settings.synchronisation import OnLinking
from backtrace_jira.states import State
from backtrace_jira.synchronisation.conflicts import takes_ticket_value
from backtrace_jira.synchronisation.synced_field import GroupPlan, Winner


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a group's plan.

    `plan` is as it was carried out; `is_refused`: Backtrace took no write; `loses_criteria`: it did not keep ours.
    """

    plan: GroupPlan
    is_refused: bool = False
    loses_criteria: bool = False


def with_open_values(
    synced: LastSynced,
    pair: Pair,
    ticket: Ticket,
    winners: Sequence[Winner],
    turn: Turn,
    result: Result,
    now: float,
) -> LastSynced:
    """Return a memory with the values of before, where a side did not take the other's.

    Args:
        synced: as if all was taken.
        pair: the link as it was before the turn, with its group.
        ticket: as it is now.
        winners: whose value of each field holds, and whether Jira refused it.
        turn: whose notes say what may be our own doing.
        result: what became of the group's plan.
        now: unix seconds.
    """
    synced = replace(synced, refused={}, refused_at=0.0)
    left = False
    for winner in winners:
        on_ticket, on_group = _open_sides(pair, ticket, winner, turn, result)
        synced = winner.field.leave_open(synced, pair, ticket, ticket_side=on_ticket, group_side=on_group)
        left = left or on_ticket or on_group
    refused = {**synced.refused, **_refused_by_backtrace(synced, pair, ticket, result)}
    if any(each.is_written and _is_refused_for(pair, each) for each in winners):
        refused[REOPENING] = State.OPEN.value
    by_server = (
        result.is_refused or bool(result.plan.left) or result.loses_criteria or LOST_CRITERIA in refused
    )
    by_server = by_server or any(_is_refused_for(pair, each) for each in winners)
    if left and by_server and pair.is_fresh and pair.sync.on_linking is not OnLinking.NONE:
        synced = replace(synced, at=0.0)  # which side wins at linking is still to be carried
    return replace(synced, refused=refused, refused_at=now if by_server else 0.0)


def _refused_by_backtrace(synced: LastSynced, pair: Pair, ticket: Ticket, result: Result) -> dict[str, str]:
    """Return the boundary and the key that Backtrace did not take, and whether it had lost criteria of ours."""
    boundary, refused = boundary_of(ticket, pair.integration), dict[str, str]()
    wanted = boundary.reopen_criteria
    if result.is_refused and wanted is not None and wanted != synced.reopen_criteria:
        refused["until"] = refused_criteria(wanted)
    if result.is_refused and pair.link.issue and pair.link.issue.key != ticket.issue.key:
        refused["key"] = ticket.issue.key
    if has_lost_criteria(pair, ticket, boundary):
        refused[LOST_CRITERIA] = "written again"  # not for an hour: a server may word them otherwise for ever
    return refused


def _is_refused_for(pair: Pair, winner: Winner) -> bool:
    return winner.is_refused and winner.pair is not None and winner.pair.link.key == pair.link.key


def _open_sides(pair: Pair, ticket: Ticket, winner: Winner, turn: Turn, result: Result) -> tuple[bool, bool]:
    """Return whether the ticket's value is one that this group did not take, and the other way round."""
    field = winner.field
    is_mine = winner.pair is not None and winner.pair.link.key == pair.link.key
    is_asked = takes_ticket_value(pair, ticket, winner, turn)
    is_taken = is_asked and not result.is_refused and field.name not in result.plan.left
    if winner.is_written and is_mine:
        return False, False  # what a regression could not do is noted by itself
    is_won = is_mine and not winner.is_refused
    # Without the changelog: a value that was changed and changed back is the agreed one.
    is_news = field.ticket_has_news(pair, replace(ticket, changes=None), None)
    on_ticket = is_news and not is_taken and not is_won
    on_group = _is_refused_for(pair, winner) or (is_asked and not is_taken and field.group_has_news(pair))
    return on_ticket, on_group
