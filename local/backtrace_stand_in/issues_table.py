"""Backtrace's `issues` table: rows, filters, order, and the run-length encoded answer of a select.

Source: backtrace-labs/backtrace-forensics (packages/forensics/src/coroner) and backtrace-labs/backtrace-morgue.
"""

from __future__ import annotations

import itertools
import json
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


class QueryError(Exception):
    """An error that coroner answers inside a 200."""


@dataclass
class Issue:
    """A row: one fingerprint's state. Times are unix seconds."""

    id: int
    fingerprint: str
    state: str = "open"
    tags: str = ""
    ticket: list[dict[str, Any]] = field(default_factory=list)
    invariants: list[dict[str, Any]] = field(default_factory=list)
    invariant_reopen_count: int = 0
    invariant_reopen_last_time: int = 0
    invariant_last_violated: str = ""
    blame: str = ""
    blame_last_modified: int = 0
    last_modified: int = 0

    def column(self, name: str) -> Any:
        """Return a column's value; lists are JSON text, and what is empty is unset."""
        value = getattr(self, name)
        if isinstance(value, list):
            return json.dumps(value, separators=(",", ":")) if value else None
        return None if value == "" else value

    def result(self) -> dict[str, Any]:
        """Return the row as `POST /api/issue` gives it."""
        return {
            "id": self.id,
            "fingerprint": self.fingerprint,
            "state": self.state,
            "invariants": json.dumps(self.invariants, separators=(",", ":")),
            "invariant_reopen_count": self.invariant_reopen_count,
            "invariant_reopen_last_time": self.invariant_reopen_last_time,
            "tags": self.tags,
            "ticket": json.dumps(self.ticket, separators=(",", ":")),
            "blame": self.blame,
            "blame_last_modified": self.blame_last_modified,
        }


FORMATS = {
    "id": "unsigned",
    "fingerprint": "sha256",
    "state": "none",
    "tags": "labels",
    "ticket": "none",
    "invariants": "none",
    "invariant_reopen_count": "unsigned",
    "invariant_reopen_last_time": "unix_timestamp",
    "invariant_last_violated": "none",
    "blame": "none",
    "blame_last_modified": "unix_timestamp",
    "last_modified": "unix_timestamp",
}
"""The columns, and how each is shown."""


def select(rows: Iterable[Issue], query: dict[str, Any]) -> dict[str, Any]:
    """Answer `{"filter", "select", "order", "limit", "offset"}` as coroner does: column by column."""
    names = query.get("select") or []
    _known(names, "Column")
    filters = query.get("filter") or []
    _known([name for conditions in filters for name in conditions], "Filter column")
    found = [row for row in rows if matches(row, filters)]
    total = len(found)
    for step in reversed(query.get("order") or []):
        _known([step.get("name")], "Order column")
        found.sort(
            key=lambda row: _sortable(row.column(step["name"])),
            reverse=step.get("ordering") == "descending",
        )
    limit, offset = _bound(query, "limit", 20, 1), _bound(query, "offset", 0, 0)
    page = found[offset : offset + limit]
    return {
        "version": "1.2.0",
        "seq": 1,
        "encoding": "rle",
        "columns": [[name, FORMATS[name]] for name in names],
        "columns_desc": [
            {
                "name": name,
                "format": FORMATS[name],
                "type": "dictionary" if FORMATS[name] in ("none", "labels", "sha256") else "uint64",
            }
            for name in names
        ],
        "pagination": {"limit": limit, "offset": offset},
        "values": [["*", *_runs([row.column(name) for row in page])] for name in names],
        "objects": [["*", _objects([row.id for row in page])]],
        "cardinalities": {
            "initial": {"rows": total, "groups": total},
            "having": {"rows": total, "groups": total},
            "pagination": {"rows": len(page), "groups": len(page)},
        },
    }


def _bound(query: dict[str, Any], name: str, default: int, least: int) -> int:
    value = query.get(name, default)
    if not isinstance(value, int) or value < least:
        raise QueryError(f"{name} must be positive")
    return value


def _known(names: Sequence[Any], what: str) -> None:
    if any(name not in FORMATS for name in names):
        raise QueryError(f"{what} not found")


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)


def _runs(values: Iterable[Any]) -> list[list[Any]]:
    return [[value, len(list(run))] for value, run in itertools.groupby(values)]


def _objects(ids: Iterable[int]) -> list[list[int]]:
    """Give `[base]`, or `[base, how many more follow it]`."""
    runs: list[list[int]] = []
    for number in ids:
        if runs and number == sum(runs[-1]) + 1:
            runs[-1] = [runs[-1][0], number - runs[-1][0]]
        else:
            runs.append([number])
    return runs


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "not-equal": operator.ne,
    "at-least": operator.ge,
    "at-most": operator.le,
    "greater-than": operator.gt,
    "less-than": operator.lt,
    "contains": lambda value, part: str(part) in str(value),
    "not-contains": lambda value, part: str(part) not in str(value),
    "regular-expression": lambda value, pattern: re.search(str(pattern), str(value)) is not None,
    "inverse-regular-expression": lambda value, pattern: re.search(str(pattern), str(value)) is None,
}


def matches(row: Issue, filters: Sequence[dict[str, Any]]) -> bool:
    """Return whether a row passes: the conditions within a filter hold together.

    The public clients send one filter; that several are alternatives is recorded nowhere.
    """
    results = []
    for conditions in filters:
        _known(list(conditions), "Filter column")
        results.append(
            all(
                _holds(row.column(name), condition)
                for name, wanted in conditions.items()
                for condition in wanted
            )
        )
    return any(results) if results else True


def _holds(value: Any, condition: Sequence[Any]) -> bool:
    kind = condition[0]
    if kind in ("is-set", "is-not-set"):
        return bool((value is not None) == (kind == "is-set"))
    if kind not in COMPARISONS:
        raise QueryError(f"invalid parameter '{kind}'")
    if value is None:
        return str(kind).startswith(("not-", "inverse-"))
    wanted = condition[1]
    if isinstance(value, int):
        try:
            wanted = float(wanted)  # numbers come as text, "1700000000." among them
        except (TypeError, ValueError):
            raise QueryError("invalid parameter 'filter'") from None
    return COMPARISONS[kind](value, wanted)
