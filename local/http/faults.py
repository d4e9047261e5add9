"""Faults to inject: what a network, a proxy or a busy server does to a request."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack, cast

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Log in - Jira</title></head><body><form>Log in</form></body></html>"
)


@dataclass
class Fault:
    """One rule. `times` None means for ever; `skip` lets that many matching requests pass first.

    A rule with `status` answers instead of the server, or, with `after_effect`, after the server has done the work.
    """

    method: str
    path: str
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    after_effect: bool = False
    drop_before: bool = False
    drop_after: bool = False
    truncate: bool = False
    delay: float = 0.0
    delay_after: float = 0.0

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and re.search(self.path, path) is not None


class Effect(TypedDict, total=False):
    """The effects that a rule may have; `Fault` explains each."""

    skip: int
    status: int
    headers: dict[str, str]
    body: Any
    after_effect: bool
    drop_before: bool
    drop_after: bool
    truncate: bool
    delay: float
    delay_after: float
    page: bool


class Faults:
    """The active rules, first match wins. Every method that adds one returns it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, method: str, path: str, times: int | None = 1, **effect: Unpack[Effect]) -> Fault:
        """Add a rule for a method ("*" for all) and a regular expression searched in the path.

        Effects, see `Fault`: status, headers, body, after_effect; drop_before, drop_after (the connection is
        closed without an answer); truncate (half a body, after the effect); delay, delay_after (seconds);
        page=True (a login page with 200, nothing done).
        """
        if effect.pop("page", False):
            effect.setdefault("status", 200)
            effect["body"] = LOGIN_PAGE
        rule = Fault(method, path, times, **cast("dict[str, Any]", effect))
        with self._lock:
            self._rules.append(rule)
        return rule

    def take(self, method: str, path: str) -> Fault | None:
        """Return the rule that applies to this request and count it."""
        with self._lock:
            for rule in self._rules:
                if not rule.matches(method, path):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    @property
    def pending(self) -> int:
        """Return how many rules are still active."""
        return len(self._rules)
