"""The wire formats of stored things, for each flavour. Addresses are relative; `call.answer` completes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.jira_stand_in.fields import Field
from local.jira_stand_in.model import Component, Issue, IssueType, Project, Status, Transition, User, Version
from local.jira_stand_in.state import PRIORITIES, RESOLUTIONS, STATUS_CATEGORIES, State

API = "/rest/api/2"
AVATARS = {"48x48": "/secure/useravatar?size=large"}


def timestamp(seconds: float) -> str:
    """Return a moment as Jira prints it: milliseconds and an offset without colon."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def user_json(state: State, user: User) -> dict[str, Any]:
    """Return a user; a hidden e-mail is absent, a masked one is spelt out (Data Center)."""
    shared: dict[str, Any] = {
        "avatarUrls": AVATARS,
        "displayName": user.display_name,
        "active": user.active,
        "timeZone": user.time_zone,
    }
    if user.email_visibility == "public":
        shared["emailAddress"] = user.email
    elif user.email_visibility == "masked" and not state.cloud:
        shared["emailAddress"] = user.email.replace("@", " at ").replace(".", " dot ")
    if state.cloud:
        link = f"{API}/user?accountId={user.account_id}"
        return {"self": link, "accountId": user.account_id, "accountType": "atlassian", **shared}
    return {"self": f"{API}/user?username={user.name}", "key": user.key, "name": user.name, **shared}


def category_json(key: str) -> dict[str, Any]:
    category = STATUS_CATEGORIES[key]
    return {"self": f"{API}/statuscategory/{category['id']}", **category}


def status_json(status: Status) -> dict[str, Any]:
    return {
        "self": f"{API}/status/{status.id}",
        "description": "",
        "iconUrl": "/images/icons/statuses/generic.png",
        "name": status.name,
        "id": status.id,
        "statusCategory": category_json(status.category),
    }


def priority_json(name: str) -> dict[str, Any]:
    number = PRIORITIES.index(name) + 1
    icon = f"/images/icons/priorities/{name.lower()}.svg"
    return {"self": f"{API}/priority/{number}", "iconUrl": icon, "name": name, "id": str(number)}


def priorities() -> list[dict[str, Any]]:
    return [priority_json(name) for name in PRIORITIES]


def resolution_json(name: str) -> dict[str, Any]:
    number = str(10000 + RESOLUTIONS.index(name))
    return {"self": f"{API}/resolution/{number}", "id": number, "description": "", "name": name}


def resolutions() -> list[dict[str, Any]]:
    return [resolution_json(name) for name in RESOLUTIONS]


def issue_type_json(issue_type: IssueType) -> dict[str, Any]:
    return {
        "self": f"{API}/issuetype/{issue_type.id}",
        "id": issue_type.id,
        "description": "",
        "iconUrl": "/images/icons/issuetypes/generic.svg",
        "name": issue_type.name,
        "subtask": issue_type.subtask,
    }


def project_json(state: State, project: Project, full: bool = False) -> dict[str, Any]:
    short: dict[str, Any] = {
        "self": f"{API}/project/{project.id}",
        "id": project.id,
        "key": project.key,
        "name": project.name,
        "projectTypeKey": "software",
        "avatarUrls": {"48x48": f"/secure/projectavatar?pid={project.id}"},
    }
    if state.cloud:
        short |= {"simplified": False, "style": "classic", "isPrivate": False}
    if not full:
        return short
    return short | {
        "description": "",
        "lead": user_json(state, project.lead),
        "components": [component_json(project, item) for item in project.components],
        "issueTypes": [issue_type_json(item) for item in project.issue_types],
        "assigneeType": "UNASSIGNED",
        "versions": [version_json(item) for item in project.versions],
        "roles": {},
    }


def version_json(version: Version) -> dict[str, Any]:
    """Return a version; what is unset is absent, never null (SPEC of both products)."""
    optional = {
        "description": version.description,
        "startDate": version.start_date,
        "releaseDate": version.release_date,
        "userReleaseDate": _long_date(version.release_date),
    }
    return {
        "self": f"{API}/version/{version.id}",
        "id": version.id,
        "name": version.name,
        "archived": version.archived,
        "released": version.released,
        "projectId": int(version.project_id),
        **{key: value for key, value in optional.items() if value is not None},
    }


def _long_date(date: str | None) -> str | None:
    return datetime.fromisoformat(date).strftime("%-d/%b/%Y") if date else None


def component_json(project: Project, component: Component) -> dict[str, Any]:
    return {
        "self": f"{API}/component/{component.id}",
        "id": component.id,
        "name": component.name,
        "description": component.description or "",
        "assigneeType": "PROJECT_DEFAULT",
        "isAssigneeTypeValid": False,
        "project": project.key,
        "projectId": int(project.id),
    }


def allowed_values(
    state: State, project: Project, issue_type: IssueType, field: Field
) -> list[dict[str, Any]] | None:
    """Return the live allowed values of a field, or None where Jira gives none."""
    if field.allowed_values is not None:
        return [dict(value) for value in field.allowed_values]
    kind = field.items or field.type
    if kind == "component":
        return [component_json(project, item) for item in project.components]
    if kind == "version":
        return [version_json(item) for item in project.versions if not item.archived]
    simple: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "priority": priorities,
        "resolution": resolutions,
        "issuetype": lambda: [issue_type_json(issue_type)],
        "project": lambda: [project_json(state, project)],
    }
    return simple[kind]() if kind in simple else None


def field_meta(state: State, project: Project, issue_type: IssueType, field: Field) -> dict[str, Any]:
    """Return a field's create metadata; `key` is on Cloud only (captured Server metadata lacks it)."""
    meta: dict[str, Any] = {
        "required": field.required,
        "schema": field.schema,
        "name": field.name,
        "hasDefaultValue": field.has_default,
        "operations": list(field.operations),
    }
    if state.cloud:
        meta["key"] = field.id
    if field.auto_complete:
        link = field.auto_complete
        meta["autoCompleteUrl"] = link if state.cloud else link.replace("query=", "username=")
    allowed = allowed_values(state, project, issue_type, field)
    if allowed is not None:
        meta["allowedValues"] = allowed
    return meta


def transition_json(state: State, issue: Issue, transition: Transition, with_fields: bool) -> dict[str, Any]:
    """Return a transition; has*/is* exist on Cloud only."""
    found: dict[str, Any] = {"id": transition.id, "name": transition.name}
    found["to"] = status_json(issue.project.workflow.status(transition.to))
    if state.cloud:
        found |= {
            "hasScreen": bool(transition.screen),
            "isGlobal": transition.sources is None,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
        }
    else:
        found["opsbarSequence"] = 10
    if with_fields:
        screen = transition.screen.items()
        found["fields"] = {
            name: field_meta(state, issue.project, issue.type, field) for name, field in screen
        }
    return found


def present(state: State, project: Project, value: Any) -> Any:
    """Show a stored field value; users and versions are looked up now, so that a rename or release shows."""
    if isinstance(value, list):
        shown = [present(state, project, item) for item in value]
        return [item for item in shown if item is not None]
    if not isinstance(value, dict) or "ref" not in value:
        return value
    if value["ref"] == "user":
        return user_json(state, state.find_user(value["id"]))
    version = next((v for v in project.versions if v.id == value["id"]), None)
    return version_json(version) if version else None


def issue_fields(
    state: State, issue: Issue, fields: dict[str, Any], names: list[str] | None
) -> dict[str, Any]:
    """Return the chosen fields. `names` follows Jira: ids, `*all`, `*navigable`, `-id`; None means all.

    A field that the field configuration hides is absent, and one that is empty is not (IssueBeanBuilder of Jira's
    source: only visible items of the field layout are added).
    """
    fields = dict.fromkeys(issue.type.screen) | fields
    hidden = {field.id for field in issue.type.screen.values() if field.hidden}
    chosen = _chosen((set(fields) | {"comment"}) - hidden, names)
    shown = {name: present(state, issue.project, value) for name, value in fields.items() if name in chosen}
    if "comment" in chosen and (names is None or "comment" in names or "*all" in names):
        count = len(issue.comments)
        shown["comment"] = {"comments": issue.comments, "maxResults": count, "total": count, "startAt": 0}
    return shown


def _chosen(existing: set[str], names: list[str] | None) -> set[str]:
    if names is None:
        return existing
    wanted = {name for name in names if not name.startswith("-")}
    if not wanted or wanted & {"*all", "*navigable"}:
        wanted = existing
    return (wanted & existing) - {name[1:] for name in names if name.startswith("-")}
