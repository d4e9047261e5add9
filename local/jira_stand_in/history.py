"""The changelog: what a change did to the fields that people follow.

Shapes as captured from Cloud and Server (mattermost/mattermost-plugin-jira, server/testdata): Server's items have no
`fieldId`, labels are texts without ids, versions have one item each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.jira_stand_in.model import Issue, User
from local.jira_stand_in.state import State
from local.jira_stand_in.wire import timestamp, user_json

MOST_ON_CLOUD = 100


@dataclass(frozen=True)
class History:
    """One entry: who changed what, when (unix seconds)."""

    id: str
    author: User | None
    at: float
    items: tuple[dict[str, Any], ...]


def tracked(state: State, issue: Issue) -> dict[str, Any]:
    """Return the followed fields as (id, text), by field."""
    fields = issue.fields
    assignee = _user(state, fields.get("assignee"))
    resolution = fields.get("resolution")
    return {
        "status": (fields["status"]["id"], issue.status.name),
        "resolution": (resolution["id"], resolution["name"]) if resolution else (None, None),
        "assignee": (_identity(state, assignee), assignee.display_name if assignee else None),
        "labels": (None, " ".join(fields.get("labels") or [])),
        "fixVersions": tuple(
            (item["id"], _version(issue, item["id"])) for item in fields.get("fixVersions") or ()
        ),
        "project": (issue.project.id, issue.project.name),
        "Key": (None, issue.key),
        "summary": (None, fields.get("summary")),
    }


def record(state: State, issue: Issue, author: User | None) -> History | None:
    """Keep what changed since the last time; None where nothing that is followed did."""
    now = tracked(state, issue)
    before, issue.tracked = issue.tracked, now
    if not before:
        return None
    items = [
        item
        for name in now
        if now[name] != before[name]
        for item in _items(state, name, before[name], now[name])
    ]
    if not items:
        return None
    history = History(state.next_id(), author, state.clock(), tuple(items))
    issue.histories.append(history)
    return history


def changelog_json(state: State, issue: Issue) -> dict[str, Any]:
    """Return the expanded changelog: Cloud's newest first and at most 100, Data Center's oldest first."""
    found = [
        {
            "id": history.id,
            **({"author": user_json(state, history.author)} if history.author else {}),
            "created": timestamp(history.at),
            "items": list(history.items),
        }
        for history in issue.histories
    ]
    shown = found[::-1][:MOST_ON_CLOUD] if state.cloud else found
    return {"startAt": 0, "maxResults": len(shown), "total": len(found), "histories": shown}


def _user(state: State, value: Any) -> User | None:
    return next((user for user in state.users if value and user.key == value["id"]), None)


def _identity(state: State, user: User | None) -> str | None:
    if user is None:
        return None
    return user.account_id if state.cloud else user.name


def _version(issue: Issue, version_id: str) -> str:
    return next((version.name for version in issue.project.versions if version.id == version_id), "")


def _items(state: State, name: str, before: Any, after: Any) -> list[dict[str, Any]]:
    if name != "fixVersions":
        return [_item(state, name, name, before, after)]
    nothing = (None, None)
    removed = [_item(state, "Fix Version", name, each, nothing) for each in before if each not in after]
    return removed + [
        _item(state, "Fix Version", name, nothing, each) for each in after if each not in before
    ]


def _item(state: State, field: str, field_id: str, before: Any, after: Any) -> dict[str, Any]:
    item = {
        "field": field,
        "fieldtype": "jira",
        "from": before[0],
        "fromString": before[1],
        "to": after[0],
        "toString": after[1],
    }
    return {**item, "fieldId": field_id} if state.cloud else item
