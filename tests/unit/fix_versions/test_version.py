"""Order of versions: the table of docs/versions.md, and what holds for everything that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.fix_versions.version import Version, read_version

DOCUMENT = (Path(__file__).parents[3] / "docs" / "versions.md").read_text()
TABLE = re.findall(r"^\| `(.+?)` \| ([<=>?]) \| `(.+?)` \|", DOCUMENT, re.MULTILINE)


def read(text: str) -> Version:
    found = read_version(text)
    assert found is not None, text
    return found


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 60
    assert len(set(TABLE)) == len(TABLE)


@pytest.mark.parametrize(("left", "order", "right"), TABLE)
def test_the_table_of_the_document_holds(left: str, order: str, right: str) -> None:
    one, other = read(left), read(right)
    found = {"<": other.is_surely_after(one), "=": one == other, ">": one.is_surely_after(other)}
    assert "".join(name for name, holds in found.items() if holds) == order.replace("?", "")
    if order in "<=>":
        assert [one < other, one == other, one > other] == [order == "<", order == "=", order == ">"]
    assert (hash(one) == hash(other)) or order != "="


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "@", "Next", "Backlog", "2.x", "2.*", "1.0-x", "2.4+", "1.2.", "1..2", ".5", "1.2.3-", "1.2.3+",
        "3f2a9c1", "12b4567", "commit 3f2a9c1", "9fceb02d0ae598e95dc970b74767f19372d61af8", "Sprint 42", "2026-Q3",
        "1.1.1k", "1.1.1a", "2.4 Big Release", "2.4 and 2.5", "2.4, 2.5", "(1.2)", "٣.٤", "1٫2", "1.2" + "0" * 300,
        "null", "unknown", "-1.2-", "é1.2", "9.4.0.v20161208", "1.2.3\n4", "1.2.3-\u0661",
    ],
)  # fmt: skip
def test_what_names_no_version_is_not_read(text: str) -> None:
    assert read_version(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("app@1.2.3", "1.2.3"), ("v1.2", "1.2"), ("10.0.0+45", "10.0.0"), ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("Mobile 2.4.1 (hotfix)", "2.4.1"), ("2.4.1 RC 1", "2.4.1-RC-1"), ("2024-09-30", "2024-09-30"),
    ],
)  # fmt: skip
def test_backtrace_is_told_the_version_without_what_surrounds_it(text: str, told: str) -> None:
    assert read(text).text == told


WORDS = (
    "alpha",
    "beta",
    "rc",
    "snapshot",
    "final",
    "hotfix",
    "sp",
    "dev",
    "b",
    "nightly",
    "linux",
    "RC",
    "SNAPSHOT",
)
NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=5)
QUALIFIERS = st.lists(st.one_of(st.sampled_from(WORDS), st.integers(0, 20).map(str)), max_size=3)


@st.composite
def versions(draw: st.DrawFn) -> str:
    prefix = draw(st.sampled_from(("", "v", "app@", "my-app-", "release/", "Mobile ")))
    numbers = draw(NUMBERS)
    if len(numbers) == 1:
        numbers.append(0)
    qualifier = "".join(f"-{word}" for word in draw(QUALIFIERS))
    return prefix + ".".join(map(str, numbers)) + qualifier + draw(st.sampled_from(("", "+45", " (remark)")))


SOME = versions().filter(lambda text: read_version(text) is not None)


@given(SOME, SOME)
def test_order_is_total_and_antisymmetric(left: str, right: str) -> None:
    one, other = read(left), read(right)
    assert [one < other, one == other, one > other].count(True) == 1
    assert (one < other) is (other > one)
    assert (one == other) is (other == one)


@given(SOME, SOME, SOME)
def test_order_is_transitive(first: str, second: str, third: str) -> None:
    one, two, three = sorted((read(first), read(second), read(third)))
    assert one <= two <= three
    assert one <= three


@given(NUMBERS.filter(lambda numbers: len(numbers) > 1), st.integers(1, 3))
def test_zeros_at_the_end_change_nothing(numbers: list[int], zeros: int) -> None:
    text = ".".join(map(str, numbers))
    assert read(text) == read(text + ".0" * zeros)


@given(NUMBERS.filter(lambda numbers: len(numbers) > 1), NUMBERS.filter(lambda numbers: len(numbers) > 1))
def test_numbers_compare_one_by_one(left: list[int], right: list[int]) -> None:
    longest = max(len(left), len(right))
    one, other = (numbers + [0] * (longest - len(numbers)) for numbers in (left, right))
    assert (read(".".join(map(str, left))) < read(".".join(map(str, right)))) is (one < other)


@given(SOME)
def test_what_is_told_is_read_as_the_same_version(text: str) -> None:
    assert read(read(text).text) == read(text)
    assert read(read(text).told).is_doubtful is read(text).is_build


@pytest.mark.parametrize(
    "text", ["0.0-b-linux", "0.0-b-snapshot", "2.4-a-final", "1.1.1a-linux", "2.4-c_x64", "2.4-m-LTS"]
)
def test_a_letter_that_may_be_a_patch_or_a_pre_release_is_not_read_with_a_suffix_either(text: str) -> None:
    assert read_version(text) is None


@given(SOME, SOME)
def test_what_is_surely_later_is_later_in_the_order_of_its_text(left: str, right: str) -> None:
    one, other = read(left), read(right)
    assert not one.is_surely_after(other) or (one > other and not other.is_surely_after(one))
    assert one.is_doubtful or other.is_doubtful or one.is_surely_after(other) is (one > other)
    assert not one.is_doubtful or not read(one.release).is_surely_after(one) or read(one.release).is_doubtful


@given(st.text(max_size=300))
def test_any_text_is_read_or_not_and_nothing_breaks(text: str) -> None:
    found = read_version(text)
    assert found is None or read_version(found.text) == found


@pytest.mark.parametrize(
    "text", ["a-" * 120, "1.2.3-" + "a" * 240 + "!", "1rc" + "rc1" * 80 + "!", "v " * 127, "1-" * 127]
)
def test_a_hostile_text_is_refused_in_no_time(text: str) -> None:
    """It would not end within the life of this test if the expressions could match anything in two ways."""
    assert read_version(text) is None


REAL_NAMES = re.findall(
    r"^\| `(.+?)` \| (read|in doubt|not read) \| (?:`(.+?)`)? ?\| .*?\| (\S.*?) \|$", DOCUMENT, re.MULTILINE
)


def test_the_table_of_real_names_is_long_enough() -> None:
    assert len({name for name, *_ in REAL_NAMES}) == len(REAL_NAMES) >= 120


@pytest.mark.parametrize(("name", "answer", "told", "source"), REAL_NAMES)
def test_real_names_are_read_as_the_document_says(name: str, answer: str, told: str, source: str) -> None:
    found = read_version(name)
    assert source
    assert (found.told if found else "") == told
    assert answer == ("not read" if found is None else "in doubt" if found.is_doubtful else "read")
