"""Faults in Jira's own words, beside those that any server has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.http.faults import LOGIN_PAGE, Fault, Faults
from local.jira_stand_in.auth import captcha_refusal
from local.jira_stand_in.state import State


class JiraFaults(Faults):
    """Adds what Jira answers when it is busy, broken, or knows the caller no longer."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state

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
