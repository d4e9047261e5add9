"""A column of reopen criteria: ours are found however Backtrace words them, and others stay as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.backtrace.reopen_criteria import holds_all, meaning_of, plan_column, replace_ours, text_of

LATER = {"type": "version_gt", "field": "version", "version": "2.4.0"}
NEXT = {"type": "version_gt", "field": "version", "version": "2.6.0"}
KIND = {"type": "regular_expression", "field": "application", "pattern": "^mobile"}
BOTH = {"type": "and", "children": [KIND, LATER]}
OWN = {"type": "version_gt", "field": "build", "version": "1"}
REWORDED = {"version": "2.4.0", "enabled": True, "id": 7, "type": "version_gt", "field": "version"}
BOTH_REWORDED = {
    "children": [{"id": 2, **REWORDED}, {"pattern": "^mobile", "field": "application", "type": KIND["type"], "id": 1}],
    "type": "and",
    "comment": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (LATER, REWORDED, True),
        (BOTH, BOTH_REWORDED, True),
        ({"type": "timestamp_gt", "timestamp": 1}, {"timestamp": 1.0, "type": "timestamp_gt"}, True),
        (LATER, NEXT, False),
        (LATER, {**LATER, "type": "version_ge"}, False),
        (LATER, {**LATER, "field": "build"}, False),
        (LATER, BOTH, False),
        (BOTH, {"type": "and", "children": [KIND]}, False),
        (KIND, {**KIND, "pattern": "^server"}, False),
        ({"type": "timestamp_gt", "timestamp": 1}, {"type": "timestamp_gt", "timestamp": 2}, False),
        # of an unknown type, nobody knows what matters
        ({"type": "new", "a": 1}, {"type": "new", "a": 1, "b": 2}, False),
        ({"a": 1}, {"a": 1}, True),
        ({"type": ["and"]}, {"type": "and"}, False),
        ({"type": "and", "children": None}, {"type": "and", "children": [1]}, True),
    ],
)
def test_what_means_the_same(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (meaning_of(one) == meaning_of(other)) is same


@pytest.mark.parametrize(
    ("column", "ours", "wanted", "after"),
    [
        ([], [], [LATER], [LATER]),
        ([OWN, REWORDED], [LATER], [NEXT], [OWN, NEXT]),
        ([OWN, REWORDED], [LATER], [], [OWN]),
        ([BOTH_REWORDED, OWN], [BOTH], [], [OWN]),
        ([REWORDED, OWN], [LATER], [LATER], None),
        ([REWORDED, OWN], [LATER], [LATER, NEXT], [REWORDED, OWN, NEXT]),
        # each has a copy, and the looks do not tell whose it is
        ([REWORDED, LATER], [LATER], [], [LATER]),
        ([REWORDED], [LATER, LATER], [LATER], None),
        ([REWORDED, LATER], [LATER, LATER], [LATER], [REWORDED]),
        ([LATER], [], [LATER], [LATER, LATER]),
        ([OWN], [LATER], [LATER], [OWN, LATER]),
        (None, [LATER], [NEXT], None),
    ],
)
def test_ours_are_replaced_and_others_stay(
    column: list[dict[str, Any]] | None,
    ours: list[dict[str, Any]],
    wanted: list[dict[str, Any]],
    after: list[dict[str, Any]] | None,
) -> None:
    its_texts, wanted_texts = map(text_of, ours), map(text_of, wanted)
    assert plan_column(column, its_texts, wanted_texts) == after


def test_the_other_criteria_are_not_reworded() -> None:
    column = [{"type": "new", "b": 1, "a": None}, REWORDED]
    assert json.dumps(replace_ours(column, [], [])) == json.dumps(column)


@pytest.mark.parametrize(
    ("column", "wanted", "holds"),
    [
        ([], [], True),
        ([REWORDED, OWN], [LATER], True),
        ([OWN], [LATER], False),
        ([REWORDED], [LATER, LATER], False),
        ([REWORDED, BOTH_REWORDED], [BOTH, LATER], True),
    ],
)
def test_what_a_column_holds(column: list[dict[str, Any]], wanted: list[dict[str, Any]], holds: bool) -> None:
    assert holds_all(column, map(text_of, wanted)) is holds
