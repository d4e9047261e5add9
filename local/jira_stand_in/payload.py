"""The body of a write: its fields, its update operations, its entity properties."""

from __future__ import annotations

import json
from typing import Any

from local.jira_stand_in.errors import FieldError, JiraError
from local.jira_stand_in.fields import Field
from local.jira_stand_in.values import Reader, utf16_length

OFF_SCREEN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


ADDED = ("comment", "worklog")
"""What an update adds to an issue beside its fields."""


def read_values(
    reader: Reader,
    screen: dict[str, Field],
    fields: dict[str, Any],
    update: dict[str, Any],
    present: dict[str, Any],
    errors: dict[str, str],
) -> dict[str, Any]:
    """Return the new values of `fields` and `update`; refusals go into `errors` under the field's id."""
    values: dict[str, Any] = {}
    for name in (*fields, *(name for name in update if name not in ADDED)):
        field = screen.get(name)
        if field is None or not field.on_screen:
            errors[name] = OFF_SCREEN.format(name)
            continue
        if name in fields and name in update:
            errors[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'"
            continue
        try:
            if name in fields:
                values[name] = reader.read(field, fields[name])
            else:
                values[name] = _operate(reader, field, update[name], present.get(name))
        except FieldError as error:
            errors[name] = str(error)
    return values


def _operate(reader: Reader, field: Field, operations: Any, current: Any) -> Any:
    """Apply the set, add and remove operations of `update` to the current value."""
    value = list(current or []) if field.type == "array" else current
    for operation in operations if isinstance(operations, list) else [operations]:
        verb, argument = next(iter(operation.items()))
        if verb not in field.operations:
            raise FieldError(f"Operation '{verb}' is not supported for field '{field.id}'")
        if verb == "set":
            value = reader.read(field, argument)
            continue
        (item,) = reader.read(field, [argument])
        value = [*value, item] if verb == "add" and item not in value else value
        value = [other for other in value if other != item] if verb == "remove" else value
    return value


def read_properties(properties: Any) -> dict[str, Any]:
    """Check entity properties: key up to 255, value up to 32768 characters of JSON (SPEC-C)."""
    if not isinstance(properties, list):
        raise JiraError(400, "Can not deserialize instance of java.util.ArrayList")
    found: dict[str, Any] = {}
    for item in properties:
        check_property(item.get("key"), item.get("value"))
        found[item["key"]] = item["value"]
    return found


def check_property(key: Any, value: Any) -> None:
    if not isinstance(key, str) or not key or len(key) > 255:
        raise JiraError(400, "The property key must be between 1 and 255 characters long.")
    if value is None or utf16_length(json.dumps(value)) > 32768:
        raise JiraError(400, "The property value must be valid JSON and must not exceed 32768 characters.")
