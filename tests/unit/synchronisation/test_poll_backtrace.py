"""What changed in Backtrace is found by the schedule, on fakes that keep state."""

from __future__ import annotations

import pytest

from backtrace_jira.backtrace.group import GroupPage
from backtrace_jira.errors import Unreachable
from backtrace_jira.outcomes import Decision
from backtrace_jira.synchronisation.poll_memory import LinkPage
from tests.builders import integration
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, OTHER, Deployment

HOUR = 3600.0
WATERMARK = "backtrace my_universe/my_project"


def test_a_first_run_sees_what_changed_before_it() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.clock.advance(HOUR)
    world.poll()
    assert world.status(issue) == DONE


def test_a_quiet_run_reads_no_ticket_and_no_group() -> None:
    world = Deployment()
    issue = world.link()
    world.hear(issue)
    world.clock.advance(2 * HOUR)
    world.poll()
    before = dict(world.backtrace.failures.calls), dict(world.jira.failures.calls)
    world.poll()
    after = dict(world.backtrace.failures.calls), dict(world.jira.failures.calls)
    assert after[0]["changed_groups"] == before[0]["changed_groups"] + 1
    assert after[1]["changed_tickets"] == before[1]["changed_tickets"] + 1
    for name in ("group", "write"):
        assert after[0].get(name) == before[0].get(name)
    assert after[1]["ticket"] == before[1]["ticket"]


def test_a_run_that_failed_leaves_no_gap() -> None:
    world = Deployment()
    issue = world.link()
    world.poll()
    world.reports.clear()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    for method in ("changed_groups", "groups"):
        world.backtrace.failures.before[method] = [Unreachable("down")] * 12
    for _ in range(12):
        world.poll()
    assert {each.decision for each in world.reports} == {Decision.POSTPONED}
    assert "it is looked at again" in world.reports[0].detail
    assert world.status(issue) == TODO
    world.poll()
    assert world.status(issue) == DONE


def test_one_project_that_fails_stops_no_other() -> None:
    second = integration(project="second", name="b", sync={"backtrace_to_jira": True})
    world = Deployment(more=(second,))
    world.backtrace.add_project("second")
    first, other = world.link(), world.link(OTHER, settings=second)
    for project, fingerprint in ((PROJECT, GROUP), ("second", OTHER)):
        world.backtrace.seed(project, fingerprint, state="resolved")
    world.backtrace.failures.before["changed_groups"] = [Unreachable("down")]
    world.clock.advance(300)
    world.poll_backtrace(deadline=world.clock() + 300)
    assert (world.status(first), world.status(other)) == (TODO, DONE)


def test_what_there_is_no_time_for_is_left_to_the_queue() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.poll(time=80)
    assert [(sent.issue_id, sent.reason) for sent in world.hints.sent][:1] == [
        (issue.id, "the poll ran out of time")
    ]
    assert world.status(issue) == TODO
    world.drain()
    assert world.status(issue) == DONE


def test_what_fails_is_left_to_the_queue_with_its_reason() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.jira.failures.before["ticket"] = [Unreachable("Jira is away")]
    world.poll()
    assert [sent.reason for sent in world.hints.sent] == ["Jira is away"]
    world.drain()
    assert world.status(issue) == DONE


@pytest.mark.parametrize("apart", [0, 1])
def test_any_number_of_groups_is_got_through_in_bounded_runs(apart: int) -> None:
    """Somebody resolves thousands of groups at once, or one after the other; a look at a page takes ten seconds."""
    world = Deployment()
    world.memory.links_after = lambda *_: LinkPage([])  # type: ignore[method-assign]  # the round finds ours by itself
    issue = world.link()
    world.poll()
    before = world.store.watermarks[WATERMARK]
    for number in range(4_000):
        world.backtrace.seed(
            PROJECT, f"{number:064x}", state="resolved", ticket=[{"watcher": world.settings.name}]
        )
        world.clock.advance(apart)
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.backtrace.page = 100
    listed = world.backtrace.changed_groups

    def slow(project: str, since: float, after: str = "") -> GroupPage:
        world.clock.advance(10)
        return listed(project, since, after)

    world.backtrace.changed_groups = slow  # type: ignore[method-assign]
    world.poll()
    assert (world.status(issue), world.store.watermarks[WATERMARK]) == (TODO, before)
    world.poll()
    assert world.status(issue) == DONE
    assert world.store.watermarks[WATERMARK] > before


def test_a_group_whose_ticket_is_another_integration_s_is_not_looked_at() -> None:
    world = Deployment()
    world.hear(world.link())
    world.backtrace.seed(PROJECT, OTHER, state="resolved", ticket=[{"watcher": "somebody"}])
    world.poll()
    assert world.reports == []


@pytest.mark.parametrize("state", ["muted", "resolved"])
def test_one_way_from_jira_looks_at_no_group(state: str) -> None:
    world = Deployment(sync={"backtrace_to_jira": False})
    issue = world.link()
    world.hear(issue)
    world.backtrace.seed(PROJECT, GROUP, state=state)
    world.poll()
    assert (world.status(issue), world.state()) == (TODO, state)


def test_settings_that_cannot_be_read_are_reported_and_stop_no_other_project() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.configuration.broken = {("my_universe", "second"): "second/b: subject: is required"}
    world.poll()
    assert "second/b: subject: is required" in {each.detail for each in world.reports}
    assert world.status(issue) == DONE
