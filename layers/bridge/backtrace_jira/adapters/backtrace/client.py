"""One Backtrace universe: read the `issues` table with `POST /api/query`, write with `POST /api/issue`.

Source: backtrace-labs/backtrace-forensics (plugins/backtrace-forensics-issues) and backtrace-labs/
backtrace-morgue, the public clients of these endpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pydantic import SecretStr
from requests import PreparedRequest
from requests.auth import AuthBase

from backtrace_jira.adapters.backtrace.tables import first_row, tickets_in
from backtrace_jira.adapters.http import Http, Response, Timeouts, ensure_header
from backtrace_jira.errors import CredentialRefused, OutcomeUnknown, Refused, Throttled
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.connection import BacktraceUniverse


class CoronerToken(AuthBase):
    """Backtrace's token, and the address that it belongs to."""

    def __init__(self, token: SecretStr, address: str) -> None:
        self._token = token
        self._address = address

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token into the request's headers."""
        ensure_header(self._token)
        request.headers["X-Coroner-Token"] = self._token.get_secret_value()
        request.headers["X-Coroner-Location"] = self._address
        return request


class BacktraceClient:
    """Requests to one universe with one token: queries, writes, and descriptions of a project."""

    def __init__(
        self,
        settings: BacktraceUniverse,
        token: SecretStr,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.time,
        ensure_time: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        auth = CoronerToken(token, settings.address)
        self._http = Http(auth, timeouts=timeouts, ensure_time=ensure_time)
        self.ahead: float | None = None
        """Seconds by which Backtrace's clock is ahead of ours, by the last answer that said it; None before that."""

    @property
    def universe(self) -> str:
        """Name of the universe."""
        return self._settings.universe

    @property
    def address(self) -> str:
        """The universe's own address, from the settings."""
        return self._settings.address

    def query(self, project: str, query: JSON) -> dict[str, Any]:
        """Send one query and return its response."""
        response = self._call("/api/query", project, query).get("response")
        if not isinstance(response, dict):
            raise OutcomeUnknown("POST /api/query: an answer without a response")
        return response

    def write_issue(self, project: str, body: dict[str, JSON]) -> dict[str, Any]:
        """Send one `POST /api/issue` for one fingerprint; return its row as it is then, as far as the answer has it.

        Backtrace reports a failure inside a 200 (backtrace-labs/backtrace-forensics, src/coroner/issues/responses.ts).
        """
        results = self._call("/api/issue", project, body).get("results")
        if not isinstance(results, list) or not results:
            raise OutcomeUnknown("POST /api/issue: no result for the fingerprint")
        result = results[0] if isinstance(results[0], dict) else {}
        error = result.get("error")
        if error:
            raise Refused(f"POST /api/issue: {self._http.hide_credential(str(error))[:300]}")
        return result

    def read_issue(self, project: str, fingerprint: str) -> tuple[str, list[JSON]]:
        """Return state and ticket entries. A fingerprint without a row in `issues` is open and has no tickets."""
        query: JSON = {
            "table": "issues",
            "filter": [{"fingerprint": [["equal", fingerprint]]}],
            "select": ["state", "ticket"],
            "limit": 1,
            "offset": 0,
        }
        row = first_row(self.query(project, query), ("state", "ticket"))
        return row.get("state") or "open", tickets_in(row.get("ticket") or "[]")

    def ensure_readable(self, project: str) -> None:
        """Read one row of `issues`, to learn whether the token may. No group has a fingerprint of zeros only."""
        self.read_issue(project, "0" * 64)

    def attributes(self, project: str) -> frozenset[str]:
        """Return the attributes that the project indexes (Project Settings > Attributes)."""
        return frozenset(str(each["name"]) for each in self.describe(project))

    def describe(self, project: str) -> list[dict[str, Any]]:
        """Return the attributes of the project's objects, each with its `name` and its aggregations."""
        described = self._call("/api/query", project, {"action": "describe"}, action="describe").get(
            "describe"
        )
        if not isinstance(described, list):
            raise OutcomeUnknown("POST /api/query: an answer without a description")
        return [each for each in described if isinstance(each, dict) and "name" in each]

    def _call(self, path: str, project: str, body: JSON, **more: str) -> dict[str, Any]:
        """Send one request. Backtrace may report an error inside a 200. `more` goes into the URL's query."""
        params = {"universe": self._settings.universe, "project": project, **more}
        response = self._http.send("POST", self._settings.address + path, params=params, body=body)
        ahead = response.ahead_of(self._clock())
        self.ahead = self.ahead if ahead is None else ahead
        request = f"POST {path}"
        if response.status in (429, 503):
            after = response.retry_after(self._clock())
            raise Throttled(f"{request}: {response.status}", after=after)
        raw = response.json() if response.whole and response.status < 500 else None
        error = raw.get("error") if isinstance(raw, dict) else None
        if error or 300 <= response.status < 500:
            said = error.get("message") if isinstance(error, dict) else error
            raise _refusal(
                request, response, self._http.hide_credential(str(said or "no reason given"))[:300]
            )
        if not isinstance(raw, dict):
            raise OutcomeUnknown(f"{request}: {response.status} without a usable answer")
        return raw


def _refusal(request: str, response: Response, said: str) -> Refused:
    if response.status in (401, 403) or "invalid token" in said.lower():
        return CredentialRefused(f"{request}: {response.status}, Backtrace does not accept the token: {said}")
    return Refused(f"{request}: {response.status}, {said}", status=response.status)
