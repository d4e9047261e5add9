"""An error past its ticket's boundary: told by Backtrace or by an event, once, and as the settings say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.errors import OutcomeUnknown, Refused, Unreachable
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import LinkKey, LinkState, Sighting
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.synchronisation.jira_change import REGRESSION, JiraChange
from backtrace_jira.synchronisation.level import RETRY
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, OTHER, Deployment

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


def reopening_refused(told_by: str) -> tuple[Deployment, Issue]:
    """Return a deployment in which Jira has refused to reopen the ticket of a regression."""
    world, issue = resolved()
    world.jira.deny("TRANSITION_ISSUES")
    seen_again(world, issue, told_by)
    assert (world.status(issue), world.state(), len(comments(world, issue))) == (DONE, "open", 1)
    return world, issue


@told_by_both
def test_a_reopening_that_jira_refuses_is_offered_again_once_an_hour_and_told_once(told_by: str) -> None:
    world, issue = reopening_refused(told_by)
    before = world.jira.failures.calls["transitions"]
    for _ in range(3 * 12):
        world.poll()
        assert "a regression could not be carried to Jira" in world.synced().problems[0]
    assert 2 <= world.jira.failures.calls["transitions"] - before <= 3
    assert world.hints.sent == []
    world.jira.denied.clear()
    world.clock.advance(RETRY)
    world.poll()
    assert (world.status(issue), world.state(), len(comments(world, issue))) == (TODO, "open", 1)
    assert (list(world.group().reopen_criteria or ()), world.synced().problems) == ([], ())
    assert (dict(world.synced().refused), world.synced().regressed) == ({}, False)


def test_a_reopening_after_which_a_process_dies_is_not_told_once_more() -> None:
    world, issue = reopening_refused("event")
    world.jira.denied.clear()
    world.clock.advance(RETRY)
    world.jira.failures.after["transition"] = [OutcomeUnknown("lost")]
    for _ in range(3):
        world.poll()
        world.drain()
    assert (world.status(issue), world.state(), len(comments(world, issue))) == (TODO, "open", 1)
    assert world.synced().problems == ()


def test_a_ticket_that_was_closed_once_more_is_not_reopened_for_the_error_of_before() -> None:
    world, issue = reopening_refused("event")
    world.jira.denied.clear()
    world.clock.advance(RETRY)
    for status in (TODO, DONE):
        world.jira.move_to(issue.id, status)
    for _ in range(2):
        world.poll()
    assert (world.status(issue), world.state(), len(comments(world, issue))) == (DONE, "resolved", 1)


def test_a_boundary_that_a_person_raised_since_the_refusal_resolves_the_group() -> None:
    world, issue = reopening_refused("backtrace")
    world.jira.denied.clear()
    world.clock.advance(RETRY)
    world.jira.set_fix_versions(issue.id, world.jira.add_version("3.0", released=True))
    world.poll()
    assert (world.status(issue), world.state()) == (DONE, "resolved")


@pytest.mark.parametrize("state", ["resolved", "muted"])
def test_a_group_that_a_person_settled_since_the_refusal_reopens_nothing(state: str) -> None:
    world, issue = reopening_refused("event")
    world.jira.denied.clear()
    world.clock.advance(RETRY)
    world.backtrace.seed(PROJECT, GROUP, state=state)
    for _ in range(3):
        world.poll()
    assert (world.status(issue), world.state(), len(comments(world, issue))) == (DONE, state, 1)


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


def hint(world: Deployment, issue: Issue, digest: str = "e1", fingerprint: str = GROUP) -> list[Outcome]:
    """Hear of an error event whose sighting has this digest."""
    sighting = Sighting(LinkKey(world.settings.id, fingerprint), digest)
    return world.hear(issue, regression=True, sighting=sighting)


def answered(world: Deployment, fingerprint: str = GROUP) -> str:
    synced = world.row(fingerprint).synced
    assert synced
    return synced.answered


def test_the_link_remembers_which_sighting_was_answered() -> None:
    world, issue = resolved()
    (outcome,) = hint(world, issue)
    assert (outcome.decision, answered(world)) == (Decision.IN_STEP, "e1")
    asked = world.backtrace.failures.calls["count_values"]
    reads = world.jira.failures.calls["ticket"]
    assert reads > 0
    assert hint(world, issue) == []  # a hint that waited in the queue meanwhile: nobody is asked
    assert world.jira.failures.calls["ticket"] == reads
    hint(world, issue, "e2")
    assert (world.backtrace.failures.calls["count_values"], answered(world)) == (asked + 1, "e2")
    world.hear(issue, thorough=True)
    world.hear(issue, regression=True)  # a hint of an older version of this program
    assert answered(world) == "e2"


def test_a_sighting_that_is_answered_may_be_a_regression() -> None:
    world, issue = resolved()
    hint(world, issue)
    world.backtrace.receive(PROJECT, GROUP, version="9.0")
    (outcome,) = hint(world, issue, "e2")
    assert (outcome.decision, world.status(issue)) == (Decision.REGRESSED, TODO)


def test_what_backtrace_refuses_to_say_is_asked_again() -> None:
    world, issue = resolved()
    world.backtrace.failures.before["count_values"] = [Refused("no"), Refused("no"), Unreachable("away")]
    for _ in range(3):
        hint(world, issue)
        assert answered(world) == ""
        world.clock.advance(80)
    world.backtrace.receive(PROJECT, GROUP, version="9.0")
    hint(world, issue)
    assert world.status(issue) == TODO


def resolved_by_branches() -> tuple[Deployment, Issue]:
    branches = [
        {"versions": "^Mobile", "attribute": "os", "values": "mobile"},
        {"versions": "^Server", "attribute": "os", "values": "server"},
    ]
    world = Deployment(fix_versions={"enabled": True, "several": "branches", "branches": branches})
    issue = world.link()
    world.resolve_with(issue, "Mobile 2.4", "Server 3.0")
    return world, issue


def test_one_of_several_criteria_that_backtrace_refuses_is_no_answer() -> None:
    world, issue = resolved_by_branches()
    world.backtrace.failures.before["count_values"] = [None, Refused("no")]
    hint(world, issue)
    assert answered(world) == ""
    world.backtrace.failures.before["count_values"] = [Refused("no"), None]
    hint(world, issue)
    assert answered(world) == ""
    hint(world, issue)
    assert answered(world) == "e1"


def test_what_backtrace_says_of_one_criterion_counts_though_it_refuses_the_other() -> None:
    world, issue = resolved_by_branches()
    world.backtrace.receive(PROJECT, GROUP, version="3.1", os="server")
    world.backtrace.failures.before["count_values"] = [Refused("no")]
    hint(world, issue)
    assert world.status(issue) == TODO


def test_a_hint_that_waits_since_an_older_release_is_served() -> None:
    world, issue = resolved()
    world.backtrace.receive(PROJECT, GROUP, version="2.5")
    world.hints.sent.append(JiraChange("main", issue.id, event=REGRESSION, reason="seen in 2.5"))
    (outcome,) = world.drain()
    assert (outcome.decision, world.status(issue)) == (Decision.REGRESSED, TODO)


def test_no_other_hint_asks_for_versions() -> None:
    world, issue = resolved()
    asked = world.backtrace.failures.calls["count_values"]  # because of the boundary, which was new
    world.hear(issue, thorough=True)
    world.jira.move_to(issue.id, TODO)
    world.hear(issue)
    assert world.backtrace.failures.calls["count_values"] == asked


def test_a_ticket_that_somebody_reopened_before_backtrace_did_has_no_regression() -> None:
    world, issue = resolved()
    world.jira.move_to(issue.id, TODO)
    (outcome,) = seen_again(world, issue, "backtrace")
    assert (outcome.decision, comments(world, issue)) == (Decision.SYNCED, [])


def test_a_hint_is_of_no_concern_where_there_is_no_boundary() -> None:
    world = Deployment(fix_versions={"enabled": True})
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    assert hint(world, issue) == world.hear(issue, regression=True) == []


def test_a_boundary_that_jira_does_not_show_is_no_answer() -> None:
    world, issue = resolved()
    world.jira.tickets[issue.id] = replace(world.jira.tickets[issue.id], versions={})
    hint(world, issue)
    assert answered(world) == ""


def test_a_group_that_was_unlinked_in_backtrace_is_answered_for() -> None:
    world, issue = resolved()
    world.backtrace.seed(PROJECT, GROUP, ticket=[])
    hint(world, issue)
    assert answered(world) == "e1"
    assert hint(world, issue) == []


def test_each_of_a_ticket_s_groups_has_its_own_answer() -> None:
    world = Deployment(fix_versions={"enabled": True})
    issue = world.link()
    world.link(OTHER, issue)
    world.resolve_with(issue, "2.4")
    hint(world, issue, "e1", GROUP)
    hint(world, issue, "e2", OTHER)
    assert (answered(world), answered(world, OTHER)) == ("e1", "e2")
    assert hint(world, issue, "e1", GROUP) == hint(world, issue, "e2", OTHER) == []
    assert hint(world, issue, "e2", GROUP) != []


def test_a_hint_from_the_queue_brings_its_sighting() -> None:
    world, issue = resolved()
    sighting = Sighting(LinkKey(world.settings.id, GROUP), "e1")
    world.hints.send_regression("main", issue.id, sighting, reason="seen", occasion="now")
    world.drain()
    assert answered(world) == "e1"


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
    # Until the new one is complete, the group has its ticket.
    assert (row.state, row.issue, row.is_handed_over) == (LinkState.COMPLETE, issue, True)
    ((body, _),) = world.events.published
    event = json.loads(body)
    assert (event["fingerprint"], event["attributes"]["version"]) == (GROUP, [["2.5", 1]])
    mark = {"integration": world.settings.id, "issue_id": issue.id, "generation": 2}
    assert event["follow_up"] == mark
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
