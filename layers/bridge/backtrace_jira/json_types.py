"""JSON, and a histogram as Backtrace gives it."""

from __future__ import annotations

from typing import TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"


Histogram: TypeAlias = tuple[tuple[str, int], ...]
"""(value, count) pairs in payload order, which is not sorted by count."""
