"""The search endpoints: `/search/jql` on Cloud, `/search` on Data Center, each absent on the other."""

from __future__ import annotations

import base64
import json
from typing import Any

from flask import Blueprint, Response, request

from local.jira_stand_in.call import answer, body, caller, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.index import Index, Seen
from local.jira_stand_in.issues import issue_json

routes = Blueprint("search", __name__, url_prefix="/rest/api/2/search")

# Recorded on Cloud.
REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


def _parameters() -> dict[str, Any]:
    if request.method == "POST":
        return body()
    lists = ("fields", "properties", "reconcileIssues")
    return {key: _split(key) if key in lists else request.args[key] for key in request.args}


def _split(key: str) -> list[str]:
    return [word.strip() for part in request.args.getlist(key) for word in part.split(",") if word.strip()]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return [str(word) for word in value or []]


def _integer(value: Any, default: int) -> int:
    try:
        return default if value in (None, "") else int(value)
    except (TypeError, ValueError):
        raise JiraError(400, f"Invalid value '{value}': a number is required.") from None


@routes.route("", methods=["GET", "POST"])
def search() -> Response:
    """Data Center's search; removed on Cloud (410)."""
    if state().cloud:
        raise JiraError(410, REMOVED)
    asked = _parameters()
    lenient = str(asked.get("validateQuery", "true")).lower() in ("false", "none")
    hits = Index(state(), caller()).search(str(asked.get("jql") or ""), lenient=lenient)
    start, size = _integer(asked.get("startAt"), 0), min(_integer(asked.get("maxResults"), 50), 1000)
    expand = _strings(asked.get("expand"))
    names = _strings(asked.get("fields")) or ["*navigable"]
    shown = [_hit(seen, names, expand, []) for seen in hits[start : start + size]]
    found = {
        "expand": "names,schema",
        "startAt": start,
        "maxResults": size,
        "total": len(hits),
        "issues": shown,
    }
    return answer(found | _descriptions(shown, expand))


@routes.route("/jql", methods=["GET", "POST"])
def search_jql() -> Response:
    """Cloud's search: no total, ids only unless fields are asked for, a token instead of an offset."""
    if not state().cloud:
        raise JiraError(404, body={"message": "null for uri: /rest/api/2/search/jql", "status-code": 404})
    asked = _parameters()
    jql = str(asked.get("jql") or "")
    hits = Index(state(), caller()).search(jql, bounded=True)
    start = _read_token(asked["nextPageToken"], jql) if asked.get("nextPageToken") else 0
    size = max(1, min(_integer(asked.get("maxResults"), 50), 5000))
    names, expand = _strings(asked.get("fields")) or ["id"], _strings(asked.get("expand"))
    shown = [
        _hit(seen, names, expand, _strings(asked.get("properties"))) for seen in hits[start : start + size]
    ]
    last = start + size >= len(hits)
    found: dict[str, Any] = {"issues": shown, "isLast": last}
    if not last:
        found["nextPageToken"] = _token(start + size, jql)
    return answer(found | _descriptions(shown, expand))


def _hit(seen: Seen, names: list[str], expand: list[str], properties: list[str]) -> dict[str, Any]:
    issue, snapshot = seen
    if names == ["id"]:
        return {"id": issue.id}
    shown = issue_json(
        issue, names, [part for part in expand if part == "transitions"], properties, snapshot.fields
    )
    return shown | {"key": snapshot.key}


def _descriptions(shown: list[dict[str, Any]], expand: list[str]) -> dict[str, Any]:
    known = state().all_fields()
    used = {name for issue in shown for name in issue.get("fields", {}) if name in known}
    found: dict[str, Any] = {}
    if "names" in expand:
        found["names"] = {name: known[name].name for name in used}
    if "schema" in expand:
        found["schema"] = {name: known[name].schema for name in used}
    return found


def _token(offset: int, jql: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([offset, jql]).encode()).decode()


def _read_token(token: Any, jql: str) -> int:
    try:
        offset, made_for = json.loads(base64.urlsafe_b64decode(str(token)))
    except ValueError:
        offset, made_for = 0, None
    if made_for != jql:
        raise JiraError(400, "The provided next page token is invalid or expired.")
    return int(offset)
