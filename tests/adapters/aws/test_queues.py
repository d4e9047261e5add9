"""Records as Lambda hands them over, and the queues, as moto emulates them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.aws.jira_changes import QUIET, SQSChangeHints
from backtrace_jira.adapters.aws.lambda_batch import batch_answer, deliveries_of
from backtrace_jira.adapters.aws.message_queue import SQSMessageQueue
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.batches import Delivery
from backtrace_jira.errors import InvalidEvent, Refused, Unreachable
from backtrace_jira.links.link import LinkKey, Sighting
from backtrace_jira.outcomes import Decision, Outcome
from tests.builders import sample_body, sample_event

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def sqs() -> Iterator[SQSClient]:
    with mock_aws():
        yield boto3.client("sqs")


@pytest.fixture
def urls(sqs: SQSClient) -> tuple[str, str]:
    return sqs.create_queue(QueueName="events")["QueueUrl"], sqs.create_queue(QueueName="dead")["QueueUrl"]


@pytest.fixture
def events(sqs: SQSClient, urls: tuple[str, str]) -> SQSMessageQueue:
    return SQSMessageQueue(SQSQueue(sqs, urls[0]), SQSQueue(sqs, urls[1]))


def received(sqs: SQSClient, url: str) -> list[Any]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return list(answer.get("Messages", []))


def test_the_sample_event_is_a_message_through_the_queue() -> None:
    (delivery,) = deliveries_of(sample_event())
    assert json.loads(delivery.body) == sample_body()
    assert delivery.handle
    assert delivery.sent_at == int(sample_event()["Records"][0]["attributes"]["SentTimestamp"]) / 1000


@pytest.mark.parametrize("form", ["raw", "enveloped", "direct"])
def test_the_three_forms_of_a_record_give_the_same_body(form: str) -> None:
    body = json.dumps(sample_body())
    envelope = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": body})
    attributes = {"SentTimestamp": "1795478430123"}
    forms: dict[str, dict[str, Any]] = {
        "raw": {"eventSource": "aws:sqs", "messageId": "1", "receiptHandle": "h", "body": body},
        "enveloped": {"eventSource": "aws:sqs", "messageId": "1", "receiptHandle": "h", "body": envelope},
        "direct": {"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": body}},
    }
    (delivery,) = deliveries_of({"Records": [forms[form] | {"attributes": attributes}]})
    handle = None if form == "direct" else "h"
    assert delivery == Delivery("1", body, handle, 0 if form == "direct" else 1795478430.123)


def test_an_empty_batch_is_empty() -> None:
    assert deliveries_of({"Records": []}) == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        sample_body(),
        {"Records": {}},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"Records": [sample_body()]},
    ],
)
def test_an_event_of_another_kind_is_refused_in_a_sentence(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent, match=r"neither SQS nor SNS|not an event of SQS or SNS"):
        deliveries_of(event)


def test_a_message_that_only_resembles_an_envelope_is_left_alone() -> None:
    body = json.dumps(sample_body() | {"Type": "Notification"})
    record = {"eventSource": "aws:sqs", "messageId": "1", "receiptHandle": "h", "body": body}
    assert deliveries_of({"Records": [record]})[0].body == body


def test_the_partial_batch_response_names_what_stays() -> None:
    assert batch_answer([]) == {"batchItemFailures": []}
    assert batch_answer([Delivery("a", "{}", "h")]) == {"batchItemFailures": [{"itemIdentifier": "a"}]}
    with pytest.raises(Unreachable):
        batch_answer([Delivery("a", "{}", None)])


def test_a_queued_message_is_hidden_for_the_time(
    sqs: SQSClient, urls: tuple[str, str], events: SQSMessageQueue
) -> None:
    sqs.send_message(QueueUrl=urls[0], MessageBody="x")
    (message,) = received(sqs, urls[0])
    delivery = Delivery("1", "x", message["ReceiptHandle"])
    events.hide([(delivery, 600)])
    assert received(sqs, urls[0]) == []
    events.hide([(delivery, 0)])
    (message,) = received(sqs, urls[0])
    events.hide([(Delivery("1", "x", message["ReceiptHandle"]), 10**9)])  # no more than SQS takes


def test_a_message_that_could_not_be_hidden_is_told(events: SQSMessageQueue) -> None:
    with pytest.raises(Unreachable, match="1 messages"):
        events.hide([(Delivery("1", "x", "no such handle"), 10)])


def test_a_direct_event_goes_to_the_queue(
    sqs: SQSClient, urls: tuple[str, str], events: SQSMessageQueue
) -> None:
    events.enqueue(Delivery("1", "the body"), 0.2)
    assert [message["Body"] for message in received(sqs, urls[0])] == ["the body"]
    events.enqueue(Delivery("2", "later"), 10**9)


def test_a_dead_letter_keeps_the_body_and_says_why(
    sqs: SQSClient, urls: tuple[str, str], events: SQSMessageQueue
) -> None:
    reasons = [
        Outcome(Decision.REFUSED, "fp", "u/p/a", detail="Team is\u0000 required\ud800", error=Refused("x")),
        Outcome(Decision.PARKED, "fp", "u/p/b", detail="y" * 9000, error=Refused("x")),
    ]
    events.bury(Delivery("m1", '{"a": 1}', "h"), reasons)
    (letter,) = received(sqs, urls[1])
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert letter["Body"] == '{"a": 1}'
    assert told["Reason"].startswith("Team is  required  | yyy")
    assert len(told["Reason"]) <= 2000
    assert told["Integration"] == "u/p/a, u/p/b"
    assert told["Decision"] == "refused, parked"
    assert told["Fingerprint"] == "fp"
    assert told["MessageId"] == "m1"
    assert told["FailedAt"].endswith("+00:00")


def test_an_empty_body_can_be_kept_too(
    sqs: SQSClient, urls: tuple[str, str], events: SQSMessageQueue
) -> None:
    events.bury(Delivery("m1", "", "h"), [Outcome(Decision.INVALID, detail="not a group")])
    assert len(received(sqs, urls[1])) == 1


def test_a_queue_that_cannot_be_reached_is_an_error_that_a_retry_mends(sqs: SQSClient) -> None:
    nowhere = SQSQueue(sqs, "https://sqs/none")
    gone = SQSMessageQueue(nowhere, nowhere)
    with pytest.raises(Unreachable, match="SQS send_message"):
        gone.bury(Delivery("m1", "x", "h"), [])


def test_a_regression_s_hint_is_not_sent_while_sqs_would_drop_it(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="changes.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sent, now = [], [1000.0]

    class Counted(SQSQueue):
        def send(self, body: str, **options: Any) -> None:
            super().send(body, **options)
            sent.append(options["MessageDeduplicationId"])

    hints = SQSChangeHints(Counted(sqs, url), lambda: now[0])

    def send(fingerprint: str) -> int:
        sighting = Sighting(LinkKey("u/p/n", fingerprint), "5f")
        hints.send_regression("main", "10001", sighting, reason="seen", occasion="then")
        return len(sent)

    assert [send("a"), send("a"), send("b"), send("a")] == [1, 1, 2, 2]
    now[0] += QUIET - 1
    assert [send("a"), send("b")] == [2, 2]
    now[0] += 1
    assert [send("a"), send("a")] == [3, 3]
    assert QUIET < 300
    assert len(set(sent)) == 2


def test_a_regression_s_hint_that_sqs_did_not_take_is_sent_again(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="changes.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    sqs.delete_queue(QueueUrl=url)
    hints = SQSChangeHints(SQSQueue(sqs, url))
    sighting = Sighting(LinkKey("u/p/n", "a"), "5f")
    with pytest.raises(Unreachable):
        hints.send_regression("main", "10001", sighting, reason="seen", occasion="then")
    sqs.create_queue(QueueName="changes.fifo", Attributes={"FifoQueue": "true"})
    hints.send_regression("main", "10001", sighting, reason="seen", occasion="then")
    assert len(received(sqs, url)) == 1
