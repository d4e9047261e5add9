"""Ask Backtrace whether the errors of a ticket's groups came back: it is the witness, and an event only a hint."""

from __future__ import annotations

from collections.abc import Sequence

from backtrace_jira.fix_versions.boundary import Boundary, boundary_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.pair import Pair
from backtrace_jira.synchronisation.regressions import Regression, find_begun, is_possible, plan_regression
from backtrace_jira.synchronisation.turn_context import TurnContext


def find_regressions(
    context: TurnContext, ticket: Ticket, linked: Sequence[Pair]
) -> tuple[list[Pair], list[Regression]]:
    """Return the groups, with the hint's sighting where it is answered now, and those whose error was seen again."""
    found = [_find_regression(context, ticket, pair) for pair in linked]
    return [pair for pair, _ in found], [regression for _, regression in found if regression]


def _find_regression(context: TurnContext, ticket: Ticket, pair: Pair) -> tuple[Pair, Regression | None]:
    # One that was begun comes first: by now the ticket may be reopened, and would no longer look like a regression's.
    if begun := find_begun(pair, context.turn):
        return pair, begun
    boundary = boundary_of(ticket, pair.integration)
    possible = is_possible(pair, ticket, event_seen=context.hint.regression)
    seen = _ask_versions(context, pair, boundary, ticket.done_since) if possible else []
    # Where Jira does not show the boundary, or Backtrace refuses to say, the next event is to ask again.
    if boundary.reopen_criteria is not None and seen is not None:
        pair = pair.with_answer(context.hint.sighting)
    return pair, plan_regression(pair, ticket, seen or (), context.clock()) if possible else None


def _ask_versions(
    context: TurnContext, pair: Pair, boundary: Boundary, since: float
) -> list[tuple[str, int]] | None:
    """Ask Backtrace for the versions past the boundary since then; None if it refuses, and none is known."""
    groups = context.backtrace(pair)
    criteria = boundary.criteria  # with their doubt: what Backtrace was told is less strict
    found: dict[str, int] = {}
    answers = 0
    for criterion in criteria:
        what = "Backtrace does not say in which versions it was seen"
        with context.about(pair), context.refusal_as_problem(what):
            values = groups.count_values(
                pair.integration.project,
                pair.link.key.fingerprint,
                criterion.attribute,
                since=since,
                where=criterion.where,
            )
            found |= dict(criterion.past(values))
            answers += 1
    return list(found.items()) if found or answers == len(criteria) else None
