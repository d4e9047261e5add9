"""What an event costs in DynamoDB: write units of the table and of its index, as DynamoDB itself counts them.

A unit is a write of up to 1 KB. The index costs one more for each write that puts a key into it or takes one out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from backtrace_jira.adapters.dynamodb.items import BY_TICKET
from backtrace_jira.outcomes import Decision
from local.sample import new_group
from tests.world.world import MakeWorld, SharedSession, World

TABLE = "table"
KILOBYTE = 1024
WRITES = ("PutItem", "UpdateItem", "DeleteItem")


@contextmanager
def counted_units(world: World) -> Iterator[Counter[str]]:
    """Count the write units of all processes. A condition that fails costs a unit, which DynamoDB does not tell."""
    units: Counter[str] = Counter()
    world.new_process()
    address = boto3.client("dynamodb").meta.endpoint_url
    (events,) = {
        client.meta.events
        for client in SharedSession.clients.values()
        if client.meta.endpoint_url == address and client.meta.service_model.service_name == "dynamodb"
    }

    def ask(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def count(parsed: dict[str, Any], **_: object) -> None:
        consumed = parsed.get("ConsumedCapacity", {"Table": {"CapacityUnits": 1}})
        units[TABLE] += int(consumed["Table"]["CapacityUnits"])
        for name, index in consumed.get("GlobalSecondaryIndexes", {}).items():
            units[name] += int(index["CapacityUnits"])

    hooks = [
        (f"{moment}.dynamodb.{write}", hook)
        for write in WRITES
        for moment, hook in (("provide-client-params", ask), ("after-call", count))
    ]
    for name, hook in hooks:
        events.register(name, hook)
    try:
        yield units
    finally:
        for name, hook in hooks:
            events.unregister(name, hook)


def test_a_new_ticket(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    with counted_units(world) as units:
        world.deliver()
    world.assert_one_ticket()
    # Claimed, recorded, marked as linked: once each, and the ticket's key is indexed when it is recorded.
    assert units == {TABLE: 3, BY_TICKET: 1}


def test_a_known_error(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    world.deliver()
    with counted_units(world) as units:
        world.deliver()
    assert world.reports[-1].decision is Decision.KNOWN
    assert units.total() <= 1


def test_a_refused_event(make_real_world: MakeWorld) -> None:
    world = make_real_world(issue_type="Nobody has it")
    with counted_units(world) as units:
        world.deliver()
    assert [outcome.decision for outcome in world.reports] == [Decision.REFUSED, Decision.DEAD_LETTER]
    # Claimed, given back with the reason, and a parking note for others like it.
    assert units == {TABLE: 3}


def test_an_event_that_waits(make_real_world: MakeWorld) -> None:
    world = make_real_world(issue_type="Nobody has it")
    world.deliver()
    with counted_units(world) as units:
        world.deliver(world.event(new_group()))
    assert world.reports[-1].decision is Decision.PARKED
    assert units.total() <= 2


def size(item: dict[str, Any]) -> int:
    """Return an item's bytes: its names and its values.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name) + len(str(value).encode()) for name, held in item.items() for value in held.values())


def test_a_row_is_smaller_than_a_unit(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    world.deliver()
    (item,) = boto3.client("dynamodb").scan(TableName=world.table)["Items"]
    assert size(item) < KILOBYTE / 2
