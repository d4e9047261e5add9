"""Whether an error has come back, and what that does to its ticket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.fix_versions.criterion import version_criteria_of
from backtrace_jira.fix_versions.judge import DAY
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.states import State
from backtrace_jira.synchronisation.regressions import (
    Regression,
    find_action,
    find_begun,
    find_reopening,
    plan_regression,
    without_news,
)
from tests.unit.synchronisation.pairs import DONE, SYNCED_AT, agreed, group, pair, ticket, turn

OPEN, PROGRESS, RESOLVED, MUTED = State.OPEN, State.IN_PROGRESS, State.RESOLVED, State.MUTED
REOPEN, NEW, COMMENT, LEAVE = (
    OnRegression.REOPEN,
    OnRegression.NEW_TICKET,
    OnRegression.COMMENT,
    OnRegression.LEAVE,
)
FIXES = {"enabled": True}
SEEN = (("2.5", 3),)
CRITERION = '{"field":"version","type":"version_gt","version":"2.4"}'


def done(**more: Any) -> LastSynced:
    return agreed(RESOLVED, DONE, reopens=1, **more)


@pytest.mark.parametrize(
    ("settings", "more", "days", "action"),
    [
        ({}, {}, 100, REOPEN),
        ({"on_regression": "new_ticket"}, {}, 0, NEW),
        ({"on_regression": "comment"}, {}, 0, COMMENT),
        ({"on_regression": "leave"}, {}, 0, LEAVE),
        ({"reopen_within_days": 14}, {}, 13, REOPEN),
        ({"reopen_within_days": 14}, {}, 14, REOPEN),
        ({"reopen_within_days": 14}, {}, 15, NEW),
        ({"reopen_within_days": 14, "on_regression": "comment"}, {}, 15, COMMENT),
        ({}, {"event": "trace"}, 0, LEAVE),
        ({"on_regression": "new_ticket"}, {"event": "trace"}, 0, LEAVE),
    ],
)
def test_what_a_regression_does(
    settings: dict[str, Any], more: dict[str, Any], days: int, action: OnRegression
) -> None:
    its_pair = pair(group(RESOLVED, reopens=1), done(), fix_versions={**FIXES, **settings}, **more)
    found = plan_regression(its_pair, ticket(DONE, resolved=SYNCED_AT), SEEN, SYNCED_AT + days * DAY)
    assert found == Regression(its_pair, action, SEEN)


@pytest.mark.parametrize(
    ("resolution", "action"),
    [
        (("1", "Fixed"), REOPEN),
        (("2", "won't do"), LEAVE),
        (("3", "Duplicate"), LEAVE),
        (("", ""), REOPEN),
    ],
)
def test_no_error_undoes_a_final_resolution(resolution: tuple[str, str], action: OnRegression) -> None:
    its_pair = pair(group(OPEN, reopens=2), done(), fix_versions=FIXES)
    found = plan_regression(its_pair, ticket(DONE, resolution=resolution), (), SYNCED_AT)
    assert found
    assert found.action is action


def test_what_was_begun_is_found_by_its_note() -> None:
    its_pair = pair(synced=done())
    begun = Regression(its_pair, COMMENT, (("2.5", 3), ("2.6", 1)))
    noted = turn("status 4", f"regression {begun.to_note()}")
    assert find_begun(its_pair, noted) == Regression(its_pair, COMMENT, begun.seen, is_begun=True)
    assert find_begun(pair(synced=done(at=SYNCED_AT + 1)), noted) is None  # one before this
    assert find_begun(pair(group(fingerprint="b" * 64), synced=done()), noted) is None
    assert find_begun(its_pair, turn()) is None


def test_the_stored_note_is_what_older_releases_wrote() -> None:
    its_pair = pair(synced=done())
    stored = json.dumps(["my_universe/my_project/jira-bugs", "a" * 64, SYNCED_AT, "reopen", [["2.5", 3]]])
    assert Regression(its_pair, REOPEN, SEEN).to_note() == stored
    assert find_begun(its_pair, turn(f"regression {stored}")) == Regression(its_pair, REOPEN, SEEN, True)


def test_a_handled_regression_is_no_news_and_a_group_with_a_new_ticket_is_gone() -> None:
    pairs = [pair(group(OPEN, fingerprint=name * 64, reopens=2), agreed(RESOLVED, DONE)) for name in "abcd"]
    actions = [REOPEN, NEW, LEAVE]
    regressions = [Regression(each, action) for each, action in zip(pairs, actions, strict=False)]
    left = without_news(pairs, regressions)
    assert [each.link.key.fingerprint[0] for each in left] == ["a", "c", "d"]
    assert [(each.synced.state, each.synced.reopens, each.synced.regressed) for each in left] == [
        (OPEN, 2, True),
        (OPEN, 2, True),
        (RESOLVED, None, False),
    ]
    assert find_action(regressions, pairs[1]) is NEW
    assert find_action(regressions, pairs[3]) is None
    assert find_reopening(regressions) is pairs[0]
    assert find_reopening(regressions[1:]) is None


@pytest.mark.parametrize(
    ("seen", "criteria", "sentence"),
    [
        (
            (("2.5", 1),),
            (CRITERION,),
            "was seen again in 2.5 (1 error); it was to be resolved until version > 2.4",
        ),
        ((("2.6", 2), ("2.5", 3)), (), "was seen again in 2.6 (2 errors), 2.5 (3 errors)"),
        (
            (),
            (CRITERION,),
            "was seen again and reopened by Backtrace; it was to be resolved until version > 2.4",
        ),
        ((), (), "was seen again and reopened by Backtrace"),
        (
            tuple((f"2.{n}", n) for n in range(9, 2, -1)),
            (),
            "was seen again in 2.9 (9 errors), 2.8 (8 errors), 2.7 (7 errors), 2.6 (6 errors), 2.5 (5 errors)",
        ),
    ],
)
def test_what_was_seen_is_said(
    seen: tuple[tuple[str, int], ...], criteria: tuple[str, ...], sentence: str
) -> None:
    assert (
        Regression(pair(), REOPEN, seen).sentence(version_criteria_of(criteria))
        == f"Error group aaaaaaaaaaaa {sentence}"
    )
