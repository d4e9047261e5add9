"""A group's reopen criteria, a list of JSON objects. People and several links may each have some in it.

Backtrace's API calls one of them an invariant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backtrace_jira.json_types import JSON


def text_of(criterion: Mapping[str, Any]) -> str:
    """Return a criterion as JSON text. Two that mean the same have the same text."""
    return json.dumps(criterion, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def replace_ours(
    column: Sequence[Mapping[str, Any]], ours: Iterable[str], wanted: Iterable[str]
) -> list[JSON]:
    """Return the column with a link's own criteria replaced by the wanted ones; all others stay as they are.

    Each link has its own copy. If two tickets set the same criterion, removing one leaves the other's copy.
    """
    left = list(ours)
    others: list[JSON] = []
    for criterion in column:
        if (text := text_of(criterion)) in left:
            left.remove(text)
        else:
            others.append(dict(criterion))
    return [*others, *(json.loads(text) for text in wanted)]


def plan_column(
    column: Sequence[Mapping[str, Any]] | None, ours: Iterable[str], wanted: Iterable[str]
) -> list[JSON] | None:
    """Return the column to write; None if it would not change, or if it could not be read."""
    if column is None:
        return None
    after = replace_ours(column, ours, wanted)
    return None if after == list(column) else after
