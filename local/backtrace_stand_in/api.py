"""The endpoints: `POST /api/query` and `POST /api/issue`, over one stand-in's state."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from local.backtrace_stand_in.invariants import check_invariants, reword
from local.backtrace_stand_in.issues_table import FORMATS, QueryError, select
from local.backtrace_stand_in.issues_table import matches as row_matches
from local.backtrace_stand_in.objects import grouped

if TYPE_CHECKING:
    from local.backtrace_stand_in.stand_in import BacktraceStandIn

STAND_IN = "local.backtrace_stand_in"
"""Under this name a request's WSGI environment has the stand-in that it is for."""

TEXT_COLUMNS = ("state", "tags")


def error_body(message: str) -> dict[str, Any]:
    return {"error": {"code": 1, "message": message}}


def create_app(backtrace: BacktraceStandIn) -> WSGIApplication:
    """Return the application over one stand-in; all of a process share the routes, as those of Jira do."""
    served = _routes().wsgi_app

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return served(environ | {STAND_IN: backtrace}, start_response)

    return application


@cache
def _routes() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.errorhandler(QueryError)
    def refused(error: QueryError) -> ResponseReturnValue:
        return jsonify(error_body(str(error)))

    @app.post("/api/query")
    def query() -> ResponseReturnValue:
        backtrace: BacktraceStandIn = request.environ[STAND_IN]
        project = _authorized(backtrace)
        with backtrace.lock:
            return jsonify(_queried(backtrace, project, _body()))

    @app.post("/api/issue")
    def issue() -> ResponseReturnValue:
        backtrace: BacktraceStandIn = request.environ[STAND_IN]
        project, body = _authorized(backtrace), _body()
        fingerprints = body.get("fingerprint")
        if body.get("project", project) != project:
            raise QueryError("invalid parameter 'project'")
        if not isinstance(fingerprints, list) or not fingerprints:
            raise QueryError("invalid parameter 'fingerprint'")
        columns = _columns(body)
        if backtrace.drops_invariants:
            columns.pop("invariants", None)
        if backtrace.rewords_invariants and "invariants" in columns:
            columns["invariants"] = [reword(each) for each in columns["invariants"]]
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
    """Write one fingerprint; the answer names a failure beside it."""
    refusal = backtrace.refusals.get(str(fingerprint))
    if refusal:
        return {"fingerprint": fingerprint, "error": refusal}
    return backtrace.write(project, str(fingerprint), columns).result()
