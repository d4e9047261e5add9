"""Entity properties and remote links, which an issue has beside its fields."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request

from local.jira_stand_in.call import answer, body, caller, issue_of, no_content, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import Issue
from local.jira_stand_in.payload import check_property

routes = Blueprint("links", __name__, url_prefix="/rest/api/2/issue/<id_or_key>")


@routes.get("/properties")
def property_keys(id_or_key: str) -> Response:
    issue = issue_of(id_or_key)
    link = f"/rest/api/2/issue/{issue.id}/properties/"
    return answer({"keys": [{"self": f"{link}{key}", "key": key} for key in issue.properties]})


@routes.get("/properties/<key>")
def read_property(id_or_key: str, key: str) -> Response:
    return answer({"key": key, "value": _properties(id_or_key, key)[key]})


@routes.put("/properties/<key>")
def write_property(id_or_key: str, key: str) -> Response:
    """Store any JSON value; 201 when the key is new, 200 otherwise."""
    issue = issue_of(id_or_key)
    _may_edit()
    try:
        value = json.loads(request.get_data())
    except ValueError:
        raise JiraError(400, "The property value must be valid JSON.") from None
    check_property(key, value)
    status = 200 if key in issue.properties else 201
    issue.properties[key] = value
    return Response(status=status, content_type="application/json")


@routes.delete("/properties/<key>")
def delete_property(id_or_key: str, key: str) -> Response:
    _may_edit()
    del _properties(id_or_key, key)[key]
    return no_content()


def _properties(id_or_key: str, key: str) -> dict[str, Any]:
    properties = issue_of(id_or_key).properties
    if key not in properties:
        raise JiraError(404, f"The property with key '{key}' does not exist.")
    return properties


def _may_edit() -> None:
    if not state().may(caller(), "EDIT_ISSUES"):
        raise JiraError(403, "You do not have permission to edit issues in this project.")


@routes.get("/remotelink")
def remote_links(id_or_key: str) -> Response:
    """List the links, or return the single one with the given globalId."""
    links = issue_of(id_or_key).remote_links
    wanted = request.args.get("globalId")
    if wanted is None:
        return answer(links)
    for link in links:
        if link.get("globalId") == wanted:
            return answer(link)
    raise JiraError(404, "The remote link does not exist.")


@routes.post("/remotelink")
def write_remote_link(id_or_key: str) -> Response:
    """Create or, by globalId, replace a link; what a replacement omits is gone (SPEC-C)."""
    issue, wanted = issue_of(id_or_key), body()
    if not state().issue_linking or not state().may(caller(), "LINK_ISSUES"):
        raise JiraError(403, "No Link Issue Permission for issue.")
    _check_link(wanted)
    existing = _by_global_id(issue, wanted.get("globalId"))
    link = _link(issue, existing["id"] if existing else int(state().next_id()), wanted)
    if existing:
        issue.remote_links.remove(existing)
    issue.remote_links.append(link)
    state().touch(issue)
    # Data Center's document knows 200 only.
    status = 201 if state().cloud and not existing else 200
    return answer({"id": link["id"], "self": link["self"]}, status)


def _check_link(wanted: dict[str, Any]) -> None:
    target = wanted.get("object") or {}
    errors = {name: f"'{name}' is required." for name in ("title", "url") if not target.get(name)}
    if len(str(wanted.get("globalId") or "")) > 255:
        errors["globalId"] = "'globalId' must not exceed 255 characters."
    if errors:
        raise JiraError(400, errors=errors)


def _by_global_id(issue: Issue, global_id: Any) -> dict[str, Any] | None:
    return next(
        (link for link in issue.remote_links if global_id and link.get("globalId") == global_id), None
    )


def _link(issue: Issue, link_id: int, wanted: dict[str, Any]) -> dict[str, Any]:
    kept = {
        key: wanted[key] for key in ("globalId", "application", "relationship", "object") if wanted.get(key)
    }
    return {"id": link_id, "self": f"/rest/api/2/issue/{issue.id}/remotelink/{link_id}", **kept}


@routes.delete("/remotelink")
def delete_remote_link(id_or_key: str) -> Response:
    """Delete by globalId; Cloud answers 415 to a bodyless DELETE without Content-Type (jira.js)."""
    issue = issue_of(id_or_key)
    if state().cloud and not request.content_type:
        raise JiraError(415, body={"message": "Unsupported Media Type", "status-code": 415})
    link = _by_global_id(issue, request.args.get("globalId"))
    if link is None:
        raise JiraError(404, "The remote link does not exist.")
    issue.remote_links.remove(link)
    state().touch(issue)
    return no_content()
