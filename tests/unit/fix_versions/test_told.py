"""What Backtrace is told of a Fix Version, and how orders other than ours read that."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import packaging.version
import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.fix_versions.boundary import boundary_of, describe_name
from backtrace_jira.fix_versions.criterion import VersionCriterion, version_criteria_of
from backtrace_jira.fix_versions.orders import describe_orders
from backtrace_jira.fix_versions.version import Version, read_version
from backtrace_jira.settings.fix_versions import FixVersions, SeenIn
from local.backtrace_stand_in.invariants import Order, violated
from local.backtrace_stand_in.issues_table import Issue
from tests.builders import integration
from tests.unit.fix_versions.test_version import SOME
from tests.unit.synchronisation.pairs import DONE, ticket

DOCUMENT = (Path(__file__).parents[3] / "docs" / "versions.md").read_text()
SECTION = DOCUMENT.partition("## What Backtrace is told")[2].partition("\n## ")[0]
TOLD = [
    (name, told)
    for names, them in re.findall(r"^\| (`.+?`) \| (`[>≥] .+?`) \|", SECTION, re.MULTILINE)
    for name, told in zip(
        re.findall("`(.+?)`", names),
        re.findall("`(.+?)`", them) * (len(re.findall("`(.+?)`", names)) if them.count("`") == 2 else 1),
        strict=True,
    )
]
REAL = [
    row
    for row in re.findall(
        r"^\| `(.+?)` \| (?:read|in doubt) \| `(.+?)` \| (.+?) \| \S.*? \|$", DOCUMENT, re.MULTILINE
    )
    if row
]


def read(text: str) -> Version:
    found = read_version(text)
    assert found is not None, text
    return found


def criterion(name: str, **settings: Any) -> VersionCriterion:
    its_integration = integration(fix_versions={"enabled": True, **settings})
    (found,) = boundary_of(ticket(DONE, versions=(name,)), its_integration).criteria
    return found


def is_past(order: Order, kind: str, told: str, seen: str) -> bool:
    row = Issue(1, "a" * 64, invariants=[{"type": kind, "field": "version", "version": told}])
    return violated(row, 0, {"version": seen}, order) is not None


@pytest.mark.parametrize(("name", "told"), TOLD)
def test_the_table_of_the_document_holds(name: str, told: str) -> None:
    found = criterion(name).to_json()
    sign = {"version_gt": ">", "version_ge": "≥"}[str(found["type"])]
    assert f"{sign} {found['version']}" == told


def test_the_tables_are_not_empty() -> None:
    assert len(TOLD) >= 15
    assert len(REAL) >= 80


@pytest.mark.parametrize(
    ("name", "seen_in", "kind", "told"),
    [
        ("2.4", "version_ge", "version_ge", "2.4.0"),
        ("2.4.post1", "version_ge", "version_gt", "2.4.0"),
        ("2.4-HF1", "version_ge", "version_gt", "2.4.0"),
        ("2.4-rc1-linux", "version_ge", "version_gt", "2.4.0-rc1"),
        ("2.4-SNAPSHOT", "version_ge", "version_ge", "2.4.0"),
        ("2.4-7", "version_ge", "version_ge", "2.4.0-7"),
        ("2.4-007", "version_gt", "version_gt", "2.4.0-7"),
        ("2.4-SNAPSHOT-linux", "version_gt", "version_gt", "2.4.0"),
        ("2.4-rc1-SNAPSHOT-linux", "version_gt", "version_gt", "2.4.0-rc1"),
        ("2.4-rc1snapshot", "version_gt", "version_ge", "2.4.0-rc1"),
        ("2.4-snapshot-SNAPSHOT", "version_gt", "version_ge", "2.4.0"),
        ("2.4-rc1-snapshot-snapshot", "version_gt", "version_ge", "2.4.0-rc1"),
        ("2.4-SNAPSHOT-final", "version_gt", "version_ge", "2.4.0"),
        ("v0", "version_gt", "version_gt", "0.0.0"),
        ("1.2.3.4.5.0", "version_gt", "version_gt", "1.2.3.4.5"),
        ("2.4-RC.01", "version_gt", "version_gt", "2.4.0-RC.1"),
        ("2.4.GA.hotfix1", "version_gt", "version_gt", "2.4.0"),
    ],
)
def test_what_cannot_be_told_is_told_as_what_is_next_to_it(
    name: str, seen_in: str, kind: str, told: str
) -> None:
    found = criterion(name, seen_in=seen_in).to_json()
    assert (found["type"], found["version"]) == (kind, told)


@given(SOME, SOME, st.sampled_from(SeenIn))
def test_whatever_is_past_the_boundary_is_past_what_backtrace_is_told(
    fix: str, seen: str, seen_in: SeenIn
) -> None:
    """Hints are sent by what the link remembers, which is what Backtrace is told."""
    exact = VersionCriterion("version", seen_in, read(fix), {})
    (told,) = version_criteria_of([json.dumps(exact.to_json())])
    assert not exact.past(((seen, 1),)) or told.past(((seen, 1),))
    if read(read(fix).told) == read(fix):
        assert exact.past(((seen, 1),)) == told.past(((seen, 1),))


@given(SOME)
def test_what_is_told_is_told_as_itself(name: str) -> None:
    told = read(name).told
    assert read(told).told == told
    assert re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2,}(-[0-9A-Za-z.]+)?", told)
    assert read(told).highest <= read(name).highest or not read(name).place[3]


@given(SOME)
def test_strict_semver_reads_it_unless_it_has_more_than_three_numbers(name: str) -> None:
    told = read(name).told
    reads = semver.Version.is_valid(told)
    assert reads is ("three numbers" not in describe_orders(told))
    if reads and "-" in told:
        assert semver.Version.parse(told) < semver.Version.parse(told.partition("-")[0])


@given(SOME)
def test_packaging_reads_it_unless_the_sentence_says_not(name: str) -> None:
    told = read(name).told
    try:
        packaging.version.Version(told)
        reads = True
    except packaging.version.InvalidVersion:
        reads = False
    assert reads is ("PEP 440" not in describe_orders(told))


NUMBERS = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))


@given(NUMBERS, NUMBERS, st.sampled_from(SeenIn))
def test_every_order_reads_plain_versions_alike(
    fix: tuple[int, int, int], seen: tuple[int, int, int], seen_in: SeenIn
) -> None:
    name, text = (".".join(map(str, numbers)) for numbers in (fix, seen))
    found = VersionCriterion("version", seen_in, read(name), {})
    told = found.to_json()
    orders = {is_past(order, str(told["type"]), str(told["version"]), text) for order in Order}
    assert orders == {bool(found.past(((text, 1),)))}
    assert describe_orders(str(told["version"])) == ""


def orders_alike(told: str) -> list[Order]:
    """Return the orders that put a version where we do, beside its release and the next."""
    release, _, qualifier = told.partition("-")
    *head, last = release.split(".")
    following = ".".join([*head, str(int(last) + 1)])
    expected = (bool(qualifier) and read(release).is_surely_after(read(told)), True)
    found = {
        order: tuple(is_past(order, "version_gt", told, seen) for seen in (release, following))
        for order in Order
    }
    # Of a build, nobody knows whether it is before its release: then no order is like ours.
    return [] if read(told).is_doubtful else [order for order in Order if found[order] == expected]


@pytest.mark.parametrize(("name", "told", "alike"), REAL)
def test_the_orders_that_read_a_real_name_alike(name: str, told: str, alike: str) -> None:
    orders = orders_alike(told)
    assert alike == ("all" if len(orders) == len(Order) else ", ".join(sorted(orders)) or "none")
    assert (alike == "all") is (describe_orders(told) == "")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("2.4", ""),
        ("v2.4 (10)", ""),
        ("2.4.1.7", "not every order of versions reads 2.4.1.7 alike: strict semver reads exactly three numbers"),
        ("2.4.RC1", "not every order of versions reads 2.4.0-RC1 alike: as plain text it is after 2.4.0"),
        (
            "2.4-m1",
            "not every order of versions reads 2.4.0-m1 alike: PEP 440 does not read it, and as plain text it is after "
            "2.4.0",
        ),
        ("2.4-hotfix.1", "semver has nothing after a release, so Backtrace is told 2.4.0 (docs/versions.md)"),
        ("Next", "cannot be read as a version (docs/versions.md), so it says nothing to Backtrace"),
    ],
)  # fmt: skip
def test_what_a_name_does_not_say_to_backtrace(name: str, sentence: str) -> None:
    assert describe_name(name, FixVersions()) == (f"{name}: {sentence}" if sentence else "")


def test_doubt_and_builds_are_said_too() -> None:
    assert "it is not known" in describe_name("2.4-HF1", FixVersions())
    assert "it is not known" in describe_name("2.4-10234", FixVersions())
    assert describe_orders("2.4.0-10234") == (
        "not every order of versions reads 2.4.0-10234 alike: it is before 2.4.0 for semver, and after it for others"
    )
    assert "regex finds nothing" in describe_name("2.4", FixVersions(regex="v([0-9.]+)"))
    assert describe_orders("5.0.0_RELEASE").endswith("strict semver does not read it")
