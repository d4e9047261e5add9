"""Both sides after a change on either: the world, as Jira and Backtrace have it."""

from __future__ import annotations

import pytest

from tests.world.sync_world import MakeSyncWorld, SyncWorld

JANE = {"id": 7, "username": "jane", "email": "jane@example.com"}


@pytest.fixture(params=["cloud", "data-center"])
def world(request: pytest.FixtureRequest, make_sync_world: MakeSyncWorld) -> SyncWorld:
    return make_sync_world(request.param)


def test_linking_is_a_baseline_and_no_change(world: SyncWorld) -> None:
    issue = world.ticket()
    world.settle()
    assert (world.status(issue), world.of().state) == ("To Do", "in-progress")
    assert world.calls["jira writes"] == 0


def test_a_ticket_that_is_done_resolves_the_group(world: SyncWorld) -> None:
    issue = world.ticket()
    world.jira.transition(issue.key, "Done")
    assert world.deliver_webhooks() == [200]
    world.drain()
    assert world.of().state == "resolved"
    assert world.of().ticket[1]["state"] == "resolved"
    world.forget_calls()
    world.settle()
    assert world.calls["jira writes"] == 0
    assert world.calls["backtrace writes"] == 0


def test_a_group_that_is_resolved_closes_the_ticket(world: SyncWorld) -> None:
    issue = world.ticket()
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    world.forget_calls()
    assert world.deliver_webhooks() == [200]
    world.drain()
    assert world.calls["jira reads"] == 1
    assert world.calls["jira writes"] == world.calls["backtrace writes"] == 0


def test_assigned_in_jira(world: SyncWorld) -> None:
    issue = world.ticket()
    world.jira.add_user("jane", email="jane@example.com")
    other = "f" * 64
    world.backtrace.seed("my_project", other, ticket=[{"watcher": "_backtrace", "assignees": [JANE]}])
    world.jira.assign(issue.key, "jane")
    world.deliver_webhooks()
    world.drain()
    assert world.assigned() == [7]
    world.jira.assign(issue.key, None)
    world.deliver_webhooks()
    world.drain()
    assert world.assigned() == []


def test_assigned_in_backtrace(world: SyncWorld) -> None:
    issue = world.ticket()
    world.jira.add_user("jane", email="jane@example.com")
    world.set_assignee(JANE)
    world.poll()
    assert world.assignee(issue) == "jane@example.com"
    world.set_assignee(None)
    world.poll()
    assert world.assignee(issue) is None


def test_a_lost_webhook_is_found_within_a_period(world: SyncWorld) -> None:
    issue = world.ticket()
    world.jira.transition(issue.key, "Done")
    world.jira.webhooks.outbox.clear()
    world.poll()
    assert world.of().state == "resolved"
