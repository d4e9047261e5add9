"""Put an error event together of Backtrace's own aggregates, as its webhook would send it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.tables import group_in, histogram, query_of_group
from backtrace_jira.json_types import JSON, Histogram

MOST_VALUES = 50
"""Values of an attribute, those with the most errors first."""
LONGEST_TEXT = 2_000
"""Characters of a value, a frame or a classifier."""
MOST_FRAMES = 200
LARGEST_BODY = 180_000
"""Bytes. SQS takes 256 KB with everything that is written beside it; a dead letter has its reasons there."""
_NO_ATTRIBUTES = frozenset({"timestamp", "fingerprint", "callstack", "classifiers", "_tx"})
"""Names in a project's description that are no attributes."""


def error_event(client: BacktraceClient, project: str, fingerprint: str, *, since: float, page: str) -> str:
    """Return an event's body for the group's errors since `since` (unix seconds): two requests.

    Three, if there is no error since then: Backtrace's clock may differ from Jira's. The whole group is told then.
    """
    names = sorted(_foldable(client, project) - _NO_ATTRIBUTES)
    row = _aggregate(client, project, query_of_group(fingerprint, since, _fold(names), {}), names)
    if not row.get("count"):
        row = _aggregate(client, project, query_of_group(fingerprint, 0, _fold(names), {}), names)
    histograms = {name: histogram(row.get(f"histogram({name})")) for name in names}
    applications = sorted(histograms.get("application", ()), key=lambda pair: -pair[1])
    moments = row.get("range(timestamp)")
    body: dict[str, Any] = {
        "universe": client.universe,
        "project": project,
        "fingerprint": fingerprint,
        "group_url": page if len(page) <= LONGEST_TEXT else "",
        "application": _cut(applications[0][0]) if applications else "",
        "callstack": [_cut(frame) for frame in _frames(row.get("head(callstack)"))[:MOST_FRAMES]],
        "classifiers": [_cut(name) for name, _ in histogram(row.get("histogram(classifiers)"))[:MOST_VALUES]],
        "occurrences": int(row.get("count", 0)),
        "attributes": _bounded(histograms),
        **({"timestamp": moments} if isinstance(moments, list) and len(moments) == 2 else {}),
    }
    return _json_that_fits({name: value for name, value in body.items() if value != ""})


def _foldable(client: BacktraceClient, project: str) -> set[str]:
    """Return the attributes that Backtrace can aggregate to a histogram."""
    return {
        str(each["name"])
        for each in client.describe(project)
        if "histogram" in (each.get("aggregate") or ("histogram",))
    }


def _fold(names: list[str]) -> dict[str, JSON]:
    fold: dict[str, JSON] = {name: [["histogram"]] for name in names}
    return fold | {"timestamp": [["range"]], "callstack": [["head"]], "classifiers": [["histogram"]]}


def _aggregate(client: BacktraceClient, project: str, query: JSON, names: list[str]) -> dict[str, Any]:
    columns = [f"histogram({name})" for name in names]
    columns += ["range(timestamp)", "head(callstack)", "histogram(classifiers)"]
    return group_in(client.query(project, query), columns)


def _frames(value: object) -> list[str]:
    """Read a call stack: `["{\\"frame\\": [...]}"]`."""
    try:
        found = json.loads(value[0]) if isinstance(value, list) and value else {}
    except (TypeError, ValueError):
        found = {}
    frames = found.get("frame") if isinstance(found, dict) else None
    return [str(frame) for frame in frames] if isinstance(frames, list) else []


# What a queue takes


def _bounded(histograms: Mapping[str, Histogram]) -> dict[str, JSON]:
    """Return the values with the most errors of each attribute. Nothing reads a text as long as what is cut."""
    return {
        name: [
            [_cut(value), count] for value, count in sorted(pairs, key=lambda pair: -pair[1])[:MOST_VALUES]
        ]
        for name, pairs in histograms.items()
        if pairs
    }


def _json_that_fits(body: dict[str, Any]) -> str:
    """Leave out the largest attributes until a queue takes the rest, then the frames: no size swallows a ticket."""
    attributes = body["attributes"]
    size = len(json.dumps(body))
    for name in sorted(attributes, key=lambda each: -len(json.dumps(attributes[each]))):
        if size <= LARGEST_BODY:
            break
        size -= len(json.dumps({name: attributes.pop(name)}))
    while size > LARGEST_BODY and body["callstack"]:
        size -= len(json.dumps(body["callstack"].pop()))
    return json.dumps(body)


def _cut(text: str) -> str:
    return text[:LONGEST_TEXT]
