"""`several: lines`: fixes that were carried back to lower lines of releases."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.criterion import VersionCriterion, version_criteria_of
from backtrace_jira.fix_versions.line import line_pattern
from backtrace_jira.fix_versions.version import read_version
from local.backtrace_stand_in.invariants import Order, violated
from local.backtrace_stand_in.issues_table import Issue
from tests.builders import integration
from tests.unit.synchronisation.pairs import DONE, ticket

BACKPORTS = ("1.5.2", "1.6.4", "2.1.1")


def criteria(names: Sequence[str], **settings: Any) -> tuple[VersionCriterion, ...]:
    its_integration = integration(fix_versions={"enabled": True, **settings})
    return boundary_of(ticket(DONE, versions=tuple(names)), its_integration).criteria


def is_past(criteria: Sequence[VersionCriterion], seen: str) -> bool:
    return any(criterion.past(((seen, 1),)) for criterion in criteria)


def is_past_for_backtrace(criteria: Sequence[VersionCriterion], seen: str, order: Order) -> bool:
    told: list[dict[str, Any]] = [json.loads(json.dumps(criterion.to_json())) for criterion in criteria]
    row = Issue(1, "a" * 64, invariants=told)
    return violated(row, 0, {"version": seen}, order) is not None


@pytest.mark.parametrize(
    ("fixes", "regressions", "others"),
    [
        (BACKPORTS, "1.5.3 1.6.5 2.1.2 2.2.0 3.0", "1.5.1 1.6.3 2.0.9 2.1.0"),
        (BACKPORTS, "1.5.10 2.1.10", "1.5.2 1.6.4 2.1.1 1.7.0 1.4.9 1.50.3"),
        (tuple(reversed(BACKPORTS)), "1.5.3 1.6.5 2.1.2", "1.5.1 2.0.9"),
        (BACKPORTS, "app@1.5.3 v1.5.3 v1.6.5 my-app-1.5.3 1.05.03 1_5_3 com.app.2.0@1.5.3", "app@1.5.1 win32-1.5.3"),
        (BACKPORTS, "1.5.3-rc1 1.5.3 (10) 1.5.3.7 1.5.2.1 1.5.2.post1", "1.5.2-rc1 1.5.2-HF1 1.5.2-7"),
        (BACKPORTS, "", "2.0.0-rc1.5 2.0.0-1.5.3"),
        (BACKPORTS, "1.5.3-HF1 2.1.2-iOS", "1.5-HF1 2.1.1-iOS Next 1.5.x"),
        (BACKPORTS, "", "11.5.3@1.4 1.4@1.5.1"),
        # of several versions of one line, the highest counts, as without lines
        (("1.5.2", "1.5.4", "2.1"), "1.5.5 2.1.1", "1.5.3"),
        (("2.1.1", "2.1.3"), "2.1.4", "2.1.2"),
        # one version, or versions of one line, are as the highest alone
        (("2.4",), "2.4.1 2.5 3", "2.4 2.3.9 1.9"),
        # one number
        (("1", "3"), "1.0.1 4 v1.0.1", "1 2 1-rc1 1.1 3 my-3d-view-2.0"),
        (("2.0.1", "3"), "2.0.2 4", "2 2.1 my-2d-view-2.1 2.00 2.01 0.2.0.2"),
        # days are no lines, months of releases are
        (("2026.11.20", "2026.12.05"), "2026.12.06", "2026.11.28"),
        (("2026-11-20", "2026-12-05"), "2026-12-06", "2026-11-28"),
        (("2026.4.1", "2026.7.0"), "2026.4.2 2026.7.1", "2026.5.1 2026-04-02"),
        (("2026", "2027"), "2026.0.1 2028", "2026-09-30 2026"),
        # doubt
        (("1.5.2-HF1", "2.1.1"), "1.5.3", "1.5.2 1.5.2-HF2 1.5.2-HF1"),
        (("1.5.2-10234", "2.1.1"), "1.5.3 1.5.2-10235", "1.5.2 1.5.2-10233"),
        (("1.5.2", "Next"), "1.5.3 1.6", "1.5.1"),
        (("1.5.2-SNAPSHOT", "2.1.1"), "1.5.2 1.5.3", "1.5.2-SNAPSHOT 1.5.2-rc1"),
    ],
)  # fmt: skip
def test_what_is_a_regression(fixes: Sequence[str], regressions: str, others: str) -> None:
    its_criteria = criteria(fixes)
    # A blank separates, unless a bracket follows.
    seen = {
        text: is_past(its_criteria, text) for text in re.split(r" (?!\()", f"{regressions} {others}".strip())
    }
    assert {text for text, past in seen.items() if past} == set(re.split(r" (?!\()", regressions)) - {""}
    assert is_past(version_criteria_of(told(fixes)), "1.5.3") == is_past(its_criteria, "1.5.3")


def told(names: Sequence[str]) -> tuple[str, ...]:
    boundary = boundary_of(ticket(DONE, versions=tuple(names)), integration(fix_versions={"enabled": True}))
    assert boundary.reopen_criteria is not None
    return boundary.reopen_criteria


def test_the_lines_are_told_with_an_expression_on_the_version() -> None:
    first, *others = map(json.loads, told(BACKPORTS))
    assert first == {"type": "version_gt", "field": "version", "version": "2.1.1"}
    assert others == [
        {
            "type": "and",
            "children": [
                {"type": "regular_expression", "field": "version", "pattern": line_pattern(line)},
                {"type": "version_gt", "field": "version", "version": version},
            ],
        }
        for line, version in (((1, 6), "1.6.4"), ((1, 5), "1.5.2"))
    ]


def test_the_order_in_jira_does_not_matter() -> None:
    assert told(BACKPORTS) == told(tuple(reversed(BACKPORTS))) == told(("1.6.4", "2.1.1", "1.5.2"))


def test_people_see_the_line_and_not_the_expression() -> None:
    shown = ["version > 2.1.1", "version > 1.6.4 in 1.6.x", "version > 1.5.2 in 1.5.x"]
    assert [str(criterion) for criterion in criteria(BACKPORTS)] == shown
    assert [str(criterion) for criterion in version_criteria_of(told(BACKPORTS))] == shown


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("1.5.2", "2.1.1"), ["version > 2.1.1", "version > 1.5.2 in 1.5.x"]),
        (("1.5.2", "2.1.1*"), ["version > 1.5.2 in 1.5.x"]),
        (("1.5.2*", "2.1.1"), ["version > 2.1.1"]),
        (("1.5.2", "1.5.4*", "2.1.1"), ["version > 2.1.1"]),  # the line's highest holds, once it is released
        (("1.5.2*",), []),
    ],
)
def test_each_line_waits_for_its_own_release(versions: tuple[str, ...], expected: list[str]) -> None:
    assert [str(criterion) for criterion in criteria(versions, when="released")] == expected


@pytest.mark.parametrize("several", ["highest", "lowest"])
def test_one_version_is_told_alike_whatever_the_choice(several: str) -> None:
    assert criteria(("2.4",), several=several) == criteria(("2.4",))


def test_with_the_same_version_too() -> None:
    its_criteria = criteria(BACKPORTS, seen_in="version_ge")
    assert [is_past(its_criteria, seen) for seen in (*BACKPORTS, "1.5.1", "1.7")] == [True] * 3 + [False] * 2


NUMBERS = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
NUMBERED = ("win32-", "my-3d-view-", "x86:")
"""Words before which no line is found."""
PREFIXES = st.sampled_from((*NUMBERED, "", "v", "app@", "my-app-", "release/", "Mobile ", "a.2.1@", "iOS_"))
SUFFIXES = st.sampled_from(("", "-rc1", "rc2", "+45", " (4)", ".7", "-HF1", "-linux-x64", ".post1"))


def is_past_by_definition(fixes: Sequence[tuple[int, ...]], seen: tuple[int, ...]) -> bool:
    """Return what the setting says, in numbers: past the highest, or past all fixes of its own line."""
    own = [fix for fix in fixes if fix[:2] == seen[:2]]
    return seen > max(fixes) or (bool(own) and seen > max(own))


def dotted(numbers: Sequence[int]) -> str:
    return ".".join(map(str, numbers))


@given(st.lists(NUMBERS, min_size=1, max_size=5), NUMBERS, st.permutations(range(5)))
def test_it_is_what_the_definition_says_for_us_and_for_backtrace(
    fixes: list[tuple[int, int, int]], seen: tuple[int, int, int], places: list[int]
) -> None:
    mixed = [fixes[place] for place in places if place < len(fixes)]
    its_criteria, text = criteria([dotted(fix) for fix in mixed]), dotted(seen)
    expected = is_past_by_definition(fixes, seen)
    assert is_past(its_criteria, text) is expected
    assert is_past(version_criteria_of(told([dotted(fix) for fix in mixed])), text) is expected
    assert {is_past_for_backtrace(its_criteria, text, order) for order in Order} == {expected}


@given(NUMBERS, st.integers(1, 3), PREFIXES, SUFFIXES)
def test_the_expression_finds_the_line_of_whatever_can_be_read(
    numbers: tuple[int, int, int], length: int, prefix: str, suffix: str
) -> None:
    text = prefix + dotted(numbers[:length]) + suffix
    version = read_version(text)
    if version is None:
        return
    line = (*version.place[0], 0, 0)[:2]
    found = [
        (major, minor)
        for major in range(13)
        for minor in range(13)
        if re.search(line_pattern((major, minor)), text)
    ]
    has_none = prefix in NUMBERED or (length == 1 and suffix == "rc2")
    assert found == ([] if has_none else [line])


def test_a_hostile_text_is_searched_in_no_time() -> None:
    """Python's expressions go back as PCRE's do; this would not end if there were two ways to match anything."""
    for text in ("a" * 5000, "1a" * 2500, "a1-" * 1600, "@" * 5000, "1." * 2500, "a1" * 2500):
        for line in ((1, 5), (1, 0)):
            re.search(line_pattern(line), text + "!")
