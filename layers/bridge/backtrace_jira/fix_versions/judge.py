"""Judge a group whose ticket is done: nothing, resolve it again, or a regression. The only law on it; does no I/O.

What was seen past the boundary decides first; how often Backtrace reopened the group decides nothing. The table of all
cases is in docs/how-it-works/fix-versions.md, its rows in tests/unit/fix_versions/test_judge.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from backtrace_jira.backtrace.reopen_criteria import holds_all, text_of
from backtrace_jira.fix_versions.boundary import Boundary, is_done
from backtrace_jira.fix_versions.criterion import VersionCriterion, version_criteria_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.json_types import Histogram
from backtrace_jira.links.last_synced import Opener
from backtrace_jira.links.pair import Pair
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.states import State
from backtrace_jira.times import CLOCK_NOISE

DAY = 24 * 3600.0
MOST_TIMES = 3
"""Times a day that a group is resolved again."""
_OPEN = (State.OPEN, State.IN_PROGRESS)


class Judgement(Enum):
    """The three answers."""

    NOTHING = 0
    RESOLVE_AGAIN = 1
    """The error did not come back: the group is resolved until the current boundary."""
    REGRESSION = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a group.

    `seen` are versions past the current boundary, with counts, since the last closing; None if Backtrace refuses to
    say. `times` says how often the group was resolved again in the last day. `doubts` are versions of which nobody
    knows whether they are past, by the boundary as Backtrace is told it; they decide nothing.
    """

    opener: Opener
    seen: Histogram | None = ()
    times: int = 0
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)


def judge(pair: Pair, ticket: Ticket, boundary: Boundary, evidence: Evidence) -> Judgement:
    """Judge a group.

    Args:
        pair: the link and its group.
        ticket: as it is now.
        boundary: of the ticket as it is now.
        evidence: who opened the group, and what was seen.
    """
    if not _may_be_judged(pair, ticket):
        return Judgement.NOTHING
    if evidence.seen or evidence.opener is Opener.THEIRS:
        return (
            Judgement.REGRESSION
        )  # somebody wanted the group open in this case, and Backtrace says that it has come
    if evidence.opener is not Opener.OURS:
        return Judgement.NOTHING
    if evidence.seen is None and _is_sure(pair.group.met, boundary):
        return (
            Judgement.REGRESSION
        )  # Backtrace does not show the error, but says that it is past this very boundary
    # Backtrace orders versions by rules of its own, so the next error may reopen the group again, and so on.
    return Judgement.NOTHING if evidence.times >= MOST_TIMES else Judgement.RESOLVE_AGAIN


def _may_be_judged(pair: Pair, ticket: Ticket) -> bool:
    """Return whether a regression can be: once for each closing and boundary, and never while a group is muted."""
    wanted = pair.integration.fix_versions.enabled and is_done(ticket, pair.integration)
    return wanted and pair.group.state is not State.MUTED and not pair.synced.regressed


def _is_sure(met: Mapping[str, Any] | None, boundary: Boundary) -> bool:
    """Return whether a criterion is the current boundary's and says all of it: where in doubt, less is told."""
    exact = (each for each in boundary.criteria if each.told.seen_in is each.seen_in)
    sure = [each.told for each in exact if not each.version.is_doubtful]
    return any(each in sure for each in _take_apart(met))


def _take_apart(met: Mapping[str, Any] | None) -> list[VersionCriterion]:
    """Take apart a criterion that Backtrace names; nothing where it is of another form, since none is documented."""
    try:
        return version_criteria_of([text_of(met)]) if met is not None else []
    except (KeyError, TypeError, AttributeError):
        return []


# Who opened it


def opener_of(pair: Pair, ours: Sequence[str]) -> Opener:
    """Return who opened a group since it was resolved; nobody, if it is not open or was not resolved before.

    Args:
        pair: the link and its group.
        ours: the reopen criteria that this link set or may have set, as JSON texts.
    """
    before, group = pair.synced, pair.group
    if group.state not in _OPEN:
        return Opener.NOBODY
    if before.reopens is not None and group.reopens > before.reopens:
        return _whose(pair, ours)
    if before.state is None or before.state in _OPEN:
        return before.opened_by  # an old one: it is still who it was, however often anybody looks
    return Opener.PERSON


def _whose(pair: Pair, ours: Sequence[str]) -> Opener:
    """Return whose criterion reopened a group.

    One that is nobody's any more was ours, if it looks like ours: the boundary was raised after the error had met it.
    """
    column, met = pair.group.reopen_criteria, pair.group.met
    others = [text_of(each) for each in column or () if not _is_among(each, ours)]
    if met is None:  # Backtrace does not say which
        return Opener.OURS if ours and column is not None and not others else Opener.THEIRS
    if _is_among(met, ours):
        return Opener.OURS
    if column is None or _is_among(met, others):
        return Opener.THEIRS
    attribute = pair.integration.fix_versions.attribute
    is_like_ours = any(each.attribute == attribute for each in _take_apart(met))
    return Opener.OURS if ours and is_like_ours else Opener.THEIRS


def _is_among(criterion: Mapping[str, Any], texts: Iterable[str]) -> bool:
    return any(holds_all([criterion], [text]) for text in texts)


# What Backtrace is asked


def is_in_question(
    pair: Pair, ticket: Ticket, boundary: Boundary, opener: Opener, *, event_seen: bool
) -> bool:
    """Return whether Backtrace is to be asked for the versions that were seen.

    Args:
        pair: the link and its group.
        ticket: as it is now.
        boundary: of the ticket as it is now.
        opener: who opened the group.
        event_seen: an error event may be past the boundary.
    """
    if not _may_be_judged(pair, ticket):
        return False
    is_doubted = event_seen or pair.synced.needs_another_look
    return opener in (Opener.OURS, Opener.THEIRS) or (is_doubted and bool(boundary.reopen_criteria))


def is_new_to(pair: Pair, ticket: Ticket, boundary: Boundary, now: float) -> bool:
    """Return whether a boundary is new to a group, so that an error may be past it of which nobody was told.

    An error that came between the closing and this look met no criterion, and no link waited for its event: nobody
    would ever ask. A ticket that nobody has changed for a day is left to its next error: who enables Fix Versions does
    not want all tickets of long ago reopened.

    Args:
        pair: the link and its group.
        ticket: as it is now.
        boundary: of the ticket as it is now.
        now: unix seconds.
    """
    settings, wanted = pair.integration, boundary.reopen_criteria or ()
    stays_done = settings.fix_versions.on_regression in (OnRegression.COMMENT, OnRegression.LEAVE)
    if settings.event is EventKind.TRACE or stays_done:
        return False  # its groups are resolved until the boundary in any case
    if pair.synced.state is State.MUTED:
        return False  # nobody wanted to hear of what came while it was muted
    return now - ticket.updated < DAY and not is_same_boundary(wanted, pair.synced.reopen_criteria)


def has_lost_criteria(pair: Pair, ticket: Ticket, boundary: Boundary) -> bool:
    """Return whether a resolved group lacks reopen criteria that were written to it: somebody took them out.

    Where Jira does not show the boundary, or the criteria cannot be read, nothing is lost.
    """
    wanted, column = boundary.reopen_criteria, pair.group.reopen_criteria
    is_resolved = pair.group.state is State.RESOLVED and is_done(ticket, pair.integration)
    if not is_resolved or not wanted or column is None or wanted != pair.synced.reopen_criteria:
        return False
    return not holds_all(column, wanted)


def moment_to_ask(closed: float, opener: Opener) -> float:
    """Return the moment (unix seconds) since which an error counts.

    Where Backtrace has reopened the group, the order of its own steps says that an error came after the closing. Else
    only two clocks say so, and doubt does not reopen what a person has just closed.

    Args:
        closed: when the ticket was last closed.
        opener: who opened the group.
    """
    return closed if opener in (Opener.OURS, Opener.THEIRS) else closed + CLOCK_NOISE


def judged_by(boundary: Boundary, before: Iterable[str]) -> Sequence[VersionCriterion]:
    """Return the criteria with their doubt, of which Backtrace is told nothing.

    `before` are those of the last look: they hold on where Jira does not show the field.
    """
    return version_criteria_of(before) if boundary.reopen_criteria is None else boundary.criteria


def is_same_boundary(some: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether two tuples of reopen criteria (JSON texts) name the same boundary, in whichever words."""
    one, another = version_criteria_of(some), version_criteria_of(others)
    return len(one) == len(another) and all(each in another for each in one)


def recent_of(moments: Iterable[float], now: float) -> tuple[float, ...]:
    """Return the moments of the last day (unix seconds)."""
    return tuple(each for each in moments if now - each < DAY)
