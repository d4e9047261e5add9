"""A batch of messages as Lambda receives it, and the answer that it expects.

A record comes from SQS, with or without SNS's envelope around the body, or directly from SNS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backtrace_jira.batches import Delivery
from backtrace_jira.errors import InvalidEvent, Unreachable


def deliveries_of(event: Mapping[str, Any]) -> list[Delivery]:
    """Read a Lambda event.

    Raises:
        InvalidEvent: it comes from neither SQS nor SNS. No record is served, and Lambda keeps the event.
    """
    records = event.get("Records")
    if not isinstance(records, list):
        raise InvalidEvent("not an event of SQS or SNS: Records is not a list")
    return [_delivery(record) for record in records]


def _delivery(record: Mapping[str, Any]) -> Delivery:
    if record.get("eventSource") == "aws:sqs":
        sent = record.get("attributes", {}).get("SentTimestamp", 0)  # milliseconds
        body = without_envelope(record["body"])
        return Delivery(record["messageId"], body, record["receiptHandle"], int(sent) / 1000)
    if record.get("EventSource") == "aws:sns":
        return Delivery(record["Sns"]["MessageId"], record["Sns"]["Message"])
    raise InvalidEvent("a record comes from neither SQS nor SNS: this function serves error events only")


def without_envelope(body: str) -> str:
    """Return the body without SNS's envelope, which SNS adds unless raw message delivery is on."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or too deep; `read_error_group` refuses it
        return body
    if isinstance(envelope, dict) and envelope.get("Type") == "Notification" and "TopicArn" in envelope:
        return str(envelope.get("Message", ""))
    return body


def batch_answer(unfinished: Sequence[Delivery]) -> dict[str, Any]:
    """Return the partial batch response: these messages stay in the queue.

    Raises:
        Unreachable: a direct event is among them. Only a failed invocation makes Lambda deliver it again.
    """
    if any(delivery.handle is None for delivery in unfinished):
        raise Unreachable("an event that came directly from SNS could neither be served nor queued")
    return {"batchItemFailures": [{"itemIdentifier": delivery.id} for delivery in unfinished]}
