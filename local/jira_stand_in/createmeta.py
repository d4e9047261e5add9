"""Create metadata in its three dialects.

Old: a map of fields under projects[].issuetypes[] (Cloud still, Server until 9.0).
New: `issueTypes` and `fields` on Cloud, `values` on Data Center since 8.4.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from local.jira_stand_in.call import answer, caller, number, page, state, words
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import IssueType, Project
from local.jira_stand_in.wire import field_meta, issue_type_json, project_json

routes = Blueprint("createmeta", __name__, url_prefix="/rest/api/2/issue/createmeta")


@routes.get("")
def old() -> Response:
    """Answer the old form: no fields without `expand`, an unknown project is an empty list (SPEC-C)."""
    if not state().cloud and (state().version >= (9,) or state().old_createmeta_disabled):
        # With the route gone, "createmeta" reads as an issue key.
        raise JiraError(404, "Issue Does Not Exist")
    keys, ids = words("projectKeys"), words("projectIds")
    projects = state().projects.values() if state().may(caller(), "CREATE_ISSUES") else []
    chosen = [p for p in projects if not (keys or ids) or p.key in keys or p.id in ids]
    return answer({"expand": "projects", "projects": [_project(project) for project in chosen]})


def _project(project: Project) -> dict[str, Any]:
    names, ids = words("issuetypeNames"), words("issuetypeIds")
    with_fields = "projects.issuetypes.fields" in words("expand")
    chosen = [t for t in project.issue_types if not (names or ids) or t.name in names or t.id in ids]
    short = project_json(state(), project)
    shown = {key: short[key] for key in ("self", "id", "key", "name", "avatarUrls")}
    types = [_old_type(project, issue_type, with_fields) for issue_type in chosen]
    return {"expand": "issuetypes", **shown, "issuetypes": types}


def _old_type(project: Project, issue_type: IssueType, with_fields: bool) -> dict[str, Any]:
    found = issue_type_json(issue_type)
    if with_fields:
        found |= {
            "expand": "fields",
            "fields": {meta["fieldId"]: _less(meta) for meta in _fields(project, issue_type)},
        }
    return found


def _less(meta: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in meta.items() if key != "fieldId"}


@routes.get("/<id_or_key>/issuetypes")
def issue_types(id_or_key: str) -> Response:
    project = _creatable(id_or_key)
    return _page([issue_type_json(item) for item in project.issue_types], "issueTypes")


@routes.get("/<id_or_key>/issuetypes/<type_id>")
def fields(id_or_key: str, type_id: str) -> Response:
    project = _creatable(id_or_key)
    issue_type = next((item for item in project.issue_types if item.id == type_id), None)
    if issue_type is None:
        raise JiraError(400, f"Issue type with id '{type_id}' could not be found.")
    return _page(_fields(project, issue_type), "fields")


def _creatable(id_or_key: str) -> Project:
    """Refuse what the caller cannot create in: Data Center 400 (SPEC-DC); Cloud's real status is unknown."""
    if not state().cloud and state().version < (8, 4):
        raise JiraError(
            404, body={"message": "null for uri: /rest/api/2/issue/createmeta", "status-code": 404}
        )
    project = state().project(id_or_key)
    if project is None or not state().may(caller(), "CREATE_ISSUES"):
        raise JiraError(404 if state().cloud else 400, f"No project could be found with key '{id_or_key}'.")
    return project


def _fields(project: Project, issue_type: IssueType) -> list[dict[str, Any]]:
    shown = [field for field in issue_type.screen.values() if field.on_screen]
    return [{"fieldId": field.id, **field_meta(state(), project, issue_type, field)} for field in shown]


def _page(values: list[Any], cloud_key: str) -> Response:
    start, size = number("startAt", 0), number("maxResults", 50)
    if size > 200:
        raise JiraError(400, "Parameter 'maxResults' must not exceed the limit '200'")
    if state().cloud:
        return answer(page(values, cloud_key, start, size))
    return answer(page(values, "values", start, size) | {"isLast": start + size >= len(values)})
