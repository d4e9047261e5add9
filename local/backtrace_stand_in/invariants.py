"""Reopen criteria: what is taken, how it is kept, and which new error meets one.

Source: saucelabs/sauce-docs, advanced/invariants.md. How coroner compares versions is not public, nor in which words it
gives a criterion back. So a test says which of several ways this Backtrace has; none is this project's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import packaging.version
import semver

from local.backtrace_stand_in.issues_table import Issue, QueryError

LEAVES = {
    "version_gt": {"field", "version"},
    "version_ge": {"field", "version"},
    "timestamp_gt": {"timestamp"},
    "regular_expression": {"field", "pattern"},
}
"""The keys of each kind of invariant, beside its type."""
ADDED = {"enabled": True, "comment": ""}
"""Keys that a Backtrace may add when it stores an invariant."""


class Order(StrEnum):
    """Ways to compare versions. What one cannot read meets no criterion."""

    PACKAGING = "packaging"
    """PyPA's, PEP 440."""
    SEMVER = "semver"
    """semver.org 2.0.0 to the letter: three numbers, no prefix."""
    TEXT = "text"
    """Text, but runs of digits by their value, as `sort -V` has it; it reads everything."""


def _natural(text: str) -> list[tuple[str, int]]:
    parts = re.findall(r"[0-9]+|[^0-9]", text)
    return [("0", int(part)) if part.isdecimal() else (part, 0) for part in parts]


_READERS: Mapping[Order, Callable[[str], Any]] = {
    Order.PACKAGING: packaging.version.Version,
    Order.SEMVER: semver.Version.parse,
    Order.TEXT: _natural,
}


def check_invariants(found: Sequence[Any]) -> None:
    """Refuse what is not of the documented schema; `and` has one level."""
    for each in found:
        parts = each.get("children") if isinstance(each, dict) and each.get("type") == "and" else [each]
        whole = isinstance(parts, list) and parts and all(map(_is_leaf, parts))
        if not whole or (each["type"] == "and" and each.keys() - ADDED.keys() != {"type", "children"}):
            raise QueryError("invalid parameter 'invariants.value'")


def _is_leaf(part: Any) -> bool:
    return (
        isinstance(part, dict)
        and part.get("type") in LEAVES
        and part.keys() - {"type"} - ADDED.keys() == LEAVES[part["type"]]
        and all(
            isinstance(part[name], (int, float) if name == "timestamp" else str)
            for name in LEAVES[part["type"]]
        )
    )


def reword(invariant: dict[str, Any]) -> dict[str, Any]:
    """Return an invariant that says the same: keys in another order, more of them, whole numbers with a point."""
    reworded = {
        name: [reword(child) for child in reversed(value)]
        if name == "children"
        else float(value)
        if name == "timestamp"
        else value
        for name, value in reversed(invariant.items())
    }
    return {**ADDED, **reworded}


def violated(
    row: Issue, timestamp: int, attributes: Mapping[str, Any], order: Order
) -> dict[str, Any] | None:
    """Return the first of a row's invariants that a new error meets."""
    return next((each for each in row.invariants if _is_met(each, timestamp, attributes, order)), None)


def _is_met(invariant: dict[str, Any], timestamp: int, attributes: Mapping[str, Any], order: Order) -> bool:
    kind = invariant["type"]
    if kind == "and":
        return all(_is_met(child, timestamp, attributes, order) for child in invariant["children"])
    if kind == "timestamp_gt":
        return bool(timestamp > invariant["timestamp"])
    value = attributes.get(invariant["field"])
    if value is None:
        return False
    if kind == "regular_expression":
        return re.search(invariant["pattern"], str(value)) is not None
    try:
        seen, bound = (_READERS[order](text) for text in (str(value), invariant["version"]))
    except ValueError:
        return False
    return bool(seen > bound or (kind == "version_ge" and seen == bound))
