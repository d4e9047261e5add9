"""Errors that a test orders from a fake."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


def raise_next(errors: list[Exception | None]) -> None:
    """Raise the first of these errors and forget it; None lets one call pass."""
    error = errors.pop(0) if errors else None
    if error is not None:
        raise error


class Failures:
    """What the next calls of a fake's methods raise, by method, and how often each was called."""

    def __init__(self) -> None:
        self.before: defaultdict[str, list[Exception | None]] = defaultdict(list)
        """Raised instead of the effect."""
        self.after: defaultdict[str, list[Exception | None]] = defaultdict(list)
        """Raised when the effect is there: an answer that was lost."""
        self.calls: Counter[str] = Counter()

    @contextmanager
    def around(self, method: str) -> Iterator[None]:
        """Surround the effect of a call."""
        self.calls[method] += 1
        raise_next(self.before[method])
        yield
        raise_next(self.after[method])
