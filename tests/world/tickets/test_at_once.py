"""Many deliveries of the same groups at once, on DynamoDB Local, whose conditions hold under concurrency."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision
from tests.builders import sample_body
from tests.world.world import MakeWorld, World

GROUPS = [f"{number:064x}" for number in range(4)]


def event_of(world: World) -> dict[str, Any]:
    """Return a batch of all groups, one of them twice."""
    return world.event(*(sample_body() | {"fingerprint": each} for each in (*GROUPS, GROUPS[0])))


def test_twenty_deliveries_of_a_batch_at_once(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    keys = [LinkKey(world.settings.id, each) for each in GROUPS]
    events = [event_of(world) for _ in range(20)]
    processes = []
    for _ in range(4):
        world.new_process()
        processes.append(world.process)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(world.deliver, events, itertools.cycle(processes)))
    world.assert_one_ticket_each(*keys)
    assert world.jira.count("POST", r"/issue$") == len(keys)
    assert sum(outcome.decision is Decision.CREATED for outcome in world.reports) == len(keys)
    for event in events:
        assert world.deliver(event) == []
    world.assert_one_ticket_each(*keys)
    assert world.jira.count("POST", r"/issue$") == len(keys)
    assert world.dead_letters() == []
