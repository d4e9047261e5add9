"""Which of the issues that a look-up found is the row's ticket."""

from __future__ import annotations

import pytest

from backtrace_jira.errors import Ambiguous
from backtrace_jira.jira.issue import Find, Issue
from backtrace_jira.links.link import LinkKey
from backtrace_jira.tickets.finds import choose_ours

KEY = LinkKey("u/p/n", "8910551e27a339e5")
MARKER, OTHER = "bt-mine", "bt-other"


def find(number: int, marker: str | None) -> Find:
    return Find(
        Issue(str(10_000 + number), f"BUG-{number}", f"https://jira.example/browse/BUG-{number}"), marker
    )


@pytest.mark.parametrize(
    ("found", "made", "ours"),
    [
        ([], [], None),
        ([find(1, MARKER)], [], 1),
        ([find(1, None)], [], None),
        ([find(1, OTHER)], [], None),
        ([find(2, None), find(1, MARKER)], [], 1),
        ([find(2, OTHER), find(1, MARKER), find(3, "")], [], 1),
        # Before a second create: what our account made then.
        ([], [find(1, MARKER), find(2, OTHER)], 1),
        ([], [find(1, None), find(2, OTHER)], None),
        ([find(1, None)], [find(1, None), find(2, None)], 1),
        ([find(1, None)], [find(2, None)], None),
        ([find(1, None)], [find(1, None), find(2, MARKER)], 2),
        ([find(1, MARKER)], [find(1, MARKER)], 1),
        ([find(1, OTHER)], [find(1, OTHER)], None),
    ],
)
def test_the_property_decides(found: list[Find], made: list[Find], ours: int | None) -> None:
    chosen = choose_ours(KEY, MARKER, found, made)
    assert (chosen.key if chosen else None) == (f"BUG-{ours}" if ours else None)


@pytest.mark.parametrize(
    ("found", "made"),
    [
        ([find(2, MARKER), find(1, MARKER)], []),
        ([find(1, MARKER)], [find(2, MARKER)]),
        ([], [find(2, MARKER), find(1, MARKER)]),
        ([find(2, None), find(1, None)], [find(2, None), find(1, None)]),
    ],
)
def test_two_are_told_with_what_to_do(found: list[Find], made: list[Find]) -> None:
    with pytest.raises(Ambiguous) as caught:
        choose_ours(KEY, MARKER, found, made)
    assert "BUG-1 and BUG-2" in str(caught.value)
    assert "backtrace-jira links add BUG-1 8910551e27a339e5 --integration u/p/n" in str(caught.value)
