"""Jira's create metadata in its three dialects.

Cloud (SPEC-C, Atlassian's OpenAPI document of 2025): pages of `issueTypes` and of `fields`.
Data Center since 8.4: pages of `values`, with `isLast`.
Older servers: `projects[].issuetypes[].fields`, a map by field id, whole; without `expand` no fields.

Jira lists only the fields on the create screen. It does not say what its workflow validators demand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backtrace_jira.errors import InvalidField
from backtrace_jira.jira.fields import AllowedValue, Field, FieldSchema, fold, list_names

_ITEMS = ("values", "issueTypes", "issuetypes", "fields", "results")
_NAMES = ("value", "name", "key")


@dataclass(frozen=True, slots=True)
class IssueType:
    """An issue type that a project offers."""

    id: str
    name: str


def read_items(page: object) -> list[dict[str, Any]]:
    """Return the issue types or fields of a page, whatever its dialect calls them."""
    found: object = page
    if isinstance(page, dict):
        found = next((page[key] for key in _ITEMS if isinstance(page.get(key), list | dict)), [])
    if isinstance(found, dict):
        found = [{"fieldId": key, **item} for key, item in found.items() if isinstance(item, dict)]
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def next_start(page: object, start: int, count: int) -> int | None:
    """Return where the next page starts, after `count` items from `start`; None after the last."""
    if not isinstance(page, dict) or not count or page.get("isLast") is True:
        return None
    total = page.get("total")
    if isinstance(total, int) and not isinstance(total, bool):
        return start + count if start + count < total else None
    return start + count if page.get("isLast") is False else None


def read_issue_types(items: Iterable[dict[str, Any]]) -> tuple[IssueType, ...]:
    """Read the issue types of a project."""
    return tuple(IssueType(str(item["id"]), str(item.get("name", ""))) for item in items if "id" in item)


def choose_issue_type(types: Sequence[IssueType], wanted: str, project: str) -> IssueType:
    """Return the issue type of this id, else of this exact name, else of this name regardless of case.

    Raises:
        InvalidField: the project has no such type; its types are listed.
    """
    if not types:
        raise _no_project(project)
    tries = (
        lambda each: each.id == wanted,
        lambda each: each.name == wanted,
        lambda each: fold(each.name) == fold(wanted),
    )
    for fits in tries:
        found = next(filter(fits, types), None)
        if found:
            return found
    names = tuple(each.name for each in types)
    raise InvalidField(
        f"issuetype: {project} has no issue type of this name; it has: {list_names(names)}",
        field="issuetype",
        allowed=names,
    )


def find_project(document: object, project: str) -> dict[str, Any]:
    """Return the project from a document in the old dialect, which leaves out unknown and forbidden projects.

    Raises:
        InvalidField: the project is absent.
    """
    projects = document.get("projects") if isinstance(document, dict) else None
    for found in projects if isinstance(projects, list) else []:
        if isinstance(found, dict) and fold(project) in (
            fold(str(found.get(key, ""))) for key in ("key", "id")
        ):
            return found
    raise _no_project(project)


def _no_project(project: str) -> InvalidField:
    """Return the error for a project that Jira does not show: it does not say whether the project exists."""
    return InvalidField(
        f"project: {project} does not exist, or this account may not create issues in it", field="project"
    )


def read_old_schema(document: object, project: str, issue_type: str, *, cloud: bool) -> FieldSchema:
    """Read the schema of one issue type from a document in the old dialect.

    Raises:
        InvalidField: the project or the issue type is not in it.
    """
    types = read_items({"issuetypes": find_project(document, project).get("issuetypes")})
    chosen = choose_issue_type(read_issue_types(types), issue_type, project)
    raw = next(each for each in types if str(each.get("id")) == chosen.id)
    return make_schema(project, chosen, read_items({"fields": raw.get("fields")}), cloud=cloud)


def make_schema(
    project: str, issue_type: IssueType, fields: Iterable[dict[str, Any]], *, cloud: bool
) -> FieldSchema:
    """Make a schema of the fields in any dialect.

    Raises:
        InvalidField: Jira lists no field, though every create screen has a summary.
    """
    found = tuple(field for field in map(read_field, fields) if field)
    if not found:
        raise _no_project(project)
    return FieldSchema(project, issue_type.id, issue_type.name, cloud, found)


def read_field(raw: dict[str, Any]) -> Field | None:
    """Read one field; None if it has no id."""
    field_id = str(raw.get("fieldId") or raw.get("key") or "")
    if not field_id:
        return None
    schema = raw.get("schema")
    texts = {key: str(value) for key, value in schema.items()} if isinstance(schema, dict) else {}
    return Field(
        id=field_id,
        name=str(raw.get("name") or field_id),
        type=texts.get("type", "any"),
        items=texts.get("items", ""),
        custom=texts.get("custom", ""),
        system=texts.get("system", ""),
        required=raw.get("required") is True,
        has_default=raw.get("hasDefaultValue") is True,
        allowed=_allowed(raw.get("allowedValues")),
    )


def _allowed(raw: object) -> tuple[AllowedValue, ...] | None:
    """Read a list of allowed values. A list in which no value has a name or id counts as no list."""
    if not isinstance(raw, list):
        return None
    found = tuple(value for value in map(_allowed_value, raw) if value)
    return found if found or not raw else None


def _allowed_value(raw: object) -> AllowedValue | None:
    if isinstance(raw, str | int | float):
        return AllowedValue("", (str(raw),))
    if not isinstance(raw, dict) or raw.get("disabled") is True:  # CustomFieldOptionBean, SPEC-DC
        return None
    names = (
        str(raw[key]) for key in _NAMES if isinstance(raw.get(key), str | int | float) and raw[key] != ""
    )
    children = raw.get("children")
    found = AllowedValue(
        str(raw.get("id", "")),
        tuple(dict.fromkeys(names)),
        (_allowed(children) or ()) if isinstance(children, list) else (),
    )
    return found if found.id or found.names else None
