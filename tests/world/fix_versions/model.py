"""What the documents say about Fix Versions and regressions, written anew: nothing here calls the package.

Versions are a table by hand, not a parser. A name has the lowest and the highest place that it can mean: for plain
names both are the same. Backtrace compares what it is told by rules of its own (`packaging`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.version import InvalidVersion, Version

PLACES: dict[str, tuple[int, int, str, str] | None] = {
    "1.9": (10, 10, "1.9", "1.9"),
    "1.9.1": (11, 11, "1.9.1", "1.9"),
    "1.10": (20, 20, "1.10", "1.10"),
    "2.0-rc.1": (31, 31, "2.0rc1", "2.0"),
    "2.0": (35, 35, "2.0", "2.0"),
    "2.0-HF1": (30, 39, "2.0", "2.0"),
    "v2.0.1": (40, 40, "2.0.1", "2.0"),
    "2.1": (50, 50, "2.1", "2.1"),
    "Mobile 3.0": (60, 60, "3.0", "3.0"),
    "Next": None,
}
"""Names of Fix Versions: the lowest and the highest place, what Backtrace is told, the line; None says nothing."""
SEEN = ("1.9", "1.9.1", "1.10", "2.0-rc.1", "2.0", "2.0-HF1", "2.0.1", "2.1", "3.0", "Next")
"""Versions of errors. Each is also, with a word in front of it or not, a name of a Fix Version."""


def place(version: str) -> tuple[int, int, str, str] | None:
    """Return what a version means, of an error or of a Fix Version."""
    spelled = {"2.0.1": "v2.0.1", "3.0": "Mobile 3.0"}
    return PLACES[spelled.get(version, version)]


@dataclass(frozen=True)
class Fix:
    """A Fix Version as the ticket has it."""

    name: str
    released: bool


@dataclass(frozen=True)
class Rules:
    """The settings that matter here."""

    several: str = "lines"
    seen_in: str = "version_gt"
    when: str = "resolved"


@dataclass(frozen=True)
class Piece:
    """One reason to reopen: an error past `highest`, of a line or of any. Backtrace is told `kind` and `told`."""

    highest: int
    told: str
    kind: str
    line: str = ""

    def is_past(self, version: str) -> bool:
        """Return whether an error of a version is a regression. Doubt is none."""
        found = place(version)
        if found is None or self.line not in ("", found[3]):
            return False
        lowest, highest, _, _ = found
        return lowest > self.highest or (self.kind == "version_ge" and lowest == highest == self.highest)


@dataclass(frozen=True)
class Boundary:
    """From which versions on an error is a regression; without a piece, no error is."""

    pieces: tuple[Piece, ...] = ()

    def is_past(self, version: str) -> bool:
        return any(piece.is_past(version) for piece in self.pieces)

    def is_told_by(self, criteria: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether reopen criteria say this boundary, however they are worded: they reopen for the same."""
        told = [
            {"type": each.kind, "field": "version", "version": each.told}
            | ({"line": each.line} if each.line else {})
            for each in self.pieces
        ]
        return len(told) == len(criteria) and all(
            any(meets(each, version) for each in told) is any(meets(each, version) for each in criteria)
            for version in SEEN
        )


def meets(criterion: Mapping[str, Any], version: str) -> bool:
    """Return whether an error of a version meets a criterion, as Backtrace reads both."""
    if criterion["type"] == "and":
        return all(meets(child, version) for child in criterion["children"])
    if criterion["type"] == "regular_expression":
        return criterion["field"] == "version" and re.search(criterion["pattern"], version) is not None
    found = place(version)
    try:
        seen, told = Version(version), Version(criterion["version"])
    except InvalidVersion:
        return False
    is_past = seen > told or (seen == told and criterion["type"] == "version_ge")
    return is_past and found is not None and criterion.get("line", found[3]) == found[3]


def boundary_of(fixes: Iterable[Fix], rules: Rules) -> Boundary:
    """Return the boundary of a done ticket with these Fix Versions.

    `highest` and `lowest` choose one of all; `lines` chooses the highest of each line, and that of the highest line
    holds for all errors. What is chosen counts once it is released, where the settings say so.
    """
    read = sorted((found, fix.released) for fix in fixes if (found := PLACES[fix.name]))
    read.sort(key=lambda each: each[0][1], reverse=rules.several != "lowest")
    chosen: dict[str, tuple[tuple[int, int, str, str], bool]] = {}
    for each in read:
        chosen.setdefault(each[0][3] if rules.several == "lines" else "", each)
    return Boundary(
        tuple(
            # Backtrace could not tell a doubtful version from its release, and the release is no regression.
            Piece(highest, told, rules.seen_in if lowest == highest else "version_gt", line if at else "")
            for at, ((lowest, highest, told, line), released) in enumerate(chosen.values())
            if released or rules.when == "resolved"
        )
    )


@dataclass(frozen=True)
class Seen:
    """An error as it came in."""

    group: str
    version: str
    at: float
    before: Boundary
    """The boundary that the ticket had then."""


@dataclass
class Closing:
    """One time from a ticket's closing to its reopening: what was seen in it, and what may come of it."""

    at: float
    errors: list[Seen] = field(default_factory=list)
    reopened_by_people: set[str] = field(default_factory=set)
    """Groups that Backtrace has reopened by a criterion that a person set, and that cannot be taken for ours."""
    may_regress: set[str] = field(default_factory=set)
    """Groups for which a function may have seen a regression."""
    is_reopened: bool = False
    """True if the bridge has reopened the ticket."""

    def past(self, boundary: Boundary) -> list[Seen]:
        """Return the errors since the closing that are past a boundary."""
        return [error for error in self.errors if boundary.is_past(error.version)]


def plain(criterion: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reopen criterion without what Backtrace may add to it: keys, and points behind whole numbers."""
    kept = {name: value for name, value in criterion.items() if name not in ("enabled", "comment")}
    if "children" in kept:
        kept["children"] = sorted(map(plain, kept["children"]), key=str)
    return kept


def take(column: list[dict[str, Any]], criterion: Mapping[str, Any]) -> None:
    """Take one criterion of people's own out of a group's column; it must be there."""
    at = next((at for at, each in enumerate(column) if plain(each) == plain(criterion)), None)
    assert at is not None, f"a person's own criterion is lost: {criterion} of {column}"
    del column[at]
