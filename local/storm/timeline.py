"""What happened when, counted in steps of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator


class Timeline:
    """Counts by name and step; a step is so many seconds, and the first one begins at `begin` (unix seconds)."""

    def __init__(self, begin: float, step: float) -> None:
        self.begin = begin
        self.step = step
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def count(self, name: str, when: float) -> None:
        """Count something."""
        self._counts[name][int((when - self.begin) // self.step)] += 1

    def total(self, name: str, since: float = 0.0) -> int:
        """Return how many there were from a time on (unix seconds), by whole steps."""
        first = (since - self.begin) // self.step
        return sum(count for step, count in self._counts[name].items() if step >= first)

    def each(self, name: str) -> list[int]:
        """Return the count of every step, to the last one in which anything happened."""
        return [self._counts[name][step] for step in range(self._steps())]

    def running(self, *names: str) -> Iterator[int]:
        """Yield the sum of the first name's counts up to each step, less the others'."""
        plus, *minus = (self.each(name) for name in names)
        total = 0
        for step, count in enumerate(plus):
            total += count - sum(each[step] for each in minus)
            yield total

    def _steps(self) -> int:
        return 1 + max((max(each, default=-1) for each in self._counts.values()), default=-1)
