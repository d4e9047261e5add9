"""Turn a text of the settings into the JSON that a Jira field takes.

Sources for each type of field: Atlassian's OpenAPI documents, create metadata captured from Cloud and Server, and
refusals of `POST /issue` quoted in public issues. If Jira lists the allowed values, only those are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from backtrace_jira.errors import InvalidField
from backtrace_jira.jira import literals, wiki
from backtrace_jira.jira.allowed_values import AllowedValues, split_cascade
from backtrace_jira.jira.fields import AllowedValue, Field, list_names
from backtrace_jira.json_types import JSON

LONGEST_TEXT = 32_767
"""Jira's limit for descriptions and text areas: "The entered text is too long. It exceeds the allowed limit"."""
LONGEST_LINE = 255
LONGEST_SUMMARY = 254
"""The documented limit is 255; some older versions refuse 255 itself."""
MOST_USERS = 20
"""Users in one field: looking one up may cost a request."""

FindUser: TypeAlias = Callable[[str], str | None]
"""Returns the accountId (Cloud) or user name (Data Center) of an e-mail address or name; None if Jira shows none."""

_EXPECTED = {
    "number": "a number such as 5 or 1.5",
    "date": "a date such as 2019-05-11",
    "datetime": "a moment such as 2019-05-11T10:29:29+11:00",
    "user": "a user whom Jira shows to this account, by e-mail address, account id or user name",
    "users": f"at most {MOST_USERS} users",
    "issue": "the key of an issue such as BUG-1",
    "sprint": "the number of one sprint",
    "timetracking": "one or two estimates such as 2h or 1d 4h, 2h (original, remaining)",
    "nothing": "no text: it cannot be filled when a ticket is created",
}


def to_field_value(
    field: Field, text: str, *, cloud: bool, people: FindUser, attributes: Sequence[str] = ()
) -> JSON:
    """Return the JSON of a text for a field; None if the text is blank.

    Commas separate the values of an array. An allowed value that holds a comma itself stays whole.

    Args:
        field: from a schema, or `untyped_field` for a server without create metadata.
        text: the text of the settings, with its attributes filled in.
        cloud: Cloud knows users by accountId, Data Center by name.
        people: finds users. It is not called for a text that already looks like an accountId or user name.
        attributes: names of the attributes in the settings text, for the error text.

    Raises:
        InvalidField: the field does not take this text.
    """
    cleaned = wiki.clean(text).strip()
    return _whole(_FieldReading(field, cloud, people, tuple(attributes)), cleaned) if cleaned else None


def is_fillable(field: Field) -> bool:
    """Return whether any text at all can fill the field when a ticket is created."""
    return _READERS.get(field.items if field.type == "array" else field.type) is not _nothing


@dataclass(frozen=True, slots=True)
class _FieldReading:
    """The reading of one text for one field. Its errors name the field, never the text."""

    field: Field
    cloud: bool
    people: FindUser
    attributes: tuple[str, ...]

    def expects(self, what: str) -> InvalidField:
        """Return the error that says what the field takes. It does not repeat the text, which may hold a setting."""
        several = (
            ", commas between several" if self.field.type == "array" and what == self.field.items else ""
        )
        return self._error(f"takes {_EXPECTED[what]}{several}")

    def expects_allowed(self) -> InvalidField:
        """Return the error that lists the values Jira allows."""
        allowed = self.field.allowed_names()
        if not allowed:
            return self._error("takes values from a list, and Jira lists none for this project")
        one = "some of these, commas between them" if self.field.type == "array" else "one of these"
        return self._error(f"takes {one}: {list_names(allowed)}", allowed)

    def ambiguous(self, found: Sequence[AllowedValue]) -> InvalidField:
        """Return the error that a name stands for several values."""
        ids = ", ".join(f"{value.shown} is {value.id or 'without an id'}" for value in found[:5])
        return self._error(f"has {len(found)} values of this name; write the id of one: {ids}")

    def _error(self, sentence: str, allowed: Sequence[str] = ()) -> InvalidField:
        names = ", ".join(f"${name}" for name in self.attributes)
        origin = f"; the text comes from {names}" if names else ""
        return InvalidField(f"{self.field} {sentence}{origin}", field=self.field.id, allowed=allowed)


def _whole(reading: _FieldReading, text: str) -> JSON:
    field = reading.field
    if field.kind in _BY_CUSTOM_TYPE:
        return _BY_CUSTOM_TYPE[field.kind](reading, text)
    if field.type == "array":
        return _array(reading, text) or None
    if _chooses(field, field.type):
        return _json_of(_chosen(reading, AllowedValues(field.allowed or ()), text), field.type)
    return _READERS.get(field.type, _string)(reading, text)


def _array(reading: _FieldReading, text: str) -> list[JSON]:
    items = reading.field.items or "string"
    if _chooses(reading.field, items):
        return _chosen_array(reading, items, text)
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if items == "user" and len(parts) > MOST_USERS:
        raise reading.expects("users")
    read = _label if "labels" in (reading.field.id, reading.field.kind) else _READERS.get(items, _string)
    values = (read(reading, part) for part in parts)
    return list({repr(value): value for value in values}.values())


# Values from a list that Jira gives

_LISTED = frozenset(
    {"option", "component", "version", "priority", "resolution", "securitylevel", "issuetype", "project"}
)
"""Types for which Jira lists all values: an empty list means that no value exists."""
_NOT_ONE_OF_A_LIST = frozenset(
    {"number", "date", "datetime", "user", "group", "issuelink", "timetracking", "option-with-child"}
)
_NAME_KEYS = {kind: {"option": "value", "project": "key"}.get(kind, "name") for kind in _LISTED}


def _chooses(field: Field, kind: str) -> bool:
    """Return whether the value is one of a list. Jira 5 and 6 call select fields strings, and list options."""
    if field.allowed is None or kind in _NOT_ONE_OF_A_LIST:
        return False
    return bool(field.allowed) or kind in _LISTED


def _chosen(reading: _FieldReading, choices: AllowedValues, text: str) -> AllowedValue:
    found = choices.find(text)
    if not found:
        raise reading.expects_allowed()
    if len(found) > 1:
        raise reading.ambiguous(found)
    return found[0]


def _chosen_array(reading: _FieldReading, items: str, text: str) -> list[JSON]:
    choices = AllowedValues(reading.field.allowed or ())
    parts = choices.split(text)
    if parts is None:
        raise reading.expects_allowed()
    chosen = dict.fromkeys(_chosen(reading, choices, part) for part in parts)
    return [_json_of(value, items) for value in chosen]


def _json_of(value: AllowedValue, kind: str) -> JSON:
    """Return the value by its id, which is the same in every language; a listed text without an id as it is."""
    return _named(value, _NAME_KEYS.get(kind, "value")) if value.id or kind in _NAME_KEYS else value.shown


def _named(value: AllowedValue, key: str) -> dict[str, JSON]:
    return {"id": value.id} if value.id else {key: value.shown}


def _cascading(reading: _FieldReading, text: str) -> JSON:
    if not text.strip("->, \t\n"):  # no attribute of "$region -> $zone" has a value
        return None
    if reading.field.allowed is None:
        parent, child = split_cascade(text)
        return {"value": parent, "child": {"value": child}} if child else {"value": parent}
    found = AllowedValues(reading.field.allowed).cascade(text)
    if found is None:
        raise reading.expects_allowed()
    first, second = found
    return {**_named(first, "value"), **({"child": _named(second, "value")} if second else {})}


# Values of a list that neither Jira nor the cache gives


def _by_value(_reading: _FieldReading, text: str) -> JSON:
    return {"value": text}


def _by_name(_reading: _FieldReading, text: str) -> JSON:
    return {"name": text}


def _by_id_or_name(_reading: _FieldReading, text: str) -> JSON:
    """Take digits for an id. Only for types whose names are no numbers: a version or an option may be called 2."""
    return {"id" if literals.INTEGER.fullmatch(text) else "name": text}


def _by_id_or_key(_reading: _FieldReading, text: str) -> JSON:
    return {"id" if literals.INTEGER.fullmatch(text) else "key": text}


# Values that are not listed

_USER_NAME = re.compile(r"[^@\s]+")
# 5b10a2844c20165700ede21g, 557058:f58131cb-b67d-43c7-b30d-6b58d40bd077
_ACCOUNT_ID = re.compile(r"(?=[^0-9]*[0-9])(?:[0-9A-Za-z]{24,128}|[0-9a-z]{2,10}:[0-9A-Za-z:-]{24,117})")


def _string(reading: _FieldReading, text: str) -> JSON:
    field = reading.field
    if field.id == "summary":
        return wiki.truncate(wiki.one_line(text), LONGEST_SUMMARY)
    if field.kind == "url":
        return wiki.one_line(text)  # not truncated: a part of an address would lead elsewhere
    if field.kind in ("textfield", "gh-epic-label"):
        return wiki.truncate(wiki.one_line(text), LONGEST_LINE)
    return wiki.truncate(text, LONGEST_TEXT)


def _label(_reading: _FieldReading, text: str) -> JSON:
    """Replace blanks, which Jira refuses: "The label '...' contains spaces which is invalid."."""
    return wiki.truncate("_".join(text.split()), LONGEST_LINE)


def _user(reading: _FieldReading, text: str) -> JSON:
    """Return the user as Jira identifies one: by login name on Data Center, by accountId on Cloud."""
    known = _ACCOUNT_ID if reading.cloud else _USER_NAME
    identity = text if known.fullmatch(text) else reading.people(text)
    if not identity:
        raise reading.expects("user")
    return {"accountId" if reading.cloud else "name": identity}


def _parent(reading: _FieldReading, text: str) -> JSON:
    return {"key": _epic(reading, text)}


def _estimates(reading: _FieldReading, text: str) -> JSON:
    found = literals.read_estimates(text)
    if found is None:
        raise reading.expects("timetracking")
    return dict[str, JSON](found) or None


def _nothing(reading: _FieldReading, _text: str) -> JSON:
    raise reading.expects("nothing")


_Reader: TypeAlias = Callable[[_FieldReading, str], JSON]


def _literal(what: str, read: Callable[[str], str | int | float | None]) -> _Reader:
    """Make a reader for a type whose values look the same on every Jira."""

    def reader(reading: _FieldReading, text: str) -> JSON:
        found = read(text)
        if found is None:
            raise reading.expects(what)
        return found

    return reader


_epic = _literal("issue", literals.read_issue_key)

_READERS: Mapping[str, _Reader] = {
    "number": _literal("number", literals.read_number),
    "date": _literal("date", literals.read_date),
    "datetime": _literal("datetime", literals.read_moment),
    "user": _user,
    "group": _by_name,
    "issuelink": _parent,
    "timetracking": _estimates,
    "option": _by_value,
    "option-with-child": _cascading,
    "component": _by_name,
    "version": _by_name,
    "project": _by_id_or_key,
    **dict.fromkeys(("priority", "resolution", "securitylevel", "issuetype"), _by_id_or_name),
    **dict.fromkeys(("attachment", "issuelinks", "worklog", "comment", "comments-page"), _nothing),
    **dict.fromkeys(("progress", "status", "votes", "watches"), _nothing),
}
# These fields contradict their schemas: a sprint is a number, not an array (getsentry/sentry).
_BY_CUSTOM_TYPE: Mapping[str, _Reader] = {
    "gh-sprint": _literal("sprint", literals.read_integer),
    "gh-epic-link": _epic,
    "cascadingselect": _cascading,
}
