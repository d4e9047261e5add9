"""An error that is seen again past its ticket's boundary: the ticket is reopened, replaced or commented on.

`fix_versions/judge.py` says what is one, and `witness.py` asks Backtrace for the evidence.

A regression is handled once. What is about to be done is noted first, so that after a death the next process neither
repeats what was done nor forgets the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backtrace_jira.backtrace.page import link_to_page
from backtrace_jira.fix_versions.boundary import boundary_of, is_done, is_final
from backtrace_jira.fix_versions.criterion import VersionCriterion, version_criteria_of
from backtrace_jira.fix_versions.judge import DAY, is_same_boundary, opener_of
from backtrace_jira.jira import wiki
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.last_synced import REOPENING, Opener
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import NoteKind, Turn
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.states import State
from backtrace_jira.synchronisation.conflicts import was_changed_back
from backtrace_jira.synchronisation.fields import STATE
from backtrace_jira.synchronisation.state import walk_workflow
from backtrace_jira.synchronisation.turn_context import TurnContext
from backtrace_jira.synchronisation.workflow import Way

SKEW = 60.0
"""Seconds by which a comment's time may be before ours."""
SHOWN = 5
"""Versions in a comment."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A group whose error was seen again. `seen` are versions past the boundary with counts, if they are known."""

    pair: Pair
    action: OnRegression
    seen: tuple[tuple[str, int], ...] = ()
    is_begun: bool = False
    """True if the last holder of the turn began to handle it and did not come to the end."""
    is_said: bool = False
    """True if Jira only refused to reopen the ticket, an hour ago or so: all else was done then."""
    is_past_ours: bool = True
    """False where a criterion of somebody else was met, and no more is known: then nothing is claimed of ours."""

    def to_note(self) -> str:
        """Return what is noted before anything is done."""
        return json.dumps([*_occasion(self.pair), self.action, self.seen])

    def sentence(self, boundary: Sequence[VersionCriterion]) -> str:
        """Say what was seen, in one line of plain text."""
        where = ", ".join(f"{version} ({_count(errors)})" for version, errors in self.seen[:SHOWN])
        until = " or ".join(map(str, boundary)) if self.is_past_ours else ""
        seen = f"was seen again in {where}" if where else "was seen again and reopened by Backtrace"
        return f"{_group_name(self.pair)} {seen}" + (
            f"; it was to be resolved until {until}" if until else ""
        )


def _occasion(pair: Pair) -> list[str | float]:
    """Return a key of this regression. Recording it changes `synced.at`, so a later one has another key."""
    return [pair.link.key.integration, pair.link.key.fingerprint, pair.synced.at]


def _count(errors: int) -> str:
    return "1 error" if errors == 1 else f"{errors} errors"


def _group_name(pair: Pair) -> str:
    return f"Error group {pair.link.key.fingerprint[:12]}"


# What is planned


def plan_regression(
    pair: Pair,
    ticket: Ticket,
    seen: Sequence[tuple[str, int]],
    now: float,
    opener: Opener = Opener.NOBODY,
) -> Regression:
    """Decide what a regression does.

    Args:
        pair: the link and its group.
        ticket: as it is now.
        seen: the versions past the boundary in which the error was seen since the ticket was done, with counts.
        now: unix seconds.
        opener: who opened the group.
    """
    is_past_ours = bool(seen) or opener is not Opener.THEIRS
    return Regression(pair, _choose_action(pair, ticket, now), tuple(seen), is_past_ours=is_past_ours)


def _choose_action(pair: Pair, ticket: Ticket, now: float) -> OnRegression:
    settings = pair.integration.fix_versions
    if pair.integration.event is EventKind.TRACE or is_final(ticket, settings):
        return OnRegression.LEAVE  # where each error has its own ticket, the new error gets one, too
    window = settings.reopen_within_days * DAY
    if settings.on_regression is OnRegression.REOPEN and 0 < window < now - ticket.done_since:
        return OnRegression.NEW_TICKET
    return settings.on_regression


def find_begun(pair: Pair, turn: Turn) -> Regression | None:
    """Return the group's regression that the last holder of the turn began to handle."""
    for text in turn.noted_values(NoteKind.REGRESSION):
        *occasion, action, seen = json.loads(text)
        if occasion == _occasion(pair):
            ours = bool(seen) or opener_of(pair, pair.synced.reopen_criteria) is not Opener.THEIRS
            said, versions = REOPENING in pair.synced.refused, tuple(map(tuple, seen))
            return Regression(pair, OnRegression(action), versions, True, said, is_past_ours=ours)
    return None


def find_refused(pair: Pair, ticket: Ticket) -> Regression | None:
    """Return the group's regression for which Jira refused to reopen the ticket, if that is still to be done.

    Not if a person has closed the ticket once more since then, given it another boundary, or settled the group.
    """
    settings, group = pair.integration.fix_versions, pair.group
    is_wanted = settings.enabled and settings.on_regression is OnRegression.REOPEN
    is_left = is_done(ticket, pair.integration) and group.state in (State.OPEN, State.IN_PROGRESS)
    if REOPENING not in pair.synced.refused or not is_wanted or not is_left or is_final(ticket, settings):
        return None
    boundary = boundary_of(ticket, pair.integration).reopen_criteria
    is_same = boundary is None or is_same_boundary(boundary, pair.synced.reopen_criteria)
    if not is_same or was_changed_back(pair, ticket, STATE.changelog_field):
        return None
    return Regression(pair, OnRegression.REOPEN, is_said=True)


def find_reopening(regressions: Iterable[Regression]) -> Pair | None:
    """Return the group for whose sake the ticket is reopened."""
    reopening = (each.pair for each in regressions if each.action is OnRegression.REOPEN)
    return next(reopening, None)


def find_action(regressions: Iterable[Regression], pair: Pair) -> OnRegression | None:
    """Return what this group's regression does; None where it has none."""
    actions = (each.action for each in regressions if each.pair.link.key == pair.link.key)
    return next(actions, None)


def without_news(linked: Iterable[Pair], regressions: Sequence[Regression]) -> list[Pair]:
    """Return the groups that are still the ticket's, with nothing of a regression left that would be news to it."""
    left = []
    for pair in linked:
        action = find_action(regressions, pair)
        if action is OnRegression.NEW_TICKET:
            continue  # it is no longer this ticket's
        left.append(_as_agreed(pair) if action else pair)
    return left


def _as_agreed(pair: Pair) -> Pair:
    synced = replace(pair.synced, state=pair.group.state, reopens=pair.group.reopens, regressed=True)
    return replace(pair, link=replace(pair.link, synced=synced))


# What is done


def handle_regressions(context: TurnContext, ticket: Ticket, regressions: Sequence[Regression]) -> Ticket:
    """Do what the settings ask for; return the ticket as it is then: where Jira refuses, it is not reopened."""
    for regression in regressions:
        with context.about(regression.pair):
            _begin(context, ticket, regression)
    if reopening := find_reopening(regressions):
        ticket = walk_workflow(context, ticket, Way(State.OPEN, reopening.sync), "a regression")
    for regression in regressions:
        with context.about(regression.pair):
            if not regression.is_said:
                _say(context, ticket, regression)
    return ticket


def _begin(context: TurnContext, ticket: Ticket, regression: Regression) -> None:
    """Note a regression, and let the group have a new ticket where it is to have one."""
    context.ensure_time()
    if not regression.is_begun:
        # Noted before anything is done: whoever goes on after a death finds the ticket reopened,
        # and would not know that the comment or the new ticket is still missing.
        context.note(NoteKind.REGRESSION, regression.to_note())
    if regression.action is OnRegression.NEW_TICKET:
        # Imported here: few tickets are ever followed by another.
        from backtrace_jira.synchronisation.follow_up import hand_over, set_free

        # The group is opened first: once it is handed over, it may be the new ticket's at any moment.
        set_free(context, regression.pair)
        boundary = version_criteria_of(regression.pair.synced.reopen_criteria)
        hand_over(context, ticket, regression.pair, regression.sentence(boundary))


def _say(context: TurnContext, ticket: Ticket, regression: Regression) -> None:
    if regression.action in (OnRegression.REOPEN, OnRegression.COMMENT):
        _comment(context, ticket, regression)
    if regression.action is not OnRegression.NEW_TICKET:
        context.tell(regression.sentence(version_criteria_of(regression.pair.synced.reopen_criteria)))


def _comment(context: TurnContext, ticket: Ticket, regression: Regression) -> None:
    """Comment on the ticket, unless the last holder of the turn did."""
    context.ensure_time()
    pair = regression.pair
    sentence = regression.sentence(version_criteria_of(pair.synced.reopen_criteria))
    page = pair.link.page
    text = wiki.escape(sentence)
    link = f". {link_to_page(page, context.backtrace(pair).address)}" if page else "."
    with context.refusal_as_problem(f"{ticket.issue.key} could not be commented on"):
        if not (regression.is_begun and _has_comment(context, pair, text)):
            context.jira.comment(context.turn.issue_id, text + link)


def _has_comment(context: TurnContext, pair: Pair, text: str) -> bool:
    """Return whether the comment is there: this regression's, and not one from before ticket and group last agreed.

    An older comment has other versions or counts.
    """
    since = pair.synced.at - SKEW
    comments = context.jira.comments(context.turn.issue_id)
    return any(at >= since and text in comment for at, comment in comments)
