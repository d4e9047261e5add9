"""Backtrace's issue API: read the `issues` table with `POST /api/query`, write with `POST /api/issue`.

Source: backtrace-labs/backtrace-forensics (plugins/backtrace-forensics-issues) and backtrace-labs/
backtrace-morgue, the public clients of these endpoints.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import SecretStr
from requests import PreparedRequest
from requests.auth import AuthBase

from backtrace_jira.adapters.http import Answer, Http, Timeouts, ensure_header
from backtrace_jira.backtrace.group import OWN_WATCHER, Group
from backtrace_jira.errors import CredentialRefused, OutcomeUnknown, Refused, Throttled
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import JSON
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.settings.connection import BacktraceUniverse
from backtrace_jira.states import State


class CoronerToken(AuthBase):
    """Backtrace's token and the location it is for."""

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
    """The `BacktraceIssues` port for one universe."""

    def __init__(
        self,
        settings: BacktraceUniverse,
        token: SecretStr,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._http = Http(CoronerToken(token, settings.address), timeouts=timeouts)

    def link(self, *, project: str, fingerprint: str, watcher: str, issue: Issue) -> LastSynced:
        """Add the ticket entry and make an Open group In Progress, as Backtrace's own linking does.

        `set` replaces the whole list, so what is there is read first and kept. Returns what the group is then.
        """
        state, tickets = self._read(project, fingerprint)
        entry: dict[str, JSON] = {"watcher": watcher, "short": issue.key, "url": issue.url, "state": "open"}
        merged = merge_ticket(tickets, entry)
        baseline = _baseline(project, fingerprint, "in-progress" if state == "open" else state, merged)
        if merged == tickets and state != "open":
            return baseline
        write: dict[str, JSON] = {
            "project": project,
            "fingerprint": [fingerprint],
            "ticket": {"action": "set", "value": merged},
        }
        if state == "open":
            write["state"] = "in-progress"
        self._write(project, write)
        return baseline

    def _write(self, project: str, body: dict[str, JSON]) -> None:
        """Send one `POST /api/issue` for one fingerprint; its failure comes inside a 200."""
        results = self._call("/api/issue", project, body).get("results")
        if not isinstance(results, list) or not results:
            raise OutcomeUnknown("POST /api/issue: no result for the fingerprint")
        error = results[0].get("error")
        if error:
            raise Refused(f"POST /api/issue: {str(error)[:300]}")

    def ensure_readable(self, project: str) -> None:
        """Read the issues table once, as every link does first; the fingerprint is nobody's."""
        self._read(project, "0" * 64)

    def attributes(self, project: str) -> frozenset[str]:
        """Return the attributes that the project indexes (Project Settings > Attributes)."""
        return frozenset(str(each["name"]) for each in self._described(project))

    def _described(self, project: str) -> list[dict[str, Any]]:
        described = self._call("/api/query", project, {"action": "describe"}, action="describe").get(
            "describe"
        )
        if not isinstance(described, list):
            raise OutcomeUnknown("POST /api/query: an answer without a description")
        return [each for each in described if isinstance(each, dict) and "name" in each]

    def _read(self, project: str, fingerprint: str) -> tuple[str, list[JSON]]:
        """Return state and ticket entries; a fingerprint without an issue row yet is open and has none."""
        query: JSON = {
            "table": "issues",
            "filter": [{"fingerprint": [["equal", fingerprint]]}],
            "select": ["state", "ticket"],
            "limit": 1,
            "offset": 0,
        }
        response = self._call("/api/query", project, query).get("response")
        if not isinstance(response, dict):
            raise OutcomeUnknown("POST /api/query: an answer without a response")
        row = first_row(response, ("state", "ticket"))
        return row.get("state") or "open", tickets_in(row.get("ticket") or "[]")

    def _call(self, path: str, project: str, body: JSON, **more: str) -> dict[str, Any]:
        """Send one request; an error can also come inside a 200. `more` goes into the query."""
        params = {"universe": self._settings.universe, "project": project, **more}
        answer = self._http.send("POST", self._settings.address + path, params=params, body=body)
        request = f"POST {path}"
        if answer.status in (429, 503):
            raise Throttled(f"{request}: {answer.status}", after=answer.retry_after(self._clock()))
        raw = answer.json() if answer.whole and answer.status < 500 else None
        error = raw.get("error") if isinstance(raw, dict) else None
        if error or 300 <= answer.status < 500:
            raise _refused(request, answer, error)
        if not isinstance(raw, dict):
            raise OutcomeUnknown(f"{request}: {answer.status} without a usable answer")
        return raw


def tickets_in(text: str) -> list[JSON]:
    """Read the column: JSON in a text. What is not may be somebody's link, which a write would erase."""
    try:
        tickets = json.loads(text)
    except ValueError:
        tickets = None
    if not isinstance(tickets, list):
        raise Refused(
            "POST /api/query: the group's ticket column is not a list of tickets; it was not changed"
        )
    return tickets


def merge_ticket(tickets: Sequence[JSON], entry: dict[str, JSON]) -> list[JSON]:
    """Add our entry unless it is there already; Backtrace's own entry is first, always, and others stay.

    A person may have linked another ticket under the same integration: only watcher and URL together name one.
    """
    entries = [ticket for ticket in tickets if isinstance(ticket, dict)]
    own = [ticket for ticket in entries if ticket.get("watcher") == OWN_WATCHER][:1]
    others = [ticket for ticket in entries if ticket.get("watcher") != OWN_WATCHER]
    known = any(
        ticket.get("watcher") == entry["watcher"] and ticket.get("url") == entry["url"] for ticket in others
    )
    return [*(own or [{"watcher": OWN_WATCHER}]), *others, *([] if known else [entry])]


def _baseline(project: str, fingerprint: str, state: str, tickets: Sequence[JSON]) -> LastSynced:
    known = State(state) if state in list(State) else State.OPEN
    entries = [entry for entry in tickets if isinstance(entry, dict)]
    group = Group(project, fingerprint, known, entries)
    return LastSynced(state=group.state, assignee=group.assignee_id)


def first_row(response: dict[str, Any], columns: Sequence[str]) -> dict[str, str]:
    """Read the first row of a select; empty where there is none."""
    return next(iter(rows_in(response, columns)), {})


def rows_in(response: dict[str, Any], columns: Sequence[str]) -> list[dict[str, str]]:
    """Read the rows of a select: values are ["*", [value, run length], ...] for each column."""
    described = [desc.get("name") for desc in response.get("columns_desc") or [] if isinstance(desc, dict)]
    names = described if len(described) == len(columns) else list(columns)
    read = [_values(column) for column in response.get("values") or []]
    count = max(map(len, read), default=0)
    return [
        {str(name): column[row] for name, column in zip(names, read, strict=False) if row < len(column)}
        for row in range(count)
    ]


def _values(column: object) -> list[str]:
    runs = column[1:] if isinstance(column, list) else []
    return [
        "" if run[0] is None else str(run[0])
        for run in runs
        if isinstance(run, list) and run
        for _ in range(int(run[1]) if len(run) > 1 else 1)
    ]


def _refused(request: str, answer: Answer, error: object) -> Refused:
    said = str(error.get("message") if isinstance(error, dict) else error or "no reason given")[:300]
    if answer.status in (401, 403) or "invalid token" in said.lower():
        return CredentialRefused(f"{request}: {answer.status}, Backtrace does not accept the token: {said}")
    return Refused(f"{request}: {answer.status}, {said}", status=answer.status)
