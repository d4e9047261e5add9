"""The end of each message: done with, back into its queue, or kept among the dead letters with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from backtrace_jira.errors import Busy, NeedsAttention, OverBudget, Throttled, TryAgain
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.times import LONGEST_PAUSE

SHORTEST_DELAY = 15.0
"""Seconds before a message comes again, if nobody asked for another time."""
SHARE_OF_AGE = 0.1
"""A message waits for a tenth of its age: a short trouble costs little time, and a long one few receives."""
LONGEST_DELAY = 900.0
"""Seconds: when the trouble is over, everything has come again after a quarter of an hour."""
LONGEST_DELAY_AT_WORK = 250.0
"""Seconds, if the server is at work and serves others first: it will soon have time for this message."""
PAUSE_AT_WORK = 60.0
"""Seconds: a server that asks for no longer pause is at work."""
PATIENCE = 3 * 86_400.0
"""Seconds of age from which a message comes once an hour (`LONGEST_PAUSE`): SQS delivers it 1,000 times at most."""
LONGEST_WAIT = 13 * 86_400.0
"""Seconds: a message that has waited so long is kept among the dead letters. SQS forgets messages after 14 days."""
MOST_FAILURES = 5
"""After so many unexpected errors of our own, the message is kept among the dead letters."""


class Deliveries:
    """Serves a batch. It returns the deliveries that are not done with: they must stay in the queue."""

    def __init__(
        self,
        *,
        serve: Callable[[Sequence[str], float], Sequence[Sequence[Outcome]]],
        queue: MessageQueue,
        failures: FailureCounter,
        report: Callable[[Outcome], None],
        jitter: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        """Take the ports and rules of one queue.

        Args:
            serve: serves bodies until a deadline (unix seconds), and returns the outcomes of each.
            queue: the queue that the messages come from.
            failures: counts our own failures.
            report: logs an outcome.
            jitter: returns factors from 1 on.
            clock: unix seconds.
        """
        self._serve_bodies = serve
        self._queue = queue
        self._failures = failures
        self._report = report
        self._jitter = jitter
        self._clock = clock

    def __call__(self, batch: Iterable[Delivery], *, deadline: float) -> list[Delivery]:
        """Serve the deliveries; one that fails does not stop the others. `deadline` is in unix seconds."""
        deliveries = list(batch)
        outcomes = self._serve(deliveries, deadline)
        ends = [self._settle(*each) for each in zip(deliveries, outcomes, strict=True)]
        self._hide([(end.delivery, end.wait) for end in ends if end.wait is not None])
        return [end.delivery for end in ends if not end.is_done]

    def _serve(self, batch: Sequence[Delivery], deadline: float) -> Sequence[Sequence[Outcome]]:
        try:
            return self._serve_bodies([delivery.body for delivery in batch], deadline)
        except Exception as error:
            failed = Outcome(Decision.POSTPONED, detail=error_text(error), error=error)
            return [[failed]] * len(batch)

    def _settle(self, delivery: Delivery, outcomes: Sequence[Outcome]) -> _End:
        """Report what was decided on a message, and dispose of it; whatever goes wrong leaves it in the queue."""
        try:
            for outcome in outcomes:
                self._report(outcome)
            return self._dispose(delivery, outcomes)
        except Exception as error:
            self._report(Outcome(Decision.POSTPONED, detail=error_text(error), error=error))
            return _End(delivery, is_done=False)

    def _dispose(self, delivery: Delivery, outcomes: Sequence[Outcome]) -> _End:
        open_ends = [outcome for outcome in outcomes if outcome.error]
        if not open_ends:
            return _End(delivery, is_done=True)
        age = max(0.0, self._clock() - delivery.sent_at) if delivery.sent_at else 0.0
        if self._may_come_again(delivery, age, open_ends):
            wait = self._delay(age, open_ends)
            if delivery.handle is not None:
                return _End(delivery, is_done=False, wait=wait)
            self._queue.enqueue(delivery, wait)
            return _End(delivery, is_done=True)  # it is in the queue now: this copy is done with
        # Bury before it counts as done, which deletes the message: if it cannot be buried, it stays in the queue.
        self._bury(delivery, open_ends)
        return _End(delivery, is_done=True)

    def _hide(self, waits: Sequence[tuple[Delivery, float]]) -> None:
        """Let messages come again, each after its time; if that fails, after the queue's own time."""
        if not waits:
            return
        try:
            self._queue.hide(waits)
        except Exception as error:
            self._report(Outcome(Decision.POSTPONED, detail=error_text(error), error=error))

    def _may_come_again(self, delivery: Delivery, age: float, open_ends: Sequence[Outcome]) -> bool:
        """Return whether another try may help.

        Waiting is counted in time, not in receives: a message that only ever had to wait is served when the server
        is back. Only errors that nobody expected are counted.
        """
        if age > LONGEST_WAIT:
            return False
        if not all(outcome.is_expected for outcome in open_ends):
            return self._failures.count(delivery.id) < MOST_FAILURES
        return not all(isinstance(outcome.error, NeedsAttention) for outcome in open_ends)

    def _bury(self, delivery: Delivery, reasons: Sequence[Outcome]) -> None:
        self._queue.bury(delivery, reasons)
        for reason in reasons:
            detail = f"kept as a dead letter: {reason.detail}"
            self._report(
                Outcome(Decision.DEAD_LETTER, reason.fingerprint, reason.integration, reason.issue, detail)
            )

    def _delay(self, age: float, open_ends: Iterable[Outcome]) -> float:
        """Return the seconds until the message comes again: at least what was asked for, and some more with age."""
        errors = [each.error for each in open_ends if isinstance(each.error, TryAgain)]
        asked = max((error.after or 0.0 for error in errors), default=0.0)
        longest = LONGEST_DELAY if age < PATIENCE else LONGEST_PAUSE
        grown = max(min(asked or SHORTEST_DELAY, SHORTEST_DELAY), SHARE_OF_AGE * age)
        if errors and all(map(_is_at_work, errors)) and age < PATIENCE:
            grown = min(grown, LONGEST_DELAY_AT_WORK)
        # Spread: what was postponed together must not come back together.
        delay = min(longest, max(asked, grown) + grown * (self._jitter() - 1))
        return max(delay, min(LONGEST_PAUSE, asked))


def _is_at_work(error: TryAgain) -> bool:
    """Return whether the server that raised this is at work, and only serves others first."""
    if isinstance(error, Throttled):
        return error.after is not None and error.after <= PAUSE_AT_WORK
    return isinstance(error, Busy | OverBudget)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came in. `handle` is None when SNS called the function directly."""

    id: str
    body: str
    handle: str | None = None
    sent_at: float = 0.0
    """When it was put into the queue (unix seconds); 0 if nobody knows."""


@dataclass(frozen=True, slots=True)
class _End:
    """What becomes of a message: it is done with, or it stays in its queue, hidden for `wait` seconds."""

    delivery: Delivery
    is_done: bool
    wait: float | None = None


class FailureCounter(Protocol):
    """Counts our own failures by message."""

    def count(self, message: str) -> int:
        """Count one more failure of a message, and return how many there were."""
        ...


class MessageQueue(Protocol):
    """The queue that the messages come from, and its dead letters."""

    def hide(self, waits: Sequence[tuple[Delivery, float]]) -> None:
        """Let queued messages come again, each after so many seconds: one request for ten of them."""
        ...

    def enqueue(self, delivery: Delivery, seconds: float) -> None:
        """Put a direct message into the queue, where it comes in after so many seconds."""
        ...

    def bury(self, delivery: Delivery, reasons: Iterable[Outcome]) -> None:
        """Send the message to the dead letters, with the reasons."""
        ...
