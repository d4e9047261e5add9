"""The deadline of the invocation that a process serves now: nothing is sent to Jira or Backtrace that may outlive it.

Lambda ends a function in the middle of whatever it does, and with it everything else of the batch. A use case may need
several requests for one step (pages, a property of each find), so each request is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backtrace_jira.errors import Busy
from backtrace_jira.outcomes import Outcome
from backtrace_jira.times import LONGEST_REQUEST

Serve = Callable[[Sequence[str], float], list[list[Outcome]]]
"""Serves bodies until a deadline (unix seconds), and returns the outcomes of each."""


class Deadline:
    """The deadline of a process's present invocation."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take the clock (unix seconds)."""
        self._clock = clock
        self._at = float("inf")

    def of(self, serve: Serve) -> Serve:
        """Return what serves bodies, and keeps to the deadline that it is given."""

        def serve_in_time(bodies: Sequence[str], deadline: float) -> list[list[Outcome]]:
            self._at = deadline
            return serve(bodies, deadline)

        return serve_in_time

    def ensure_time(self) -> None:
        """Refuse to begin a request that may not end in time.

        Raises:
            Busy: nothing was sent.
        """
        if self._clock() + LONGEST_REQUEST > self._at:
            raise Busy("no time is left in this invocation")
