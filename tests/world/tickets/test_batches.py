"""Batches of several groups: what one costs, and that none of it waits for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from backtrace_jira.bootstrap import create_ticket
from backtrace_jira.links.link import LinkKey
from backtrace_jira.links.pace import Pace
from backtrace_jira.outcomes import Decision
from backtrace_jira.tickets.context import Context
from backtrace_jira.tickets.side_by_side import run_side_by_side
from tests.builders import sample_body
from tests.world.world import MakeWorld, World

TEN = range(10)


def body(number: int, **changes: Any) -> dict[str, Any]:
    """Return the event of one of several groups."""
    return sample_body() | {"fingerprint": f"{number:064x}"} | changes


def keys(world: World, numbers: range = TEN) -> list[LinkKey]:
    return [LinkKey(world.settings.id, f"{number:064x}") for number in numbers]


def batch(world: World, numbers: range = TEN) -> dict[str, Any]:
    return world.event(*map(body, numbers))


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world whose process has read its settings."""
    world = make_world()
    world.deliver(world.event(body(99)))
    world.jira.clear_log()
    world.backtrace.clear_log()
    world.wire.calls.clear()
    return world


def decisions(world: World, number: int) -> list[Decision]:
    return [outcome.decision for outcome in world.reports[-number:]]


def test_ten_known_groups_are_one_request(world: World) -> None:
    world.deliver(batch(world))
    world.wire.calls.clear()
    assert world.deliver(batch(world)) == []
    assert decisions(world, 10) == [Decision.KNOWN] * 10
    assert world.wire.calls == ["dynamodb BatchGetItem"]


def test_ten_events_of_a_known_group_ask_for_it_once(world: World) -> None:
    world.deliver(batch(world, range(1)))
    world.wire.calls.clear()
    assert world.deliver(world.event(*[body(0)] * 10)) == []
    assert world.wire.calls == ["dynamodb BatchGetItem"]


def test_ten_new_tickets(world: World) -> None:
    assert world.deliver(batch(world)) == []
    assert Counter(world.wire.calls) == {
        "dynamodb BatchGetItem": 1,
        "dynamodb UpdateItem": 30,  # claimed, recorded, marked as linked
        "http POST /rest/api/2/issue": 10,
        "http POST /api/query": 10,
        "http POST /api/issue": 10,
    }
    world.assert_one_ticket_each(*keys(world), *keys(world, range(99, 100)))


def test_a_cold_process_makes_ten_tickets_in_the_time_of_four(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a Jira that takes 300 ms for each, 1.2 seconds; and never more than five at once."""
    sizes: list[int] = []

    def run(jobs: Sequence[Callable[[], None]]) -> None:
        sizes.append(len(jobs))
        run_side_by_side(jobs)

    monkeypatch.setattr(create_ticket, "Context", partial(Context, side_by_side=run))
    world = make_world()
    assert world.deliver(batch(world)) == []
    connections, *at_once = sizes
    assert connections == 1
    assert sum(at_once) == 10
    assert len(at_once) <= 4
    assert max(at_once) <= 5


def test_ten_events_of_a_new_group_cost_as_much_as_one(world: World) -> None:
    assert world.deliver(world.event(*[body(0)] * 10)) == []
    assert decisions(world, 10) == [Decision.CREATED, *[Decision.KNOWN] * 9]
    assert Counter(world.wire.calls) == {
        "dynamodb BatchGetItem": 1,
        "dynamodb UpdateItem": 3,
        "http POST /rest/api/2/issue": 1,
        "http POST /api/query": 1,
        "http POST /api/issue": 1,
    }


def pause(world: World) -> None:
    world.jira.faults.rate_limited(retry_after=3600, path=r"/issue$")


def refuse_permission(world: World) -> None:
    world.store.replace_pace("main", Pace(), Pace(rate=1.0))  # who is parked books nothing
    world.jira.faults.add("POST", r"/issue$", status=403, body={"errorMessages": ["no"]})


def take_away(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", times=None, drop_before=True)


@pytest.mark.parametrize("trouble", [pause, refuse_permission, take_away])
def test_ten_that_must_wait_are_one_read_and_no_write(world: World, trouble: Callable[[World], None]) -> None:
    trouble(world)
    world.deliver(world.event(*map(body, range(50, 53))))
    called = len(world.jira.requests)
    world.new_process()
    world.deliver(batch(world, range(99, 100)))  # the new process has read its settings
    world.wire.calls.clear()
    assert len(world.deliver(batch(world))) == 10
    assert Counter(world.wire.calls) == {"dynamodb BatchGetItem": 1, "sqs ChangeMessageVisibilityBatch": 1}
    assert len(world.jira.requests) == called


def test_ten_whose_tickets_are_being_made_are_one_read_and_no_write(world: World) -> None:
    waiting: list[str] = []
    process = world.process

    def meanwhile() -> None:
        world.new_process()
        world.deliver(batch(world, range(99, 100)))
        world.wire.calls.clear()
        waiting.extend(world.deliver(event))
        waiting.extend(world.wire.calls)

    event = world.event(*[body(0)] * 10)
    world.wire.interrupt_at, world.wire.interrupt = 2, meanwhile  # its ticket is claimed
    assert world.deliver(batch(world, range(1)), process) == []
    assert waiting == [
        *(f"m{number}" for number in TEN),
        "dynamodb BatchGetItem",
        "sqs ChangeMessageVisibilityBatch",
    ]
    world.assert_one_ticket_each(*keys(world, range(1)), *keys(world, range(99, 100)))
