"""Read Backtrace's answers: rows of a select, one group of an aggregation with its query, the column of tickets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backtrace_jira.backtrace.group import OWN_WATCHER
from backtrace_jira.errors import Refused
from backtrace_jira.json_types import JSON, Histogram


def first_row(response: dict[str, Any], columns: Sequence[str]) -> dict[str, str]:
    """Read the first row of a select; empty if there is none."""
    return next(iter(rows_in(response, columns)), {})


def rows_in(response: dict[str, Any], columns: Sequence[str]) -> list[dict[str, str]]:
    """Read the rows of a select: values are ["*", [value, run length], ...] for each column."""
    described = [desc.get("name") for desc in response.get("columns_desc") or [] if isinstance(desc, dict)]
    names = described if len(described) == len(columns) else list(columns)
    read = [_values(column) for column in response.get("values") or []]
    count = max(map(len, read), default=0)
    return [
        {str(name): column[row] for name, column in zip(names, read, strict=False) if row < len(column)}
        for row in range(count)
    ]


def _values(column: object) -> list[str]:
    runs = column[1:] if isinstance(column, list) else []
    return [
        "" if run[0] is None else str(run[0])
        for run in runs
        if isinstance(run, list) and run
        for _ in range(int(run[1]) if len(run) > 1 else 1)
    ]


def group_in(response: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """Read the one row of a grouped answer, `[key, [one list for each column...], count]`, by column and `count`."""
    rows = response.get("values")
    row = rows[0] if isinstance(rows, list) and rows else None
    if not isinstance(row, list) or len(row) < 2 or not isinstance(row[1], list):
        return {}
    described = [each[0] for each in response.get("columns") or () if isinstance(each, list) and each]
    names = described if len(described) == len(row[1]) else list(columns)
    return {**dict(zip(names, row[1], strict=False)), "count": row[2] if len(row) > 2 else 0}


def query_of_group(fingerprint: str, since: float, fold: dict[str, JSON], filters: dict[str, JSON]) -> JSON:
    """Return a query of one group's objects; Backtrace needs a filter that drops objects without a value."""
    return {
        "filter": [
            {
                "timestamp": [["at-least", f"{int(since)}."]],
                "fingerprint": [["equal", fingerprint]],
                **filters,
            }
        ],
        "group": ["fingerprint"],
        "fold": fold,
    }


def histogram(value: object) -> Histogram:
    """Read `[[value, count], ...]`; pairs without a value are left out."""
    found = (
        [pair for pair in value if isinstance(pair, list) and len(pair) == 2]
        if isinstance(value, list)
        else []
    )
    return tuple(
        (str(name), int(count)) for name, count in found if name is not None and str(name) not in ("", "*")
    )


def tickets_in(text: str) -> list[JSON]:
    """Read the ticket column: JSON in a text.

    Raises:
        Refused: it is no list. It may hold a link of somebody else, which a write would erase.
    """
    try:
        tickets = json.loads(text)
    except ValueError:
        tickets = None
    if not isinstance(tickets, list):
        raise Refused(
            "POST /api/query: the group's ticket column is not a list of tickets; it was not changed"
        )
    return tickets


def merge_ticket(tickets: Sequence[JSON], entry: dict[str, JSON]) -> list[JSON]:
    """Return the column with our entry, added if it is missing. Backtrace's own entry comes first; all others stay.

    A person may have linked another ticket under the same integration, so watcher and URL together identify one.
    """
    entries = [ticket for ticket in tickets if isinstance(ticket, dict)]
    own = [ticket for ticket in entries if ticket.get("watcher") == OWN_WATCHER][:1]
    others = [ticket for ticket in entries if ticket.get("watcher") != OWN_WATCHER]
    known = any(
        ticket.get("watcher") == entry["watcher"] and ticket.get("url") == entry["url"] for ticket in others
    )
    return [*(own or [{"watcher": OWN_WATCHER}]), *others, *([] if known else [entry])]
