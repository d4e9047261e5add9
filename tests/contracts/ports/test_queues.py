"""The contract of the queues: the fakes, and SQS as moto emulates it.

Their users rely on this: what is postponed is not seen before its time; what is buried keeps its body; a regression's
occasion and a webhook's identifier are sent once; what is sent is read with the class that wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.aws.jira_changes import SQSChangeHints, SQSJiraChanges
from backtrace_jira.adapters.aws.message_queue import SQSMessageQueue, SQSNewEvents
from backtrace_jira.adapters.dynamodb.failure_counter import DynamoDBFailureCounter
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.batches import Delivery, FailureCounter, MessageQueue
from backtrace_jira.links.link import LinkKey, Sighting
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.synchronisation.jira_change import LOOK, REGRESSION, JiraChange
from backtrace_jira.synchronisation.ports import ChangeHints, NewEvents
from backtrace_jira.synchronisation.receive_webhook import JiraChanges
from backtrace_jira.tickets.ports import RegressionHints
from tests.contracts.ports.sqs import Queue
from tests.fakes.clock import Clock
from tests.fakes.queues import FakeChangeHints, FakeFailureCounter, FakeMessageQueue, FakeNewEvents
from tests.fakes.webhooks import FakeJiraChanges
from tests.tables import new_table

PORTS = {
    ChangeHints: FakeChangeHints,
    RegressionHints: FakeChangeHints,
    JiraChanges: FakeJiraChanges,
    FailureCounter: FakeFailureCounter,
    MessageQueue: FakeMessageQueue,
    NewEvents: FakeNewEvents,
}


@dataclass
class Queues:
    """The ports, and what their readers would find now."""

    messages: MessageQueue
    events: NewEvents
    hints: ChangeHints
    regressions: RegressionHints
    changes: JiraChanges
    queued: Callable[[], list[str]]
    dead: Callable[[], list[str]]
    come_in: Callable[[], list[str]]
    hinted: Callable[[], list[JiraChange]]
    changed: Callable[[], list[JiraChange]]
    receive: Callable[[str], Delivery]
    """Let a message be in the hands of the function."""


def fakes() -> Queues:
    messages, hints, changes, events = (
        FakeMessageQueue(),
        FakeChangeHints(),
        FakeJiraChanges(),
        FakeNewEvents(),
    )
    return Queues(
        messages,
        events,
        hints,
        hints,
        changes,
        queued=messages.visible,
        dead=lambda: [delivery.body for delivery, _ in messages.buried],
        come_in=events.visible,
        hinted=lambda: hints.sent,
        changed=lambda: list(changes.sent.values()),
        receive=lambda body: Delivery(body, body, "handle"),
    )


def emulated() -> Queues:
    client = boto3.client("sqs")
    queue, dead, events = Queue(client), Queue(client), Queue(client)
    hints, changes = Queue(client, fifo=True), Queue(client, fifo=True)
    sent = SQSChangeHints(hints.adapter)

    def receive(body: str) -> Delivery:
        client.send_message(QueueUrl=queue.url, MessageBody=body)
        (message,) = client.receive_message(QueueUrl=queue.url)["Messages"]
        return Delivery(message["MessageId"], body, message["ReceiptHandle"])

    return Queues(
        SQSMessageQueue(queue.adapter, dead.adapter),
        SQSNewEvents(events.adapter),
        sent,
        sent,
        SQSJiraChanges(changes.adapter),
        queued=queue.bodies,
        dead=dead.bodies,
        come_in=events.bodies,
        hinted=lambda: [JiraChange.from_json(body) for body in hints.bodies()],
        changed=lambda: [JiraChange.from_json(body) for body in changes.bodies()],
        receive=receive,
    )


@pytest.fixture(params=["fake", "moto"])
def queues(request: pytest.FixtureRequest) -> Iterator[Queues]:
    if request.param == "fake":
        yield fakes()
        return
    with mock_aws():
        yield emulated()


def test_a_message_comes_again_when_its_time_is_over(queues: Queues) -> None:
    delivery = queues.receive("the body")
    queues.messages.hide([(delivery, 600)])
    assert queues.queued() == []
    queues.messages.hide([(delivery, 0.2)])
    assert queues.queued() == ["the body"]


def test_each_of_many_messages_comes_again_after_its_own_time(queues: Queues) -> None:
    deliveries = [queues.receive(f"body {number}") for number in range(12)]
    queues.messages.hide([(each, 600) for each in deliveries])
    assert queues.queued() == []
    queues.messages.hide([(each, 600 * (number % 2)) for number, each in enumerate(deliveries)])
    assert sorted(queues.queued()) == sorted(f"body {number}" for number in range(0, 12, 2))


def test_a_direct_event_is_put_on_the_queue(queues: Queues) -> None:
    queues.messages.enqueue(Delivery("1", "now"), 0)
    queues.messages.enqueue(Delivery("2", "later"), 600)
    assert queues.queued() == ["now"]


def test_a_dead_letter_keeps_its_body(queues: Queues) -> None:
    queues.messages.bury(queues.receive('{"a": 1}'), [Outcome(Decision.REFUSED, detail="no")])
    assert queues.dead() == ['{"a": 1}']


def test_an_event_of_ours_comes_in_after_its_time(queues: Queues) -> None:
    queues.events.publish("now", after=0)
    queues.events.publish("later", after=20)
    assert queues.come_in() == ["now"]


def test_each_hint_is_sent(queues: Queues) -> None:
    for reason in ("late", "down", "down"):
        queues.hints.send("main", "10001", reason=reason)
    assert queues.hinted() == [
        JiraChange("main", "10001", event=LOOK, reason=reason) for reason in ("late", "down", "down")
    ]


def test_a_regression_is_sent_once_for_each_link_and_occasion(queues: Queues) -> None:
    for issue, fingerprint, digest, occasion in (
        ("10001", "a", "1", "then"),
        ("10001", "a", "1", "then"),
        ("10001", "a", "2", "then"),
        ("10001", "a", "3", "now"),
        ("10001", "b", "4", "then"),
        ("10002", "a", "5", "then"),
    ):
        sighting = Sighting(LinkKey("u/p/n", fingerprint), digest)
        queues.regressions.send_regression("main", issue, sighting, reason="seen", occasion=occasion)
    assert sorted(queues.hinted(), key=lambda each: each.sighting) == [
        JiraChange("main", issue, "", REGRESSION, (), "seen", "u/p/n", fingerprint, digest)
        for issue, fingerprint, digest in (
            ("10001", "a", "1"),
            ("10001", "a", "3"),
            ("10001", "b", "4"),
            ("10002", "a", "5"),
        )
    ]


def test_a_webhook_that_is_repeated_is_sent_once(queues: Queues) -> None:
    first = JiraChange("main", "10001", event="jira:issue_updated", fields=("state",))
    second = JiraChange("main", project_id="10000", event="jira:version_released", fields=("versions",))
    for change, identifier in ((first, "a"), (first, "a"), (second, "b")):
        queues.changes.send(change, identifier)
    assert queues.changed() == [first, second]


@pytest.fixture(params=["fake", "moto", "dynamodb-local"])
def failures(request: pytest.FixtureRequest) -> Iterator[FailureCounter]:
    if request.param == "fake":
        yield FakeFailureCounter()
        return
    if request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb")
            yield DynamoDBFailureCounter(Table(client, new_table(client)), Clock())
        return
    client = boto3.client("dynamodb", endpoint_url=request.getfixturevalue("dynamodb_local_endpoint"))
    yield DynamoDBFailureCounter(Table(client, new_table(client)), Clock())


def test_failures_are_counted_by_message(failures: FailureCounter) -> None:
    assert [failures.count("m1") for _ in range(3)] == [1, 2, 3]
    assert failures.count("m2") == 1
