"""What an event costs in DynamoDB: write units of the table and of its index, as DynamoDB itself counts them.

A unit is a write of up to 1 KB. The index costs one more for each write that puts a key into it or takes one out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3

from backtrace_jira.adapters.dynamodb.items import BY_TICKET
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State
from local.sample import new_group
from tests.tables import new_table
from tests.world.world import MakeWorld, SharedSession, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "table"
KILOBYTE = 1024
WRITES = ("PutItem", "UpdateItem", "DeleteItem")


def client_of(world: World) -> DynamoDBClient:
    """Return the client that the world's processes share."""
    world.new_process()
    address = boto3.client("dynamodb").meta.endpoint_url
    (client,) = (
        made
        for (service, _), made in SharedSession.clients.items()
        if service == "dynamodb" and made.meta.endpoint_url == address
    )
    made: DynamoDBClient = client
    return made


@contextmanager
def counted_units(client: DynamoDBClient) -> Iterator[Counter[str]]:
    """Count a client's write units. A condition that fails costs a unit, which DynamoDB does not tell."""
    units: Counter[str] = Counter()
    events = client.meta.events

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
    with counted_units(client_of(world)) as units:
        world.deliver()
    world.assert_one_ticket()
    # Claimed, recorded, marked as linked: once each, and the ticket's key is indexed when it is recorded.
    assert units == {TABLE: 3, BY_TICKET: 1}


def test_only_the_claim_has_its_row_sent_back(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    client = client_of(world)
    sent_back: list[bool] = []

    def look(parsed: dict[str, Any], **_: object) -> None:
        sent_back.append("Attributes" in parsed)

    client.meta.events.register("after-call.dynamodb.UpdateItem", look)
    world.deliver()
    client.meta.events.unregister("after-call.dynamodb.UpdateItem", look)
    assert sent_back == [True, False, False]


def test_a_known_error(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    world.deliver()
    with counted_units(client_of(world)) as units:
        world.deliver()
    assert world.reports[-1].decision is Decision.KNOWN
    assert units.total() == 0  # the batch's look finishes it


def test_a_refused_event(make_real_world: MakeWorld) -> None:
    world = make_real_world(issue_type="Nobody has it")
    with counted_units(client_of(world)) as units:
        world.deliver()
    assert [outcome.decision for outcome in world.reports] == [Decision.REFUSED, Decision.DEAD_LETTER]
    # Claimed, given back with the reason, and a parking note for others like it.
    assert units == {TABLE: 3}


def test_an_event_that_waits(make_real_world: MakeWorld) -> None:
    world = make_real_world(issue_type="Nobody has it")
    world.deliver()
    with counted_units(client_of(world)) as units:
        world.deliver(world.event(new_group()))
    assert world.reports[-1].decision is Decision.PARKED
    assert units.total() == 0  # seen before any claim


def size(item: dict[str, Any]) -> int:
    """Return an item's bytes: its names and its values.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name) + len(str(value).encode()) for name, held in item.items() for value in held.values())


def test_what_both_sides_agreed_on(dynamodb_local_endpoint: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local_endpoint)
    table = Table(client, new_table(client))
    key, issue = LinkKey("u/p/n", "a" * 64), Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
    DynamoDBTicketLinks(table).complete(key, issue, Record(1000.0, Decision.CREATED))
    links = DynamoDBSyncedLinks(table)
    with counted_units(client) as units:
        links.record_synced(key, issue, issue, LastSynced(State.RESOLVED, "7"))
    assert units == {TABLE: 1}
    with counted_units(client) as units:
        links.unlink(key, issue.id, Record(1100.0, Decision.UNLINKED))
    assert units == {TABLE: 1, BY_TICKET: 1}


def test_a_row_is_smaller_than_a_unit(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    world.deliver()
    (item,) = boto3.client("dynamodb").scan(TableName=world.table)["Items"]
    assert size(item) < KILOBYTE / 2
