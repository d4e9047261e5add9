"""From which version on an error is a regression, and what that makes of a group."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.resolved_until import plan_resolved_until
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.states import State, Status
from tests.builders import integration
from tests.unit.synchronisation.pairs import DOING, DONE, TODO, agreed, group, pair, ticket

OPEN, PROGRESS, RESOLVED, MUTED = State.OPEN, State.IN_PROGRESS, State.RESOLVED, State.MUTED
OWN = {"type": "version_gt", "field": "build", "version": "1"}
"""A person's criterion."""
BRANCHES = [
    {"versions": "^Mobile ", "attribute": "application", "values": "^mobile"},
    {"versions": "^Server ", "attribute": "application", "values": "^server"},
]


def later(version: str, kind: str = "version_gt", attribute: str = "version") -> dict[str, Any]:
    return {"type": kind, "field": attribute, "version": f"{version}.0"}


def text(criterion: dict[str, Any]) -> str:
    return json.dumps(criterion, sort_keys=True, separators=(",", ":"))


def branch(values: str, version: str) -> dict[str, Any]:
    kind = {"type": "regular_expression", "field": "application", "pattern": values}
    return {"type": "and", "children": [kind, later(version)]}


# The boundary: a starred version is not released


@pytest.mark.parametrize(
    ("settings", "versions", "criteria", "unread"),
    [
        ({}, (), [], 0),
        ({}, ("2.4",), [later("2.4")], 0),
        ({"several": "highest"}, ("2.4", "2.10"), [later("2.10")], 0),
        ({"several": "highest"}, ("2.10", "2.9"), [later("2.10")], 0),
        ({"several": "lowest"}, ("2.4", "2.10"), [later("2.4")], 0),
        ({"seen_in": "version_ge"}, ("2.4",), [later("2.4", "version_ge")], 0),
        ({"attribute": "build"}, ("2.4",), [later("2.4", attribute="build")], 0),
        ({}, ("Next",), [], 1),
        ({}, ("Next", "2.4"), [later("2.4")], 1),
        ({}, ("2.4*",), [later("2.4")], 0),
        ({"when": "released"}, ("2.4*",), [], 0),
        ({"when": "released"}, ("2.4",), [later("2.4")], 0),
        (
            {"several": "highest", "when": "released"},
            ("2.4", "2.6*"),
            [],
            0,
        ),  # the highest holds, once it is released
        ({"regex": r"v(\d+\.\d+)"}, ("app v2.4 beta",), [later("2.4")], 0),
        ({"regex": r"\d+\.\d+"}, ("app v2.4 beta",), [later("2.4")], 0),
        ({"regex": r"v(\d+\.\d+)"}, ("2.4",), [], 1),
        ({"several": "branches", "branches": BRANCHES}, ("Mobile 2.4",), [branch("^mobile", "2.4")], 0),
        (
            {"several": "branches", "branches": BRANCHES},
            ("Mobile 2.4", "Server 7.0", "Mobile 2.6"),
            [branch("^mobile", "2.6"), branch("^server", "7.0")],
            0,
        ),
        ({"several": "branches", "branches": BRANCHES}, ("Desktop 2.4",), [], 1),
    ],
)
def test_the_boundary_of_a_ticket_that_is_done(
    settings: dict[str, Any], versions: tuple[str, ...], criteria: list[dict[str, Any]], unread: int
) -> None:
    its_integration = integration(fix_versions={"enabled": True, **settings})
    boundary = boundary_of(ticket(DONE, versions=versions), its_integration)
    assert boundary.reopen_criteria is not None
    assert [json.loads(each) for each in boundary.reopen_criteria] == criteria
    assert len(boundary.unread) == unread
    assert set(boundary.fix_versions) == {str(number) for number in range(len(versions))}


@pytest.mark.parametrize(
    ("enabled", "status", "resolution", "has_boundary"),
    [
        (True, DONE, "Fixed", True),
        (False, DONE, "Fixed", False),
        (True, DOING, "Fixed", False),
        (True, TODO, "", False),
        (True, DONE, "Won't Fix", False),
        (True, DONE, "DUPLICATE", False),
    ],
)
def test_who_has_a_boundary(enabled: bool, status: Status, resolution: str, has_boundary: bool) -> None:
    its_integration = integration(fix_versions={"enabled": enabled})
    its_ticket = ticket(status, versions=("2.4",), resolution=("1", resolution))
    assert bool(boundary_of(its_ticket, its_integration).reopen_criteria) is has_boundary


def test_a_field_that_jira_does_not_have_leaves_the_boundary_unknown() -> None:
    boundary = boundary_of(ticket(DONE, versions=None), integration(fix_versions={"enabled": True}))
    assert boundary.reopen_criteria is None
    (said,) = boundary.unread
    assert said.startswith("Jira shows no field fixVersions in this ticket")


# What it makes of a group


def known(state: State, status: Status, *ours: str) -> LastSynced:
    return agreed(state, status, reopen_criteria=tuple(text(later(version)) for version in ours))


@pytest.mark.parametrize(
    ("status", "versions", "synced", "state", "column", "given", "after", "ours"),
    [
        # resolved until a version
        (DONE, ("2.4",), known(RESOLVED, DONE), RESOLVED, [], None, [later("2.4")], ["2.4"]),
        (DONE, ("2.4",), known(PROGRESS, DOING), PROGRESS, [], RESOLVED, [later("2.4")], ["2.4"]),
        (DONE, ("2.4",), known(RESOLVED, DONE), RESOLVED, [OWN], None, [OWN, later("2.4")], ["2.4"]),
        # nothing to do
        (DONE, (), known(RESOLVED, DONE), RESOLVED, [], None, None, []),
        (DONE, ("2.4",), known(RESOLVED, DONE, "2.4"), RESOLVED, [later("2.4")], None, None, ["2.4"]),
        # another version
        (
            DONE,
            ("2.6",),
            known(RESOLVED, DONE, "2.4"),
            RESOLVED,
            [OWN, later("2.4")],
            None,
            [OWN, later("2.6")],
            ["2.6"],
        ),
        # no version any more: still resolved, as the ticket is done
        (DONE, (), known(RESOLVED, DONE, "2.4"), RESOLVED, [OWN, later("2.4")], None, [OWN], []),
        # reopened in Jira: the group was resolved because the ticket was
        (TODO, ("2.4",), known(RESOLVED, DONE, "2.4"), RESOLVED, [later("2.4")], OPEN, [], []),
        (DOING, (), known(RESOLVED, DONE, "2.4"), RESOLVED, [OWN, later("2.4")], PROGRESS, [OWN], []),
        (TODO, (), known(OPEN, DONE, "2.4"), OPEN, [later("2.4")], None, [], []),
        # somebody opened it in Backtrace
        (DONE, ("2.6",), known(RESOLVED, DONE, "2.4"), OPEN, [later("2.4")], None, None, ["2.4"]),
        # muted: with a criterion it would be muted until that is met
        (DONE, ("2.4",), known(MUTED, DOING), MUTED, [], None, None, []),
        # people's own, which says the same: each has its copy
        (
            DONE,
            ("2.4",),
            known(RESOLVED, DONE),
            RESOLVED,
            [later("2.4")],
            None,
            [later("2.4"), later("2.4")],
            ["2.4"],
        ),
        (DONE, (), known(RESOLVED, DONE, "2.4"), RESOLVED, [later("2.4")] * 2, None, [later("2.4")], []),
        # ours was removed by hand
        (DONE, ("2.4",), known(RESOLVED, DONE, "2.4"), RESOLVED, [], None, [later("2.4")], ["2.4"]),
        (DONE, ("2.4",), known(RESOLVED, DONE, "2.4"), RESOLVED, [OWN], None, [OWN, later("2.4")], ["2.4"]),
        (DONE, ("2.4",), known(RESOLVED, DONE, "2.4"), OPEN, [], None, None, ["2.4"]),
        (DONE, ("2.6",), known(RESOLVED, DONE, "2.4"), RESOLVED, [], None, [later("2.6")], ["2.6"]),
    ],
)
def test_what_becomes_of_a_group(
    status: Status,
    versions: tuple[str, ...],
    synced: LastSynced,
    state: State,
    column: list[dict[str, Any]],
    given: State | None,
    after: list[dict[str, Any]] | None,
    ours: list[str],
) -> None:
    its_pair = pair(group(state, reopen_criteria=column), synced, fix_versions={"enabled": True})
    its_ticket = ticket(status, versions=versions)
    until = plan_resolved_until(its_pair, its_ticket, boundary_of(its_ticket, its_pair.integration), None, ())
    assert (until.state, until.reopen_criteria, until.problem) == (given, after, "")
    assert until.link_criteria == tuple(text(later(version)) for version in ours)


@pytest.mark.parametrize(
    ("synchronised", "given"),
    [(RESOLVED, RESOLVED), (OPEN, RESOLVED), (MUTED, MUTED), (None, RESOLVED)],
)
def test_what_the_synchronisation_makes_of_the_state_comes_first(
    synchronised: State | None, given: State | None
) -> None:
    its_pair = pair(group(OPEN), known(OPEN, TODO), fix_versions={"enabled": True})
    its_ticket = ticket(DONE, versions=("2.4",))
    boundary = boundary_of(its_ticket, its_pair.integration)
    until = plan_resolved_until(its_pair, its_ticket, boundary, synchronised, ())
    assert until.state is given


@pytest.mark.parametrize(
    ("versions", "column", "after"),
    [
        (("2.4",), [later("2.6")], [later("2.4")]),  # what a process wrote that then died is replaced
        ((), [later("2.6"), OWN], [OWN]),
        (("2.6",), [later("2.6")], None),
        (("2.4",), [OWN], [OWN, later("2.4")]),  # noted, but never written
    ],
)
def test_noted_criteria_are_ours(
    versions: tuple[str, ...], column: list[dict[str, Any]], after: list[dict[str, Any]] | None
) -> None:
    its_pair = pair(
        group(RESOLVED, reopen_criteria=column), known(RESOLVED, DONE), fix_versions={"enabled": True}
    )
    its_ticket = ticket(DONE, versions=versions)
    boundary = boundary_of(its_ticket, its_pair.integration)
    until = plan_resolved_until(its_pair, its_ticket, boundary, None, [text(later("2.6"))])
    assert until.reopen_criteria == after


def test_criteria_that_cannot_be_read_are_not_written_over() -> None:
    its_pair = pair(
        group(RESOLVED, reopen_criteria=None), known(RESOLVED, DONE), fix_versions={"enabled": True}
    )
    its_ticket = ticket(DONE, versions=("2.4",))
    until = plan_resolved_until(its_pair, its_ticket, boundary_of(its_ticket, its_pair.integration), None, ())
    assert (until.reopen_criteria, until.link_criteria) == (None, ())
    assert "cannot be read" in until.problem


@pytest.mark.parametrize(
    ("status", "versions", "ours", "sentence"),
    [
        (DONE, ("2.4",), (), "Done in Jira: resolved in Backtrace until version > 2.4.0"),
        (TODO, (), ("2.4",), "To Do in Jira: no longer resolved until version > 2.4.0"),
        (DONE, ("2.6",), ("2.4",), "Done in Jira: resolved in Backtrace until version > 2.6.0"),
    ],
)
def test_what_is_done_is_said(
    status: Status, versions: tuple[str, ...], ours: tuple[str, ...], sentence: str
) -> None:
    its_pair = pair(
        group(RESOLVED, reopen_criteria=[later(version) for version in ours]),
        known(RESOLVED, DONE, *ours),
        fix_versions={"enabled": True},
    )
    its_ticket = ticket(status, versions=versions)
    until = plan_resolved_until(its_pair, its_ticket, boundary_of(its_ticket, its_pair.integration), None, ())
    assert until.sentence == sentence
