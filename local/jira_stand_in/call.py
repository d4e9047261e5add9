"""The request at hand: the state it works on, the caller, the parsed body and parameters."""

from __future__ import annotations

import json
from typing import Any, cast

from flask import Response, g, jsonify, request

from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import Issue, Project, User
from local.jira_stand_in.state import State

STATE = "local.jira_stand_in.state"
WEBHOOKS = "local.jira_stand_in.webhooks"
"""Under these names a request's WSGI environment has what it works on."""


def state() -> State:
    return cast(State, request.environ[STATE])


def caller() -> User | None:
    """Return the signed-in user, or None for an anonymous caller."""
    return cast("User | None", g.get("user"))


def login() -> User:
    """Return the caller or answer 401 with the body Jira gives to anonymous callers."""
    user = caller()
    if user is None:
        message = "Client must be authenticated to access this resource."
        raise JiraError(401, body={"message": message, "status-code": 401})
    return user


def issue_of(id_or_key: str) -> Issue:
    return state().visible_issue(id_or_key, caller())


def project_of(id_or_key: str) -> Project:
    return state().visible_project(id_or_key, caller())


def body() -> dict[str, Any]:
    """Return the JSON object sent; the Cloud texts are recorded."""
    raw = request.get_data()
    if request.mimetype not in ("application/json", "text/json"):
        raise JiraError(415, body={"message": "Unsupported Media Type", "status-code": 415})
    if not raw.strip():
        raise JiraError(
            400, "No Issue Create payload supplied" if state().cloud else "No content to map to Object"
        )
    try:
        parsed = json.loads(raw)
    except ValueError as error:
        raise JiraError(400, body={"errorMessages": [_parse_error(str(error))]}) from None
    if not isinstance(parsed, dict):
        raise JiraError(400, body={"errorMessages": [_parse_error("Can not deserialize instance")]})
    return parsed


def _parse_error(detail: str) -> str:
    if state().cloud:
        return "There was an error parsing JSON. Check that your request body is valid."
    return f"Unexpected character: {detail}\n at [Source: org.apache.catalina.connector.CoyoteInputStream]"


def number(name: str, default: int) -> int:
    """Return an integer query parameter."""
    text = request.args.get(name, "")
    try:
        return int(text) if text else default
    except ValueError:
        raise JiraError(404, body={"message": f"Invalid value for '{name}'.", "status-code": 404}) from None


def words(name: str) -> list[str]:
    """Return a list parameter, given with commas, repeated, or both."""
    joined = ",".join(request.args.getlist(name))
    return [word.strip() for word in joined.split(",") if word.strip()]


def answer(value: Any, status: int = 200) -> Response:
    """Return a JSON answer whose relative addresses are made absolute."""
    response = jsonify(absolute(value, state().site_url))
    response.status_code = status
    return response


def no_content() -> Response:
    return Response(status=204)


_ADDRESSES = frozenset({"self", "iconUrl", "nextPage", "autoCompleteUrl", "url16x16"})


def absolute(value: Any, site_url: str, key: str = "") -> Any:
    """Prefix the site's address to every relative address in a JSON value."""
    if isinstance(value, dict):
        return {name: absolute(item, site_url, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [absolute(item, site_url) for item in value]
    if isinstance(value, str) and value.startswith("/") and (key in _ADDRESSES or key.endswith("x48")):
        return site_url + value
    return value


def page(values: list[Any], key: str, start: int, size: int) -> dict[str, Any]:
    """Return one page in the shape both products share."""
    return {"maxResults": size, "startAt": start, "total": len(values), key: values[start : start + size]}
