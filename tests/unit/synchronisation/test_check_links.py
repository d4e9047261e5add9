"""The round through all links: what no hint told of is mended by it, at a cost that does not grow with the links."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.errors import Refused, Unreachable
from backtrace_jira.jira.issue import Issue
from backtrace_jira.outcomes import Decision
from backtrace_jira.synchronisation.check_links import MOST_TURNS
from backtrace_jira.synchronisation.level import RETRY
from backtrace_jira.synchronisation.poll import Job
from backtrace_jira.synchronisation.poll_memory import PollNotes
from backtrace_jira.times import LINKS_PER_RUN
from tests.builders import integration
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, JANE, OTHER, Deployment

BOTH = {"backtrace_to_jira": True, "jira_to_backtrace": True}
FIXES = {"enabled": True}


class Missed(Deployment):
    """What happens here is told by no hint and seen by no sweep: the watermarks are moved past it."""

    def miss(self) -> None:
        self.clock.advance(7200)
        for name in list(self.store.watermarks):
            self.store.advance_watermark(name, self.clock())

    def change_settings(self, **settings: Any) -> None:
        sync = settings.pop("sync", BOTH)
        self.settings = integration(sync=sync, **settings)
        self.configuration.found = [self.settings]

    def assert_quiet(self) -> None:
        """The next run finds nothing to do: no ticket and no group is read by itself."""
        calls = self.jira.failures.calls, self.backtrace.failures.calls
        before = [dict(each) for each in calls]
        self.poll()
        for after, now in zip(before, calls, strict=True):
            for method in ("ticket", "group", "write", "transition", "assign"):
                assert now[method] == after.get(method, 0), method


def until(world: Deployment) -> str:
    return world.row().synced.versions_seen.boundary  # type: ignore[union-attr]


def settled(**settings: Any) -> tuple[Missed, Issue]:
    world = Missed(**settings)
    issue = world.link()
    world.poll()
    return world, issue


# What is mended


def test_a_ticket_and_a_group_that_changed_unseen_are_brought_in_line() -> None:
    world, issue = settled()
    world.jira.move_to(issue.id, DONE)
    world.miss()
    world.poll()
    assert world.state() == "resolved"
    world.backtrace.seed(PROJECT, GROUP, state="open")
    world.miss()
    world.poll()
    assert world.status(issue) == TODO
    world.assert_quiet()


def test_a_ticket_that_was_closed_before_fix_versions_were_enabled_resolves_its_group() -> None:
    world, issue = settled(sync={"backtrace_to_jira": False, "jira_to_backtrace": False})
    world.jira.set_fix_versions(issue.id, world.jira.add_version("2.4", released=True))
    world.jira.move_to(issue.id, DONE)
    world.miss()
    world.change_settings(fix_versions=FIXES)
    world.poll()
    assert (world.state(), len(world.group().reopen_criteria or ())) == ("resolved", 1)
    world.assert_quiet()


def test_a_ticket_that_was_closed_before_its_direction_was_enabled_resolves_its_group() -> None:
    world, issue = settled(sync={"jira_to_backtrace": False})
    world.jira.move_to(issue.id, DONE)
    world.hear(issue, thorough=True)
    world.miss()
    world.assert_quiet()
    assert world.state() == "in-progress"
    world.change_settings()
    world.poll()
    assert world.state() == "resolved"
    world.assert_quiet()


def test_other_settings_make_another_boundary() -> None:
    world, issue = settled(fix_versions={**FIXES, "several": "highest"})
    world.resolve_with(issue, "2.4", "2.10")
    world.miss()
    before = world.group().reopen_criteria
    assert until(world) == "version > 2.10"
    world.change_settings(fix_versions={**FIXES, "several": "lowest"})
    world.poll()
    assert until(world) == "version > 2.4"
    assert world.group().reopen_criteria != before
    world.assert_quiet()


def test_another_meaning_of_a_status_reaches_the_groups() -> None:
    world, issue = settled()
    world.miss()
    world.change_settings(sync={**BOTH, "states": {"To Do": "muted"}})
    world.poll()
    assert (world.state(), world.status(issue)) == ("muted", TODO)
    world.assert_quiet()


def test_what_a_broken_integration_missed_is_mended_when_it_can_be_read_again() -> None:
    world, issue = settled()
    found, world.configuration.found = world.configuration.found, []
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    world.miss()
    world.poll()
    assert world.state() == "in-progress"
    world.configuration.found = found
    world.poll()
    assert world.state() == "resolved"


def test_a_moved_ticket_gets_its_key_and_is_followed_in_its_project() -> None:
    world, issue = settled()
    world.jira.move_issue(issue.id, "OPS")
    world.miss()
    world.poll()
    assert world.row().issue == world.ticket(issue).issue
    assert ("main", "OPS") in world.memory.notes().projects
    world.poll()
    assert "jira main/OPS" in world.store.watermarks
    world.assert_quiet()


def test_a_project_in_which_no_ticket_is_any_more_is_asked_no_longer() -> None:
    world, issue = settled()
    world.jira.move_issue(issue.id, "OPS")
    world.poll()
    world.jira.move_issue(issue.id, "BUG")
    for _ in range(3):
        world.poll()
    assert world.memory.notes().projects == {("main", "BUG")}


def test_a_ticket_that_jira_does_not_show_is_said_on_its_link_and_comes_back() -> None:
    world, issue = settled()
    world.jira.move_to(issue.id, DONE)
    hidden = world.jira.tickets.pop(issue.id)
    world.miss()
    world.poll()
    assert "may not see it" in world.synced().problems[0]
    asked = world.jira.failures.calls["ticket"]
    world.poll()
    assert world.jira.failures.calls["ticket"] == asked  # not in each run
    world.jira.tickets[issue.id] = hidden
    world.clock.advance(RETRY)
    world.poll()
    assert (world.state(), world.synced().problems) == ("resolved", ())
    assert world.hints.sent == []


# What is lost

OWN = {"type": "version_gt", "field": "version", "version": "7.0"}


def resolved_until() -> tuple[Missed, Issue]:
    world, issue = settled(fix_versions=FIXES)
    world.resolve_with(issue, "2.4")
    world.assert_quiet()
    return world, issue


@pytest.mark.parametrize("left", [[], [OWN]])
def test_criteria_that_a_group_has_lost_are_written_again(left: list[dict[str, str]]) -> None:
    world, _ = resolved_until()
    ours = list(world.group().reopen_criteria or ())
    world.backtrace.seed(PROJECT, GROUP, invariants=left)
    world.poll()
    assert (world.state(), list(world.group().reopen_criteria or ())) == ("resolved", [*left, *ours])
    assert world.synced().problems == ()
    world.assert_quiet()


@pytest.mark.parametrize("state", ["open", "muted"])
def test_a_group_that_a_person_opened_or_muted_gets_no_criteria_back(state: str) -> None:
    world, _ = resolved_until()
    world.change_settings(fix_versions=FIXES, sync={"jira_to_backtrace": True, "backtrace_to_jira": False})
    world.backtrace.seed(PROJECT, GROUP, state=state, invariants=[])
    for _ in range(15):
        world.poll()
    assert (world.state(), list(world.group().reopen_criteria or ())) == (state, [])


def test_a_server_that_loses_criteria_again_and_again_is_told_them_once_an_hour() -> None:
    world, _ = resolved_until()
    before = world.backtrace.failures.calls["write"]
    for _ in range(3 * 12):
        world.backtrace.seed(PROJECT, GROUP, invariants=[])
        world.poll()
    assert 3 <= world.backtrace.failures.calls["write"] - before <= 4
    assert "has lost its reopen criteria again" in world.synced().problems[0]


def test_an_error_while_the_criteria_were_lost_is_a_regression() -> None:
    world, issue = resolved_until()
    world.backtrace.seed(PROJECT, GROUP, invariants=[])
    world.backtrace.receive(PROJECT, GROUP, version="2.5")
    world.poll()
    assert (world.status(issue), world.state()) == (TODO, "open")


# What is refused


def test_a_change_that_jira_refuses_is_offered_again_slowly_and_stays_on_the_link() -> None:
    world, issue = settled()
    world.jira.deny("TRANSITION_ISSUES")
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    tries = []
    for _ in range(3 * 12):  # three hours
        before = world.jira.failures.calls["transitions"]
        world.poll()
        tries.append(world.jira.failures.calls["transitions"] - before)
        assert world.synced().problems
    assert (world.status(issue), world.hints.sent) == (TODO, [])
    assert 3 <= sum(tries) <= 4
    assert world.jira.written == {}
    world.jira.denied.clear()
    world.clock.advance(RETRY)
    world.poll()
    assert (world.status(issue), world.synced().problems, dict(world.synced().refused)) == (DONE, (), {})
    world.assert_quiet()


def test_a_change_that_backtrace_refuses_is_offered_again_slowly_and_stays_on_the_link() -> None:
    world, issue = settled(fix_versions=FIXES)
    world.backtrace.refuse(GROUP, "locked")
    world.jira.set_fix_versions(issue.id, world.jira.add_version("2.4", released=True))
    world.jira.move_to(issue.id, DONE)
    before = world.backtrace.failures.calls["write"]
    for _ in range(3 * 12):
        world.poll()
        assert "locked" in world.synced().problems[0]
    assert world.hints.sent == []
    assert 3 <= world.backtrace.failures.calls["write"] - before <= 4
    world.backtrace.refusals.clear()
    world.clock.advance(RETRY)
    world.poll()
    assert (world.state(), len(world.group().reopen_criteria or ()), world.synced().problems) == (
        "resolved",
        1,
        (),
    )
    world.assert_quiet()


def test_a_person_who_is_known_later_is_assigned_later() -> None:
    world, issue = settled()
    world.set_assignee(JANE)
    world.poll()
    assert world.ticket(issue).assignee is None
    assert "nobody in Jira" in world.synced().problems[0]
    jane = world.jira.add_user("jane", email="jane@example.com")
    world.clock.advance(RETRY)
    world.poll()
    assert world.ticket(issue).assignee == jane
    world.jira.assign_to(issue.id, world.jira.add_user("joe", email="joe@example.com"))
    world.poll()
    assert "nobody in Backtrace" in world.synced().problems[0]
    assert world.group().assignee_id == "7"
    world.change_settings(sync={**BOTH, "people": [{"backtrace_id": 8, "jira": "account-of-joe"}]})
    world.clock.advance(RETRY)
    world.poll()
    assert world.group().assignee_id == "8"
    world.assert_quiet()


def test_a_new_key_that_backtrace_refuses_is_not_recorded_as_written() -> None:
    world, issue = settled()
    world.backtrace.refuse(GROUP, "locked")
    world.jira.move_issue(issue.id, "OPS")
    world.hear(issue, moved=True)
    assert world.row().issue == issue
    world.backtrace.refusals.clear()
    world.clock.advance(RETRY)
    world.poll()
    moved = world.ticket(issue).issue
    assert world.row().issue == moved
    assert [each["short"] for each in world.group().tickets if "short" in each] == [moved.key]


def test_a_later_change_of_the_ticket_wins_over_one_that_jira_has_refused() -> None:
    world, issue = settled()
    world.jira.deny("TRANSITION_ISSUES")
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.poll()
    world.clock.advance(600)
    world.jira.move_to(issue.id, DONE)
    world.jira.move_to(issue.id, TODO)
    world.hear(issue, thorough=True)
    assert world.state() == "open"
    world.assert_quiet()


# What it costs


def many(links: int) -> Deployment:
    """Return a deployment with so many links in step."""
    world = Deployment()
    for number in range(links):
        world.link(f"{number:064x}")
    for number in range(links):
        world.hear(Issue(str(10_001 + number), "", ""))
    world.clock.advance(7200)
    for _ in range(3):
        world.poll()
    return world


def test_a_run_costs_the_same_for_few_links_and_for_many() -> None:
    costs = []
    for links in (10, 1_000):
        world = many(links)
        calls = world.jira.failures.calls, world.backtrace.failures.calls
        for each in calls:
            each.clear()
        world.poll()
        costs.append([dict(each) for each in calls])
    assert costs[0] == costs[1]
    assert costs[0][0] == {"changed_tickets": 1, "tickets_by_id": 1}
    assert costs[0][1] == {"changed_groups": 1, "groups": 1}


def test_every_link_is_looked_at_once_in_a_round() -> None:
    world = many(3 * LINKS_PER_RUN + 1)
    issues = list(world.jira.tickets)
    for _ in range(4):
        if not world.memory.notes().after:
            break
        world.poll()
    assert world.memory.notes().after == ""
    for issue_id in issues:
        world.jira.move_to(issue_id, DONE)
    world.clock.advance(7200)
    world.store.advance_watermark("jira main/BUG", world.clock())
    resolved = []
    for _ in range(4):
        world.poll()
        while world.hints.sent:
            world.drain()
        resolved.append(sum(str(row.state) == "resolved" for row in world.backtrace.rows.values()))
    assert resolved == [100, 200, 300, 301]
    assert world.memory.notes().took == 3 * 300


def test_a_run_brings_a_few_tickets_in_line_itself_and_leaves_the_others_to_the_queue() -> None:
    world = many(50)
    for issue_id in world.jira.tickets:
        world.jira.move_to(issue_id, DONE)
    world.clock.advance(7200)
    world.store.advance_watermark("jira main/BUG", world.clock())
    world.poll()
    assert sum(str(row.state) == "resolved" for row in world.backtrace.rows.values()) == MOST_TURNS
    assert len(world.hints.sent) == 50 - MOST_TURNS
    assert "found by the round" in world.hints.sent[0].reason
    world.drain()
    assert {str(row.state) for row in world.backtrace.rows.values()} == {"resolved"}


# What goes wrong


def test_a_site_that_does_not_answer_stops_no_other() -> None:
    second = integration(name="b", connection="second", sync=BOTH)
    world = Missed(more=(second,))
    first, other = world.link(), world.link(OTHER, settings=second)
    world.poll()
    for issue in (first, other):
        world.jira.move_to(issue.id, DONE)
    world.miss()
    for method in ("changed_tickets", "tickets_by_id"):
        world.jira.failures.before[method] = [Unreachable("away")]
    world.poll()
    assert sorted([world.state(GROUP), world.state(OTHER)]) == ["in-progress", "resolved"]
    assert any(each.detail.startswith("links of ") for each in world.reports)
    world.poll()
    assert {world.state(GROUP), world.state(OTHER)} == {"resolved"}


def test_a_backtrace_project_that_fails_stops_no_other() -> None:
    second = integration(project="second", name="b", sync=BOTH)
    world = Missed(more=(second,))
    world.backtrace.add_project("second")
    first, other = world.link(), world.link(OTHER, settings=second)
    world.poll()
    for issue in (first, other):
        world.jira.move_to(issue.id, DONE)
    world.miss()
    world.backtrace.failures.before["groups"] = [Refused("no such project")]
    world.poll()
    states = [world.state(GROUP), str(world.backtrace.group("second", OTHER).state)]
    assert sorted(states) == ["in-progress", "resolved"]


class Killed(BaseException):
    """The process dies."""


def test_a_run_that_dies_looks_again() -> None:
    world, issue = settled()
    world.jira.move_to(issue.id, DONE)
    world.miss()
    before = world.memory.notes()
    world.jira.failures.before["tickets_by_id"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        world.poll()
    assert world.memory.notes() == before
    world.new_process()
    world.poll()
    assert world.state() == "resolved"


# Who is first


def test_what_there_was_no_time_for_is_first_in_the_next_run() -> None:
    world = Deployment()
    done: list[str] = []

    def job(name: str) -> Job:
        def do() -> None:
            done.append(name)
            world.clock.advance(100)
            if name == "b":
                raise Unreachable("away")

        return Job(name, "u/p/n", do)

    jobs = [job(name) for name in "abcde"]
    for _ in range(5):
        world.schedule.run("jira", jobs, world.memory.notes(), world.clock() + 290)
    assert "".join(done) == ("abcde" * 4)[: len(done)]
    assert len(done) >= 10
    assert world.reports[0].decision is Decision.POSTPONED


def test_who_is_first_is_written_only_when_it_changes() -> None:
    world = Deployment()
    world.schedule.run("jira", [Job("a", "", lambda: None)], PollNotes(), world.clock() + 300)
    world.schedule.run("jira", [], PollNotes(), world.clock() + 300)
    assert world.memory.notes() == PollNotes()
    world.schedule.run("jira", [], PollNotes(first={"jira": "gone"}), world.clock() + 300)
    assert world.memory.notes() == PollNotes()
