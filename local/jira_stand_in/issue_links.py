"""Links between issues: by the name of a type, one of a kind between two."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from local.jira_stand_in.call import answer, body, caller, issue_of, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import Issue

TYPES = {
    "Relates": ("10003", "relates to", "relates to"),
    "Blocks": ("10000", "is blocked by", "blocks"),
    "Duplicate": ("10002", "is duplicated by", "duplicates"),
}
"""Id, inward and outward description by name."""

routes = Blueprint("issue_links", __name__, url_prefix="/rest/api/2")


@routes.get("/issueLinkType")
def types() -> Response:
    return answer({"issueLinkTypes": [_type_json(name) for name in TYPES]})


@routes.post("/issueLink")
def link() -> Response:
    """Link two issues: 201 without a body. Doing it again makes no second link."""
    raw = body()
    inward, outward = (_issue(raw.get(name)) for name in ("inwardIssue", "outwardIssue"))
    if not state().issue_linking or not state().may(caller(), "LINK_ISSUES"):
        # Both from Atlassian's OpenAPI documents: Data Center calls a missing permission 401, Cloud 404.
        raise JiraError(404 if state().cloud else 401, "No Link Issue Permission for issue.")
    name = str((raw.get("type") or {}).get("name", ""))
    if name not in TYPES:
        raise JiraError(404, f"No issue link type with name '{name}' found.")
    entry = {"type": name, "outward": outward.id}
    if entry not in inward.issue_links:
        inward.issue_links.append(entry)
    state().touch(inward)
    state().touch(outward)
    return Response(status=201)


def _issue(raw: Any) -> Issue:
    given = raw if isinstance(raw, dict) else {}
    return issue_of(str(given.get("id") or given.get("key") or ""))


def _type_json(name: str) -> dict[str, Any]:
    number, inward, outward = TYPES[name]
    return {
        "id": number,
        "name": name,
        "inward": inward,
        "outward": outward,
        "self": f"/rest/api/2/issueLinkType/{number}",
    }
