"""What becomes of a group: what is carried to it, what is written, what is remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.backtrace.group import BacktraceUser
from backtrace_jira.jira.issue import Issue, JiraUser
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.pair import Pair
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.states import State, Status
from backtrace_jira.synchronisation.fields import ASSIGNEE, STATE
from backtrace_jira.synchronisation.news import ticket_has_news
from backtrace_jira.synchronisation.state import state_for_group
from backtrace_jira.synchronisation.synced_field import GroupPlan, Winner
from backtrace_jira.synchronisation.to_backtrace import (
    find_noted_criteria,
    is_linked,
    plan_group,
    remember,
    to_group_write,
)
from tests.unit.synchronisation.pairs import (
    BOTH_WAYS,
    DOING,
    DONE,
    ISSUE,
    SYNCED_AT,
    TODO,
    agreed,
    group,
    pair,
    ticket,
    turn,
)

OPEN, PROGRESS, RESOLVED, MUTED = State.OPEN, State.IN_PROGRESS, State.RESOLVED, State.MUTED
JANE = BacktraceUser(7, "jane")
LATER = SYNCED_AT + 10
JIRA_WON = (Winner(STATE, is_ticket=True), Winner(ASSIGNEE, is_ticket=True))
NOBODY_WON = (Winner(STATE), Winner(ASSIGNEE))
FIXES = {"enabled": True}


def find_user(user: JiraUser, pair: Pair) -> BacktraceUser | None:
    return JANE if user.id == "jane" else None


def later(version: str) -> str:
    return (
        json.dumps({"type": "version_gt", "field": "version", "version": f"{version}.0"}, sort_keys=True)
        .replace(": ", ":")
        .replace(", ", ",")
    )


# State


@pytest.mark.parametrize(
    ("state", "synced", "status", "given"),
    [
        (PROGRESS, agreed(), DONE, RESOLVED),
        (PROGRESS, agreed(), TODO, OPEN),
        (RESOLVED, agreed(), DONE, None),
        (OPEN, agreed(), DOING, PROGRESS),
        (MUTED, agreed(MUTED), DONE, None),
        (MUTED, agreed(MUTED), TODO, None),
        (MUTED, agreed(MUTED, DONE), DONE, None),
        (MUTED, agreed(MUTED, DONE), TODO, OPEN),  # reopened
        (MUTED, agreed(MUTED, DONE), DOING, PROGRESS),
        (MUTED, agreed(PROGRESS, DONE), TODO, None),  # muted after the ticket changed
        (MUTED, agreed(MUTED, None), TODO, None),
    ],
)
def test_the_state_that_a_group_is_given(
    state: State, synced: LastSynced, status: Status, given: State | None
) -> None:
    its_pair = pair(group(state, modified=LATER + 5), synced)
    assert state_for_group(its_pair, ticket(status, at=LATER)) is given


def test_a_group_muted_before_its_ticket_was_reopened_follows_it() -> None:
    its_pair = pair(group(MUTED, modified=LATER), agreed(RESOLVED, DONE))
    assert state_for_group(its_pair, ticket(TODO, at=LATER + 5)) is OPEN
    assert state_for_group(its_pair, ticket(TODO, at=LATER)) is OPEN
    assert state_for_group(its_pair, ticket(TODO, at=LATER - 1)) is None


# Assignee


@pytest.mark.parametrize(
    ("who", "user", "state", "expected"),
    [
        ("jane", 0, PROGRESS, (True, JANE, None, 0)),
        ("jane", 7, PROGRESS, (False, None, None, 0)),
        ("jane", 9, PROGRESS, (True, JANE, None, 0)),
        ("", 9, PROGRESS, (True, None, None, 0)),
        ("", 0, PROGRESS, (False, None, None, 0)),
        ("ghost", 9, PROGRESS, (False, None, None, 1)),
        ("jane", 0, OPEN, (True, JANE, PROGRESS, 0)),  # as Backtrace does when somebody is assigned
        ("", 9, OPEN, (True, None, None, 0)),
        ("jane", 0, RESOLVED, (True, JANE, None, 0)),
    ],
)
def test_the_assignee_that_a_group_is_given(
    who: str, user: int, state: State, expected: tuple[object, ...]
) -> None:
    synced = agreed(state, assignee=str(user or ""), ticket_assignee="somebody")
    winners = (Winner(STATE), Winner(ASSIGNEE, is_ticket=True))
    plan = plan_group(
        pair(group(state, user), synced, sync={**BOTH_WAYS, "fields": ["assignee"]}),
        ticket(assignee=who),
        winners,
        turn(),
        find_user,
    )
    assert (plan.sets_assignee, plan.assignee, plan.state, len(plan.problems)) == expected


@pytest.mark.parametrize(("universe", "user_id"), [("my_universe", 9), ("another", 7)])
def test_whoever_was_just_assigned_is_not_looked_up_in_the_same_universe(universe: str, user_id: int) -> None:
    first = pair(group(assignee=9, fingerprint="b" * 64), universe=universe)
    plan = plan_group(pair(), ticket(assignee="jane"), (Winner(ASSIGNEE, pair=first),), turn(), find_user)
    assert plan.assignee
    assert plan.assignee.id == user_id


# Fix Versions and regressions


@pytest.mark.parametrize(
    ("action", "state", "expected"),
    [
        (None, RESOLVED, (None, [later("2.4")])),
        (OnRegression.REOPEN, RESOLVED, (None, [later("2.4")])),
        (OnRegression.COMMENT, RESOLVED, (OPEN, [])),
        (OnRegression.COMMENT, OPEN, (None, [])),
        (OnRegression.LEAVE, RESOLVED, (None, [])),
        (OnRegression.LEAVE, OPEN, (None, [])),
    ],
)
def test_a_group_whose_ticket_stays_done_is_not_resolved_again(
    action: OnRegression | None, state: State, expected: tuple[State | None, list[str]]
) -> None:
    its_pair = pair(group(state), agreed(state, DONE), fix_versions=FIXES)
    plan = plan_group(its_pair, ticket(DONE, versions=("2.4",)), NOBODY_WON, turn(), find_user, action)
    assert (plan.state, list(plan.link_criteria)) == expected


@pytest.mark.parametrize(
    ("unread", "problems"),
    [
        ((), 1),
        (("Next: cannot be read as a version (docs/versions.md), so it says nothing to Backtrace",), 0),
    ],
)
def test_a_version_that_cannot_be_read_is_reported_once(unread: tuple[str, ...], problems: int) -> None:
    its_pair = pair(group(RESOLVED), agreed(RESOLVED, DONE, unread_versions=unread), fix_versions=FIXES)
    plan = plan_group(its_pair, ticket(DONE, versions=("Next",)), NOBODY_WON, turn(), find_user)
    assert len(plan.problems) == problems


DOUBT = (
    "2.4-HF1: it is not known whether it comes before or after 2.4, "
    "so it counts as the last of 2.4 (docs/versions.md)"
)


@pytest.mark.parametrize(("said", "doubts"), [((), (DOUBT,)), ((DOUBT,), ())])
def test_doubt_is_said_once_and_is_no_problem(said: tuple[str, ...], doubts: tuple[str, ...]) -> None:
    its_pair = pair(group(RESOLVED), agreed(RESOLVED, DONE, unread_versions=said), fix_versions=FIXES)
    its_ticket = ticket(DONE, versions=("2.4-HF1",))
    plan = plan_group(its_pair, its_ticket, NOBODY_WON, turn(), find_user)
    assert (plan.doubts, plan.problems) == (doubts, ())
    assert remember(plan, its_pair, its_ticket).unread_versions == (DOUBT,)


@pytest.mark.parametrize(("said", "has_news"), [((), True), ((DOUBT,), False)])
def test_doubt_that_was_said_is_no_news(said: tuple[str, ...], has_news: bool) -> None:
    its_ticket = ticket(DONE, versions=("2.4-HF1",))
    facts = {version.id: version.facts for version in its_ticket.versions["fixVersions"]}
    synced = agreed(RESOLVED, DONE, unread_versions=said, reopen_criteria=(later("2.4"),), fix_versions=facts)
    its_pair = pair(group(RESOLVED), synced, fix_versions=FIXES)
    assert ticket_has_news(its_pair.link, its_pair.integration, its_ticket) is has_news


def test_criteria_that_cannot_be_read_are_a_problem_with_the_group_s_name() -> None:
    its_pair = pair(group(RESOLVED, reopen_criteria=None), agreed(RESOLVED, DONE), fix_versions=FIXES)
    plan = plan_group(its_pair, ticket(DONE, versions=("2.4",)), NOBODY_WON, turn(), find_user)
    (problem,) = plan.problems
    assert problem.startswith("error group aaaaaaaaaaaa: its reopen criteria cannot be read")
    assert not plan.changes_group


@pytest.mark.parametrize(
    ("note", "found"),
    [
        (["my_universe/my_project/jira-bugs", "a" * 64, [later("2.4"), later("2.5")]], [later("2.5")]),
        (["my_universe/my_project/jira-bugs", "b" * 64, [later("2.5")]], []),
        (["another/my_project/jira-bugs", "a" * 64, [later("2.5")]], []),
    ],
)
def test_what_the_last_holder_noted_is_ours(note: list[Any], found: list[str]) -> None:
    its_pair = pair(synced=agreed(reopen_criteria=(later("2.4"),)))
    assert find_noted_criteria(turn(f"until {json.dumps(note)}", "status 4"), its_pair) == found


# What is written and remembered


def test_both_fields_go_into_one_write_and_people_s_entries_stay() -> None:
    its_pair = pair(group(PROGRESS, 9))
    plan = plan_group(its_pair, ticket(DONE, "jane"), JIRA_WON, turn(), find_user)
    write = to_group_write(plan, its_pair, ticket(DONE, "jane"))
    jane = [{"id": 7, "username": "jane"}]
    assert (write.state, write.sets_assignee, write.reopen_criteria) == (RESOLVED, True, None)
    assert write.tickets == [
        {"watcher": "_backtrace", "assignees": jane},
        {
            "watcher": "jira-bugs",
            "short": "BUG-1",
            "url": ISSUE.url,
            "state": "resolved",
            "assignees": jane,
        },
    ]


def test_a_moved_ticket_s_entry_gets_its_new_key() -> None:
    moved = ticket(issue=Issue(ISSUE.id, "OPS-7", "https://jira.example/browse/OPS-7"))
    write = to_group_write(GroupPlan(()), pair(), moved)
    assert write.tickets
    entry = write.tickets[1]
    assert isinstance(entry, dict)
    assert (entry["short"], entry["state"], write.sets_assignee) == ("OPS-7", "in-progress", False)


@pytest.mark.parametrize(
    ("linked", "tickets", "expected"),
    [
        (True, None, True),
        (True, [], False),
        (False, [], True),  # it was never told of its ticket
        (True, [{"watcher": "jira-bugs", "url": "https://jira.example/browse/BUG-9"}], False),
        (True, [{"watcher": "another", "url": ISSUE.url}], False),
    ],
)
def test_a_group_that_was_told_of_its_ticket_and_has_none_was_unlinked(
    linked: bool, tickets: list[dict[str, str]] | None, expected: bool
) -> None:
    its_pair = pair(group() if tickets is None else group(tickets=tickets))
    its_pair = replace(its_pair, link=replace(its_pair.link, linked_in_backtrace=linked))
    assert is_linked(its_pair, ticket()) is expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (GroupPlan(()), (OPEN, "9", DONE, "jane")),
        (GroupPlan((), state=RESOLVED), (RESOLVED, "9", DONE, "jane")),
        (GroupPlan((), sets_assignee=True, assignee=JANE), (OPEN, "7", DONE, "jane")),
        (GroupPlan((), sets_assignee=True), (OPEN, "", DONE, "jane")),
    ],
)
def test_what_was_written_is_remembered(plan: GroupPlan, expected: tuple[object, ...]) -> None:
    synced = remember(plan, pair(group(OPEN, 9, reopens=3)), ticket(DONE, "jane"))
    assert (synced.state, synced.assignee, synced.status, synced.ticket_assignee) == expected
    assert synced.reopens == 3


@pytest.mark.parametrize(
    ("status", "state", "ours", "regressed"),
    [
        (DONE, OPEN, (), True),
        (DONE, RESOLVED, (), False),  # resolved again: the next one is another regression
        (TODO, OPEN, (), False),
        (DONE, OPEN, (later("2.5"),), False),  # another boundary
    ],
)
def test_a_regression_is_remembered_while_it_stands(
    status: Status, state: State, ours: tuple[str, ...], regressed: bool
) -> None:
    its_pair = pair(group(state), agreed(state, DONE, regressed=True))
    assert remember(GroupPlan(ours), its_pair, ticket(status)).regressed is regressed


def test_versions_are_remembered_where_jira_has_the_field() -> None:
    its_pair = pair(group(RESOLVED), agreed(RESOLVED, DONE, fix_versions={"1": "old"}), fix_versions=FIXES)
    assert set(remember(GroupPlan(()), its_pair, ticket(DONE, versions=("2.4", "2.5"))).fix_versions) == {
        "0",
        "1",
    }
    missing = remember(GroupPlan(()), its_pair, ticket(DONE, versions=None))
    assert missing.fix_versions == {"1": "old"}
    assert "Jira shows no field fixVersions" in missing.unread_versions[0]


@pytest.mark.parametrize(
    ("plan", "sentences"),
    [
        (GroupPlan(()), ["", ""]),
        (GroupPlan((), state=RESOLVED), ["Done in Jira: in-progress → resolved in Backtrace", ""]),
        (
            GroupPlan((), sets_assignee=True, assignee=JANE),
            ["", "assigned in Jira: jane in Backtrace"],
        ),
        (GroupPlan((), sets_assignee=True), ["", "assigned in Jira: nobody in Backtrace"]),
    ],
)
def test_what_was_done_is_said(plan: GroupPlan, sentences: list[str]) -> None:
    said = [field.describe(plan, pair(), ticket(DONE)) for field in (STATE, ASSIGNEE)]
    assert said == sentences
