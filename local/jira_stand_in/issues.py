"""The issue endpoints: create, read, edit, delete, transitions, assignee, comments."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, request

from local.jira_stand_in.call import answer, body, caller, issue_of, no_content, number, page, state, words
from local.jira_stand_in.errors import FieldError, JiraError
from local.jira_stand_in.history import changelog_json
from local.jira_stand_in.model import Issue
from local.jira_stand_in.values import check_assignable, user_identity
from local.jira_stand_in.wire import field_meta, issue_fields, transition_json
from local.jira_stand_in.writing import Writer

routes = Blueprint("issues", __name__, url_prefix="/rest/api/2/issue")

MOST_ISSUES = 100


def writer() -> Writer:
    return Writer(state(), caller())


@routes.post("")
def create() -> Response:
    """Answer 201 with id, key and self only; the fields must be read back."""
    issue, outcome = writer().create(body())
    created: dict[str, Any] = {"id": issue.id, "key": issue.key, "self": f"/rest/api/2/issue/{issue.id}"}
    if outcome is not None:
        created["transition"] = outcome
    return answer(created, 201)


@routes.post("/bulkfetch")
def bulk_fetch() -> Response:
    """Read up to a hundred issues, by Cloud only; those that the caller may not see are left out without a word."""
    if not state().cloud:
        raise JiraError(
            404, body={"message": "null for uri: /rest/api/2/issue/bulkfetch", "status-code": 404}
        )
    asked = body()
    wanted = [str(each) for each in asked.get("issueIdsOrKeys") or ()]
    if not 0 < len(wanted) <= MOST_ISSUES:
        raise JiraError(400, f"Between 1 and {MOST_ISSUES} issues can be requested.")
    names, expand = list(asked.get("fields") or ["*navigable"]), list(asked.get("expand") or ())
    found = []
    for each in wanted:
        with suppress(JiraError):
            found.append(issue_of(each))
    issues = [issue_json(each, names, expand, []) for each in sorted(found, key=lambda each: int(each.id))]
    return answer({"issues": issues, "issueErrors": []})


@routes.get("/<id_or_key>")
def read(id_or_key: str) -> Response:
    """Read an issue at once, whatever the search index knows."""
    return answer(
        issue_json(issue_of(id_or_key), words("fields") or None, words("expand"), words("properties"))
    )


def issue_json(
    issue: Issue,
    names: list[str] | None,
    expand: list[str],
    properties: list[str],
    fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return an issue; `fields` stands for an older view of it (the search index)."""
    shown = issue_fields(state(), issue, issue.fields if fields is None else fields, names)
    found: dict[str, Any] = {
        "expand": "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
        "id": issue.id,
        "self": f"/rest/api/2/issue/{issue.id}",
        "key": issue.key,
        "fields": shown,
    }
    known = state().all_fields()
    if "names" in expand:
        found["names"] = {name: known[name].name for name in shown if name in known}
    if "schema" in expand:
        found["schema"] = {name: known[name].schema for name in shown if name in known}
    if "transitions" in expand:
        found["transitions"] = _transitions(issue, with_fields=False)
    if "changelog" in expand:
        found["changelog"] = changelog_json(state(), issue)
    if properties:
        every = "*all" in properties
        found["properties"] = {k: v for k, v in issue.properties.items() if every or k in properties}
    return found


@routes.put("/<id_or_key>")
def edit(id_or_key: str) -> Response:
    writer().edit(issue_of(id_or_key), body())
    return no_content()


@routes.get("/<id_or_key>/editmeta")
def edit_screen(id_or_key: str) -> Response:
    """List what the caller may edit on the edit screen; without the permission that is nothing, not an error."""
    issue = issue_of(id_or_key)
    screen = issue.type.edit_screen.values() if state().may(caller(), "EDIT_ISSUES") else ()
    shown = {
        field.id: field_meta(state(), issue.project, issue.type, field) for field in screen if field.on_screen
    }
    return answer({"fields": shown})


@routes.delete("/<id_or_key>")
def delete(id_or_key: str) -> Response:
    issue = issue_of(id_or_key)
    if not state().may(caller(), "DELETE_ISSUES"):
        raise JiraError(403, "You do not have permission to delete issues in this project.")
    issue.deleted = True
    state().touch(issue)
    state().announce("deleted", issue, caller(), None)
    return no_content()


@routes.get("/<id_or_key>/transitions")
def transitions(id_or_key: str) -> Response:
    """List what the caller may do; without the permission that is an empty list, not an error."""
    issue = issue_of(id_or_key)
    found = _transitions(issue, with_fields="transitions.fields" in words("expand"))
    wanted = request.args.get("transitionId")
    shown = [item for item in found if wanted in (None, item["id"])]
    return answer({"expand": "transitions", "transitions": shown})


def _transitions(issue: Issue, with_fields: bool) -> list[dict[str, Any]]:
    if not state().may(caller(), "TRANSITION_ISSUES"):
        return []
    steps = issue.project.workflow.available(issue.status.id)
    return [transition_json(state(), issue, step, with_fields) for step in steps]


@routes.post("/<id_or_key>/transitions")
def transition(id_or_key: str) -> Response:
    writer().transition(issue_of(id_or_key), body())
    return no_content()


@routes.put("/<id_or_key>/assignee")
def assign(id_or_key: str) -> Response:
    """Assign, unassign (null) or leave to the project's default ("-1")."""
    issue, wanted = issue_of(id_or_key), body()
    if not state().may(caller(), "ASSIGN_ISSUES"):
        raise JiraError(403 if state().cloud else 401, "You do not have permission to assign issues.")
    if len({"accountId", "name", "key"} & set(wanted)) > 1:
        raise JiraError(400, "'accountId' must be the only user identifying query parameter")
    try:
        issue.fields["assignee"] = _assignee(issue, wanted)
    except FieldError as error:
        raise JiraError(400, errors={"assignee": str(error)}) from None
    writer().finish(issue)
    return no_content()


def _assignee(issue: Issue, wanted: dict[str, Any]) -> dict[str, str] | None:
    identity = user_identity(state(), wanted)
    if identity == "-1":
        identity = None  # the stand-in's projects leave new issues unassigned
    if identity is None:
        if not issue.project.allow_unassigned:
            raise FieldError("Issues must be assigned.")
        return None
    user = state().user(identity)
    if user is None:
        text = f"User '{identity}' does not exist."
        raise JiraError(400 if state().cloud else 404, errors={"assignee": text})
    check_assignable(user)
    return {"ref": "user", "id": user.key}


@routes.post("/<id_or_key>/comment")
def add_comment(id_or_key: str) -> Response:
    issue = issue_of(id_or_key)
    comment = writer().comment(issue, body().get("body"))
    writer().finish(issue)
    return answer(comment, 201)


@routes.get("/<id_or_key>/comment")
def comments(id_or_key: str) -> Response:
    """List the comments, oldest first, or newest with `orderBy=-created`."""
    found = issue_of(id_or_key).comments
    ordered = found[::-1] if request.args.get("orderBy") == "-created" else found
    return answer(page(ordered, "comments", number("startAt", 0), number("maxResults", 100)))
