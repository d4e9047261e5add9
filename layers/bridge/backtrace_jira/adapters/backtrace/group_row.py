"""A row of Backtrace's table `issues`, read into what the core works with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from backtrace_jira.adapters.backtrace.tables import tickets_in
from backtrace_jira.backtrace.group import Group
from backtrace_jira.errors import Refused
from backtrace_jira.states import State


def read_group(project: str, row: Mapping[str, str]) -> Group:
    """Read a row. Backtrace accepts any text as a state; one that is none of the four counts as open."""
    state = row.get("state") or "open"
    known = State(state) if state in list(State) else State.OPEN
    entries = [entry for entry in tickets_in(row.get("ticket") or "[]") if isinstance(entry, dict)]
    return Group(
        project,
        row["fingerprint"],
        known,
        entries,
        number(row.get("last_modified", "")),
        _invariants(row.get("invariants") or "[]"),
        int(number(row.get("invariant_reopen_count", ""))),
        _violated(row.get("invariant_last_violated", "")),
    )


def answered_group(group: Group, result: Mapping[str, Any]) -> Group | None:
    """Read the row in the answer to a write; None if the answer has no state, tickets or invariants, as texts."""
    row = {name: result.get(name) for name in ("state", "ticket", "invariants")}
    if not all(isinstance(value, str) for value in row.values()):
        return None
    with suppress(Refused):
        count = str(result.get("invariant_reopen_count", group.reopens))
        return read_group(
            group.project,
            {**row, "fingerprint": group.fingerprint, "invariant_reopen_count": count},  # type: ignore[dict-item]
        )
    return None


def _invariants(text: str) -> list[dict[str, Any]] | None:
    """Read the column, JSON with a list of objects. None for anything else, which must not be overwritten."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(found, list) and all(isinstance(each, dict) for each in found)
    return found if whole else None


def _violated(text: str) -> dict[str, Any] | None:
    """Read which criterion reopened the group; None where the text does not show it. No document shows its form."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    first = found[0] if isinstance(found, list) and len(found) == 1 else found
    return first if isinstance(first, dict) else None


def number(text: str) -> float:
    """Read a number; 0 where the text is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0
