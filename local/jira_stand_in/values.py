"""Reading a field's value as Jira does: accept its wire forms, refuse the rest with Jira's words.

Texts quoted in public issues or mature clients: components, versions, priority, option, labels, summary, the
text limit, "Operation value must be a string", the Data Center assignee. The texts for number, date and the
Cloud user picker were never recorded; a client must look at the key of `errors`, not at the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.jira_stand_in.errors import FieldError
from local.jira_stand_in.fields import Field
from local.jira_stand_in.model import IssueType, Project, User
from local.jira_stand_in.state import State
from local.jira_stand_in.wire import component_json, priorities, project_json, resolutions

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?([+-]\d{4}|Z)")
_OPTION_TEXT = "Could not find valid 'id' or 'value' in the Parent Option object."


@dataclass
class Reader:
    """Reads values for one project and issue type."""

    state: State
    project: Project
    issue_type: IssueType

    def read(self, field: Field, value: Any) -> Any:
        """Return the stored form of a value, or raise FieldError."""
        if value is None:
            return [] if field.type == "array" and not field.custom else None
        if field.type == "array" and not _is_sprint(field):
            return self._read_array(field, value)
        return self._read_one(field, field.type, value)

    def _read_array(self, field: Field, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise FieldError("data was not an array")
        return [self._read_one(field, field.items or "any", item) for item in value]

    def _read_one(self, field: Field, kind: str, value: Any) -> Any:
        if kind == "string" and field.allowed_values is not None:
            kind = "option"  # old Server: a select field that calls itself a string
        if _is_sprint(field):
            kind = "sprint"
        return _READERS.get(kind, _anything)(self, field, value)


def _is_sprint(field: Field) -> bool:
    return str(field.schema.get("custom", "")).endswith("gh-sprint")


def utf16_length(text: str) -> int:
    """Count as Java does, and so as Jira's limits do: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _string(reader: Reader, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError("Operation value must be a string")
    if field.id == "summary":
        _check_summary(reader.state, value)
    elif field.id == "labels" or str(field.schema.get("custom", "")).endswith(":labels"):
        _check_label(value)
    elif str(field.schema.get("custom", "")).endswith(":textfield"):
        if utf16_length(value) > 255:
            raise FieldError("The entered text is too long. It exceeds the allowed limit of 255 characters.")
    else:
        check_text(reader.state, value)
    return value


def _check_summary(state: State, value: str) -> None:
    if not value.strip():
        raise FieldError("You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise FieldError("The summary is invalid because it contains newline characters.")
    if utf16_length(value) > state.summary_limit:
        new = state.cloud or state.version >= (9,)
        limit = state.summary_limit
        raise FieldError(
            f"Summary can't exceed {limit} characters."
            if new
            else f"Summary must be less than {limit} characters."
        )


def _check_label(value: str) -> None:
    if not value:
        raise FieldError("The label '' is invalid.")
    if any(character.isspace() for character in value):
        raise FieldError(f"The label '{value}' contains spaces which is invalid.")
    if utf16_length(value) > 255:
        raise FieldError(f"The label '{value}' exceeds the maximum length of 255 characters.")


def check_text(state: State, value: str) -> None:
    """Refuse a text over the limit; 0 means unlimited (Data Center setting)."""
    if state.text_limit and utf16_length(value) > state.text_limit:
        limit = f"{state.text_limit:,}"
        raise FieldError(f"The entered text is too long. It exceeds the allowed limit of {limit} characters.")


def _number(_reader: Reader, _field: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FieldError("Operation value must be a number")
    return value


def _date(_reader: Reader, _field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError("Operation value must be a datestring")
    if not (_DATE.fullmatch(value) and _is_moment(value)):
        raise FieldError(f"Error parsing date string: {value}")
    return value


def _datetime(_reader: Reader, _field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError("Operation value must be a datestring")
    if not (_DATE_TIME.fullmatch(value) and _is_moment(value)):
        raise FieldError(f"Error parsing time: {value}")
    return value


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _option(_reader: Reader, field: Field, value: Any) -> dict[str, Any]:
    option = _pick_option(field.allowed_values or (), value)
    stored = {key: option[key] for key in ("self", "value", "id")}
    if isinstance(value, dict) and value.get("child") is not None:
        child = _pick_option(option.get("children", ()), value["child"])
        stored["child"] = {key: child[key] for key in ("self", "value", "id")}
    return stored


def _pick_option(options: Any, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not ({"id", "value"} & set(value)):
        raise FieldError(_OPTION_TEXT)
    key = "id" if "id" in value else "value"
    if not isinstance(value[key], str):
        raise FieldError(_OPTION_TEXT)
    for option in options:
        if option[key] == value[key]:
            return dict(option)
    raise FieldError(f"Option {key} '{value[key]}' is not valid")


def _named(value: Any, candidates: list[dict[str, Any]], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FieldError("expected Object")
    key = "id" if "id" in value else "name"
    for candidate in candidates:
        if candidate[key] == value.get(key):
            return candidate
    raise FieldError(f"{what} {key} '{value.get(key, '')}' is not valid")


def _component(reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    all_components = [component_json(reader.project, item) for item in reader.project.components]
    found = _named(value, all_components, "Component")
    return {key: found[key] for key in ("self", "id", "name")}


def _version(reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    versions = [{"id": item.id, "name": item.name} for item in reader.project.versions]
    return {"ref": "version", "id": _named(value, versions, "Version")["id"]}


def _priority(_reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    return _named(value, priorities(), "Priority")


def _resolution(_reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    return _named(value, resolutions(), "Resolution")


def _user(reader: Reader, field: Field, value: Any) -> dict[str, Any] | None:
    state = reader.state
    identity = user_identity(state, value)
    if identity is None:
        return None
    user = state.user(identity)
    if user is None or not user.active:
        raise FieldError(f"User '{identity}' does not exist.")
    if field.id == "assignee":
        check_assignable(user)
    return {"ref": "user", "id": user.key}


def check_assignable(user: User) -> None:
    if not user.may("ASSIGNABLE_USER"):
        raise FieldError(f"User '{user.display_name}' cannot be assigned issues.")


def user_identity(state: State, value: Any) -> str | None:
    """Return the identity a user object names, None when it explicitly names nobody."""
    names = ("accountId", "id") if state.cloud else ("name",)
    if isinstance(value, dict):
        for name in names:
            if name in value and (value[name] is None or isinstance(value[name], str)):
                return value[name] or None
    article = "an" if state.cloud else "a"
    raise FieldError(f"expected Object containing {article} '{names[0]}' property")


def _group(reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    name = value.get("name") if isinstance(value, dict) else None
    if name is None:
        raise FieldError("expected Object containing a 'name' property")
    if name not in reader.state.groups:
        raise FieldError(f"Group '{name}' does not exist.")
    return {"self": f"/rest/api/2/group?groupname={name}", "name": name}


def _project(reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    wanted = value.get("id") or value.get("key") if isinstance(value, dict) else None
    project = reader.state.project(wanted) if isinstance(wanted, str) else None
    if project is None:
        raise FieldError(
            "Specify a valid project ID or key" if reader.state.cloud else "valid project is required"
        )
    return project_json(reader.state, project)


def _parent(reader: Reader, _field: Field, value: Any) -> dict[str, Any]:
    wanted = value.get("id") or value.get("key") if isinstance(value, dict) else None
    issue = reader.state.issue(wanted) if isinstance(wanted, str) else None
    if issue is None:
        raise FieldError("Could not find issue by id or key.")
    return {"id": issue.id, "key": issue.key, "self": f"/rest/api/2/issue/{issue.id}"}


def _sprint(_reader: Reader, _field: Field, value: Any) -> list[dict[str, Any]]:
    """Sprint takes a number although its schema says array (getsentry/sentry)."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError("Number value expected as the Sprint id.")
    return [{"id": value, "name": f"Sprint {value}", "state": "active"}]


def _anything(_reader: Reader, _field: Field, value: Any) -> Any:
    return value


_READERS: dict[str, Callable[[Reader, Field, Any], Any]] = {
    "string": _string,
    "number": _number,
    "date": _date,
    "datetime": _datetime,
    "option": _option,
    "option-with-child": _option,
    "component": _component,
    "version": _version,
    "priority": _priority,
    "resolution": _resolution,
    "user": _user,
    "group": _group,
    "project": _project,
    "issuelink": _parent,
    "sprint": _sprint,
}
