"""Parts of an issue as Jira's JSON has them, read into what the core works with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from backtrace_jira.jira import createmeta
from backtrace_jira.jira.issue import Change, FixVersion, JiraUser, ProjectVersion, Transition
from backtrace_jira.states import Status


def listed_in(raw: Mapping[str, Any]) -> ProjectVersion:
    """Read an entry of a list of versions."""
    return ProjectVersion(version_in(raw), str(raw.get("projectId") or ""))


def version_in(raw: Mapping[str, Any]) -> FixVersion:
    """Read a version. An option of a select field has a `value`, and no `released`."""
    name = str(raw.get("name") or raw.get("value") or "")
    if "released" not in raw:
        return FixVersion("", name)
    return FixVersion(str(raw.get("id", "")), name, bool(raw["released"]), bool(raw.get("archived")))


def versions_in(value: object) -> Iterator[FixVersion]:
    """Read the versions in a field: versions, options, labels, or a text with commas."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield version_in(each)
        elif isinstance(each, str | int | float):
            yield from (FixVersion("", name.strip()) for name in str(each).split(",") if name.strip())


def status_in(raw: Mapping[str, Any]) -> Status:
    """Read a status."""
    category = raw.get("statusCategory") or {}
    return Status(str(raw.get("id", "")), str(raw.get("name", "")), str(category.get("key", "")))


def user_in(raw: object) -> JiraUser | None:
    """Read a user: by accountId on Cloud, by login name on Data Center, where the `key` may differ from it."""
    if not isinstance(raw, dict):
        return None
    identity = raw.get("accountId") or raw.get("name") or raw.get("key")
    if not identity:
        return None
    return JiraUser(str(identity), str(raw.get("displayName") or ""), str(raw.get("emailAddress") or ""))


def step_in(raw: Mapping[str, Any]) -> Transition:
    """Read a transition, with the fields of its screen."""
    fields = raw.get("fields")
    items = createmeta.read_items({"fields": fields}) if isinstance(fields, dict) else []
    return Transition(
        id=str(raw.get("id", "")),
        name=str(raw.get("name", "")),
        to=status_in(raw["to"]),
        fields=tuple(field for field in map(createmeta.read_field, items) if field),
    )


def changes_in(raw: object) -> tuple[Change, ...]:
    """Read a changelog. Data Center's items have no `fieldId`; Cloud's come newest first."""
    histories = raw.get("histories") if isinstance(raw, dict) else None
    found = [
        Change(
            field=str(item.get("fieldId") or item.get("field") or "").lower(),
            before=str(item.get("from") or ""),
            before_name=str(item.get("fromString") or ""),
            at=moment(history.get("created")),
        )
        for history in histories or ()
        if isinstance(history, dict)
        for item in history.get("items") or ()
        if isinstance(item, dict)
    ]
    return tuple(sorted(found, key=lambda change: change.at))


def moment(text: object) -> float:
    """Read `2018-10-16T17:20:16.123+0000` as unix seconds; 0 for anything else."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
