"""The endpoints that an integration reads before it writes: server, myself, permissions, projects, fields and lists."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from local.jira_stand_in import wire
from local.jira_stand_in.call import answer, caller, login, number, page, project_of, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import GLOBAL_PERMISSIONS, PERMISSIONS, Version

routes = Blueprint("metadata", __name__, url_prefix="/rest/api/2")

# Data Center's answer repeats old names beside the new ones.
_DEPRECATED_TWINS = {
    "EDIT_ISSUE": "EDIT_ISSUES",
    "CREATE_ISSUE": "CREATE_ISSUES",
    "BROWSE": "BROWSE_PROJECTS",
}


@routes.get("/serverInfo")
def server_info() -> Response:
    """Data Center calls itself "Server"; Cloud's version is 1001.0.0-SNAPSHOT."""
    numbers = (1001, 0, 0) if state().cloud else state().version
    found: dict[str, Any] = {
        "baseUrl": state().site_url,
        "version": "1001.0.0-SNAPSHOT" if state().cloud else ".".join(map(str, numbers)),
        "versionNumbers": list(numbers),
        "deploymentType": "Cloud" if state().cloud else "Server",
        "buildNumber": 100300 if state().cloud else 10030000,
        "buildDate": "2026-09-01T00:00:00.000+0000",
        "serverTime": wire.timestamp(state().clock()),
        "scmInfo": "0000000000000000000000000000000000000000",
        "serverTitle": "Jira stand-in",
    }
    return answer(found)


@routes.get("/myself")
def myself() -> Response:
    return answer(wire.user_json(state(), login()))


@routes.get("/mypermissions")
def my_permissions() -> Response:
    """Cloud insists on `permissions`; Data Center ignores it and returns all, with deprecated twins."""
    asked = request.args.get("permissions")
    if request.args.get("projectKey"):
        project_of(request.args["projectKey"])
    if not state().cloud:
        twins = {name: _permission(new, name) for name, new in _DEPRECATED_TWINS.items()}
        return answer({"permissions": {name: _permission(name) for name in PERMISSIONS} | twins})
    if not asked:
        raise JiraError(400, "The 'permissions' query parameter is required.")
    names = [name.strip() for name in asked.split(",")]
    unknown = {name: "Unrecognized permission" for name in names if name not in PERMISSIONS}
    if unknown:
        raise JiraError(400, errors=unknown)
    return answer({"permissions": {name: _permission(name) for name in names}})


def _permission(name: str, shown_as: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": str(PERMISSIONS.index(name)),
        "key": shown_as or name,
        "name": (shown_as or name).replace("_", " ").title(),
        "type": "GLOBAL" if name in GLOBAL_PERMISSIONS else "PROJECT",
        "description": "",
        "havePermission": state().may(caller(), name),
    }
    return found | ({"deprecatedKey": True} if shown_as else {})


@routes.get("/field")
def fields() -> Response:
    """List all fields; `key` exists on Cloud only in the documents."""
    found = []
    for field in state().all_fields().values():
        number_ = field.schema.get("customId")
        item: dict[str, Any] = {
            "id": field.id,
            "name": field.name,
            "custom": field.custom,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": [f"cf[{number_}]", field.name] if field.custom else [field.id],
            "schema": field.schema,
        }
        found.append(item | ({"key": field.id} if state().cloud else {}))
    return answer(found)


@routes.get("/project")
def projects() -> Response:
    """List the visible projects: an empty list, not an error, for a caller who sees none."""
    visible = state().may(caller(), "BROWSE_PROJECTS")
    return answer([wire.project_json(state(), p) for p in state().projects.values()] if visible else [])


@routes.get("/project/<id_or_key>")
def project(id_or_key: str) -> Response:
    return answer(wire.project_json(state(), project_of(id_or_key), full=True))


@routes.get("/project/<id_or_key>/components")
def components(id_or_key: str) -> Response:
    found = project_of(id_or_key)
    return answer([wire.component_json(found, item) for item in found.components])


@routes.get("/project/<id_or_key>/versions")
def versions(id_or_key: str) -> Response:
    """List all versions, unpaged, in their sequence (both products)."""
    return answer([wire.version_json(item) for item in project_of(id_or_key).versions])


@routes.get("/project/<id_or_key>/version")
def paged_versions(id_or_key: str) -> Response:
    """Return a page of versions with `nextPage` while there is more (both products)."""
    start, size = number("startAt", 0), min(number("maxResults", 50), state().versions_page)
    found = [wire.version_json(v) for v in _chosen(project_of(id_or_key).versions)]
    shown = page(found, "values", start, size)
    link = f"/rest/api/2/project/{id_or_key}/version?maxResults={size}&startAt="
    last = start + size >= len(found)
    following = {} if last else {"nextPage": f"{link}{start + size}"}
    return answer({"self": f"{link}{start}", **following, **shown, "isLast": last})


def _chosen(found: list[Version]) -> list[Version]:
    statuses = [word for word in request.args.get("status", "").split(",") if word]
    query = request.args.get("query", "").lower()
    kept = [v for v in found if (not statuses or _status(v) in statuses) and query in v.name.lower()]
    order = request.args.get("orderBy", "sequence")
    keys = {"name": "name", "startDate": "start_date", "releaseDate": "release_date"}
    if order.lstrip("+-") in keys:
        kept.sort(key=lambda v: getattr(v, keys[order.lstrip("+-")]) or "")
    return kept[::-1] if order.startswith("-") else kept


def _status(version: Version) -> str:
    if version.archived:
        return "archived"
    return "released" if version.released else "unreleased"


@routes.get("/version/<version_id>")
def version(version_id: str) -> Response:
    for project_ in state().projects.values():
        for found in project_.versions:
            if found.id == version_id and state().may(caller(), "BROWSE_PROJECTS"):
                return answer(wire.version_json(found))
    raise JiraError(404, f"Could not find version for id '{version_id}'")


@routes.get("/priority")
def priorities() -> Response:
    return answer([item | {"description": "", "statusColor": "#ea7d24"} for item in wire.priorities()])


@routes.get("/resolution")
def resolutions() -> Response:
    return answer(wire.resolutions())


@routes.get("/status")
def statuses() -> Response:
    found = {s.id: wire.status_json(s) for p in state().projects.values() for s in p.workflow.statuses}
    return answer(list(found.values()))


@routes.get("/status/<id_or_name>")
def one_status(id_or_name: str) -> Response:
    found = (
        s for p in state().projects.values() for s in p.workflow.statuses if id_or_name in (s.id, s.name)
    )
    status = next(found, None)
    if status is None:
        raise JiraError(404, f"The status with id '{id_or_name}' does not exist")
    return answer(wire.status_json(status))


@routes.get("/statuscategory")
def status_categories() -> Response:
    return answer([wire.category_json(key) for key in ("undefined", "new", "indeterminate", "done")])


@routes.get("/issuetype")
def issue_types() -> Response:
    found = {t.id: wire.issue_type_json(t) for p in state().projects.values() for t in p.issue_types}
    return answer(list(found.values()))


@routes.get("/label")
def labels() -> Response:
    """Page through the labels in use; a Cloud endpoint."""
    if not state().cloud:
        raise JiraError(404, body={"message": "null for uri: /rest/api/2/label", "status-code": 404})
    used = sorted({label for issue in state().live_issues() for label in issue.fields.get("labels") or []})
    start, size = number("startAt", 0), number("maxResults", 1000)
    return answer(page(used, "values", start, size) | {"isLast": start + size >= len(used)})
