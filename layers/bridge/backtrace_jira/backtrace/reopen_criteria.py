"""A group's reopen criteria, a list of JSON objects. People and several links may each have some in it.

Backtrace's API calls one of them an invariant (schema: saucelabs/sauce-docs, advanced/invariants.md). It may give one
back in other words than it was told: keys in another order, or more of them. So ours are found by what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backtrace_jira.json_types import JSON

_MEANING = {
    "version_gt": ("field", "version"),
    "version_ge": ("field", "version"),
    "timestamp_gt": ("timestamp",),
    "regular_expression": ("field", "pattern"),
}
"""The keys that say what a criterion asks for, by its type. Whatever else it has is Backtrace's own."""


def text_of(criterion: Mapping[str, Any]) -> str:
    """Return a criterion as JSON text, in one order of keys."""
    return json.dumps(criterion, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def meaning_of(criterion: Mapping[str, Any]) -> str:
    """Return what a criterion asks for, as text. Two that mean the same have the same, however they are written."""
    return text_of(_essence(criterion))


def holds_all(column: Iterable[Mapping[str, Any]], wanted: Iterable[str]) -> bool:
    """Return whether a column has each of these criteria (JSON texts), as often as they are there."""
    found = [meaning_of(criterion) for criterion in column]
    return all(_take(found, meaning) for meaning in map(_meaning_of_text, wanted))


def replace_ours(
    column: Sequence[Mapping[str, Any]], ours: Iterable[str], wanted: Iterable[str]
) -> list[JSON]:
    """Return the column with a link's own criteria replaced by the wanted ones; all others stay as they are.

    Each link has its own copy. If two tickets set the same criterion, removing one leaves the other's copy.
    """
    missing = {_meaning_of_text(text): text for text in wanted}
    left = [_meaning_of_text(text) for text in ours]
    after: list[JSON] = []
    for criterion in column:
        meaning = meaning_of(criterion)
        # One of ours that is still wanted stays as Backtrace words it: else the column would be written for ever.
        if not _take(left, meaning) or missing.pop(meaning, ""):
            after.append(dict(criterion))
    return [*after, *(json.loads(text) for text in missing.values())]


def plan_column(
    column: Sequence[Mapping[str, Any]] | None, ours: Iterable[str], wanted: Iterable[str]
) -> list[JSON] | None:
    """Return the column to write; None if it would not change, or if it could not be read."""
    if column is None:
        return None
    after = replace_ours(column, ours, wanted)
    return None if after == list(column) else after


def _essence(criterion: Mapping[str, Any]) -> dict[str, Any]:
    kind = criterion.get("type")
    if kind == "and":
        parts = criterion.get("children")
        children = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        return {"type": kind, "children": sorted(map(meaning_of, children))}
    if not isinstance(kind, str) or kind not in _MEANING:
        return dict(criterion)
    return {"type": kind, **{name: _plain(criterion.get(name)) for name in _MEANING[kind]}}


def _plain(value: object) -> object:
    """Return a value so that 1704067200 and 1704067200.0 are the same."""
    return float(value) if isinstance(value, int) else value


def _meaning_of_text(text: str) -> str:
    return meaning_of(json.loads(text))


def _take(meanings: list[str], meaning: str) -> bool:
    """Take one of these out, if it is there."""
    if meaning not in meanings:
        return False
    meanings.remove(meaning)
    return True
