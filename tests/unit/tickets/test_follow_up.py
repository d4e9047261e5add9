"""Which events make the ticket that follows another after a regression."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.backtrace.error_group import ErrorGroup, read_error_group
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import FollowUp, Link, LinkKey, LinkState
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.tickets.follow_up import is_asked_for, ticket_to_follow
from tests.builders import sample_body

INTEGRATION = "my_universe/my_project/jira-bugs"
OLD = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
KNOWN = Link(LinkKey(INTEGRATION, "f"), LinkState.COMPLETE, issue=OLD, record=Record(1.0, Decision.CREATED))
WANTED = replace(KNOWN, follow_up=FollowUp(2.0, 1.0), record=Record(2.0, Decision.REGRESSED))
REFUSED = replace(WANTED, record=Record(3.0, Decision.REFUSED))
MAKING = replace(WANTED, state=LinkState.CREATING)
RELEASED = replace(KNOWN, state=LinkState.RELEASED, issue=None, generation=2)
FOLLOWED = replace(KNOWN, issue=Issue("10002", "BUG-2", "x"), generation=2)
MARK = {"integration": INTEGRATION, "issue_id": OLD.id, "generation": 2}


def event(mark: Any = None) -> ErrorGroup:
    return read_error_group(json.dumps(sample_body() | ({"follow_up": mark} if mark is not None else {})))


@pytest.mark.parametrize(
    ("row", "any_event", "marked"),
    [
        (None, "", ""),
        (KNOWN, "", ""),
        (WANTED, OLD.id, OLD.id),
        (REFUSED, "", OLD.id),
        (MAKING, "", ""),
        (RELEASED, "", ""),
        (FOLLOWED, "", ""),
    ],
)
def test_the_row_decides_whether_a_ticket_is_to_be_followed(
    row: Link | None, any_event: str, marked: str
) -> None:
    assert ticket_to_follow(event(), row) == any_event
    assert ticket_to_follow(event(MARK), row) == marked


@pytest.mark.parametrize(
    ("row", "change", "asked_for"),
    [
        (WANTED, {}, True),
        (REFUSED, {}, True),
        (MAKING, {}, True),
        (FOLLOWED, {}, True),  # it is made, and perhaps not linked yet
        (None, {}, False),
        (RELEASED, {}, False),
        (WANTED, {"generation": 3}, False),
        (WANTED, {"issue_id": "10009"}, False),
        (FOLLOWED, {"generation": 3}, False),
    ],
)
def test_a_mark_counts_where_the_row_says_the_same(
    row: Link | None, change: dict[str, Any], asked_for: bool
) -> None:
    assert is_asked_for(event(MARK | change), row) is asked_for
    assert not is_asked_for(event(), row)


def test_an_event_with_a_mark_is_for_one_integration() -> None:
    assert event(MARK).is_for(INTEGRATION)
    assert not event(MARK).is_for("my_universe/my_project/other")
    assert event().is_for("my_universe/my_project/other")


@pytest.mark.parametrize("mark", [0, "x", [], {}, {"integration": "a"}, {**MARK, "generation": "many"}])
def test_what_is_no_mark_is_as_good_as_none(mark: Any) -> None:
    assert event(mark).follow_up is None


def test_the_name_of_an_error_does_not_depend_on_a_mark() -> None:
    """Events that wait during a deployment keep the names under which they have their tickets."""
    body = {key: value for key, value in sample_body().items() if key != "object_id"}
    plain, marked = (read_error_group(json.dumps(body | more)) for more in ({}, {"follow_up": MARK}))
    assert plain.trace == marked.trace
    assert "follow_up" not in plain.model_dump_json()
