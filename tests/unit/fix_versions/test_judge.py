"""The one law on a group whose ticket is done: nothing, resolve it again, or a regression."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.judge import (
    DAY,
    MOST_TIMES,
    Evidence,
    Judgement,
    is_in_question,
    is_new_to,
    is_same_boundary,
    judge,
    judged_by,
    moment_to_ask,
    opener_of,
    recent_of,
)
from backtrace_jira.links.last_synced import INDEX_LAG, LastSynced, Opener
from backtrace_jira.states import State, Status
from backtrace_jira.times import CLOCK_NOISE
from tests.unit.synchronisation.pairs import DONE, SYNCED_AT, TODO, agreed, group, pair, ticket

OPEN, PROGRESS, RESOLVED, MUTED = State.OPEN, State.IN_PROGRESS, State.RESOLVED, State.MUTED
NOBODY, OURS, THEIRS, PERSON = Opener.NOBODY, Opener.OURS, Opener.THEIRS, Opener.PERSON
NOTHING, AGAIN, REGRESSION = Judgement.NOTHING, Judgement.RESOLVE_AGAIN, Judgement.REGRESSION
FIXES = {"enabled": True}
SEEN = (("2.5", 3),)


def later(version: str, field: str = "version", kind: str = "version_gt") -> dict[str, Any]:
    return {"type": kind, "field": field, "version": version}


def text(*criteria: dict[str, Any]) -> tuple[str, ...]:
    return tuple(json.dumps(each, sort_keys=True, separators=(",", ":")) for each in criteria)


def done(**more: Any) -> LastSynced:
    return agreed(RESOLVED, DONE, reopens=1, **more)


# The judgement


@pytest.mark.parametrize(
    ("state", "opener", "seen", "judgement"),
    [
        # what was seen past the boundary decides first, whoever tells of it
        (RESOLVED, NOBODY, SEEN, REGRESSION),
        (OPEN, OURS, SEEN, REGRESSION),
        (PROGRESS, OURS, SEEN, REGRESSION),
        (OPEN, PERSON, SEEN, REGRESSION),
        (RESOLVED, NOBODY, (), NOTHING),  # the event's versions are from before the ticket was done
        (RESOLVED, NOBODY, None, NOTHING),
        # Backtrace reopened it, and nothing past the boundary was seen: another order, or a boundary that was raised
        (OPEN, OURS, (), AGAIN),
        (PROGRESS, OURS, (), AGAIN),
        # a person's criterion is what that person wanted
        (OPEN, THEIRS, (), REGRESSION),
        (OPEN, THEIRS, None, REGRESSION),
        # a person opened it
        (OPEN, PERSON, (), NOTHING),
        (OPEN, PERSON, None, NOTHING),
        # muted
        (MUTED, NOBODY, SEEN, NOTHING),
        (MUTED, NOBODY, (), NOTHING),
    ],
)
def test_the_judgement(
    state: State, opener: Opener, seen: tuple[tuple[str, int], ...] | None, judgement: Judgement
) -> None:
    its_pair, its_ticket = (
        pair(group(state, reopens=2), done(), fix_versions=FIXES),
        ticket(DONE, versions=("2.4",)),
    )
    boundary = boundary_of(its_ticket, its_pair.integration)
    evidence = Evidence(opener, seen)
    assert judge(its_pair, its_ticket, boundary, evidence) is judgement
    for elsewhere, status, synced in [
        (FIXES, TODO, done()),  # the ticket is not done
        (FIXES, DONE, done(regressed=True)),  # once for each regression
        ({}, DONE, done()),  # not enabled
    ]:
        other = pair(group(state, reopens=2), synced, fix_versions=elsewhere)
        assert judge(other, ticket(status, versions=("2.4",)), boundary, evidence) is NOTHING


@pytest.mark.parametrize(
    ("versions", "met", "judgement"),
    [
        (("2.4",), later("2.4"), REGRESSION),  # Backtrace does not show the error, but says that it is past
        (("2.4",), {**later("2.4"), "enabled": True}, REGRESSION),
        (("2.6",), later("2.4"), AGAIN),  # past the boundary of before
        (("2.4-HF1",), later("2.4"), AGAIN),  # that is not all that the boundary says
        (("2.4",), None, AGAIN),
        ((), later("2.4"), AGAIN),
    ],
)
def test_backtrace_is_believed_where_it_refuses_to_show_the_errors(
    versions: tuple[str, ...], met: dict[str, Any] | None, judgement: Judgement
) -> None:
    its_pair = pair(group(OPEN, reopens=2, met=met), done(), fix_versions=FIXES)
    its_ticket = ticket(DONE, versions=versions)
    boundary = boundary_of(its_ticket, its_pair.integration)
    assert judge(its_pair, its_ticket, boundary, Evidence(OURS, None)) is judgement


def test_it_is_resolved_again_a_few_times_a_day() -> None:
    its_pair, its_ticket = (
        pair(group(OPEN, reopens=2), done(), fix_versions=FIXES),
        ticket(DONE, versions=("2.4",)),
    )
    boundary = boundary_of(its_ticket, its_pair.integration)
    judgements = [judge(its_pair, its_ticket, boundary, Evidence(OURS, (), times)) for times in range(5)]
    assert judgements == [AGAIN] * MOST_TIMES + [NOTHING] * 2
    assert judge(its_pair, its_ticket, boundary, Evidence(OURS, SEEN, 99)) is REGRESSION


def test_only_the_last_day_counts() -> None:
    assert recent_of((0.0, 10.0, DAY), DAY + 5) == (10.0, DAY)


# Who opened it


@pytest.mark.parametrize(
    ("before", "state", "reopens", "met", "column", "opener"),
    [
        (done(), RESOLVED, 2, later("2.4"), [later("2.4")], NOBODY),  # and somebody resolved it again
        (done(), MUTED, 2, later("2.4"), [later("2.4")], NOBODY),
        (done(), OPEN, 2, later("2.4"), [later("2.4")], OURS),
        (done(), PROGRESS, 2, later("2.4"), [later("2.4")], OURS),
        (done(), OPEN, 2, {"enabled": True, **later("2.4")}, [later("2.4")], OURS),  # in other words
        (done(), OPEN, 2, later("2.4"), [], OURS),  # Backtrace may forget what was met
        (done(), OPEN, 2, later("2.4"), [later("2.4")] * 2, OURS),  # a person's says the same
        (
            done(),
            OPEN,
            2,
            later("1"),
            [later("2.4")],
            OURS,
        ),  # the boundary was raised after the error had met it
        (done(), OPEN, 2, later("1"), [later("2.4"), later("1")], THEIRS),
        (done(), OPEN, 2, later("1", "build"), [later("2.4")], THEIRS),
        (done(), OPEN, 2, {"type": "timestamp_gt", "timestamp": 1}, [later("2.4")], THEIRS),
        (done(), OPEN, 2, {"id": 7}, [later("2.4")], THEIRS),  # in a form that nobody documents
        (done(), OPEN, 2, {"type": "and", "children": 3}, [later("2.4")], THEIRS),
        (done(), OPEN, 2, later("2.4"), None, OURS),
        (done(), OPEN, 2, later("1"), None, THEIRS),
        # Backtrace does not say which
        (done(), OPEN, 2, None, [later("2.4")], OURS),
        (done(), OPEN, 2, None, [later("2.4"), later("1")], THEIRS),
        (done(), OPEN, 2, None, None, THEIRS),
        # nothing was met
        (done(), OPEN, 1, later("2.4"), [later("2.4")], PERSON),
        (agreed(MUTED, DONE, reopens=1), OPEN, 1, None, [], PERSON),
        (agreed(RESOLVED, DONE), OPEN, 1, None, [], PERSON),  # how often before is not known
        # open before: still who it was
        (agreed(OPEN, DONE, reopens=1), OPEN, 1, None, [], NOBODY),
        (agreed(OPEN, DONE, reopens=1, opened_by=PERSON), OPEN, 1, None, [], PERSON),
        (agreed(OPEN, DONE, reopens=1, opened_by=PERSON), PROGRESS, 1, None, [], PERSON),
        (agreed(OPEN, DONE, reopens=1, opened_by=OURS), OPEN, 1, None, [], OURS),
        (agreed(None, None), OPEN, 0, None, [], NOBODY),
    ],
)
def test_who_opened_it(
    before: LastSynced,
    state: State,
    reopens: int,
    met: dict[str, Any] | None,
    column: list[dict[str, Any]] | None,
    opener: Opener,
) -> None:
    its_group = group(state, reopens=reopens, met=met, reopen_criteria=column)
    assert opener_of(pair(its_group, before, fix_versions=FIXES), text(later("2.4"))) is opener


def test_without_criteria_of_ours_it_was_not_us() -> None:
    for met in (None, later("2.4")):
        its_group = group(OPEN, reopens=2, met=met)
        assert opener_of(pair(its_group, done(), fix_versions=FIXES), ()) is THEIRS


# What is asked


@pytest.mark.parametrize(
    ("state", "opener", "status", "versions", "event", "synced", "expected"),
    [
        (OPEN, OURS, DONE, ("2.4",), False, done(), True),
        (PROGRESS, OURS, DONE, ("2.4",), False, done(), True),
        (OPEN, OURS, DONE, (), False, done(), True),
        (OPEN, THEIRS, DONE, (), False, done(), True),
        (OPEN, PERSON, DONE, ("2.4",), False, done(), False),
        (RESOLVED, NOBODY, DONE, ("2.4",), False, done(), False),
        (MUTED, NOBODY, DONE, ("2.4",), True, done(), False),
        (RESOLVED, NOBODY, DONE, ("2.4",), True, done(), True),  # an event tells
        (RESOLVED, NOBODY, DONE, (), True, done(), False),
        (RESOLVED, NOBODY, DONE, ("Next",), True, done(), False),
        (OPEN, OURS, TODO, ("2.4",), True, done(), False),  # the ticket is not done
        (OPEN, OURS, DONE, ("2.4",), True, done(regressed=True), False),
        (RESOLVED, NOBODY, DONE, ("2.4",), False, done(resolved_again=(SYNCED_AT,)), True),
        (RESOLVED, NOBODY, DONE, ("2.4",), False, done(resolved_again=(SYNCED_AT - INDEX_LAG,)), False),
    ],
)
def test_which_groups_backtrace_is_asked_about(
    state: State,
    opener: Opener,
    status: Status,
    versions: tuple[str, ...],
    event: bool,
    synced: LastSynced,
    expected: bool,
) -> None:
    its_pair, its_ticket = pair(group(state), synced, fix_versions=FIXES), ticket(status, versions=versions)
    boundary = boundary_of(its_ticket, its_pair.integration)
    assert is_in_question(its_pair, its_ticket, boundary, opener, event_seen=event) is expected
    assert not is_in_question(pair(group(state), synced), its_ticket, boundary, opener, event_seen=event)


@pytest.mark.parametrize(
    ("versions", "synced", "age", "expected"),
    [
        (("2.4",), LastSynced(), 60.0, True),
        (("2.4",), done(reopen_criteria=text(later("2.4.0"))), 60.0, False),  # the link knows it
        (("2.5",), done(reopen_criteria=text(later("2.4.0"))), 60.0, True),
        ((), done(reopen_criteria=text(later("2.4.0"))), 60.0, True),  # and there is nothing to ask for
        (("2.4",), LastSynced(), 2 * DAY, False),
    ],
)
def test_a_new_boundary_is_asked_about(
    versions: tuple[str, ...], synced: LastSynced, age: float, expected: bool
) -> None:
    its_pair, its_ticket = pair(group(RESOLVED), synced, fix_versions=FIXES), ticket(DONE, versions=versions)
    boundary = boundary_of(its_ticket, its_pair.integration)
    assert is_new_to(its_pair, its_ticket, boundary, its_ticket.updated + age) is expected


def test_a_boundary_that_is_new_to_a_group_that_was_muted_asks_nobody() -> None:
    its_ticket = ticket(DONE, versions=("2.4",))
    for state, expected in ((RESOLVED, True), (MUTED, False)):
        its_pair = pair(group(RESOLVED), agreed(state, DONE), fix_versions=FIXES)
        boundary = boundary_of(its_ticket, its_pair.integration)
        assert is_new_to(its_pair, its_ticket, boundary, its_ticket.updated) is expected


@pytest.mark.parametrize(
    ("opener", "later_by"), [(NOBODY, CLOCK_NOISE), (PERSON, CLOCK_NOISE), (OURS, 0), (THEIRS, 0)]
)
def test_the_seconds_after_a_closing_count_where_backtrace_has_reopened(
    opener: Opener, later_by: float
) -> None:
    assert moment_to_ask(1000.0, opener) == 1000.0 + later_by


def test_a_boundary_that_jira_hides_is_the_one_of_before() -> None:
    its_pair = pair(fix_versions=FIXES)
    hidden = boundary_of(ticket(DONE, versions=None), its_pair.integration)
    assert [str(each) for each in judged_by(hidden, text(later("2.4")))] == ["version > 2.4"]
    shown = boundary_of(ticket(DONE, versions=("2.6",)), its_pair.integration)
    assert [str(each) for each in judged_by(shown, text(later("2.4")))] == ["version > 2.6"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([later("2.4")], [later("2.4")], True),
        ([later("2.4")], [later("2.4.0")], True),
        ([later("2.4"), later("7.1", "server")], [later("7.1", "server"), later("2.4")], True),
        ([], [], True),
        ([later("2.4")], [later("2.5")], False),
        ([later("2.4")], [later("2.4", kind="version_ge")], False),
        ([later("2.4")], [later("2.4", "build")], False),
        ([later("2.4")], [], False),
    ],
)
def test_a_boundary_in_other_words_is_the_same(
    one: list[dict[str, Any]], other: list[dict[str, Any]], same: bool
) -> None:
    assert is_same_boundary(text(*one), text(*other)) is same
    assert is_same_boundary(text(*other), text(*one)) is same
