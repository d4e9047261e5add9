"""Our order beside those of npm, Python's packaging and Maven, on pairs of a random draw of 20 000 for each.

`theirs` is what npm's semver 7, packaging and Maven's rules (PyPI's univers) said. Two of them can be asked again here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import packaging.version
import pytest
import semver

from backtrace_jira.fix_versions.version import read_version

ROWS = list(csv.DictReader(Path(__file__).with_name("orders.csv").read_text().splitlines()))
DOCUMENT = (Path(__file__).parents[3] / "docs" / "versions.md").read_text()
DIFFERENCES = {
    (judge, name)
    for name, judges in re.findall(
        r"^\| (\S[^|`]*?) \| ((?:npm|packaging|maven)(?:, \w+)*) \|", DOCUMENT, re.M
    )
    for judge in judges.split(", ")
}


def ask_npm(left: str, right: str) -> int:
    return semver.Version.parse(left).compare(right)


def ask_packaging(left: str, right: str) -> int:
    one, other = packaging.version.Version(left), packaging.version.Version(right)
    return (one > other) - (one < other)


def our_order(left: str, right: str) -> str:
    """Return <, =, >, ? for doubt, or n where one of them is not read."""
    one, other = read_version(left), read_version(right)
    if one is None or other is None:
        return "n"
    if one == other:
        return "="
    return ">" if one.is_surely_after(other) else "<" if other.is_surely_after(one) else "?"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['judge']} {row['left']} {row['right']}")
def test_our_order_is_theirs_or_the_document_says_why_not(row: dict[str, str]) -> None:
    assert our_order(row["left"], row["right"]) == row["ours"]
    assert (row["theirs"] == row["ours"]) is (row["reason"] == "")
    assert not row["reason"] or (row["judge"], row["reason"]) in DIFFERENCES


@pytest.mark.parametrize(("judge", "ask"), [("npm", ask_npm), ("packaging", ask_packaging)])
def test_the_judge_still_says_what_the_table_holds(judge: str, ask: Callable[[str, str], int]) -> None:
    rows = [row for row in ROWS if row["judge"] == judge]
    assert ["=><"[ask(row["left"], row["right"])] for row in rows] == [row["theirs"] for row in rows]
    assert len(rows) >= 100


def test_each_difference_of_the_document_is_in_the_table() -> None:
    assert {(row["judge"], row["reason"]) for row in ROWS if row["reason"]} == DIFFERENCES
