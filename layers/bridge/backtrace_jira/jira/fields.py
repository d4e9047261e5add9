"""The fields of one create screen, and how a name in the settings finds its field.

`createmeta` makes a schema from Jira's create metadata, the store keeps it as JSON, `field_values` reads it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backtrace_jira.errors import InvalidField, NotOnScreen

VALUES_SHOWN = 20
LONGEST_NAME = 80
LARGEST_JSON = 350_000
"""Bytes of UTF-8. A DynamoDB item holds 400 KB with its keys and everything else in it."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class AllowedValue:
    """One value that Jira lists for a field. `names` are all its names; the one that people see comes first.

    The id is empty if Jira lists plain texts. Only a cascading select has children.
    """

    id: str
    names: tuple[str, ...]
    children: tuple[AllowedValue, ...] = ()

    @property
    def shown(self) -> str:
        """The name that people see."""
        return self.names[0] if self.names else self.id


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a create screen; `type`, `items`, `custom` and `system` are those of Jira's `schema`.

    `allowed` is None if Jira lists no values, or so many that the cache leaves them out (`unlisted`). An empty list
    means that no value exists.
    """

    id: str
    name: str
    type: str
    items: str = ""
    custom: str = ""
    system: str = ""
    required: bool = False
    has_default: bool = False
    allowed: tuple[AllowedValue, ...] | None = None
    unlisted: bool = False

    def __str__(self) -> str:
        """Name the field as error texts do: by name and id."""
        return self.id if self.name == self.id else f"{shorten_name(self.name)} ({self.id})"

    @property
    def kind(self) -> str:
        """The last part of a custom field's type, such as `textfield` or `gh-sprint`; empty for a system field."""
        return self.custom.rpartition(":")[2]

    @property
    def is_rendered(self) -> bool:
        """Whether Jira may render the field's text as wiki markup. Only of these kinds is it known that it does not."""
        return self.id != "summary" and self.kind not in ("textfield", "url", "gh-epic-label")

    def allowed_names(self) -> tuple[str, ...]:
        """Return every allowed value as a setting could spell it."""
        found: list[str] = []
        for value in self.allowed or ():
            found.append(value.shown)
            found += [f"{value.shown} -> {child.shown}" for child in value.children]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """The fields on the create screen of one project and issue type."""

    project: str
    issue_type_id: str
    issue_type: str
    cloud: bool
    fields: tuple[Field, ...]

    def resolve(self, name: str) -> Field:
        """Return the field that a setting names: by id, else by exact name, else regardless of case.

        Names of custom fields are not unique in Jira.

        Raises:
            NotOnScreen: no field has this name.
            InvalidField: several fields have it.
        """
        found = fields_called(name, self.fields)
        if len(found) == 1:
            return found[0]
        wanted = name.strip()
        raise _ambiguous(wanted, found) if found else self._unknown(wanted)

    def missing(self, filled: Collection[str]) -> tuple[Field, ...]:
        """Return the required fields that have no default and whose ids are not in `filled`.

        The reporter is never missing. Captured Server metadata calls it required and without a default, yet Jira
        makes the account that creates an issue its reporter if none is sent.
        """
        return tuple(
            field
            for field in self.fields
            if field.required and not field.has_default and field.id not in filled and field.id != "reporter"
        )

    def to_json(self, *, limit: int = LARGEST_JSON) -> str:
        """Return the schema as JSON. While it exceeds `limit` bytes, the longest list of allowed values is dropped.

        Only Jira can then judge a value for a field without its list.
        """
        text = _dump(self)
        while len(text.encode()) > limit:
            longest = max((field.allowed or () for field in self.fields), key=_size)
            if not longest:
                break
            self = _without(self, longest)  # noqa: PLW0642 - a copy
            text = _dump(self)
        return text

    @classmethod
    def from_json(cls, text: str) -> FieldSchema | None:
        """Read the JSON that `to_json` wrote; None if it is damaged or of another version of this program."""
        try:
            return _load(json.loads(text))
        except (ValueError, TypeError, KeyError, IndexError):
            return None

    def _unknown(self, name: str) -> NotOnScreen:
        by_text = {fold(text): field for field in self.fields for text in (field.id, field.name)}
        near = difflib.get_close_matches(fold(name)[:LONGEST_NAME], by_text, n=3)
        suggested = tuple(dict.fromkeys(str(by_text[text]) for text in near))
        hint = (
            f"did you mean {' or '.join(suggested)}?" if suggested else "it may not be on the create screen"
        )
        return NotOnScreen(
            f"{shorten_name(name)}: {self.project} has no such field for {self.issue_type}; {hint}",
            field=name,
            allowed=suggested,
        )


def fields_called(name: str, fields: Sequence[Field]) -> list[Field]:
    """Return the fields of this id, else of this exact name, else of this id or name regardless of case."""
    wanted, folded = name.strip(), fold(name)
    tries = (
        [field for field in fields if field.id == wanted],
        [field for field in fields if field.name == wanted],
        [field for field in fields if folded in (fold(field.id), fold(field.name))],
    )
    return next((found for found in tries if found), [])


def _ambiguous(name: str, found: Sequence[Field]) -> InvalidField:
    candidates = tuple(f"{field.id} ({shorten_name(field.name)})" for field in found)
    return InvalidField(
        f"{shorten_name(name)}: {len(found)} fields have this name; write the id of one: {', '.join(candidates)}",
        field=name,
        allowed=candidates,
    )


# These fields are the same in every Jira, so they are known even without create metadata.
_SYSTEM = {
    "assignee": ("user", ""),
    "components": ("array", "component"),
    "description": ("string", ""),
    "duedate": ("date", ""),
    "fixVersions": ("array", "version"),
    "issuetype": ("issuetype", ""),
    "labels": ("array", "string"),
    "parent": ("issuelink", ""),
    "priority": ("priority", ""),
    "project": ("project", ""),
    "reporter": ("user", ""),
    "summary": ("string", ""),
    "versions": ("array", "version"),
}


def untyped_field(name: str) -> Field:
    """Return the field of this id on a server without create metadata: one that every Jira has, else a text field."""
    wanted = name.strip()
    system = {known.lower(): known for known in _SYSTEM}.get(wanted.lower(), "")
    kind, items = _SYSTEM.get(system, ("string", ""))
    return Field(system or wanted, system or wanted, kind, items, system=system)


def fold(text: str) -> str:
    """Return the text in a form that ignores case, white space and blanks around commas."""
    return re.sub(" ?, ?", ",", " ".join(text.split())).casefold()


def shorten_name(text: str) -> str:
    """Cut a name for an error text."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…"


def list_names(names: Sequence[str]) -> str:
    """Return the first names for an error text, and how many more there are."""
    more = len(names) - VALUES_SHOWN
    return ", ".join([*map(shorten_name, names[:VALUES_SHOWN]), *([f"and {more} more"] if more > 0 else [])])


# The cache stores each list of allowed values once: fixVersions and versions share theirs.


def _dump(schema: FieldSchema) -> str:
    lists = list(dict.fromkeys(field.allowed for field in schema.fields if field.allowed is not None))
    numbers = {allowed: number for number, allowed in enumerate(lists)}
    raw = {
        "format": _FORMAT,
        "of": [schema.project, schema.issue_type_id, schema.issue_type],
        "cloud": schema.cloud,
        "lists": [[_dump_value(value) for value in allowed] for allowed in lists],
        "fields": [_dump_field(field, numbers) for field in schema.fields],
    }
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))


def _dump_field(field: Field, numbers: dict[tuple[AllowedValue, ...], int]) -> list[Any]:
    texts = [field.id, field.name, field.type, field.items, field.custom, field.system]
    flags = [int(flag) for flag in (field.required, field.has_default, field.unlisted)]
    return [*texts, *flags, *([] if field.allowed is None else [numbers[field.allowed]])]


def _dump_value(value: AllowedValue) -> list[Any]:
    children = [[_dump_value(child) for child in value.children]] if value.children else []
    return [value.id, *value.names, *children]


def _load(raw: dict[str, Any]) -> FieldSchema | None:
    if raw["format"] != _FORMAT:
        return None
    lists = [tuple(map(_load_value, values)) for values in raw["lists"]]
    fields = tuple(_load_field(field, lists) for field in raw["fields"])
    project, issue_type_id, issue_type = raw["of"]
    return FieldSchema(project, issue_type_id, issue_type, bool(raw["cloud"]), fields)


def _load_field(raw: list[Any], lists: list[tuple[AllowedValue, ...]]) -> Field:
    field_id, name, kind, items, custom, system, required, has_default, unlisted, *number = raw
    return Field(
        field_id,
        name,
        kind,
        items,
        custom,
        system,
        required=bool(required),
        has_default=bool(has_default),
        allowed=lists[number[0]] if number else None,
        unlisted=bool(unlisted),
    )


def _load_value(raw: list[Any]) -> AllowedValue:
    value_id, *names = raw
    children = names.pop() if names and isinstance(names[-1], list) else []
    return AllowedValue(value_id, tuple(names), tuple(map(_load_value, children)))


def _size(allowed: Sequence[AllowedValue]) -> int:
    return sum(len(value.id) + sum(map(len, value.names)) + _size(value.children) for value in allowed)


def _without(schema: FieldSchema, allowed: tuple[AllowedValue, ...]) -> FieldSchema:
    fields = (
        replace(field, allowed=None, unlisted=True) if field.allowed == allowed else field
        for field in schema.fields
    )
    return replace(schema, fields=tuple(fields))
