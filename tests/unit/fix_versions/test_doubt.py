"""Versions that can be read, although nobody can tell on which side of their release they are."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from backtrace_jira.fix_versions import version as reading
from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.criterion import version_criteria_of
from backtrace_jira.fix_versions.version import LONGEST, Version, read_version
from tests.builders import integration
from tests.unit.synchronisation.pairs import DONE, ticket


def read(text: str) -> Version:
    found = read_version(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    "suffix",
    [
        "HF1", "SR1", "p1", "iOS", "LTS", "linux-x64", "security", "jre", "alpine", "1", "01", "20240102",
        "1.el8", "1ubuntu2", "1~deb11u1", "redhat-00001", "Final-redhat-00001", "3f2a9c1", "a1b2c34", "r0",
        "P20240304", "Final-10", "RELEASE-10", "eks-6", "gke.1640000", "jdk8",
    ],
)  # fmt: skip
def test_an_unknown_suffix_does_not_say_which_side_of_the_release_it_is(suffix: str) -> None:
    doubtful, release = read(f"2.4-{suffix}"), read("2.4")
    assert doubtful.is_doubtful
    assert not doubtful.is_surely_after(release)
    assert not release.is_surely_after(doubtful)
    for near in ("2.4-rc1", "2.4.post1", "2.4-hotfix.2", "2.4-14-g2414721", "2.4-SNAPSHOT", "2.4-XYZ"):
        assert not doubtful.is_surely_after(read(near)), near
        assert not read(near).is_surely_after(doubtful), near
    for before in ("2.3", "2.3.9", "2.3.9-HF1", "2.3.9.post1"):
        assert doubtful.is_surely_after(read(before)), before
    for after in ("2.4.0.1", "2.4.1", "2.5-rc1", "2.4.1-HF1", "3"):
        assert read(after).is_surely_after(doubtful), after


@pytest.mark.parametrize(
    "text",
    [
        "2.4", "v2.4", "2.4-rc1", "2.4-rc.1.2", "2.4-beta", "2.4-SNAPSHOT", "2.4-rc1-SNAPSHOT", "2.4.Final",
        "2.4-GA", "2.4-hotfix.1", "2.4.post1", "2.4-14-g2414721", "2.4+HF1", "2.4 (HF1)", "2024-09-30", "2.4-dev.12",
    ],
)  # fmt: skip
def test_what_is_known_leaves_no_doubt(text: str) -> None:
    assert not read(text).is_doubtful


@pytest.mark.parametrize(
    ("left", "right", "sure"),
    [
        ("2.4-10235", "2.4-10234", True),  # numbers alone: whatever they count, the higher is later
        ("2.4-10234", "2.4-10234", False),
        ("2.4-10234", "2.4-10235", False),
        ("2.4-10", "2.4-9", True),
        ("2.4-10235", "2.4", False),
        ("2.4-HF2", "2.4-HF1", False),  # else -x86 would be later than -x64
        ("2.4-rc2-linux", "2.4-rc1", True),  # the doubt is about what comes after rc2 only
        ("2.4-rc1-linux", "2.4-rc1", False),
        ("2.4-rc1", "2.4-rc1-linux", False),
        ("2.4-rc1-linux", "2.4-rc1-SNAPSHOT", False),
        ("2.4-rc1-linux", "2.4-rc1-iOS", False),
        ("2.4.1-7", "2.4-9", True),
        ("2.4-9", "2.4.1-7", False),
        ("2.4.RELEASE-10", "2.4.RELEASE-9", True),
        ("2.4-rc2", "2.4-rc1-linux", True),
        ("2.4", "2.4-rc1-linux", True),
        ("2.4-rc1-linux", "2.4", False),
        ("2.4-hotfix.2-linux", "2.4-hotfix.1", True),
        ("2.4-hotfix.1-linux", "2.4", True),
        ("2.4", "2.4.Final-redhat-1", False),
        ("2.4-linux-SNAPSHOT", "2.4", False),
        ("2.4", "2.4-linux-SNAPSHOT", False),
        ("2.5-linux-SNAPSHOT", "2.4", True),
    ],
)
def test_what_is_later_in_any_case(left: str, right: str, sure: bool) -> None:
    assert read(left).is_surely_after(read(right)) is sure


# As a boundary it is the highest that it can mean


@pytest.mark.parametrize(
    ("settings", "names", "told", "doubts"),
    [
        ({}, ("2.4-HF1",), ("version_gt", "2.4.0"), 1),
        ({"seen_in": "version_ge"}, ("2.4-HF1",), ("version_gt", "2.4.0"), 1),
        ({}, ("2.4-rc1-linux",), ("version_gt", "2.4.0-rc1"), 1),
        ({}, ("2.4.Final-redhat-1",), ("version_gt", "2.4.0"), 1),
        ({}, ("4.2.1-10234",), ("version_gt", "4.2.1-10234"), 1),
        ({"seen_in": "version_ge"}, ("4.2.1-10234",), ("version_ge", "4.2.1-10234"), 1),
        ({}, ("4.2.1-10234", "4.2.1-10300"), ("version_gt", "4.2.1-10300"), 2),
        ({}, ("2.4-rc1", "2.4-HF1"), ("version_gt", "2.4.0"), 1),
        ({"several": "lowest"}, ("2.4-HF1", "2.4-rc1"), ("version_gt", "2.4.0-rc1"), 1),
        ({}, ("2.4",), ("version_gt", "2.4.0"), 0),
    ],
)
def test_backtrace_is_told_what_leaves_no_doubt(
    settings: dict[str, Any], names: tuple[str, ...], told: tuple[str, str], doubts: int
) -> None:
    boundary = boundary_of(
        ticket(DONE, versions=names), integration(fix_versions={"enabled": True, **settings})
    )
    assert boundary.reopen_criteria is not None
    ((kind, version),) = [
        (criterion["type"], criterion["version"]) for criterion in map(json.loads, boundary.reopen_criteria)
    ]
    assert (kind, version) == told
    assert (len(boundary.doubtful), boundary.unread) == (doubts, ())
    assert boundary.remarks == boundary.doubtful


def test_the_sentence_names_the_version_and_the_release() -> None:
    boundary = boundary_of(
        ticket(DONE, versions=("Mobile 2.4-HF1",)), integration(fix_versions={"enabled": True})
    )
    assert boundary.doubtful == (
        "Mobile 2.4-HF1: it is not known whether it comes before or after 2.4, so it counts as the last of 2.4 "
        "(docs/versions.md)",
    )


@pytest.mark.parametrize(
    ("fix", "seen", "past"),
    [
        ("2.4-HF1", ["2.4", "2.4-HF1", "2.4-HF2", "2.4-rc1", "2.4.post1", "2.4-hotfix.1"], []),
        ("2.4-HF1", ["2.4.1", "2.5-iOS", "2.4"], ["2.5-iOS", "2.4.1"]),
        ("2.4", ["2.4-HF1", "2.4-iOS", "2.4-1~deb11u1", "2.4-7"], []),
        ("2.4", ["2.4-hotfix.1"], ["2.4-hotfix.1"]),
        ("2.4-rc1", ["2.4-rc1-linux", "2.4-linux", "2.4"], ["2.4"]),
        ("4.2.1-10234", ["4.2.1", "4.2.1-10234", "4.2.1-10235", "4.2.1-iOS"], ["4.2.1-10235"]),
    ],
)
def test_an_error_is_past_a_boundary_only_without_doubt(fix: str, seen: list[str], past: list[str]) -> None:
    boundary = boundary_of(ticket(DONE, versions=(fix,)), integration(fix_versions={"enabled": True}))
    (criterion,) = boundary.criteria
    assert criterion.past(tuple((value, 1) for value in seen)) == [(value, 1) for value in past]


@pytest.mark.parametrize("seen_in", ["version_gt", "version_ge"])
def test_the_same_version_is_no_regression_where_backtrace_cannot_tell_it_from_the_release(
    seen_in: str,
) -> None:
    """No hint would be sent for it, and so it would depend on chance whether the ticket is reopened."""
    settings = {"enabled": True, "seen_in": seen_in}
    boundary = boundary_of(ticket(DONE, versions=("2.4-HF1",)), integration(fix_versions=settings))
    (criterion,) = boundary.criteria
    assert criterion.past((("v2.4-hf.1", 1), ("2.4-HF1", 1), ("2.4", 1))) == []
    assert criterion.told.past((("v2.4-hf.1", 1), ("2.4-HF1", 1), ("2.4", 1))) == []


def test_a_stored_criterion_of_a_doubtful_version_is_read_as_the_highest() -> None:
    (criterion,) = version_criteria_of(['{"field":"version","type":"version_gt","version":"2.4-HF1"}'])
    assert criterion.past((("2.4", 1), ("2.4-HF2", 1), ("2.4.1", 1))) == [("2.4.1", 1)]


# Several versions in one name


@pytest.mark.parametrize(
    "name",
    [
        "Server 7.1 + Agent 3.2", "iOS 5.2 / Android 5.3", "API 2.4 for iOS 17.1", "Server 7.1, Agent 3.2",
        "Server 7.1 & Agent 3.2", "Server 7.1/Agent 3.2", "Server 7.1 (Agent 3.2)", "Server-7.1-Agent-3.2",
        "kafka_2.13-3.7.0", "iOS 5 / Android 5.3", "v5.2/v5.3", "iOS v5 / Android v5.3", "Agent 3.2 @ Server 7.1",
        "Server_7_1 Agent 3.2", "Windows 10 2.4.1", "app-2-1.2.3", "5.2/5.3", "2.4 [Agent 3.2]",
    ],
)  # fmt: skip
def test_a_name_that_holds_several_versions_is_not_read(name: str) -> None:
    assert read_version(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("win32-1.2.3", "1.2.3"), ("@scope/app2@1.2.3", "1.2.3"), ("log4j-1.2-api@2.17", "2.17.0"),
        ("struts2-core-2.5", "2.5.0"), ("2.4.1 (10234)", "2.4.1"), ("5.2 (5.2.0.17)", "5.2.0"),
        ("2.4.1 (build 10.2.3)", "2.4.1"),
        ("Mobile 2.4.1 (hotfix 3)", "2.4.1"), ("JBoss7 release 7.1", "7.1.0"),
    ],
)  # fmt: skip
def test_a_number_that_belongs_to_a_name_or_a_build_is_no_second_version(name: str, told: str) -> None:
    assert read(name).told == told


# The time for a text grows with its length


class Recorder:
    """A pattern that notes the length of each text that it is given."""

    def __init__(self, pattern: re.Pattern[str], lengths: list[int]) -> None:
        self.pattern, self.lengths = pattern, lengths

    def __getattr__(self, name: str) -> Any:
        def call(*texts: Any) -> Any:
            self.lengths += [len(text) for text in texts if isinstance(text, str)]
            return getattr(self.pattern, name)(*texts)

        return call


@pytest.mark.parametrize(
    "text",
    [" " * 16_384 + "(", "1.2.3 " + "(" * 16_384, "a-" * 8_192, "1." * 8_192, "@" * 16_384, "f" * 16_384],
)
def test_no_expression_is_given_a_long_text(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    lengths: list[int] = []
    patterns = {name: value for name, value in vars(reading).items() if isinstance(value, re.Pattern)}
    assert patterns
    for name, pattern in patterns.items():
        monkeypatch.setattr(reading, name, Recorder(pattern, lengths))
    assert read_version("app@1.2.3 (x)") is not None
    assert lengths, "the recorders are not in use"
    assert read_version(text) is None
    assert max(lengths) <= LONGEST


@pytest.mark.parametrize(
    ("fix", "seen", "in_doubt"),
    [
        ("2.4", ["2.4-HF1", "2.4-iOS", "2.4", "2.3-iOS", "2.4.1-iOS", "2.4-rc1", "2.5", "Next"], "2.4-HF1 2.4-iOS"),
        ("2.4-HF1", ["2.4", "2.4-rc1", "2.4-HF1", "2.4-HF2", "2.4.1", "2.3"], "2.4 2.4-rc1 2.4-HF2"),
        ("4.2.1-7", ["4.2.1", "4.2.1-6", "4.2.1-8", "4.2.1-iOS"], "4.2.1 4.2.1-iOS"),
    ],
)  # fmt: skip
def test_of_which_versions_nobody_knows_whether_they_are_past(
    fix: str, seen: list[str], in_doubt: str
) -> None:
    boundary = boundary_of(ticket(DONE, versions=(fix,)), integration(fix_versions={"enabled": True}))
    (criterion,) = boundary.criteria
    assert criterion.in_doubt(tuple((value, 1) for value in seen)) == in_doubt.split()


def test_doubt_on_another_line_is_none() -> None:
    boundary = boundary_of(
        ticket(DONE, versions=("1.5.2", "2.1.1")), integration(fix_versions={"enabled": True})
    )
    values = (("1.5.2-iOS", 1), ("2.1.1-iOS", 1), ("1.6.2-iOS", 1))
    assert [criterion.in_doubt(values) for criterion in boundary.criteria] == [["2.1.1-iOS"], ["1.5.2-iOS"]]
