"""The newest of many items, in little memory."""

from __future__ import annotations

import heapq
from itertools import count

from backtrace_jira.adapters.dynamodb.table import Item


class NewestItems:
    """Of the items that are added, the last `limit` by the time of their decision."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[float, int, Item]] = []
        self._numbers = count()  # items of the same moment cannot be compared

    @property
    def floor(self) -> float:
        """The time (unix seconds) that a decision must be later than to be among them."""
        return self._heap[0][0] if len(self._heap) == self._limit else -1.0

    def add(self, item: Item) -> None:
        """Keep an item while it is one of the newest."""
        entry = (float(item["decided_at"]["N"]), -next(self._numbers), item)
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def in_order(self) -> list[Item]:
        """Return them, newest first."""
        return [item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]
