"""Mistakes in a settings file: each with its place and what is expected there. The value is never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in the file: keys, and positions in lists."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NAME_PATTERN = re.compile(r"\^\[A-Za-z0-9_\.-\]\{1,(\d+)\}\$")
_LOOKS_SECRET = re.compile(r"token|passw|passphrase|secret|pwd|api_?key|private_?key", re.IGNORECASE)
_LONGEST_KEY = 60

SECRETS_STAY_OUT = (
    "looks like a secret, and secrets don't belong into the file: take it out, and make a new secret if anybody "
    "else has the file; `backtrace-jira configure` asks for secrets, or takes them from "
    "BACKTRACE_JIRA_TOKEN_<CONNECTION NAME> and BACKTRACE_TOKEN_<UNIVERSE>"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake, as a row for the operator. `line` counts from 1; 0: the mistake has no line."""

    where: str
    expected: str
    line: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the fault for machines."""
        return asdict(self) | {"line": self.line or None}


def where_of(path: Path) -> str:
    """Write a path as an operator would: connections[0].jira_api."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'["{_printable_key(part)}"]'
    return text or "the file"


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """Return the line of a path, or of the nearest thing around it that has one."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path, 0)


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """Return the model that describes what stands at a path."""
    found: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = found.model_fields.get(part) if found else None
        if field:
            found = next(models_in(field.annotation), None)
    return found


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Find the models in a type such as tuple[Rule, ...] | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return iter((annotation,))
    return (model for argument in get_args(annotation) for model in models_in(argument))


OF_PYDANTIC = ("[key]", "[text]", "[group]")
"""Parts of a path that are not in the file: a map's key, and the kinds of a custom field's text."""


def faults_from(error: ValidationError, model: type[BaseModel], lines: Mapping[Path, int]) -> list[Fault]:
    """Turn what pydantic found into rows."""
    rows = []
    for found in error.errors(include_url=False):
        path = tuple(part for part in found["loc"] if part not in OF_PYDANTIC)
        rows.append(Fault(where_of(path), _sentence(found, path, model), line_of(path, lines)))
    return rows


def _sentence(found: ErrorDetails, path: Path, model: type[BaseModel]) -> str:
    if found["type"] == "missing":
        return _missing(path, model)
    if found["type"] == "extra_forbidden":
        return _unknown_key(path, model)
    return _wrong_value(found)


def _missing(path: Path, model: type[BaseModel]) -> str:
    owner = model_at(model, path[:-1])
    field = owner.model_fields.get(str(path[-1])) if owner else None
    return f"is missing: {field.description}" if field and field.description else "is missing"


def _unknown_key(path: Path, model: type[BaseModel]) -> str:
    key = str(path[-1])
    if _LOOKS_SECRET.search(key):
        return SECRETS_STAY_OUT
    owner = model_at(model, path[:-1])
    known = list(owner.model_fields) if owner else []
    close = get_close_matches(key, known, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"is not a setting; {hint}Known here: {', '.join(known)}"


def _wrong_value(found: ErrorDetails) -> str:
    """Return our words for errors that are common in settings, and pydantic's for others; those hold no input."""
    context = found.get("ctx", {})
    if found["input"] is None:
        return "is empty; write a value, or leave the key out"
    match found["type"]:
        case "value_error":
            return str(context["error"])
        case "string_too_short":
            return "is empty; write a text"
        case "string_type":
            return (
                "has to be one text, not a list or a group; put it in quotes if it holds brackets or braces"
            )
        case "tuple_type" | "list_type":
            return "has to be a list: each item starts with a dash"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "has to be a group of lines of the form `key: value`"
        case "enum" | "literal_error":
            return f"has to be one of {context['expected']}"
        case "string_pattern_mismatch":
            return _pattern(str(context["pattern"]))
    return found["msg"]


def _pattern(pattern: str) -> str:
    name = _NAME_PATTERN.fullmatch(pattern)
    if name:
        return f"has to be 1 to {name[1]} characters: letters A to Z, digits, `_`, `.` and `-`"
    return f"has to match {pattern}"


def _printable_key(key: str) -> str:
    """Shorten a key, and replace characters that could steer a terminal: the file may hold anything."""
    short = key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}..."
    return "".join(char if char.isprintable() else "?" for char in short)
