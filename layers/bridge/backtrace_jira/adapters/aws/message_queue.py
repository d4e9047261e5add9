"""The queue that a function is fed from, with its dead letters; and events that we put into one ourselves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.batches import Delivery
from backtrace_jira.outcomes import Outcome

LONGEST_DELAY = 900
"""Seconds. SQS delays a message no longer when it is sent."""
LONGEST_VISIBILITY = 42_000
"""Seconds. SQS counts twelve hours from the receive, the time that the function has had it included."""
LONGEST_ATTRIBUTE = 2_000
"""Characters: SQS takes 256 KB with the body, which must keep its room."""


class SQSMessageQueue:
    """The `MessageQueue` port. Neither queue is asked for before something goes wrong."""

    def __init__(self, queue: SQSQueue, dead_letters: SQSQueue) -> None:
        self._queue = queue
        self._dead_letters = dead_letters

    def postpone(self, delivery: Delivery, seconds: float) -> None:
        """Hide a queued message for that long; a direct one is sent to the queue with a delay."""
        wait = max(0, round(seconds))
        if delivery.handle is None:
            self._queue.send(delivery.body, DelaySeconds=min(wait, LONGEST_DELAY))
            return
        self._queue.request(
            "change_message_visibility",
            ReceiptHandle=delivery.handle,
            VisibilityTimeout=min(wait, LONGEST_VISIBILITY),
        )

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
        # Dead letters have no order among them, so each is a group of its own.
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
        """Send an event that nobody receives before so many seconds have passed."""
        self._queue.send(body, DelaySeconds=after)


def _sendable(text: str) -> str:
    """Keep to the characters that SQS takes (XML 1.0) and to a length that leaves the body its room."""
    kept = "".join(char if char >= " " and not "\ud800" <= char <= "\udfff" else " " for char in text)
    return kept.replace("\ufffe", " ").replace("\uffff", " ")[:LONGEST_ATTRIBUTE]
