"""A group's change goes to the ticket: decide whose value holds, then write it to Jira."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backtrace_jira.fix_versions.boundary import is_done
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import Turn
from backtrace_jira.synchronisation.conflicts import decide_winner
from backtrace_jira.synchronisation.fields import FIELDS, STATE
from backtrace_jira.synchronisation.synced_field import Winner
from backtrace_jira.synchronisation.turn_context import TurnContext


def plan_winners(
    ticket: Ticket, pairs: Sequence[Pair], turn: Turn, *, reopened_for: Pair | None
) -> tuple[Winner, ...]:
    """Decide for each field whose value holds.

    Args:
        ticket: as it is now.
        pairs: its links that still hold, with their groups.
        turn: whose notes say what may be our own doing.
        reopened_for: the group whose regression has just reopened the ticket; it is done still where Jira refused.
    """
    return tuple(
        Winner(
            STATE, pair=reopened_for, is_written=True, is_refused=is_done(ticket, reopened_for.integration)
        )
        if reopened_for and field is STATE
        else decide_winner(field, ticket, pairs, turn)
        for field in FIELDS
    )


def write_ticket(
    context: TurnContext, ticket: Ticket, winners: Sequence[Winner]
) -> tuple[Ticket, tuple[Winner, ...]]:
    """Give the ticket each value that a group has won with.

    Returns the ticket as it is then, and the winners, of which those say so that Jira did not take.
    """
    after = []
    for winner in winners:
        if winner.pair and not winner.is_written:
            before = context.problem_count
            ticket = winner.field.write_to_jira(context, ticket, winner.pair)
            # Whatever could not be carried was reported.
            after.append(replace(winner, is_refused=context.problem_count > before))
        else:
            after.append(winner)
    return ticket, tuple(after)
