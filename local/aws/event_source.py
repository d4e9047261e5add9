"""Lambda's event source mapping for SQS: it polls, invokes, and deletes the messages that succeeded.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from local.aws.cloud import REGION
from local.aws.function import Function
from local.aws.resources import QueueMapping

LARGEST_RECEIVE = 10


class EventSource:
    """Brings a queue's messages to a function, in batches as the template says.

    A FIFO queue is treated no differently, here as in AWS: what the function reports stays, message by message, and
    the queue itself holds a group back for as long as one of its messages is hidden. A function that reports a
    message and not the later ones of its group loses their order.
    """

    def __init__(self, sqs: Any, queue: QueueMapping, function: Function) -> None:
        self._sqs = sqs
        self.queue = queue
        self._function = function
        self._held_back: dict[str, str] = {}
        self.crashes: list[Exception] = []
        """The errors that the function raised. Such a batch stays in the queue, as in AWS."""

    def waiting(self) -> int:
        """Return how many messages are in the queue, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self.queue.queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def poll(self) -> int:
        """Deliver one batch; return how many messages were in it."""
        messages = self._receive()
        if not messages:
            return 0
        failed = self._failed([_record(message, self.queue) for message in messages])
        for message in messages:
            if message["MessageId"] in failed:
                self._held_back[message["MessageId"]] = message["ReceiptHandle"]
            else:
                self._held_back.pop(message["MessageId"], None)
                self._sqs.delete_message(
                    QueueUrl=self.queue.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return len(messages)

    def drain(self, *, timeout: float = 60) -> int:
        """Deliver until nothing is visible; return how many messages were delivered.

        Raises:
            TimeoutError: messages came back at once, again and again.
        """
        until = time.monotonic() + timeout
        delivered = 0
        while batch := self.poll():
            delivered += batch
            if time.monotonic() > until:
                raise TimeoutError(f"the queue is not empty after {timeout:g} s and {delivered} deliveries")
        return delivered

    def hasten(self) -> None:
        """Make visible at once what the function left in the queue for later."""
        for handle in self._held_back.values():
            with contextlib.suppress(
                self._sqs.exceptions.ReceiptHandleIsInvalid
            ):  # it is a dead letter by now
                self._sqs.change_message_visibility(
                    QueueUrl=self.queue.queue_url, ReceiptHandle=handle, VisibilityTimeout=0
                )
        self._held_back.clear()

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self.queue.queue_url,
            MaxNumberOfMessages=min(self.queue.batch_size, LARGEST_RECEIVE),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _failed(self, records: list[dict[str, Any]]) -> set[str]:
        """Invoke; return the ids of the messages that are to stay."""
        everything = {record["messageId"] for record in records}
        try:
            answer = self._function({"Records": records})
        except Exception as error:
            self.crashes.append(error)
            return everything
        if not self.queue.reports_batch_item_failures or answer is None:
            return set()
        return _reported(answer, everything)


def _reported(answer: Any, everything: set[str]) -> set[str]:
    """Read batchItemFailures; Lambda takes an id that it does not know, or none, as the failure of all."""
    failures = answer.get("batchItemFailures") or [] if isinstance(answer, Mapping) else []
    ids = {failure.get("itemIdentifier") for failure in failures}
    return ids if ids <= everything else everything


def _record(message: Mapping[str, Any], queue: QueueMapping) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.queue_arn,
        "awsRegion": REGION,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    return shown
