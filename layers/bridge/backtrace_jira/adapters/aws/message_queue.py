"""The queue of a function's messages, with its dead letters; and the sender of error events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.batches import Delivery
from backtrace_jira.errors import Unreachable
from backtrace_jira.outcomes import Outcome

LONGEST_DELAY = 900
"""Seconds: SQS's limit for the delay of a message when it is sent."""
LONGEST_VISIBILITY = 42_000
"""Seconds. SQS's limit is twelve hours from the receive; the function has used some of them."""
LARGEST_REQUEST = 10
"""Messages: SQS's limit for one batch request."""
LONGEST_ATTRIBUTE = 2_000
"""Characters. Attributes and body share SQS's 256 KB, and the body must fit."""


class SQSMessageQueue:
    """The `MessageQueue` port."""

    def __init__(self, queue: SQSQueue, dead_letters: SQSQueue) -> None:
        self._queue = queue
        self._dead_letters = dead_letters

    def hide(self, waits: Sequence[tuple[Delivery, float]]) -> None:
        """Change the visibility of ten messages in one request."""
        refused = 0
        for first in range(0, len(waits), LARGEST_REQUEST):
            entries = [
                {
                    "Id": str(number),
                    "ReceiptHandle": delivery.handle,
                    "VisibilityTimeout": _whole(seconds, LONGEST_VISIBILITY),
                }
                for number, (delivery, seconds) in enumerate(waits[first : first + LARGEST_REQUEST])
            ]
            answer = self._queue.request("change_message_visibility_batch", Entries=entries)
            refused += len(answer.get("Failed", []))
        if refused:
            raise Unreachable(f"SQS change_message_visibility_batch: {refused} messages come at another time")

    def enqueue(self, delivery: Delivery, seconds: float) -> None:
        """Send a direct message to the queue, with a delay."""
        self._queue.send(delivery.body, DelaySeconds=_whole(seconds, LONGEST_DELAY))

    def bury(self, delivery: Delivery, reasons: Iterable[Outcome]) -> None:
        """Send the message to the dead letters, unchanged, with its reasons as attributes."""
        outcomes = list(reasons)
        attributes = {
            "Reason": " | ".join(dict.fromkeys(outcome.detail for outcome in outcomes)),
            "Integration": ", ".join(outcome.integration for outcome in outcomes if outcome.integration),
            "Fingerprint": outcomes[0].fingerprint if outcomes else "",
            "Decision": ", ".join(dict.fromkeys(str(outcome.decision) for outcome in outcomes)),
            "FailedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "MessageId": delivery.id,
        }
        # Dead letters need no order, so each is a message group of its own.
        order = {"MessageGroupId": delivery.id, "MessageDeduplicationId": delivery.id}
        self._dead_letters.send(
            delivery.body or " ",  # SQS takes no empty body
            **(order if self._dead_letters.is_ordered else {}),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": _sendable(text)}
                for name, text in attributes.items()
                if text
            },
        )


class SQSNewEvents:
    """The `NewEvents` port: the queue of error events."""

    def __init__(self, queue: SQSQueue) -> None:
        self._queue = queue

    def publish(self, body: str, *, after: int) -> None:
        """Send an event, which SQS delivers after `after` seconds."""
        self._queue.send(body, DelaySeconds=after)


def _whole(seconds: float, most: int) -> int:
    return min(max(0, round(seconds)), most)


def _sendable(text: str) -> str:
    """Replace the characters that SQS refuses (XML 1.0) by blanks, and cut the text."""
    kept = "".join(char if char >= " " and not "\ud800" <= char <= "\udfff" else " " for char in text)
    return kept.replace("\ufffe", " ").replace("\uffff", " ")[:LONGEST_ATTRIBUTE]
