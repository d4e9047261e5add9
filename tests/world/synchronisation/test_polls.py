"""The schedule: no gap when a run fails, no harm when two overlap, pages, and what is left to the queue."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.adapters.backtrace import groups
from backtrace_jira.outcomes import Decision
from local.jira_stand_in.model import Issue
from tests.builders import sample_body
from tests.world.checkpoint import checkpoint
from tests.world.sync_world import PERIOD, MakeSyncWorld, SyncWorld
from tests.world.world import Cut


def in_progress(make: MakeSyncWorld, flavour: str = "cloud", **settings: Any) -> tuple[SyncWorld, Issue]:
    world = make(flavour, **settings)
    issue = world.ticket()
    world.jira.transition(issue.key, "In Progress")
    world.settle()
    world.poll()
    world.jira.webhooks.outbox.clear()
    world.told.clear()
    world.forget_calls()
    return world, issue


def test_a_first_run_sees_what_changed_before_it(make_sync_world: MakeSyncWorld) -> None:
    world = make_sync_world()
    issue = world.ticket()
    world.set_state("resolved")
    world.clock.advance(3600)
    world.poll()
    assert world.status(issue) == "Done"


@pytest.mark.parametrize("path", ["/api/query", "/api/issue"])
def test_a_run_that_failed_leaves_no_gap(make_sync_world: MakeSyncWorld, path: str) -> None:
    world, issue = in_progress(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.backtrace.faults.add("POST", path, None, status=500)
    for _ in range(3):
        world.clock.advance(PERIOD)
        world.polling(deadline=world.clock() + 300)
    assert world.of().state == "in-progress"
    world.backtrace.faults.clear()
    world.poll()
    assert world.of().state == "resolved"


def test_a_group_that_changed_while_backtrace_was_away_is_found(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.set_state("resolved")
    world.backtrace.faults.add("POST", "/api/query", None, status=503)
    for _ in range(12):
        world.clock.advance(PERIOD)
        world.polling(deadline=world.clock() + 300)
    assert {outcome.decision for outcome in world.told} == {Decision.POSTPONED}
    assert "it is looked at again" in world.told[0].detail
    world.backtrace.faults.clear()
    world.poll()
    assert world.status(issue) == "Done"


def test_a_run_that_dies_anywhere_is_repeated_without_harm(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    begin_again = checkpoint(world)
    for cut in range(60):
        begin_again()
        world.set_state("resolved")
        world.clock.advance(PERIOD)
        world.wire.calls.clear()
        world.wire.cut_at = cut
        try:
            world.polling(deadline=world.clock() + 300)
            break
        except Cut:
            pass
        world.wire.cut_at = None
        world.new_process()
        world.clock.advance(80)
        world.settle()
        assert (world.status(issue), world.of().state) == ("Done", "resolved"), f"cut at {cut}"
        assert world.jira.count("POST", "/transitions") == 1, f"cut at {cut}"
    assert cut > 6


def test_two_runs_at_once_do_no_harm(make_real_sync_world: MakeSyncWorld) -> None:
    """The second begins while the first has the ticket's turn."""
    world, issue = in_progress(make_real_sync_world)
    world.set_state("resolved")
    world.clock.advance(PERIOD)
    send = type(world.jira.faults).take
    second: list[str] = []

    def take(faults: Any, method: str, path: str) -> Any:
        if method == "POST" and path.endswith("/transitions") and not second:
            second.append(path)
            world.polling(deadline=world.clock() + 300)
        return send(faults, method, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.jira.faults), "take", take)
        world.polling(deadline=world.clock() + 300)
    world.drain()
    assert second
    assert world.jira.count("POST", "/transitions") == 1
    assert (world.status(issue), world.of().state) == ("Done", "resolved")


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_several_pages_of_tickets(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, issue = in_progress(make_sync_world, flavour)
    world.jira.transition(issue.key, "Done")
    for number in range(1100):
        world.jira.create_issue(f"number {number}")
    world.jira.webhooks.outbox.clear()
    world.clock.advance(30)
    world.forget_calls()
    world.polling(deadline=world.clock() + 300)
    assert world.of().state == "resolved"
    # The round reads the linked ticket, too: Data Center has only its search for that.
    assert world.jira.count("POST", "/search") == 3 + (flavour == "data-center")


def test_several_pages_of_groups(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.set_state("resolved")
    world.clock.advance(1)
    for number in range(1100):
        world.backtrace.seed("my_project", f"{number:064x}", state="open")
    world.forget_calls()
    world.polling(deadline=world.clock() + 300)
    assert world.status(issue) == "Done"
    assert world.wire.count("dynamodb") < 30  # groups without a ticket of ours cost none


def test_what_there_is_no_time_for_is_left_to_the_queue(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.set_state("resolved")
    world.clock.advance(PERIOD)
    world.polling(deadline=world.clock() + 60)
    assert world.status(issue) == "In Progress"
    (waiting,) = world.changes_waiting()
    assert (waiting["event"], waiting["issue_id"]) == ("look", issue.id)
    world.drain()
    assert world.status(issue) == "Done"


def test_a_jira_that_is_away_keeps_the_change_in_the_queue(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.set_state("resolved")
    world.jira.faults.add("*", "/issue/", None, drop_before=True)
    world.clock.advance(PERIOD)
    world.polling(deadline=world.clock() + 300)
    assert len(world.changes_waiting()) == 1
    world.jira.faults.clear()
    world.clock.advance(80)
    world.drain()
    assert world.status(issue) == "Done"


def test_a_project_that_is_gone_stops_no_other(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.put(
        "/backtrace-jira/test/integrations/my_universe/my_project/gone",
        world.settings.model_copy(update={"name": "gone", "project_key": "GONE"}).model_dump_json(),
    )
    world.new_process()
    world.jira.transition(issue.key, "Done")
    world.jira.webhooks.outbox.clear()
    world.poll()
    assert world.of().state == "resolved"
    assert any("GONE" in outcome.detail for outcome in world.told)


def test_a_row_that_holds_no_list_of_tickets_stops_no_other(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.set_state("resolved")
    row = world.backtrace.seed("my_project", "b" * 64, state="open")
    row.ticket = "https://jira.example/browse/BUG-9"  # type: ignore[assignment]
    world.poll()
    assert world.status(issue) == "Done"


def test_after_a_long_time_the_latest_change_holds(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world)
    world.set_state("resolved")
    world.clock.advance(5 * 24 * 3600)
    world.jira.transition(issue.key, "To Do")
    world.jira.webhooks.outbox.clear()
    world.clock.advance(5 * 24 * 3600)
    world.poll()
    assert (world.status(issue), world.of().state) == ("To Do", "open")


@pytest.mark.parametrize("apart", [0, 1])
def test_a_bulk_edit_of_groups_is_got_through_in_bounded_runs(
    make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch, apart: int
) -> None:
    """Each run has time for one page; the group of ours is on the last."""
    world, issue = in_progress(make_sync_world)
    monkeypatch.setattr(groups, "PAGE", 20)
    name = "backtrace my_universe/my_project"
    world.clock.advance(PERIOD)
    before = world.links.sweep(name)
    assert before is not None
    for number in range(100):
        world.backtrace.seed("my_project", f"{number:064x}", state="resolved")
        world.clock.advance(apart)
    world.clock.advance(1)
    world.set_state("resolved")
    reached: list[str | None] = []
    while (now := world.links.sweep(name)) and now.since == before.since and len(reached) < 12:
        world.clock.advance(PERIOD)
        world.forget_calls()
        world.polling_backtrace(deadline=world.clock() + 60)
        assert world.backtrace.count("/api/query") == 1
        sweep = world.links.sweep(name)
        reached.append(sweep.after if sweep else None)
    assert len(set(reached)) == len(reached) > 3  # each run has got somewhere
    world.drain()
    assert world.status(issue) == "Done"


def test_the_index_is_behind(make_sync_world: MakeSyncWorld) -> None:
    world, issue = in_progress(make_sync_world, "data-center")
    world.jira.index_lag = 120
    world.jira.transition(issue.key, "Done")
    world.jira.webhooks.outbox.clear()
    world.clock.advance(60)
    world.polling(deadline=world.clock() + 300)
    assert world.of().state == "in-progress"
    world.poll()
    assert world.of().state == "resolved"


def test_every_error_of_a_group_has_a_ticket_and_all_follow(make_sync_world: MakeSyncWorld) -> None:
    world = make_sync_world(event="trace")

    for number in ("2e6", "2e7"):
        assert world.deliver(world.event(sample_body() | {"object_id": number})) == []
    world.clock.advance(60)
    world.set_state("resolved")
    world.poll()
    assert {world.status(issue) for issue in world.jira.issues.values()} == {"Done"}
    first, _ = world.jira.issues.values()
    world.jira.webhooks.outbox.clear()
    world.clock.advance(10)
    world.jira.transition(first.key, "To Do")
    world.deliver_webhooks()
    world.drain()
    assert world.of().state == "open"
    world.poll()
    assert {world.status(issue) for issue in world.jira.issues.values()} == {"To Do"}
