"""A group's reopen criteria, as a list of JSON objects: ours among those of people and of other integrations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backtrace_jira.json_types import JSON


def text_of(invariant: Mapping[str, Any]) -> str:
    """Return an invariant as JSON text that is the same for what means the same."""
    return json.dumps(invariant, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def replaced(column: Sequence[Mapping[str, Any]], ours: Iterable[str], wanted: Iterable[str]) -> list[JSON]:
    """Return the column with what is wanted in place of what is ours; people's own stay as they are.

    Each link has its own copy: what two tickets say alike, the one that takes it back leaves to the other.
    """
    left = list(ours)
    kept: list[JSON] = []
    for invariant in column:
        if (text := text_of(invariant)) in left:
            left.remove(text)
        else:
            kept.append(dict(invariant))
    return [*kept, *(json.loads(text) for text in wanted)]


def changed(
    column: Sequence[Mapping[str, Any]] | None, ours: Iterable[str], wanted: Iterable[str]
) -> list[JSON] | None:
    """Return what to write; None where nothing is to be, or where the column could not be read."""
    if column is None:
        return None
    after = replaced(column, ours, wanted)
    return None if after == list(column) else after
