"""The end of each message: done with, back into its queue, or kept among the dead letters with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from backtrace_jira.errors import NeedsAttention, TryAgain
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.times import LONGEST_PAUSE

FIRST_DELAY = 15.0
"""Seconds before a message is tried a second time; twice as many before each further one."""


class Deliveries:
    """Serves a batch. It returns the deliveries that are not done with: they must stay in the queue."""

    def __init__(
        self,
        *,
        serve: Callable[[str, float], Sequence[Outcome]],
        queue: MessageQueue,
        report: Callable[[Outcome], None],
        jitter: Callable[[], float],
        max_receives: int,
    ) -> None:
        """Take the ports and rules of one queue.

        Args:
            serve: serves a body until a deadline (unix seconds).
            queue: the queue that the messages come from.
            report: logs an outcome.
            jitter: returns factors around 1.
            max_receives: from the queue's redrive policy.
        """
        self._serve_body = serve
        self._queue = queue
        self._report = report
        self._jitter = jitter
        self._max_receives = max_receives

    def __call__(self, batch: Iterable[Delivery], *, deadline: float) -> list[Delivery]:
        """Serve each delivery; one that fails does not stop the others. `deadline` is in unix seconds."""
        return [delivery for delivery in batch if not self._settled(delivery, deadline)]

    def _settled(self, delivery: Delivery, deadline: float) -> bool:
        """Serve one message; false leaves it in the queue, whatever went wrong."""
        try:
            return self._dispose(delivery, self._serve(delivery, deadline))
        except Exception as error:
            self._report(Outcome(Decision.POSTPONED, detail=error_text(error), error=error))
            return False

    def _serve(self, delivery: Delivery, deadline: float) -> Sequence[Outcome]:
        outcomes = self._serve_body(delivery.body, deadline)
        for outcome in outcomes:
            self._report(outcome)
        return outcomes

    def _dispose(self, delivery: Delivery, outcomes: Sequence[Outcome]) -> bool:
        open_ends = [outcome for outcome in outcomes if outcome.error]
        if not open_ends:
            return True
        again = [outcome.error for outcome in open_ends if not isinstance(outcome.error, NeedsAttention)]
        if again and delivery.receives < self._max_receives:
            self._queue.postpone(delivery, self._delay(delivery, again))
            return delivery.handle is None  # a direct event is in the queue now: this copy is done with
        # Bury before returning true, which deletes the message: if it cannot be buried, it stays in the queue.
        self._bury(delivery, open_ends)
        return True

    def _bury(self, delivery: Delivery, reasons: Sequence[Outcome]) -> None:
        self._queue.bury(delivery, reasons)
        for reason in reasons:
            detail = f"kept as a dead letter: {reason.detail}"
            self._report(
                Outcome(Decision.DEAD_LETTER, reason.fingerprint, reason.integration, reason.issue, detail)
            )

    def _delay(self, delivery: Delivery, errors: Iterable[Exception | None]) -> float:
        """Return the longest pause that an error asks for, else exponential back-off with jitter; in seconds."""
        asked = [error.after for error in errors if isinstance(error, TryAgain) and error.after is not None]
        if asked:
            return min(LONGEST_PAUSE, max(asked))
        return min(LONGEST_PAUSE, FIRST_DELAY * 2.0 ** min(delivery.receives - 1, 16)) * self._jitter()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came in. `handle` is None when SNS called the function directly."""

    id: str
    body: str
    handle: str | None = None
    receives: int = 1


class MessageQueue(Protocol):
    """The queue that the messages come from, and its dead letters."""

    def postpone(self, delivery: Delivery, seconds: float) -> None:
        """Let the message come again after that time; a direct one is put on the queue first."""
        ...

    def bury(self, delivery: Delivery, reasons: Iterable[Outcome]) -> None:
        """Send the message to the dead letters, with the reasons."""
        ...
