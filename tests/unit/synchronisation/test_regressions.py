"""An error past its ticket's boundary: told by Backtrace or by an event, once, and as the settings say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.errors import OutcomeUnknown
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import LinkState
from backtrace_jira.outcomes import Decision, Outcome
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, Deployment

told_by_both = pytest.mark.parametrize("told_by", ["backtrace", "event"])


def resolved(**fixes: Any) -> tuple[Deployment, Issue]:
    """Return a deployment whose ticket was done an hour ago, with Fix Version 2.4."""
    world = Deployment(fix_versions={"enabled": True, **fixes})
    issue = world.link()
    world.backtrace.receive(PROJECT, GROUP, version="9.0")  # long before the fix: of no concern
    world.clock.advance(60)
    world.resolve_with(issue, "2.4")
    assert world.state() == "resolved"
    return world, issue


def seen_again(world: Deployment, issue: Issue, told_by: str, version: str = "2.5") -> list[Outcome]:
    """Let an error of this version come in; Backtrace tells by reopening the group, an event only says so."""
    world.backtrace.receive(PROJECT, GROUP, version=version)
    if told_by == "event":
        return world.hear(issue, regression=True)
    reopens = world.group().reopens + 1
    world.backtrace.seed(PROJECT, GROUP, state="open", invariant_reopen_count=reopens)
    before = len(world.reports)
    world.poll()
    return world.reports[before:]


def comments(world: Deployment, issue: Issue) -> list[str]:
    return [text for _, text in world.jira.comments(issue.id)]


@told_by_both
def test_a_later_version_reopens_the_ticket_with_a_comment(told_by: str) -> None:
    world, issue = resolved()
    outcomes = seen_again(world, issue, told_by)
    assert [each.decision for each in outcomes] == [Decision.REGRESSED]
    assert (world.status(issue), world.state()) == (TODO, "open")
    (comment,) = comments(world, issue)
    assert "was seen again in 2.5 (1 error)" in comment
    assert "until version > 2.4" in comment
    assert list(world.group().reopen_criteria or ()) == []


@told_by_both
def test_it_is_told_once(told_by: str) -> None:
    world, issue = resolved()
    seen_again(world, issue, told_by)
    writes = world.writes
    world.hear(issue, regression=True)
    world.hear(issue, thorough=True)
    world.poll()
    assert (world.writes, len(comments(world, issue))) == (writes, 1)


@pytest.mark.parametrize("version", ["2.4", "2.3", "unknown"])
def test_an_event_of_an_equal_older_or_unreadable_version_leaves_everything_alone(version: str) -> None:
    world, issue = resolved()
    writes = world.writes
    (outcome,) = seen_again(world, issue, "event", version)
    assert outcome.decision is Decision.IN_STEP
    assert (world.status(issue), world.state(), world.writes) == (DONE, "resolved", writes)


def test_the_same_version_counts_where_the_settings_say_so() -> None:
    world, issue = resolved(seen_in="version_ge")
    seen_again(world, issue, "event", "2.4")
    assert world.status(issue) == TODO


@told_by_both
@pytest.mark.parametrize(
    ("settings", "status", "said", "event_published"),
    [
        ({"on_regression": "reopen"}, TODO, 1, False),
        ({"on_regression": "comment"}, DONE, 1, False),
        ({"on_regression": "leave"}, DONE, 0, False),
        ({"on_regression": "new_ticket"}, DONE, 0, True),
        ({"on_regression": "reopen", "reopen_within_days": 1}, TODO, 1, False),
    ],
)
def test_settings_say_what_becomes_of_the_ticket(
    told_by: str, settings: dict[str, Any], status: object, said: int, event_published: bool
) -> None:
    world, issue = resolved(**settings)
    outcomes = seen_again(world, issue, told_by)
    assert Decision.REGRESSED in {each.decision for each in outcomes}
    assert (world.status(issue), len(comments(world, issue))) == (status, said)
    assert bool(world.events.published) is event_published


@told_by_both
def test_a_ticket_that_was_done_long_ago_is_followed_by_a_new_one(told_by: str) -> None:
    world, issue = resolved(reopen_within_days=2)
    world.clock.advance(3 * 24 * 3600)
    seen_again(world, issue, told_by)
    assert world.status(issue) == DONE
    row = world.row()
    assert (row.state, row.issue, row.previous) == (LinkState.RELEASED, None, issue.key)
    ((body, after),) = world.events.published
    event = json.loads(body)
    assert (event["fingerprint"], event["attributes"]["version"]) == (GROUP, [["2.5", 1]])
    assert after > 0  # the old ticket must have let go of the group by then
    assert (world.state(), list(world.group().reopen_criteria or ())) == ("open", [])


@pytest.mark.parametrize("resolution", ["Won't Do", "Duplicate"])
def test_what_was_never_to_be_fixed_has_no_boundary(resolution: str) -> None:
    world = Deployment(fix_versions={"enabled": True, "never_reopened": [resolution, "Done"]})
    issue = world.link()
    world.resolve_with(issue, "2.4")
    assert list(world.group().reopen_criteria or ()) == []
    seen_again(world, issue, "event")
    assert world.status(issue) == DONE


def test_a_person_who_opens_the_group_is_no_regression() -> None:
    world, issue = resolved()
    world.backtrace.seed(PROJECT, GROUP, state="open")
    world.poll()
    assert world.status(issue) == TODO
    assert comments(world, issue) == []


def test_a_comment_that_is_lost_on_its_way_back_is_not_written_twice() -> None:
    world, issue = resolved()
    world.jira.failures.after["comment"] = [OutcomeUnknown("reset")]
    (outcome,) = seen_again(world, issue, "event")
    assert isinstance(outcome.error, OutcomeUnknown)
    world.clock.advance(80)
    world.hear(issue, regression=True)
    assert (world.status(issue), len(comments(world, issue))) == (TODO, 1)


def test_an_error_s_own_ticket_is_left_alone() -> None:
    world = Deployment(event="trace", fix_versions={"enabled": True})
    issue = world.link()
    world.resolve_with(issue, "2.4")
    seen_again(world, issue, "event")
    assert (world.status(issue), comments(world, issue)) == (DONE, [])
