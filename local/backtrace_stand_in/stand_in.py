"""A Backtrace that runs on one machine: the issue API on the wire, in memory, with faults to inject.

`POST /api/query` reads and writes the table `issues`, groups error reports and describes the attributes of a project,
`POST /api/issue` writes state, tags, tickets and invariants. Nothing changes by itself but what an error report does to
a resolved group whose reopen criteria it meets: the rules between tickets, assignees and states are the caller's.
Source of the shapes: backtrace-labs/backtrace-forensics (plugins/backtrace-forensics-issues) and
backtrace-labs/backtrace-morgue, the public clients. Where neither shows an error's code, it is 1 here.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from local.backtrace_stand_in.issues_table import FORMATS, Issue, QueryError, select
from local.backtrace_stand_in.issues_table import matches as row_matches
from local.backtrace_stand_in.objects import Report, check_invariants, grouped, violated
from local.http.edge import Edge, Exchange
from local.http.faults import Fault, Faults
from local.http.serving import Serving

__all__ = ["BacktraceStandIn", "Fault", "Issue"]

TEXT_COLUMNS = ("state", "tags")

ATTRIBUTES = {
    "timestamp": "unix_timestamp",
    "fingerprint": "sha256",
    "callstack": "callstack",
    "classifiers": "labels",
    "application": "none",
    "application.version": "semver",
    "environment": "none",
    "error.message": "none",
    "hostname": "none",
    "version": "semver",
}
"""What a project indexes unless told otherwise, and how each is shown."""


class BacktraceStandIn:
    """A Backtrace on 127.0.0.1 at a free port, started by `start()` or as a context manager.

    It has one universe with one project; `faults` and `requests` are those of the Jira stand-in.
    """

    def __init__(
        self,
        universe: str = "my_universe",
        project: str = "my_project",
        token: str = "token-of-backtrace",  # noqa: S107 - opens nothing but this stand-in
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.universe = universe
        self.token = token
        self.clock = clock
        self.lock = threading.RLock()
        self.projects: dict[str, dict[str, Issue]] = {project: {}}
        self.reports: dict[str, list[Report]] = {project: []}
        """Errors by project, as they came."""
        self.attributes = dict(ATTRIBUTES)
        """Attributes that the projects index, with their formats."""
        self.refusals: dict[str, str] = {}
        """Fingerprints that cannot be written, and what is said inside the 200."""
        self.faults = Faults()
        self._edge = Edge(_app(self).wsgi_app, self.faults, clock=clock, lock=threading.RLock())
        self._serving = Serving(self._edge)

    def start(self) -> Self:
        self._edge.stopping.clear()
        self._serving.start()
        return self

    def stop(self) -> None:
        self._edge.stopping.set()
        self._serving.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._serving.url

    # The request log

    @property
    def requests(self) -> list[Exchange]:
        return list(self._edge.exchanges)

    def count(self, path: str) -> int:
        """Count the requests whose path matches a regular expression."""
        return sum(1 for exchange in self.requests if re.search(path, exchange.path))

    def clear_log(self) -> None:
        self._edge.exchanges.clear()

    # Faults beyond those of `faults`

    def fail(self, path: str, message: str, times: int | None = 1) -> Fault:
        """Answer 200 with an error inside, as Backtrace does."""
        return self.faults.add("POST", path, times, status=200, body=_error(message))

    def refuse(self, fingerprint: str, message: str) -> None:
        """Let writes to one fingerprint fail inside the 200, beside others that succeed."""
        self.refusals[fingerprint] = message

    # Issues, as Backtrace's own screens would change them

    def add_project(self, name: str) -> None:
        self.projects.setdefault(name, {})
        self.reports.setdefault(name, [])

    def issue(self, project: str, fingerprint: str) -> Issue | None:
        """Return a row, None where nobody has written one."""
        with self.lock:
            return self.projects.get(project, {}).get(fingerprint)

    def seed(self, project: str, fingerprint: str, **columns: Any) -> Issue:
        """Create or change a row; `columns` are attributes of `Issue`."""
        with self.lock:
            self.add_project(project)
            return self.write(project, fingerprint, columns)

    def receive(
        self, project: str, fingerprint: str, *, timestamp: float | None = None, **attributes: Any
    ) -> Issue | None:
        """Take an error report; a resolved or muted group whose reopen criteria it meets is open again."""
        with self.lock:
            at = int(self.clock() if timestamp is None else timestamp)
            report = Report(fingerprint, at, attributes)
            self.reports.setdefault(project, []).append(report)
            row = self.projects[project].get(fingerprint)
            met = violated(row, report) if row and row.state in ("resolved", "muted") else None
            if row is None or met is None:
                return row
            columns = {
                "state": "open",
                "invariant_reopen_count": row.invariant_reopen_count + 1,
                "invariant_reopen_last_time": int(self.clock()),
                "invariant_last_violated": json.dumps(met),
            }
            return self.write(project, fingerprint, columns)

    def write(self, project: str, fingerprint: str, columns: dict[str, Any]) -> Issue:
        """Set columns of a row, which comes to be with its first write."""
        rows = self.projects[project]
        row = rows.setdefault(fingerprint, Issue(len(rows) + 1, fingerprint))
        row.last_modified = int(self.clock())
        for name, value in columns.items():
            if name not in FORMATS:
                raise AttributeError(name)
            setattr(row, name, value)
        return row


def _error(message: str) -> dict[str, Any]:
    return {"error": {"code": 1, "message": message}}


def _app(backtrace: BacktraceStandIn) -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.errorhandler(QueryError)
    def refused(error: QueryError) -> ResponseReturnValue:
        return jsonify(_error(str(error)))

    @app.post("/api/query")
    def query() -> ResponseReturnValue:
        project = _authorized(backtrace)
        with backtrace.lock:
            return jsonify(_queried(backtrace, project, _body()))

    @app.post("/api/issue")
    def issue() -> ResponseReturnValue:
        project, body = _authorized(backtrace), _body()
        fingerprints = body.get("fingerprint")
        if body.get("project", project) != project:
            raise QueryError("invalid parameter 'project'")
        if not isinstance(fingerprints, list) or not fingerprints:
            raise QueryError("invalid parameter 'fingerprint'")
        columns = _columns(body)
        with backtrace.lock:
            return jsonify({"results": [_written(backtrace, project, one, columns) for one in fingerprints]})

    return app


def _authorized(backtrace: BacktraceStandIn) -> str:
    """Check token, universe and project in this order; return the project."""
    token = (
        request.headers.get("X-Coroner-Token") or request.args.get("token") or request.cookies.get("token")
    )
    universe = request.args.get("universe", backtrace.universe)
    project = request.args.get("project", "")
    if token != backtrace.token:
        raise QueryError("invalid token")
    if universe != backtrace.universe:
        raise QueryError(f"no such universe '{universe}'")
    if project not in backtrace.projects:
        raise QueryError(f"no such project '{project}'")
    return project


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise QueryError("invalid parameter 'body'")
    return body


def _queried(backtrace: BacktraceStandIn, project: str, body: dict[str, Any]) -> dict[str, Any]:
    if "describe" in (request.args.get("action"), body.get("action")):
        return {"describe": _described(FORMATS if "issues" in _tables(body) else backtrace.attributes)}
    head = {"tx": 1, "universe": backtrace.universe, "project": project, "user": "stand-in", "latency": "0ms"}
    if body.get("table", "objects") == "objects":
        return {"_": head, "response": grouped(backtrace.reports[project], body, backtrace.attributes)}
    if body["table"] != "issues":
        raise QueryError("invalid parameter 'table'")
    if "set" in body and "select" in body:
        raise QueryError("invalid parameter 'set'")
    rows = backtrace.projects[project]
    if "set" not in body:
        return {"_": head, "response": select(rows.values(), body)}
    columns = _raw_columns(body["set"])
    for row in [row for row in rows.values() if row_matches(row, body.get("filter") or [])]:
        backtrace.write(project, row.fingerprint, columns)
    return {"response": {"result": "success"}}


def _tables(body: dict[str, Any]) -> tuple[Any, Any]:
    return request.args.get("table"), body.get("table")


def _described(formats: dict[str, str]) -> list[dict[str, Any]]:
    """List columns as coroner does (backtrace-labs/backtrace-forensics, src/coroner/common/responses.ts)."""
    return [
        {
            "name": name,
            "description": name,
            "format": shown_as,
            "custom": name not in ("timestamp", "fingerprint", "callstack"),
            "state": "enabled",
            "type": "uint64" if shown_as in ("unix_timestamp", "unsigned") else "dictionary",
            "filter": ["equal", "not-equal", "is-set", "is-not-set"],
            "aggregate": ["head", "tail", "unique", "histogram"],
            "group": True,
            "statistics": {"used": True},
        }
        for name, shown_as in formats.items()
    ]


def _raw_columns(given: Any) -> dict[str, Any]:
    """Read a raw `set`: null clears. `ticket` is a plain address there, and one without a watcher."""
    if not isinstance(given, dict):
        raise QueryError("invalid parameter 'set'")
    columns: dict[str, Any] = {}
    for name, value in given.items():
        if name in TEXT_COLUMNS:
            columns[name] = str(value or "") or ("open" if name == "state" else "")
        elif name == "ticket":
            columns[name] = [{"watcher": "", "url": str(value)}] if value else []
        else:
            raise QueryError(f"invalid parameter '{name}'")
    return columns


def _columns(body: dict[str, Any]) -> dict[str, Any]:
    """Read what `POST /api/issue` sets; every `set` replaces the whole value. Any text is taken as a state."""
    columns: dict[str, Any] = {}
    if "state" in body:
        columns["state"] = str(body["state"])
    for name, kind in (("tags", str), ("ticket", list), ("invariants", list)):
        if name not in body:
            continue
        change = body[name]
        if not isinstance(change, dict) or change.get("action") != "set":
            raise QueryError(f"invalid parameter '{name}.action'")
        if not isinstance(change.get("value"), kind):
            raise QueryError(f"invalid parameter '{name}.value'")
        columns[name] = change["value"]
    check_invariants(columns.get("invariants", []))
    if any(not isinstance(entry, dict) or not entry.get("watcher") for entry in columns.get("ticket", [])):
        raise QueryError("invalid parameter 'ticket.value'")
    return columns


def _written(
    backtrace: BacktraceStandIn, project: str, fingerprint: Any, columns: dict[str, Any]
) -> dict[str, Any]:
    """Write one fingerprint; a failure is told beside it."""
    refusal = backtrace.refusals.get(str(fingerprint))
    if refusal:
        return {"fingerprint": fingerprint, "error": refusal}
    return backtrace.write(project, str(fingerprint), columns).result()
