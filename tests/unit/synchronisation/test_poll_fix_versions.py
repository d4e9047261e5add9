"""What changed in Jira is found by the schedule: tickets whose webhooks were lost, and versions of projects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backtrace_jira.errors import Throttled, Unreachable
from backtrace_jira.jira.issue import Issue
from backtrace_jira.outcomes import Decision
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import Deployment

FIXES = {"enabled": True}


def criteria(world: Deployment) -> list[tuple[str, str]]:
    """Return type and version of the group's reopen criteria."""
    return [(each["type"], each["version"]) for each in world.group().reopen_criteria or ()]


def released(**settings: object) -> tuple[Deployment, Issue]:
    """Return a deployment that follows Fix Versions once they are released; its ticket is done in 2.4, which is not."""
    world = Deployment(fix_versions={**FIXES, "when": "released", **settings})
    issue = world.link()
    world.poll()
    version = world.jira.add_version("2.4")
    world.jira.set_fix_versions(issue.id, version)
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    world.poll()
    return world, issue


def test_a_lost_webhook_is_found_within_a_period() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    world.poll()
    assert world.state() == "resolved"


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"several": "highest"}, [("version_gt", "2.10.0")]),
        ({"several": "highest", "seen_in": "version_ge"}, [("version_ge", "2.10.0")]),
        ({"several": "lowest"}, [("version_gt", "2.4.0")]),
        ({"several": "highest", "when": "released"}, [("version_gt", "2.10.0")]),
        ({"never_reopened": ["Done"]}, []),
    ],
)
def test_a_ticket_that_is_done_resolves_its_group_until_a_later_version(
    settings: dict[str, object], found: list[tuple[str, str]]
) -> None:
    world = Deployment(fix_versions={**FIXES, **settings})
    issue = world.link()
    world.resolve_with(issue, "2.4", "2.10")
    assert (world.state(), criteria(world)) == ("resolved", found)


def test_it_needs_no_synchronisation_of_states() -> None:
    off = {"backtrace_to_jira": False, "jira_to_backtrace": False}
    world = Deployment(sync=off, fix_versions=FIXES)
    issue = world.link()
    world.resolve_with(issue, "2.4")
    assert (world.state(), criteria(world)) == ("resolved", [("version_gt", "2.4.0")])


def test_a_version_that_is_released_is_found_by_the_poll_although_no_ticket_changed() -> None:
    world, _ = released()
    assert criteria(world) == []
    world.jira.change_version(world.jira.project_versions[0], released=True)
    world.poll()
    assert criteria(world) == [("version_gt", "2.4.0")]
    world.jira.change_version(world.jira.project_versions[0], released=False)
    world.poll()
    assert criteria(world) == []


def test_a_quiet_run_lists_the_versions_once_and_reads_no_ticket() -> None:
    world, _ = released()
    for _ in range(3):
        world.poll()
    before = dict(world.jira.failures.calls)
    world.poll()
    after = dict(world.jira.failures.calls)
    assert {name: after[name] - before[name] for name in ("versions", "changed_tickets", "ticket")} == {
        "versions": 1,
        "changed_tickets": 1,
        "ticket": 0,
    }


@pytest.mark.parametrize("method", ["versions", "changed_tickets", "ticket"])
def test_a_run_that_failed_leaves_no_gap(method: str) -> None:
    world, _ = released()
    world.jira.change_version(world.jira.project_versions[0], released=True)
    world.jira.failures.before[method] = [Unreachable("down")]
    world.poll()
    world.drain()
    world.poll()
    assert criteria(world) == [("version_gt", "2.4.0")]


def test_a_429_holds_the_connection_back_and_leaves_no_gap() -> None:
    world, _ = released()
    world.jira.change_version(world.jira.project_versions[0], released=True)
    world.jira.failures.before["versions"] = [Throttled("429", after=40)]
    world.poll()
    assert {each.decision for each in world.reports[-2:]} == {Decision.POSTPONED}
    world.clock.advance(40)
    world.poll()
    assert criteria(world) == [("version_gt", "2.4.0")]


def test_a_ticket_that_is_reopened_takes_its_boundary_back() -> None:
    world = Deployment(fix_versions=FIXES)
    issue = world.link()
    world.resolve_with(issue, "2.4")
    world.jira.move_to(issue.id, TODO)
    world.poll()
    assert (world.state(), criteria(world)) == ("open", [])


def test_criteria_of_people_stay() -> None:
    own = {"type": "timestamp_gt", "timestamp": 2_000_000_000}
    world = Deployment(fix_versions=FIXES)
    issue = world.link()
    world.backtrace.seed("my_project", world.row().key.fingerprint, invariants=[own])
    world.resolve_with(issue, "2.4")
    assert (world.group().reopen_criteria or ())[0] == own
    world.jira.move_to(issue.id, TODO)
    world.hear(issue)
    assert list(world.group().reopen_criteria or ()) == [own]


def test_a_version_that_cannot_be_read_is_said_once() -> None:
    world = Deployment(fix_versions=FIXES)
    issue = world.link()
    version = world.jira.add_version("the next one", released=True)
    world.jira.set_fix_versions(issue.id, version)
    world.jira.move_to(issue.id, DONE)
    (outcome,) = world.hear(issue)
    assert outcome.decision is Decision.REFUSED
    assert "the next one: cannot be read as a version" in outcome.detail
    (again,) = world.hear(issue, thorough=True)
    assert again.decision is Decision.IN_STEP


def test_a_ticket_that_is_linked_no_longer_is_forgotten() -> None:
    world, issue = released()
    key = world.row().key
    world.table.rows[key] = replace(world.row(), issue=Issue("99999", "BUG-99", "x"))
    assert [each.issue_id for each in world.store.tickets_with_version("main")] == [issue.id]
    world.jira.change_version(world.jira.project_versions[0], released=True)
    world.poll()
    assert list(world.store.tickets_with_version("main")) == []
