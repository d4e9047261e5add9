"""Faults to inject: what a network, a proxy or a busy Jira does to a request."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack, cast

from local.jira_stand_in.auth import captcha_refusal
from local.jira_stand_in.state import State

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Log in - Jira</title></head><body><form>Log in</form></body></html>"
)


@dataclass
class Fault:
    """One rule. `times` None means for ever; `skip` lets that many matching requests pass first.

    A rule with `status` answers instead of Jira, or, with `after_effect`, after Jira has done the work.
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
    """What a rule may do; see `Fault` for the meaning."""

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

    def __init__(self, state: State) -> None:
        self._state = state
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

    def rate_limited(
        self, retry_after: int | None = 1, method: str = "*", path: str = "/rest/", times: int | None = 1
    ) -> Fault:
        """429 with the product's headers; `retry_after` None is the gateway's 429 without Retry-After."""
        headers: dict[str, str] = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0"}
        if self._state.cloud:
            headers["RateLimit-Reason"] = "jira-burst-based"
        else:
            headers |= {"X-RateLimit-Interval-Seconds": "60", "X-RateLimit-FillRate": "10"}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        body = {"errorMessages": ["Rate limit exceeded."], "errors": {}}
        return self.add(method, path, times, status=429, headers=headers, body=body)

    def unavailable(
        self, retry_after: int | None = None, method: str = "*", path: str = "/rest/", times: int | None = 1
    ) -> Fault:
        """503 from a proxy, in HTML, with or without Retry-After."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        page = "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
        return self.add(method, path, times, status=503, headers=headers, body=page)

    def server_error(
        self, method: str = "*", path: str = "/rest/", times: int | None = 1, after_effect: bool = False
    ) -> Fault:
        """500 with Jira's words, before or after the effect."""
        body = {"errorMessages": ["Internal server error"], "errors": {}}
        return self.add(method, path, times, status=500, body=body, after_effect=after_effect)

    def captcha(self, method: str = "*", path: str = "/rest/", times: int | None = None) -> Fault:
        """The login is locked until a human solves a CAPTCHA."""
        status, headers = captcha_refusal(self._state)
        return self.add(method, path, times, status=status, headers=headers, body=LOGIN_PAGE)

    def unauthorized(self, method: str = "*", path: str = "/rest/", times: int | None = None) -> Fault:
        """401, as for an expired token."""
        body: Mapping[str, Any] = {
            "message": "Client must be authenticated to access this resource.",
            "status-code": 401,
        }
        headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
        return self.add(method, path, times, status=401, headers=headers, body=body)
