"""Data Center's rate limiting: a token bucket, told in headers on every answer."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class RateLimit:
    """`limit` tokens at most, `fill_rate` more every `interval` seconds.

    Headers of _RateLimiting_HTTPheaders: note `retry-after: 0` on answers that are no error.
    """

    limit: int = 100
    fill_rate: int = 10
    interval: float = 60.0
    tokens: float = -1.0
    seen: float = 0.0

    def take(self, now: float) -> tuple[bool, dict[str, str]]:
        """Take a token; return whether the request is refused, and the headers to send."""
        if self.tokens < 0:
            self.tokens, self.seen = float(self.limit), now
        intervals = math.floor((now - self.seen) / self.interval)
        if intervals > 0:
            self.tokens = min(float(self.limit), self.tokens + intervals * self.fill_rate)
            self.seen += intervals * self.interval
        refused = self.tokens < 1
        if not refused:
            self.tokens -= 1
        wait = math.ceil(self.seen + self.interval - now) if self.tokens < 1 else 0
        return refused, self._headers(wait)

    def _headers(self, wait: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(int(self.tokens)),
            "X-RateLimit-Interval-Seconds": str(int(self.interval)),
            "X-RateLimit-FillRate": str(self.fill_rate),
            "retry-after": str(wait),
        }
