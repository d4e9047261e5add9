"""Types for JSON, and for the histograms in Backtrace's answers and events."""

from __future__ import annotations

from typing import TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"


Histogram: TypeAlias = tuple[tuple[str, int], ...]
"""(value, count) pairs in payload order, which is not sorted by count."""
