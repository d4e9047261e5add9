"""What a message of the queue makes of both sides: it is a hint, and decides nothing."""

from __future__ import annotations

import pytest

from backtrace_jira.errors import InvalidEvent, Unreachable
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.synchronisation.jira_change import LOOK, JiraChange
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, Deployment


def served(world: Deployment, change: JiraChange | str) -> Outcome:
    body = change if isinstance(change, str) else change.to_json()
    (outcome,) = world.apply.serve(body, world.clock() + 120)
    return outcome


@pytest.mark.parametrize("fields", [("state",), ("assignee",), ()])
def test_the_ticket_is_read_whatever_the_message_says(fields: tuple[str, ...]) -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    change = JiraChange("main", issue.id, event="jira:issue_updated", fields=fields)
    assert served(world, change).decision is Decision.SYNCED
    assert world.state() == "resolved"


def test_a_change_that_is_not_there_any_more_does_nothing() -> None:
    world = Deployment()
    issue = world.link()
    assert served(world, JiraChange("main", issue.id, fields=("state",))).decision is Decision.IN_STEP
    assert world.writes == 0


def test_a_look_sees_the_group_too() -> None:
    world = Deployment()
    issue = world.link()
    world.hear(issue)
    world.clock.advance(60)
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    assert served(world, JiraChange("main", issue.id, fields=("state",))).decision is Decision.IN_STEP
    assert world.status(issue) == TODO
    assert served(world, JiraChange("main", issue.id, event=LOOK)).decision is Decision.SYNCED
    assert world.status(issue) == DONE


def test_fix_versions_alone_concern_only_who_follows_them() -> None:
    world = Deployment()
    issue = world.link()
    outcome = served(world, JiraChange("main", issue.id, fields=("versions",)))
    assert "has no link that this change concerns" in outcome.detail
    assert world.jira.failures.calls["ticket"] == 0


def test_an_issue_that_nobody_linked_is_of_no_concern() -> None:
    world = Deployment()
    outcome = served(world, JiraChange("main", "10001", fields=("state",)))
    assert outcome.decision is Decision.IN_STEP
    assert "has no link" in outcome.detail


def test_a_project_s_versions_are_looked_at_earlier() -> None:
    world = Deployment(fix_versions={"enabled": True, "when": "released"})
    issue = world.link()
    world.poll()
    version = world.jira.add_version("2.4")
    world.jira.set_fix_versions(issue.id, version)
    world.jira.move_to(issue.id, DONE)
    world.poll()
    world.jira.change_version(version, released=True)
    outcome = served(world, JiraChange("main", project_id="10000", event="jira:version_released"))
    assert "were looked at" in outcome.detail
    assert [each["version"] for each in world.group().reopen_criteria or ()] == ["2.4.0"]
    other = served(world, JiraChange("main", project_id="77777", event="jira:version_released"))
    assert "are of no concern" in other.detail


def test_versions_that_cannot_be_listed_are_looked_at_again() -> None:
    world = Deployment(fix_versions={"enabled": True})
    world.jira.failures.before["versions"] = [Unreachable("down")]
    outcome = served(world, JiraChange("main", project_id="10000"))
    assert (outcome.decision, outcome.detail) == (Decision.POSTPONED, "versions of main: down")
    assert isinstance(outcome.error, Unreachable)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"issue_id": 7}', '{"issue_id": "../7"}', "[" * 10_000])
def test_a_foreign_message_is_kept_with_its_reason(body: str) -> None:
    outcome = served(Deployment(), body)
    assert outcome.decision is Decision.INVALID
    assert isinstance(outcome.error, InvalidEvent)
