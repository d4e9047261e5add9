"""Finding users: `query` on Cloud, `username` on Data Center; a missing permission gives an empty list."""

from __future__ import annotations

from flask import Blueprint, Response, request

from local.jira_stand_in.call import answer, caller, issue_of, number, project_of, state
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import User
from local.jira_stand_in.wire import user_json

routes = Blueprint("people", __name__, url_prefix="/rest/api/2/user")


@routes.get("")
def user() -> Response:
    """Read one user by account id (Cloud) or user name (Data Center)."""
    found = state().user(request.args.get("accountId" if state().cloud else "username"))
    if found is None or caller() is None:
        raise JiraError(
            404, "The user does not exist" if state().cloud else "The user named '' does not exist"
        )
    return answer(user_json(state(), found))


@routes.get("/search")
def search() -> Response:
    return _answer(_matching(_wanted(required=True)))


@routes.get("/assignable/search")
def assignable() -> Response:
    """Find who may be assigned; Cloud filters after paging, so a short page is not the last one (SPEC-C)."""
    project, issue = request.args.get("project"), request.args.get("issueKey")
    if issue:
        issue_of(issue)
    elif project:
        project_of(project)
    else:
        raise JiraError(400, "Either the 'project' or the 'issueKey' query parameter needs to be provided")
    return _answer(_matching(_wanted(required=False)), assignable_only=True)


def _wanted(required: bool) -> str:
    name = "query" if state().cloud else "username"
    wanted = request.args.get(name, "")
    if not wanted and required:
        known = "username or property" if state().cloud else "username"
        raise JiraError(400, f"The {known} query parameter must be provided" + ("" if state().cloud else "."))
    return wanted.lower()


def _matching(wanted: str) -> list[User]:
    """Match the beginning of names and e-mail; a hidden e-mail is found only by the whole address."""
    if not state().may(caller(), "USER_PICKER"):
        return []
    return [u for u in state().users if u.active and _matches(u, wanted)]


def _matches(user: User, wanted: str) -> bool:
    if user.email.lower() == wanted:
        return True
    texts = [user.display_name, *user.display_name.split()]
    texts += [user.email] if user.email_visibility == "public" else []
    texts += [] if state().cloud else [user.name]
    return any(text.lower().startswith(wanted) for text in texts)


def _answer(found: list[User], assignable_only: bool = False) -> Response:
    start, size = number("startAt", 0), min(number("maxResults", 50), 1000)
    shown = found[start : start + size]
    if assignable_only:
        shown = [user for user in shown if user.may("ASSIGNABLE_USER")]
    return answer([user_json(state(), user) for user in shown])
