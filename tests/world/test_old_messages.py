"""A message that only ever had to wait is served when Jira is back, however old it is and however often it came."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from apply_jira_change.handler import lambda_handler as apply_jira_change
from backtrace_jira import bootstrap
from backtrace_jira.batches import MOST_FAILURES
from backtrace_jira.times import LONGEST_PAUSE
from create_ticket.handler import lambda_handler as create_ticket
from tests.fakes.clock import Clock
from tests.world.sync_world import MakeSyncWorld, SyncWorld

Handler = Callable[..., dict[str, Any]]

AGE = 12 * 86_400.0
RECEIVED = 900
AWAY = MOST_FAILURES + 1
"""So many times the message comes while Jira is away: more often than a failure of our own is tried."""

TROUBLES = [
    pytest.param({"status": 429, "headers": {"Retry-After": "3600"}}, id="asks for an hour"),
    pytest.param({"status": 503}, id="is not available"),
    pytest.param({"drop_before": True}, id="does not answer"),
]


class Context:
    """What the handlers ask of Lambda's context, in a world's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def get_remaining_time_in_millis(self) -> float:
        return 1000 * (self._clock() + 60 - time.time())


@pytest.fixture
def world(make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch) -> SyncWorld:
    """A world whose processes the functions' handlers use."""
    world = make_sync_world()
    monkeypatch.setattr(bootstrap.create_ticket, "deliveries", lambda: world.process)
    monkeypatch.setattr(bootstrap.apply_jira_change, "deliveries", lambda: world.apply)
    return world


def receive(world: SyncWorld, record: dict[str, Any], count: int, handler: Handler) -> bool:
    """Let a handler receive a message for the nth time, some seconds later each time; return whether it stays."""
    attributes = {**record["attributes"], "ApproximateReceiveCount": str(count)}
    answer = handler({"Records": [{**record, "attributes": attributes}]}, Context(world.clock))
    world.clock.advance(LONGEST_PAUSE + 1)
    return answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}


def wait_for_jira(world: SyncWorld, record: dict[str, Any], handler: Handler, trouble: dict[str, Any]) -> int:
    """Let the message come while Jira is away, and then until it is done; return how often it came after that."""
    world.jira.faults.add("*", "/rest/", times=None, **trouble)
    for count in range(RECEIVED, RECEIVED + AWAY):
        assert receive(world, record, count, handler)
    world.jira.faults.clear()
    for count in range(10):
        if not receive(world, record, RECEIVED + AWAY + count, handler):
            return count + 1
    raise AssertionError("never done")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_error_event_becomes_a_ticket(world: SyncWorld, trouble: dict[str, Any]) -> None:
    (record,) = world.event(sent_at=world.clock() - AGE)["Records"]
    wait_for_jira(world, record, create_ticket, trouble)
    world.assert_one_ticket()
    assert world.dead_letters() == []


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_change_in_jira_reaches_backtrace(world: SyncWorld, trouble: dict[str, Any]) -> None:
    ticket = world.ticket()
    world.jira.transition(ticket.key, "Done")
    world.deliver_webhooks()
    queue = boto3.client("sqs")
    (message,) = queue.receive_message(QueueUrl=world.changes, VisibilityTimeout=42_000)["Messages"]
    record = {
        "eventSource": "aws:sqs",
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"SentTimestamp": str(round(1000 * (world.clock() - AGE)))},
    }
    assert wait_for_jira(world, record, apply_jira_change, trouble) == 1
    assert world.of().state == "resolved"
    assert world.letters() == []
