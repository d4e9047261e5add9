"""Error events as Lambda receives them, and the two queues they live in.

A record comes through the queue (with or without SNS's envelope around the body) or straight from SNS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.batches import Delivery
from backtrace_jira.errors import InvalidEvent, Unreachable
from backtrace_jira.outcomes import Outcome

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_SQS_DELAY = 900
LONGEST_VISIBILITY = 42_000
"""SQS counts twelve hours from the receive, the time that the function has had it included."""
LONGEST_ATTRIBUTE = 2_000


def deliveries_of(event: Mapping[str, Any]) -> list[Delivery]:
    """Read a Lambda event.

    Raises:
        InvalidEvent: it comes from neither SQS nor SNS. Nothing of it is served, and Lambda keeps it.
    """
    records = event.get("Records")
    if not isinstance(records, list):
        raise InvalidEvent("not an event of SQS or SNS: Records is not a list")
    return [_delivery(record) for record in records]


def _delivery(record: Mapping[str, Any]) -> Delivery:
    if record.get("eventSource") == "aws:sqs":
        receives = record.get("attributes", {}).get("ApproximateReceiveCount", 1)
        body = without_envelope(record["body"])
        return Delivery(record["messageId"], body, record["receiptHandle"], int(receives))
    if record.get("EventSource") == "aws:sns":
        return Delivery(record["Sns"]["MessageId"], record["Sns"]["Message"])
    raise InvalidEvent("a record comes from neither SQS nor SNS: this function serves error events only")


def without_envelope(body: str) -> str:
    """Take SNS's envelope off, which is there when the subscription does not deliver raw messages."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or too deep; whoever reads the group says so
        return body
    if isinstance(envelope, dict) and envelope.get("Type") == "Notification" and "TopicArn" in envelope:
        return str(envelope.get("Message", ""))
    return body


def batch_answer(unfinished: Sequence[Delivery]) -> dict[str, Any]:
    """Return the partial batch response: these messages stay in the queue.

    Raises:
        Unreachable: a direct event is among them, which only Lambda itself can bring again.
    """
    if any(delivery.handle is None for delivery in unfinished):
        raise Unreachable("an event that came directly from SNS could neither be served nor queued")
    return {"batchItemFailures": [{"itemIdentifier": delivery.id} for delivery in unfinished]}


class SQSErrorEvents:
    """The `ErrorEvents` port. `client` is asked for when something goes wrong, and not before."""

    def __init__(self, client: Callable[[], SQSClient], *, queue_url: str, dead_letters_url: str) -> None:
        self._new_client = client
        self._queue_url = queue_url
        self._dead_letters_url = dead_letters_url

    def postpone(self, delivery: Delivery, seconds: float) -> None:
        """Hide a queued message for that long; a direct one is sent to the queue with a delay."""
        wait = max(0, round(seconds))
        if delivery.handle is None:
            self._request(
                "send_message",
                QueueUrl=self._queue_url,
                MessageBody=delivery.body,
                DelaySeconds=min(wait, LONGEST_SQS_DELAY),
            )
            return
        self._request(
            "change_message_visibility",
            QueueUrl=self._queue_url,
            ReceiptHandle=delivery.handle,
            VisibilityTimeout=min(wait, LONGEST_VISIBILITY),
        )

    def bury(self, delivery: Delivery, reasons: Iterable[Outcome]) -> None:
        """Send the message to the dead letters, unchanged, with its reasons as attributes."""
        told = list(reasons)
        attributes = {
            "Reason": " | ".join(dict.fromkeys(reason.detail for reason in told)),
            "Integration": ", ".join(reason.integration for reason in told if reason.integration),
            "Fingerprint": told[0].fingerprint if told else "",
            "Decision": ", ".join(dict.fromkeys(str(reason.decision) for reason in told)),
            "FailedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "MessageId": delivery.id,
        }
        self._request(
            "send_message",
            QueueUrl=self._dead_letters_url,
            MessageBody=delivery.body or " ",
            **self._order(delivery),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": _sendable(text)}
                for name, text in attributes.items()
                if text
            },
        )

    def _order(self, delivery: Delivery) -> dict[str, str]:
        """Return what a queue that keeps an order wants to know; the dead have none among them."""
        if not self._dead_letters_url.endswith(".fifo"):
            return {}
        return {"MessageGroupId": delivery.id, "MessageDeduplicationId": delivery.id}

    @cached_property
    def _client(self) -> SQSClient:
        return self._new_client()

    def _request(self, operation: str, **arguments: Any) -> None:
        try:
            getattr(self._client, operation)(**arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise Unreachable(f"SQS {operation}: {code}") from None
        except BotoCoreError as error:
            raise Unreachable(f"SQS {operation}: {type(error).__name__}") from None


def _sendable(text: str) -> str:
    """Keep to the characters that SQS takes (XML 1.0) and to a length that leaves the body its room."""
    kept = "".join(char if char >= " " and not "\ud800" <= char <= "\udfff" else " " for char in text)
    return kept.replace("\ufffe", " ").replace("\uffff", " ")[:LONGEST_ATTRIBUTE]
