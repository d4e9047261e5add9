"""What Jira's headers say of its limit.

Data Center sends the first four with every answer, Cloud the first two with refusals and NearLimit when less than a
fifth is left (developer.atlassian.com/cloud/jira/platform/rate-limiting; Data Center: "Adjusting your code for rate
limiting").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NEAR = 0.2
"""The part of a limit that is left when it is near."""
MOST_DIGITS = 15
"""A longer number is no limit; from 309 digits on, it would be infinite."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of Jira's: calls a second in the long run, if it says so, and whether it is near."""

    rate: float | None = None
    near: bool = False


def read_limit(headers: Mapping[str, str]) -> Limit | None:
    """Read an answer's headers; None if they name no limit."""
    size, left = _number(headers, "x-ratelimit-limit"), _number(headers, "x-ratelimit-remaining")
    fill, interval = (
        _number(headers, "x-ratelimit-fillrate"),
        _number(headers, "x-ratelimit-interval-seconds"),
    )
    told_near = headers.get("x-ratelimit-nearlimit", "").strip().lower() == "true"
    if size is None and fill is None and not told_near:
        return None
    near = told_near or (size is not None and left is not None and left <= NEAR * size)
    return Limit(fill / interval if fill and interval else None, near)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(name, "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
