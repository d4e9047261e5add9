"""When two error events tell the same of the versions past a boundary."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.fix_versions.criterion import digest_sighting, version_criteria_of

LATER = '{"field":"version","type":"version_gt","version":"2.4"}'
SAME_OR_LATER = '{"field":"version","type":"version_ge","version":"2.4"}'
BRANCH = (
    '{"children":[{"field":"os","pattern":"^mobile","type":"regular_expression"},'
    '{"field":"version","type":"version_gt","version":"2.4"}],"type":"and"}'
)
DAY = 86_400
NOON = 20_000 * DAY + DAY / 2


def digest(*values: tuple[str, int], criterion: str = LATER, at: float = NOON, **more: Any) -> str:
    return digest_sighting(version_criteria_of([criterion]), {"version": values, **more}, at)


SEEN = digest(("2.3", 4), ("9.0", 1), ("2.5", 2))


@pytest.mark.parametrize(
    "same",
    [
        digest(("2.3", 5), ("9.0", 1), ("2.5", 2)),  # an error of a version that is not past
        digest(("9.0", 1), ("2.5", 2), ("1.0", 1), ("nightly", 7)),
        digest(("2.5", 2), ("2.3", 4), ("9.0", 1)),  # Backtrace keeps no order
        digest(("9.0", 1), ("2.5", 2), os=(("mobile", 1),)),
        digest(("9.0", 1), ("2.5", 2), at=NOON + DAY / 3),
    ],
)
def test_nothing_new_is_the_same_sighting(same: str) -> None:
    assert same == SEEN


@pytest.mark.parametrize(
    "other",
    [
        digest(("9.0", 2), ("2.5", 2)),  # one more of a version that was there
        digest(("9.0", 1), ("2.5", 3)),
        digest(("9.0", 1), ("2.5", 2), ("2.6", 1)),  # a new one
        digest(("9.0", 2), ("2.5", 1)),  # the same sum
        digest(("9.0", 1), ("v2.5", 2)),
        digest(
            ("9.0", 1), ("2.5", 1)
        ),  # Backtrace has deleted an old error: the next new one must not look old
        digest(("9.0", 1), ("2.5", 2), criterion=LATER.replace("2.4", "2.4.1")),
        digest(("9.0", 1), ("2.5", 2), criterion=SAME_OR_LATER),
        digest(("9.0", 1), ("2.5", 2), criterion=BRANCH),
        digest(("9.0", 1), ("2.5", 2), criterion=LATER.replace("version", "build", 1)),
        digest(("9.0", 1), ("2.5", 2), at=NOON + DAY),
        digest(("9.0", 1), ("2.5", 2), ("2.4-iOS", 1)),  # nobody knows whether it is later
    ],
)
def test_an_error_of_a_later_version_makes_another(other: str) -> None:
    assert other != SEEN


def test_two_versions_of_one_rank_are_told_apart_in_any_order() -> None:
    assert digest(("2.5", 1), ("v2.5", 2)) == digest(("v2.5", 2), ("2.5", 1))
    assert digest(("2.5", 1), ("v2.5", 2)) != digest(("2.5", 2), ("v2.5", 1))


@pytest.mark.parametrize(
    "values",
    [
        tuple((f"{number}{'.9' * 100}", 10**17) for number in range(3, 60)),
        (("2.5 (\ud83d)", 1), ("9.0 (\x00\n)", 1)),
    ],
)
@pytest.mark.parametrize("at", [NOON, 0.0, -1.0, 1e308, float("inf"), float("nan")])
def test_it_stays_short_whatever_the_versions_are(values: tuple[tuple[str, int], ...], at: float) -> None:
    assert len(digest(*values, at=at)) == 32
    assert digest(*values, at=at) != digest(*values[1:], at=at)


def test_the_count_of_versions_in_doubt_does_not_matter() -> None:
    assert digest(("2.5", 2), ("2.4-iOS", 1)) == digest(("2.5", 2), ("2.4-iOS", 9), ("2.3-iOS", 1))
