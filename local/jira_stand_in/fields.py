"""Field definitions: the system fields of a screen and custom fields by kind.

Schemas are those of real create metadata (captured Cloud and Server projects).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

_CF = "com.atlassian.jira.plugin.system.customfieldtypes:"
_GH = "com.pyxis.greenhopper.jira:"
_MANY = ("add", "set", "remove")

# kind -> (schema.type, schema.items, schema.custom)
KINDS: dict[str, tuple[str, str | None, str]] = {
    "text": ("string", None, _CF + "textfield"),
    "textarea": ("string", None, _CF + "textarea"),
    "url": ("string", None, _CF + "url"),
    "number": ("number", None, _CF + "float"),
    "date": ("date", None, _CF + "datepicker"),
    "datetime": ("datetime", None, _CF + "datetime"),
    "select": ("option", None, _CF + "select"),
    "radio": ("option", None, _CF + "radiobuttons"),
    "multiselect": ("array", "option", _CF + "multiselect"),
    "checkboxes": ("array", "option", _CF + "multicheckboxes"),
    "cascading": ("option-with-child", None, _CF + "cascadingselect"),
    "user": ("user", None, _CF + "userpicker"),
    "users": ("array", "user", _CF + "multiuserpicker"),
    "group": ("group", None, _CF + "grouppicker"),
    "groups": ("array", "group", _CF + "multigrouppicker"),
    "version": ("version", None, _CF + "version"),
    "versions": ("array", "version", _CF + "multiversion"),
    "labels": ("array", "string", _CF + "labels"),
    "project": ("project", None, _CF + "project"),
    "sprint": ("array", "string", _GH + "gh-sprint"),
    "epic-link": ("any", None, _GH + "gh-epic-link"),
    # Jira 5 and 6 call select fields "string" although allowedValues holds objects.
    "legacy-select": ("string", None, _CF + "select"),
    "legacy-multiselect": ("array", "string", _CF + "multiselect"),
}


@dataclass(frozen=True)
class Field:
    """A field as the create screen shows it, and the edit screen unless `editable` says otherwise.

    `hidden` is by the field configuration: then answers leave it out, too.
    """

    id: str
    name: str
    schema: dict[str, Any]
    required: bool = False
    allowed_values: tuple[dict[str, Any], ...] | None = None
    operations: tuple[str, ...] = ("set",)
    has_default: bool = False
    on_screen: bool = True
    editable: bool | None = None
    hidden: bool = False
    auto_complete: str | None = None

    @property
    def type(self) -> str:
        return str(self.schema["type"])

    @property
    def items(self) -> str | None:
        return self.schema.get("items")

    @property
    def custom(self) -> bool:
        return "custom" in self.schema

    @property
    def on_edit_screen(self) -> bool:
        return self.on_screen if self.editable is None else self.editable

    def with_(self, **changes: Any) -> Field:
        return replace(self, **changes)


def custom_field(
    field_id: str,
    name: str,
    kind: str = "text",
    *,
    options: Iterable[str] | dict[str, Iterable[str]] = (),
    required: bool = False,
    on_screen: bool = True,
    has_default: bool = False,
) -> Field:
    """Return a custom field of a kind in `KINDS`.

    `options` are the allowed texts of a select-like field; a mapping of parent to children for "cascading".
    """
    kind_type, items, custom = KINDS[kind]
    number = int(field_id.removeprefix("customfield_"))
    schema: dict[str, Any] = {"type": kind_type, "custom": custom, "customId": number}
    if items:
        schema["items"] = items
    allowed = _options(number, options) if options else None
    operations = _MANY if kind_type == "array" and kind != "sprint" else ("set",)
    return Field(field_id, name, schema, required, allowed, operations, has_default, on_screen)


def _options(number: int, options: Iterable[str] | dict[str, Iterable[str]]) -> tuple[dict[str, Any], ...]:
    allowed: list[dict[str, Any]] = []
    for index, text in enumerate(options):
        option = _option(str(number * 10 + index), text)
        if isinstance(options, dict):
            children = [_option(f"{option['id']}{n}", child) for n, child in enumerate(options[text])]
            option["children"] = children
        allowed.append(option)
    return tuple(allowed)


def _option(option_id: str, text: str) -> dict[str, Any]:
    return {"self": f"/rest/api/2/customFieldOption/{option_id}", "value": text, "id": option_id}


def _system(field_id: str, name: str, type_: str, items: str | None = None, **more: Any) -> Field:
    schema: dict[str, Any] = {"type": type_, "system": field_id}
    if items:
        schema["items"] = items
    return Field(field_id, name, schema, **more)


SYSTEM_FIELDS: tuple[Field, ...] = (
    _system("summary", "Summary", "string", required=True),
    _system("issuetype", "Issue Type", "issuetype", required=True, operations=()),
    _system("project", "Project", "project", required=True),
    _system("description", "Description", "string"),
    _system("environment", "Environment", "string"),
    _system("priority", "Priority", "priority", has_default=True),
    _system(
        "labels", "Labels", "array", "string", operations=_MANY,
        auto_complete="/rest/api/1.0/labels/suggest?query=",
    ),
    _system("assignee", "Assignee", "user", auto_complete="/rest/api/2/user/assignable/search?query="),
    _system("reporter", "Reporter", "user", has_default=True, auto_complete="/rest/api/2/user/search?query="),
    _system("components", "Components", "array", "component", operations=_MANY),
    _system("fixVersions", "Fix versions", "array", "version", operations=_MANY),
    _system("versions", "Affects versions", "array", "version", operations=_MANY),
    _system("duedate", "Due date", "date"),
)  # fmt: skip

PARENT = _system("parent", "Parent", "issuelink", required=True)
RESOLUTION = _system("resolution", "Resolution", "resolution")

# Fields that exist on every issue but on no screen: GET /field lists them, JQL knows them.
READ_ONLY_FIELDS: tuple[Field, ...] = (
    RESOLUTION,
    _system("status", "Status", "status", operations=()),
    _system("created", "Created", "datetime", operations=()),
    _system("updated", "Updated", "datetime", operations=()),
    _system("resolutiondate", "Resolved", "datetime", operations=()),
    _system("creator", "Creator", "user", operations=()),
    _system("comment", "Comment", "comments-page", operations=()),
)


# As in captured Server metadata.
_SERVER_NAMES = {"components": "Component/s", "fixVersions": "Fix Version/s", "versions": "Affects Version/s"}


def system_screen(subtask: bool, cloud: bool) -> dict[str, Field]:
    """Return the default create screen, with the parent for a sub-task."""
    fields = (*SYSTEM_FIELDS, PARENT) if subtask else SYSTEM_FIELDS
    if cloud:
        return {field.id: field for field in fields}
    return {field.id: field.with_(name=_SERVER_NAMES.get(field.id, field.name)) for field in fields}
