"""The Backtrace stand-in's invariants: each order that it can have, and the words in which it gives them back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.backtrace.group import GroupWrite
from backtrace_jira.backtrace.reopen_criteria import holds_all, text_of
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.connection import BacktraceUniverse
from backtrace_jira.states import State
from local.backtrace_stand_in.stand_in import BacktraceStandIn, Order

PROJECT, ONE = "my_project", "a" * 64


@pytest.fixture
def backtrace() -> Iterator[BacktraceStandIn]:
    with BacktraceStandIn() as stand_in:
        yield stand_in


def is_reopened(backtrace: BacktraceStandIn, invariant: dict[str, Any], seen: str) -> bool:
    backtrace.seed(PROJECT, ONE, state="resolved", invariants=[invariant])
    backtrace.receive(PROJECT, ONE, version=seen)
    row = backtrace.issue(PROJECT, ONE)
    assert row is not None
    return row.state == "open"


@pytest.mark.parametrize(
    ("bound", "seen", "packaging", "semver", "text"),
    [
        ("2.4.0", "2.10.0", True, True, True),
        ("2.4.0", "2.4.0", False, False, False),
        ("2.4.0", "2.3.9", False, False, False),
        ("2.4.0", "2.4.0-rc1", False, False, True),
        ("2.4.0-rc.1", "2.4.0-rc.10", True, True, True),
        ("2.4.0-rc.1", "2.4.0", True, True, False),
        ("2.4.0-1", "2.4.0", False, True, False),
        ("2.4.0", "2.4.0-1", True, False, True),
        ("2.4.0", "v2.5.0", True, False, True),
        ("2.4.0", "2.5", True, False, True),
        ("2.4", "2.5.0", True, False, True),
        ("2.4.0", "nightly", False, False, True),
        ("2.4.0", "-", False, False, False),
        ("4.2.1.9", "4.2.1.10", True, False, True),
    ],
)
def test_each_order(
    backtrace: BacktraceStandIn, bound: str, seen: str, packaging: bool, semver: bool, text: bool
) -> None:
    invariant = {"type": "version_gt", "field": "version", "version": bound}
    found = {}
    for order in Order:
        backtrace.order = order
        found[order] = is_reopened(backtrace, invariant, seen)
    assert found == {Order.PACKAGING: packaging, Order.SEMVER: semver, Order.TEXT: text}


def test_our_client_finds_its_criterion_in_other_words(backtrace: BacktraceStandIn) -> None:
    universe = BacktraceUniverse(universe=backtrace.universe, address=backtrace.url)
    groups = RestBacktraceGroups(BacktraceClient(universe, SecretStr(backtrace.token)))
    later: dict[str, JSON] = {"type": "version_gt", "field": "version", "version": "2.4.0"}
    both: dict[str, JSON] = {
        "type": "and",
        "children": [{"type": "timestamp_gt", "timestamp": 1_700_000_000}, later],
    }
    texts = [text_of(later), text_of(both)]
    backtrace.rewords_invariants = True

    groups.write(groups.group(PROJECT, ONE), GroupWrite(State.RESOLVED, reopen_criteria=[later, both]))

    column = groups.group(PROJECT, ONE).reopen_criteria
    assert column is not None
    assert [text_of(each) for each in column] != texts
    assert holds_all(column, texts)
    groups.write(groups.group(PROJECT, ONE), GroupWrite(reopen_criteria=[dict(each) for each in column]))
    assert holds_all(groups.group(PROJECT, ONE).reopen_criteria or (), texts)


def test_what_is_reworded_is_met_by_the_same_errors(backtrace: BacktraceStandIn) -> None:
    universe = BacktraceUniverse(universe=backtrace.universe, address=backtrace.url)
    groups = RestBacktraceGroups(BacktraceClient(universe, SecretStr(backtrace.token)))
    kind: JSON = {"type": "regular_expression", "field": "application", "pattern": "^mobile"}
    later: dict[str, JSON] = {"type": "version_gt", "field": "version", "version": "2.4.0"}
    backtrace.rewords_invariants = True
    both: dict[str, JSON] = {"type": "and", "children": [kind, later]}
    groups.write(groups.group(PROJECT, ONE), GroupWrite(State.RESOLVED, reopen_criteria=[both]))

    for application, state in (("server", "resolved"), ("mobile", "open")):
        backtrace.receive(PROJECT, ONE, version="2.5.0", application=application)
        row = backtrace.issue(PROJECT, ONE)
        assert row is not None
        assert row.state == state
