"""Ask Backtrace whether the errors of a ticket's groups came back: it is the witness, and an event only a hint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backtrace_jira.fix_versions.boundary import boundary_of, is_done
from backtrace_jira.fix_versions.criterion import VersionCriterion, version_criteria_of
from backtrace_jira.fix_versions.judge import (
    MOST_TIMES,
    Evidence,
    Judgement,
    has_lost_criteria,
    is_in_question,
    is_new_to,
    judge,
    judged_by,
    moment_to_ask,
    opener_of,
    recent_of,
)
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.last_synced import Opener
from backtrace_jira.links.pair import Pair
from backtrace_jira.synchronisation.regressions import (
    SHOWN,
    Regression,
    find_begun,
    find_refused,
    plan_regression,
)
from backtrace_jira.synchronisation.to_backtrace import find_noted_criteria, with_noted_moments
from backtrace_jira.synchronisation.turn_context import TurnContext


@dataclass(frozen=True, slots=True)
class Ruling:
    """A group with the judgement on it."""

    pair: Pair
    """With the hint's sighting where it is answered now, and with whoever opened the group."""
    judgement: Judgement
    regression: Regression | None = None


def needs_evidence(context: TurnContext, ticket: Ticket, pair: Pair) -> bool:
    """Return whether Backtrace is to be asked about a group; when the ticket was last closed must be known by then."""
    boundary = boundary_of(ticket, pair.integration)
    opener = _find_opener(context, pair)
    may_be_past = context.hint.regression or is_new_to(pair, ticket, boundary, context.clock())
    may_be_past = may_be_past or has_lost_criteria(pair, ticket, boundary)  # which nobody has met meanwhile
    return is_in_question(pair, ticket, boundary, opener, event_seen=may_be_past)


def judge_groups(context: TurnContext, ticket: Ticket, linked: Sequence[Pair]) -> list[Ruling]:
    """Judge each group of a ticket."""
    rulings = []
    for pair in linked:
        with context.about(pair):
            rulings.append(_judge_group(context, ticket, with_noted_moments(pair, context.turn)))
    return rulings


def _judge_group(context: TurnContext, ticket: Ticket, pair: Pair) -> Ruling:
    # One that was begun comes first: by now the ticket may be reopened, and would no longer look like a regression's.
    if begun := find_begun(pair, context.turn):
        return Ruling(pair, Judgement.REGRESSION, begun)
    if refused := find_refused(pair, ticket):
        return Ruling(pair, Judgement.REGRESSION, refused)
    boundary = boundary_of(ticket, pair.integration)
    evidence = _find_evidence(context, ticket, pair)
    pair = _say_doubts(context, pair, evidence.doubts)
    # Where Jira does not show the boundary, or Backtrace refuses to say, the next event is to ask again.
    if boundary.reopen_criteria is not None and evidence.seen is not None:
        pair = pair.with_answer(context.hint.sighting)
    judgement = judge(pair, ticket, boundary, evidence)
    if judgement is Judgement.REGRESSION:
        seen, opener = evidence.seen or (), evidence.opener
        regression = plan_regression(pair, ticket, seen, context.clock(), opener)
        return Ruling(
            _opened_by(Opener.PERSON, pair) if opener is Opener.THEIRS else pair, judgement, regression
        )
    if pair.integration.fix_versions.enabled and is_done(ticket, pair.integration):
        pair = _with_opener(context, pair, evidence)
    return Ruling(pair, judgement)


def _find_opener(context: TurnContext, pair: Pair) -> Opener:
    return opener_of(pair, [*pair.synced.reopen_criteria, *find_noted_criteria(context.turn, pair)])


def _find_evidence(context: TurnContext, ticket: Ticket, pair: Pair) -> Evidence:
    opener, now = _find_opener(context, pair), context.clock()
    evidence = Evidence(opener, times=len(recent_of(pair.synced.resolved_again, now)))
    if not needs_evidence(context, ticket, pair):
        return evidence
    criteria = judged_by(boundary_of(ticket, pair.integration), pair.synced.reopen_criteria)
    return _ask_versions(context, pair, criteria, moment_to_ask(ticket.done_since, opener), evidence)


def _ask_versions(
    context: TurnContext, pair: Pair, criteria: Sequence[VersionCriterion], since: float, evidence: Evidence
) -> Evidence:
    """Ask Backtrace for the versions past the boundary since then; None if it refuses, and none is known."""
    groups = context.backtrace(pair)
    found: dict[str, int] = {}
    doubts = dict(evidence.doubts)
    answers = 0
    for criterion in criteria:
        with context.refusal_as_problem("Backtrace does not say in which versions it was seen"):
            values = groups.count_values(
                pair.integration.project,
                pair.link.key.fingerprint,
                criterion.attribute,
                since=since,
                where=criterion.where,
            )
            found |= dict(criterion.past(values))
            if in_doubt := criterion.in_doubt(values):
                doubts[str(criterion.told)] = in_doubt
            answers += 1
    seen = tuple(found.items()) if found or answers == len(criteria) else None
    return replace(evidence, seen=seen, doubts=doubts)


def _say_doubts(context: TurnContext, pair: Pair, doubts: Mapping[str, Sequence[str]]) -> Pair:
    """Say which versions may be past the boundary; return the pair with that said. Once for each boundary."""
    new = {boundary: versions for boundary, versions in doubts.items() if boundary not in pair.synced.doubted}
    for boundary, versions in new.items():
        context.tell(
            f"{pair.short_name} was seen in {', '.join(versions[:SHOWN])}: it is not known whether that is past "
            f"{boundary}, so it reopens nothing (docs/versions.md)"
        )
    known = {str(each.told) for each in version_criteria_of(pair.synced.reopen_criteria)}
    doubted = (*(each for each in pair.synced.doubted if each in known), *new)
    return replace(pair, link=replace(pair.link, synced=replace(pair.synced, doubted=doubted)))


def _with_opener(context: TurnContext, pair: Pair, evidence: Evidence) -> Pair:
    """Return the pair with whoever opened its group. A reopening by a criterion of ours is no change for Jira."""
    if evidence.opener is not Opener.OURS:
        return _opened_by(evidence.opener, pair)
    if (
        evidence.times >= MOST_TIMES
        and pair.synced.opened_by is not Opener.OURS
        and not pair.synced.regressed
    ):
        context.report_problem(
            f"{pair.short_name} stays open: Backtrace has reopened it {MOST_TIMES + 1} times in a day, and no error "
            "was found past the ticket's boundary; Backtrace orders versions in another way (docs/versions.md)"
        )
    synced = replace(pair.synced, state=pair.group.state, reopens=pair.group.reopens)
    return _opened_by(Opener.OURS, replace(pair, link=replace(pair.link, synced=synced)))


def _opened_by(opener: Opener, pair: Pair) -> Pair:
    synced = replace(pair.synced, opened_by=opener)
    return replace(pair, link=replace(pair.link, synced=synced))
