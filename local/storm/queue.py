"""A queue as SQS has it, in virtual time: a message is visible from a moment on, and counts how often it was received.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtrace_jira.batches import Delivery
from local.storm.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from backtrace_jira.outcomes import Outcome
    from local.storm.virtual_time import VirtualTime

VISIBILITY = 360.0
"""Seconds: template.yaml's VisibilityTimeout."""
MOST_RECEIVES = 1000
"""template.yaml's maxReceiveCount."""
BATCH = 10
LATENCY = 0.005


@dataclass(slots=True)
class _Message:
    delivery: Delivery
    receives: int = 0
    hidden: int = 0
    """Counts how often it was hidden: an older hiding's end says nothing."""


class Queue:
    """The queue of error events, and the `MessageQueue` port of whoever serves it."""

    def __init__(self, time: VirtualTime, timeline: Timeline) -> None:
        self._time = time
        self._timeline = timeline
        self._messages: dict[str, _Message] = {}
        self._visible: deque[_Message] = deque()
        self._waiting: deque[Callable[[], None]] = deque()
        self._expected = 0
        self._closed = False
        self.deliveries = 0
        self.dead_letters = 0
        self.most_receives = 0

    def publish(self, body: str, when: float) -> None:
        """Let a message come in at a time."""
        self._expected += 1
        number = str(self._expected)
        message = _Message(Delivery(number, body, number, when))
        self._time.at(when, lambda: self._come_in(message))

    def receive(self) -> Sequence[Delivery]:
        """Return a batch, as soon as there is one; an empty one if no message is left."""
        wake = self._time.waker()
        while not self._visible and not self._closed:
            self._waiting.append(wake)
            self._time.wait()
        batch: list[Delivery] = []
        while self._visible and len(batch) < BATCH:
            message = self._visible.popleft()
            message.receives += 1
            self.most_receives = max(self.most_receives, message.receives)
            if message.receives > MOST_RECEIVES:
                self._bury(message.delivery)
                continue
            self.deliveries += 1
            self._hide(message, VISIBILITY)
            batch.append(message.delivery)
        return batch if batch or self._closed else self.receive()

    def delete(self, deliveries: Iterable[Delivery]) -> None:
        """Forget messages that are done with."""
        for each in deliveries:
            self._messages.pop(each.id, None)
            self._expected -= 1
            self._timeline.count("gone", self._time())
        if not self._expected:
            self.close()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft()()

    @property
    def left(self) -> int:
        """How many messages are not done with."""
        return self._expected

    def hide(self, waits: Sequence[tuple[Delivery, float]]) -> None:
        """Hide messages that were received."""
        self._time.owe(LATENCY)
        for delivery, seconds in waits:
            self._hide(self._messages[delivery.id], round(seconds))

    def enqueue(self, delivery: Delivery, seconds: float) -> None:
        """Let a direct message come in later."""
        self.publish(delivery.body, self._time() + seconds)

    def bury(self, delivery: Delivery, _reasons: Iterable[Outcome]) -> None:
        """Count a dead letter. Whoever buries it has it deleted."""
        self._time.owe(LATENCY)
        self.dead_letters += 1
        self._timeline.count("dead", self._time())
        assert delivery.id in self._messages

    def _bury(self, delivery: Delivery) -> None:
        self.bury(delivery, ())
        self.delete([delivery])

    def _come_in(self, message: _Message) -> None:
        self._messages[message.delivery.id] = message
        self._timeline.count("came", self._time())
        self._show(message)

    def _hide(self, message: _Message, seconds: float) -> None:
        message.hidden += 1
        hidden = message.hidden
        self._time.at(self._time() + seconds, lambda: self._reappear(message, hidden))

    def _reappear(self, message: _Message, hidden: int) -> None:
        if message.hidden == hidden and message.delivery.id in self._messages:
            self._show(message)

    def _show(self, message: _Message) -> None:
        self._visible.append(message)
        if self._waiting:
            self._waiting.popleft()()
