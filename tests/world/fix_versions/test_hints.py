"""Hints of error events past a boundary: each is answered once, and no regression is taken for an answered one."""

from __future__ import annotations

import json
from typing import Any

import moto.sqs.models
import pytest

from backtrace_jira.adapters.aws.jira_changes import QUIET
from backtrace_jira.outcomes import Decision
from local.jira_stand_in.model import Issue
from tests.builders import group, sample_body
from tests.world.fix_versions.test_fix_versions import close, invariants, later, only_issue
from tests.world.fix_versions.test_regressions import comments, event, resolved
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import Cut

DAY = 24 * 3600
FINGERPRINT = group().fingerprint


def deliver(world: SyncWorld, body: dict[str, Any], times: int = 1) -> list[str]:
    """Let an event come in so many times, ten in a batch; return what left the process."""
    world.wire.calls.clear()
    for begin in range(0, times, 10):
        assert world.deliver(world.event(*[body] * min(10, times - begin))) == []
    return [call for call in world.wire.calls if not call.startswith("ssm")]


def sends(calls: list[str]) -> int:
    return calls.count("sqs SendMessage")


def receive(world: SyncWorld, version: str, times: int = 1) -> None:
    """Let Backtrace have errors of a version and reopen nothing: what only an event can tell."""
    kept, world.of().invariants = world.of().invariants, []
    for _ in range(times):
        world.backtrace.receive(PROJECT, FINGERPRINT, version=version)
    world.of().invariants = kept


def state(world: SyncWorld, issue: Issue) -> tuple[str, str, int]:
    """Return the ticket's status, the group's state, and the number of comments."""
    return world.status(issue), world.of().state, len(comments(issue))


IN_STEP, REOPENED = ("Done", "resolved", 0), ("To Do", "open", 1)


def test_fifty_events_send_one_hint_and_the_next_fifty_none(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    assert sends(deliver(world, event(), 50)) == 1
    world.drain()
    assert [outcome.decision for outcome in world.told] == [Decision.IN_STEP]
    world.clock.advance(QUIET)
    for process in ("the same", "a new one"):
        if process == "a new one":
            world.new_process()
        calls = deliver(world, event(), 50)
        assert {call.partition(" ")[0] for call in calls} == {"dynamodb"}
        assert len(calls) <= 50
    assert world.changes_waiting() == []
    assert state(world, issue) == IN_STEP


def test_one_hint_is_enough_where_every_event_comes_with_the_answer_there(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = resolved(make_sync_world)
    sent = 0
    for number in range(20):
        receive(world, "2.3")
        sent += sends(deliver(world, event(v2_3=2 + number)))
        world.drain()
        world.poll()
    assert sent == 1


@pytest.mark.parametrize(
    ("version", "versions"), [("9.0", {"v9_0": 2}), ("2.5", {"v2_5": 1}), ("2.4.1", {"v2_4_1": 1})]
)
def test_a_regression_after_the_answer_is_seen(
    make_sync_world: MakeSyncWorld, version: str, versions: dict[str, int]
) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event(), 10)
    world.drain()
    receive(world, version)
    assert sends(deliver(world, event(**versions), 10)) == 1
    world.drain()
    assert state(world, issue) == REOPENED
    assert f"{version} (1 error)" in comments(issue)[0]


def test_a_hint_costs_no_write_more_than_the_turn_has(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    deliver(world, event())
    world.wire.calls.clear()
    world.drain()
    writes = [call for call in world.wire.calls if call in ("dynamodb UpdateItem", "dynamodb DeleteItem")]
    assert len(writes) == 3  # the turn is taken, the link recorded, the turn deleted
    assert world.row_of().synced.answered  # type: ignore[union-attr]


# A hint that gets lost


def test_a_hint_that_the_queue_lost_is_sent_again(
    make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moto.sqs.models, "DEDUPLICATION_TIME_IN_SECONDS", 0)  # moto counts real seconds
    world = resolved(make_sync_world)
    issue = only_issue(world)
    receive(world, "2.5")
    assert sends(deliver(world, event(v2_5=1))) == 1
    world._aws.sqs.purge_queue(QueueUrl=world.changes)
    world.clock.advance(QUIET - 1)
    assert sends(deliver(world, event(v2_5=1))) == 0  # SQS would drop it
    world.clock.advance(301 - QUIET)
    assert sends(deliver(world, event(v2_5=1))) == 1
    world.drain()
    assert state(world, issue) == REOPENED


@pytest.mark.parametrize("cut", range(12))
def test_a_turn_that_dies_leaves_no_answer_that_nobody_gave(make_sync_world: MakeSyncWorld, cut: int) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event())
    world.wire.calls.clear()
    world.wire.cut_at = cut
    try:
        world.apply_batch()
    except Cut:
        world._aws.sqs.purge_queue(QueueUrl=world.changes)
    world.wire.cut_at = None
    world.new_process()
    world.clock.advance(400)
    receive(world, "9.0")
    assert sends(deliver(world, event(v9_0=2))) == 1
    world.drain()
    assert state(world, issue) == REOPENED


# An answer that is older than the event


def test_an_error_that_comes_while_backtrace_is_asked_is_seen_by_the_next_event(
    make_sync_world: MakeSyncWorld,
) -> None:
    """SQS drops the hint of its own event: it is of one occasion with the hint that is being answered."""
    world = resolved(make_sync_world)
    deliver(world, event())
    world.wire.calls.clear()
    world.drain()
    record = max(number for number, call in enumerate(world.wire.calls) if call == "dynamodb UpdateItem")

    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event())
    world.wire.calls.clear()
    world.wire.interrupt_at = record  # Backtrace has answered, and that is not recorded yet
    world.wire.interrupt = lambda: come_in(world)
    world.drain()
    assert state(world, issue) == IN_STEP
    assert sends(deliver(world, event(v9_0=2, v2_3=9))) == 1
    world.drain()
    assert state(world, issue) == REOPENED


def come_in(world: SyncWorld) -> None:
    receive(world, "9.0")
    assert world.deliver(world.event(event(v9_0=2))) == []


def test_an_error_whose_event_looks_old_is_found_by_the_poll(make_sync_world: MakeSyncWorld) -> None:
    """Backtrace looks at its reopen criteria itself, with each error that it receives."""
    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event())
    world.drain()
    world.backtrace.receive(PROJECT, FINGERPRINT, version="9.0")
    assert sends(deliver(world, event(), 10)) == 0
    assert state(world, issue) == ("Done", "open", 0)
    world.poll()
    assert state(world, issue) == REOPENED
    assert "9.0 (1 error)" in comments(issue)[0]


def test_an_error_whose_event_looks_old_is_found_a_day_later_without_the_poll(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event())
    world.drain()
    receive(world, "9.0")
    world.clock.advance(DAY)
    first, last = sample_body()["timestamp"]
    body = event() | {"timestamp": [first, last + DAY]}
    assert sends(deliver(world, body, 50)) == 1
    world.drain()
    assert state(world, issue) == REOPENED


# Another boundary


def test_hints_flow_again_when_the_ticket_is_resolved_with_another_version(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event())
    world.drain()
    world.jira.transition(issue.key, "To Do")
    world.settle()
    assert sends(deliver(world, event(), 10)) == 0  # no boundary, nothing to ask
    receive(world, "8.1")
    world.clock.advance(60)
    close(world, "8.0")
    world.settle()
    assert invariants(world) == [later("8.0")]
    world.clock.advance(60)
    assert sends(deliver(world, event(v8_1=1), 50)) == 1
    world.drain()
    assert state(world, issue) == IN_STEP
    assert sends(deliver(world, event(v8_1=1), 50)) == 0
    receive(world, "8.1")
    assert sends(deliver(world, event(v8_1=2))) == 1
    world.drain()
    assert state(world, issue) == REOPENED


def test_hints_flow_again_when_the_ticket_is_resolved_with_the_same_version(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    deliver(world, event())
    world.drain()
    world.jira.transition(issue.key, "To Do")
    world.settle()
    world.jira.transition(issue.key, "Done")
    world.settle()
    world.clock.advance(60)
    assert sends(deliver(world, event(), 10)) == 0
    receive(world, "9.0")
    assert sends(deliver(world, event(v9_0=2))) == 1
    world.drain()
    assert state(world, issue) == REOPENED


def test_an_answer_takes_the_same_room_whatever_the_versions_are(make_sync_world: MakeSyncWorld) -> None:
    sizes = []
    for versions in ([["9.0", 1]], [[f"{number}.{'9' * 60} (\ud83d)", 1] for number in range(9, 200)]):
        world = resolved(make_sync_world)
        deliver(world, sample_body() | {"attributes": {"version": versions}})
        assert len(json.dumps(world.changes_waiting())) < 1000
        world.drain()
        synced = world.row_of().synced
        assert synced
        sizes.append(len(synced.answered))
    assert sizes == [32, 32]
