"""Jira's create screens, and its users.

Create metadata: both products page it below `/issue/createmeta/{project}/issuetypes` (Data Center since 8.4);
older servers have `/issue/createmeta` only, which Data Center 9.0 removed. The server's answer decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.errors import OutcomeUnknown
from backtrace_jira.jira import createmeta
from backtrace_jira.jira.createmeta import IssueType
from backtrace_jira.jira.fields import Field, FieldSchema, fold

PAGE = 200
"""Cloud refuses more: "Parameter 'maxResults' must not exceed the limit '200'"."""
MOST_PAGES = 50
MOST_USERS = 50

_NO_SUCH_ENDPOINT = (404, 405)


def field_schema(client: JiraClient, project: str, issue_type: str) -> FieldSchema | None:
    """Read the schema of a create screen in the server's dialect; None if the server has no create metadata.

    Raises:
        InvalidField: Jira shows this account no such project or issue type.
        Refused, CredentialRefused, TryAgain: as for every request.
    """
    cloud = client.cloud
    path = f"/issue/createmeta/{quote(project, safe='')}/issuetypes"
    first = client.read(path, _page(0), absent=_NO_SUCH_ENDPOINT)
    if first is None:
        return _old_schema(client, project, issue_type)
    types = createmeta.read_issue_types(_items(client, path, first))
    chosen = createmeta.choose_issue_type(types, issue_type, project)
    path = f"{path}/{quote(chosen.id, safe='')}"
    items = _items(client, path, client.read(path, _page(0)))
    return createmeta.make_schema(project, chosen, items, cloud=cloud)


def _page(start: int) -> dict[str, str]:
    return {"startAt": str(start), "maxResults": str(PAGE)}


def _items(client: JiraClient, path: str, page: Any) -> Iterator[dict[str, Any]]:
    """Yield the items of all pages; `page` is the first."""
    start = 0
    for _ in range(MOST_PAGES):
        items = createmeta.read_items(page)
        yield from items
        following = createmeta.next_start(page, start, len(items))
        if following is None:
            return
        start, page = following, client.read(path, _page(following))
    raise OutcomeUnknown(f"GET {path}: no last page after {MOST_PAGES}")


def _old_schema(client: JiraClient, project: str, issue_type: str) -> FieldSchema | None:
    """Read the old dialect, without pages: first the issue types, then one of them with its fields.

    Only a Data Center may lack both endpoints. Cloud has one of them, so its "not found" means the project.
    """
    path, params = "/issue/createmeta", {"projectKeys": project}
    found = client.read(path, params, absent=() if client.cloud else _NO_SUCH_ENDPOINT)
    if found is None:
        return None
    chosen = _old_issue_type(found, project, issue_type)
    params |= {"issuetypeIds": chosen.id, "expand": "projects.issuetypes.fields"}
    return createmeta.read_old_schema(client.read(path, params), project, chosen.id, cloud=client.cloud)


def _old_issue_type(found: Any, project: str, issue_type: str) -> IssueType:
    types = createmeta.find_project(found, project).get("issuetypes")
    return createmeta.choose_issue_type(
        createmeta.read_issue_types(createmeta.read_items(types)), issue_type, project
    )


def list_fields(client: JiraClient) -> list[Field]:
    """Return every field of the site that the account may see, whatever screens it is on: `GET /field`."""
    listed = client.read("/field", {})
    items = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    read = (createmeta.read_field({"fieldId": each.get("id"), **each}) for each in items)
    return [field for field in read if field]


def find_user(client: JiraClient, who: str, project: str) -> str | None:
    """Find a user among those who may be assigned in the project, then among all.

    Cloud searches by `query`. Data Center searches by `username`, which matches user name, full name and e-mail
    address. Both match beginnings, so equality is checked here. Both return nothing if the account may not browse
    users. A hidden e-mail address is found only if it is searched for as a whole.
    """
    if not who.strip():
        return None
    asked = {"query" if client.cloud else "username": who, "maxResults": str(MOST_USERS)}
    for path, more in (("/user/assignable/search", {"project": project}), ("/user/search", {})):
        found = client.read(path, asked | more, absent=(400, 403, 404))
        users = [user for user in found if isinstance(user, dict)] if isinstance(found, list) else []
        user = _the_one(users, who)
        if user:
            return str(user.get("accountId" if client.cloud else "name") or "") or None
    return None


def _the_one(users: list[dict[str, Any]], who: str) -> dict[str, Any] | None:
    """Return the one user with this address, else with this name, else the only one that Jira found by an address."""
    active = [user for user in users if user.get("active") is not False]
    for key in ("emailAddress", "name", "displayName"):
        equal = [user for user in active if fold(str(user.get(key) or "")) == fold(who)]
        if equal:
            return equal[0] if len(equal) == 1 else None
    # A masked address ("fred at example dot com") is as good as a hidden one.
    alone = "@" in who and len(active) == 1 and "@" not in str(active[0].get("emailAddress") or "")
    return active[0] if alone else None
