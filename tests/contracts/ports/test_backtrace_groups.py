"""The contract of Backtrace as synchronisation uses it: the fake, and the client on the stand-in.

Its users rely on this: a group that nobody ever touched is open; a write changes the columns that it names and no
other; what was modified first comes first; errors are counted from a moment on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.backtrace import groups as adapter
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.backtrace.group import BacktraceUser, Group, GroupPage, GroupWrite
from backtrace_jira.errors import Refused
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import JSON
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.settings.connection import BacktraceUniverse
from backtrace_jira.states import State
from backtrace_jira.synchronisation.ports import BacktraceGroups
from backtrace_jira.tickets.ports import BacktraceLinks
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from tests.fakes.backtrace import FakeBacktraceGroups, FakeBacktraceLinks
from tests.fakes.clock import Clock

PORTS = {BacktraceGroups: FakeBacktraceGroups, BacktraceLinks: FakeBacktraceLinks}
PROJECT = "my_project"
FIRST, SECOND = "a" * 64, "b" * 64
JANE = {"id": 7, "username": "jane", "email": "jane@example.com"}
NOBODY: dict[str, JSON] = {"watcher": "_backtrace", "assignees": []}
OWN = {"watcher": "_backtrace", "assignees": [JANE]}
OURS = {"watcher": "jira-bugs", "short": "BUG-1", "url": "https://jira.example/browse/BUG-1", "state": "open"}
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
CRITERION = {"type": "version_gt", "field": "version", "version": "2.4"}
Universe = FakeBacktraceGroups | BacktraceStandIn


def set_page(universe: Universe, size: int, patch: pytest.MonkeyPatch) -> None:
    """Let one page of what changed have so many groups."""
    if isinstance(universe, FakeBacktraceGroups):
        universe.page = size
    else:
        patch.setattr(adapter, "PAGE", size)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "stand-in"])
def three(
    request: pytest.FixtureRequest, clock: Clock
) -> Iterator[tuple[Universe, BacktraceGroups, BacktraceLinks]]:
    """Give the universe, where something happens, and both ports."""
    if request.param == "fake":
        fake = FakeBacktraceGroups(clock)
        yield fake, fake, FakeBacktraceLinks(fake)
        return
    with BacktraceStandIn(clock=clock) as stand_in:
        settings = BacktraceUniverse(universe=stand_in.universe, address=stand_in.url)
        client = BacktraceClient(settings, SecretStr(stand_in.token))
        yield stand_in, RestBacktraceGroups(client), RestBacktraceLinks(client)


@pytest.fixture
def universe(three: tuple[Universe, BacktraceGroups, BacktraceLinks]) -> Universe:
    return three[0]


@pytest.fixture
def groups(three: tuple[Universe, BacktraceGroups, BacktraceLinks]) -> BacktraceGroups:
    return three[1]


@pytest.fixture
def links(three: tuple[Universe, BacktraceGroups, BacktraceLinks]) -> BacktraceLinks:
    return three[2]


def test_both_know_the_universe_s_own_address(
    universe: Universe, groups: BacktraceGroups, links: BacktraceLinks
) -> None:
    expected = universe.url if isinstance(universe, BacktraceStandIn) else universe.address
    assert groups.address == links.address == expected


def test_a_group_that_nobody_touched_is_open(groups: BacktraceGroups) -> None:
    assert groups.group(PROJECT, FIRST) == Group(PROJECT, FIRST, State.OPEN)
    with pytest.raises(Refused):
        groups.group("no project of this name", FIRST)


def test_a_group_is_read_whole(universe: Universe, groups: BacktraceGroups, clock: Clock) -> None:
    columns = {"invariants": [CRITERION], "invariant_reopen_count": 2}
    universe.seed(PROJECT, FIRST, state="resolved", ticket=[OWN, OURS], **columns)
    assert groups.group(PROJECT, FIRST).met is None
    universe.seed(PROJECT, FIRST, invariant_last_violated=json.dumps(CRITERION))
    group = groups.group(PROJECT, FIRST)
    assert group.met == CRITERION
    assert (group.state, group.modified, group.reopens) == (State.RESOLVED, clock(), 2)
    assert (list(group.tickets), list(group.reopen_criteria or ())) == ([OWN, OURS], [CRITERION])
    assert group.assignee == BacktraceUser(7, "jane", "jane@example.com")


def test_a_write_changes_what_it_names_and_nothing_else(
    universe: Universe, groups: BacktraceGroups, clock: Clock
) -> None:
    universe.seed(PROJECT, FIRST, state="open", ticket=[OWN, OURS], invariants=[CRITERION])
    clock.advance(60)
    groups.write(groups.group(PROJECT, FIRST), GroupWrite(State.RESOLVED))
    group = groups.group(PROJECT, FIRST)
    assert (group.state, list(group.tickets), group.modified) == (State.RESOLVED, [OWN, OURS], clock())
    groups.write(group, GroupWrite(tickets=[NOBODY], sets_assignee=True))
    groups.write(group, GroupWrite(reopen_criteria=[]))
    group = groups.group(PROJECT, FIRST)
    assert (group.state, group.assignee, list(group.reopen_criteria or ())) == (State.RESOLVED, None, [])
    assert len(group.tickets) == 1


def test_a_write_answers_with_the_group_as_it_is_then(universe: Universe, groups: BacktraceGroups) -> None:
    universe.seed(PROJECT, FIRST, state="open", ticket=[OWN, OURS], invariant_reopen_count=3)
    criteria: list[JSON] = [dict(CRITERION)]
    answered = groups.write(
        groups.group(PROJECT, FIRST), GroupWrite(State.RESOLVED, reopen_criteria=criteria)
    )
    assert answered == replace(groups.group(PROJECT, FIRST), modified=0.0)
    assert answered is not None
    assert (answered.state, answered.reopens, answered.reopen_criteria) == (State.RESOLVED, 3, criteria)


def test_a_write_that_backtrace_refuses_changes_nothing(universe: Universe, groups: BacktraceGroups) -> None:
    universe.refuse(FIRST, "locked")
    with pytest.raises(Refused, match="locked"):
        groups.write(groups.group(PROJECT, FIRST), GroupWrite(State.RESOLVED))
    assert groups.group(PROJECT, FIRST).state is State.OPEN


def changed(groups: BacktraceGroups, since: float) -> Iterator[GroupPage]:
    page = groups.changed_groups(PROJECT, since)
    yield page
    while page.next_after:
        page = groups.changed_groups(PROJECT, since, page.next_after)
        yield page


def test_what_was_modified_first_comes_first(
    universe: Universe, groups: BacktraceGroups, clock: Clock
) -> None:
    start = clock()
    for fingerprint in (SECOND, FIRST, "c" * 64):
        universe.seed(PROJECT, fingerprint, state="resolved")
        clock.advance(100)
    page = groups.changed_groups(PROJECT, start + 50)
    assert ([group.fingerprint for group in page.groups], page.next_after) == ([FIRST, "c" * 64], "")
    assert groups.changed_groups(PROJECT, start).groups[0].fingerprint == SECOND
    with pytest.raises(Refused):
        groups.changed_groups("no project of this name", start)


@pytest.mark.parametrize("apart", [0, 1, 100], ids=["all in one second", "one each second", "far apart"])
def test_all_that_was_modified_is_on_some_page_whatever_changes_in_between(
    universe: Universe, groups: BacktraceGroups, clock: Clock, apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_page(universe, 5, monkeypatch)
    start = clock()
    wanted = [f"{number:064x}" for number in range(23)]
    for fingerprint in wanted:
        universe.seed(PROJECT, fingerprint, state="resolved")
        clock.advance(apart)
    clock.advance(100)
    seen: set[str] = set()
    for number, page in enumerate(changed(groups, start)):
        seen |= {group.fingerprint for group in page.groups}
        if apart:
            universe.seed(PROJECT, page.groups[0].fingerprint, state="muted" if number % 2 else "open")
        clock.advance(1)
        assert number < 60
    assert seen == set(wanted)


def test_a_person_is_found_by_an_assignment(universe: Universe, groups: BacktraceGroups) -> None:
    assert groups.find_user(PROJECT, "jane@example.com") is None
    universe.seed(PROJECT, FIRST, ticket=[OWN])
    assert groups.find_user(PROJECT, "jane@example.com") == BacktraceUser(7, "jane", "jane@example.com")
    assert groups.find_user(PROJECT, "jan@example.com") is None


def test_errors_are_counted_from_a_moment_on(
    universe: Universe, groups: BacktraceGroups, clock: Clock
) -> None:
    universe.receive(PROJECT, FIRST, version="2.3", environment="production")
    clock.advance(100)
    since = clock()
    for version, environment in (("2.5", "production"), ("2.5", "staging"), ("2.6", "production")):
        universe.receive(PROJECT, FIRST, version=version, environment=environment)
    universe.receive(PROJECT, SECOND, version="2.7")
    found = groups.count_values(PROJECT, FIRST, "version", since=since, where={})
    assert sorted(found) == [("2.5", 2), ("2.6", 1)]
    only = {"environment": "production"}
    assert sorted(groups.count_values(PROJECT, FIRST, "version", since=since, where=only)) == [
        ("2.5", 1),
        ("2.6", 1),
    ]
    assert groups.count_values(PROJECT, "d" * 64, "version", since=since, where={}) == ()


def test_an_event_is_put_together_of_the_errors_since_then(
    universe: Universe, groups: BacktraceGroups, clock: Clock
) -> None:
    universe.receive(PROJECT, FIRST, version="2.3")
    clock.advance(100)
    universe.receive(PROJECT, FIRST, version="2.5", hostname="a")
    page = "https://backtrace.example/group"
    body = json.loads(groups.error_event(PROJECT, FIRST, since=clock(), page=page))
    wanted = {"universe": "my_universe", "project": PROJECT, "fingerprint": FIRST, "group_url": page}
    assert {name: body[name] for name in wanted} == wanted
    assert body["occurrences"] == 1
    assert body["attributes"] == {"hostname": [["a", 1]], "version": [["2.5", 1]]}
    assert "group_url" not in json.loads(groups.error_event(PROJECT, FIRST, since=clock(), page=""))


@pytest.mark.parametrize(
    ("before", "after"),
    [("open", "in-progress"), ("in-progress", "in-progress"), ("resolved", "resolved"), ("muted", "muted")],
)
def test_linking_begins_an_open_group_and_returns_what_it_is_then(
    universe: Universe, groups: BacktraceGroups, links: BacktraceLinks, before: str, after: str
) -> None:
    universe.seed(PROJECT, FIRST, state=before, ticket=[OWN])
    for _ in range(2):  # doing it twice changes nothing
        baseline = links.link(project=PROJECT, fingerprint=FIRST, watcher="jira-bugs", issue=ISSUE)
        assert baseline == LastSynced(state=State(after), assignee="7")
        group = groups.group(PROJECT, FIRST)
        assert (group.state, list(group.tickets)) == (State(after), [OWN, OURS])


def test_a_group_that_nobody_touched_is_linked(groups: BacktraceGroups, links: BacktraceLinks) -> None:
    baseline = links.link(project=PROJECT, fingerprint=FIRST, watcher="jira-bugs", issue=ISSUE)
    assert baseline == LastSynced(state=State.IN_PROGRESS, assignee="")
    assert list(groups.group(PROJECT, FIRST).tickets) == [{"watcher": "_backtrace"}, OURS]


def test_groups_are_read_together(universe: Universe, groups: BacktraceGroups) -> None:
    universe.seed(PROJECT, FIRST, state="resolved", ticket=[OWN, OURS], invariants=[CRITERION])
    universe.seed(PROJECT, "c" * 64, state="muted")
    universe.seed(PROJECT, "a.c", state="muted")
    found = groups.groups(PROJECT, [FIRST, SECOND, "c" * 63, "a.c"])
    assert found == {each: groups.group(PROJECT, each) for each in (FIRST, SECOND, "c" * 63, "a.c")}
    assert [found[each].state for each in (FIRST, SECOND, "c" * 63)] == [
        State.RESOLVED,
        State.OPEN,
        State.OPEN,
    ]
    assert groups.groups(PROJECT, []) == {}
    with pytest.raises(Refused):
        groups.groups("no project of this name", [FIRST])


def test_many_groups_are_read_together(universe: Universe, groups: BacktraceGroups) -> None:
    wanted = [f"{number:064x}" for number in range(230)]
    for fingerprint in wanted:
        universe.seed(PROJECT, fingerprint, state="resolved")
    assert {each.state for each in groups.groups(PROJECT, wanted).values()} == {State.RESOLVED}
    assert set(groups.groups(PROJECT, wanted)) == set(wanted)
