"""Backtrace's table `objects`: error reports, grouped and folded.

Shape of the grouped answer: backtrace-labs/backtrace-forensics (tests).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.backtrace_stand_in.issues_table import COMPARISONS, QueryError


@dataclass(frozen=True)
class Report:
    """One error as it was reported; `timestamp` is the error's own, in unix seconds."""

    fingerprint: str
    timestamp: int
    attributes: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> Any:
        own = {"fingerprint": self.fingerprint, "timestamp": self.timestamp}
        return own.get(name, self.attributes.get(name))


def grouped(reports: Iterable[Report], body: dict[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Answer `{"filter", "group", "fold"}`: one row for each value of the group's attribute."""
    columns = {"fingerprint", "timestamp", *known}
    filters = body.get("filter") or []
    folds = [(name, *step) for name, steps in (body.get("fold") or {}).items() for step in steps]
    by = (body.get("group") or ["fingerprint"])[0]
    if not {name for conditions in filters for name in conditions} <= columns:
        raise QueryError("Filter column not found")
    if not {name for name, *_ in folds} <= columns:
        raise QueryError("aggregation column not found")
    if not any("timestamp" in conditions for conditions in filters):
        raise QueryError("Query must contain at least one filter that rejects missing data")
    found = [report for report in reports if all(_passes(report, conditions) for conditions in filters)]
    keys = list(dict.fromkeys(str(report.column(by) or "*") for report in found))
    rows = []
    for key in keys:
        those = [report for report in found if str(report.column(by) or "*") == key]
        rows.append([key, [_fold(those, name, kind) for name, kind, *_ in folds], len(those)])
    return {
        "version": "1.2.0",
        "seq": 1,
        "encoding": "rle",
        "columns": [[f"{kind}({name})", "none"] for name, kind, *_ in folds],
        "columns_desc": [
            {"name": name, "format": "none", "type": "dictionary", "op": kind} for name, kind, *_ in folds
        ],
        "factors_desc": [{"name": by, "format": "sha256", "type": "dictionary"}],
        "pagination": {"limit": 20, "offset": 0},
        "values": rows,
        "cardinalities": {"initial": {"rows": len(found), "groups": len(keys)}},
    }


def _passes(report: Report, conditions: Mapping[str, Sequence[Sequence[Any]]]) -> bool:
    return all(
        _holds(report.column(name), kind, wanted)
        for name, wanteds in conditions.items()
        for kind, wanted, *_ in wanteds
    )


def _holds(value: Any, kind: str, wanted: Any) -> bool:
    if kind not in COMPARISONS:
        raise QueryError(f"invalid parameter '{kind}'")
    if value is None:
        return False
    return COMPARISONS[kind](value, float(wanted) if isinstance(value, int) else wanted)


def _fold(reports: Sequence[Report], name: str, kind: str) -> list[Any]:
    values = [value for report in reports if (value := report.column(name)) is not None]
    if kind == "histogram":
        parts = [each for value in values for each in (value if isinstance(value, list) else [value])]
        return [list(pair) for pair in Counter(map(str, parts)).items()]
    if kind == "range":
        return [min(values), max(values)] if values else []
    if kind == "head":
        first = values[0] if values else None
        return [json.dumps({"frame": first}) if name == "callstack" else first]
    raise QueryError(f"invalid parameter 'fold.{kind}'")
