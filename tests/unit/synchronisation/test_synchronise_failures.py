"""What fails, is refused or dies in the middle: said once, tried again where that helps, and never done twice."""

from __future__ import annotations

import pytest

from backtrace_jira.errors import (
    Busy,
    CredentialRefused,
    OutcomeUnknown,
    Parked,
    Throttled,
    Unreachable,
)
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.times import LONGEST_REQUEST
from tests.builders import integration
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import ANY_TO_ANY, DOING, DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, JANE, OTHER, Deployment


class Killed(BaseException):
    """The process ends here."""


# A definite no


def assert_refused_once(world: Deployment, *words: str) -> None:
    """The poll said so, and neither it nor the queue comes back to it."""
    (refused,) = [each for each in world.reports if each.decision is Decision.REFUSED]
    assert all(word in refused.detail for word in words)
    assert all(any(word in problem for problem in world.synced().problems) for word in words)
    before = (world.writes, len(world.reports))
    world.poll()
    assert (world.writes, len(world.reports)) == before
    assert world.hints.sent == []


def test_somebody_whom_nobody_in_jira_is_known_to_be() -> None:
    world = Deployment()
    issue = world.link()
    world.set_assignee({"id": 9, "username": "ghost", "email": "ghost@example.com"})
    world.poll()
    assert world.ticket(issue).assignee is None
    assert_refused_once(world, "ghost", "sync.people")


def test_an_account_that_may_not_transition() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.deny("TRANSITION_ISSUES")
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.poll()
    assert world.status(issue) == TODO
    assert_refused_once(world, "may take")


def test_an_account_that_may_not_assign() -> None:
    world = Deployment()
    world.link()
    world.jira.add_user("jane", email="jane@example.com")
    world.jira.deny("ASSIGN_ISSUES")
    world.set_assignee(JANE)
    world.poll()
    assert_refused_once(world, "jane could not be assigned")


def test_a_group_that_backtrace_refuses_to_change() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.refuse(GROUP, "locked")
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    assert world.state() == "in-progress"
    assert "locked" in world.synced().problems[0]
    before = world.writes
    world.poll()
    assert world.writes == before


def test_a_link_that_was_cut_in_backtrace_is_left_alone() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, ticket=[{"watcher": "_backtrace"}])
    world.jira.move_to(issue.id, DONE)
    (outcome,) = world.hear(issue)
    assert "was unlinked in Backtrace" in outcome.detail
    assert world.state() == "in-progress"


# Failures


def test_a_refused_credential_parks_the_connection_for_every_process() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    world.jira.failures.before["ticket"] = [CredentialRefused("401", status=401)]
    (first,) = world.hear(issue)
    assert isinstance(first.error, CredentialRefused)
    world.new_process()
    (second,) = world.hear(issue)
    assert isinstance(second.error, Parked)
    assert world.jira.failures.calls["ticket"] == 1
    world.clock.advance(301)
    world.hear(issue)
    assert world.state() == "resolved"


def test_a_pause_that_jira_asks_for_is_kept() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    world.jira.failures.before["ticket"] = [Throttled("429", after=40)]
    for _ in range(2):
        (outcome,) = world.hear(issue)
        assert isinstance(outcome.error, Throttled)
    assert world.jira.failures.calls["ticket"] == 1
    world.clock.advance(41)
    world.hear(issue)
    assert world.state() == "resolved"


def test_a_refusal_by_backtrace_does_not_park_jira() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    world.backtrace.failures.before["group"] = [CredentialRefused("401", status=401)]
    assert isinstance(world.hear(issue)[0].error, CredentialRefused)
    world.hear(issue)
    assert world.state() == "resolved"


@pytest.mark.parametrize("method", ["transitions", "transition"])
@pytest.mark.parametrize("error", [Unreachable("down"), OutcomeUnknown("reset")])
def test_what_failed_is_done_the_next_time(method: str, error: Exception) -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.jira.failures.before[method] = [error]
    world.poll()
    assert [change.reason for change in world.hints.sent] == [str(error)]
    world.drain()
    assert (world.status(issue), world.state()) == (DONE, "resolved")


HOPS = {TODO.id: [ANY_TO_ANY[1]], DOING.id: [ANY_TO_ANY[2]], DONE.id: [ANY_TO_ANY[0]]}
"""A workflow in which Done comes after In Progress."""


def test_a_transition_whose_answer_was_lost_is_not_taken_for_somebody_s_change() -> None:
    """The ticket is In Progress then, later than the group's change: the note before it says whose doing it was."""
    world = Deployment()
    issue = world.link()
    world.hear(issue)
    world.jira.workflow = HOPS
    world.clock.advance(60)
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.jira.failures.after["transition"] = [OutcomeUnknown("reset")]
    world.poll()
    world.drain()
    assert (world.status(issue), world.state()) == (DONE, "resolved")
    assert world.jira.failures.calls["transition"] == 2


def test_a_process_that_dies_is_gone_on_with_when_its_turn_is_over() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.workflow = HOPS
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.jira.failures.after["transition"] = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        world.poll()
    world.new_process()
    world.clock.advance(80)
    world.poll()
    assert (world.status(issue), world.state()) == (DONE, "resolved")


def test_while_somebody_has_the_turn_nothing_is_written() -> None:
    world = Deployment()
    issue = world.link()
    world.store.take_turn(Turn("main", issue.id, "somebody", world.clock() + 75), now=world.clock())
    world.jira.move_to(issue.id, DONE)
    (outcome,) = world.hear(issue)
    assert isinstance(outcome.error, Busy)
    assert world.writes == 0


def test_nothing_is_begun_that_cannot_end_in_time() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    deadline = world.clock() + 29
    (outcome,) = world.synchronise(issue.id, Hint("main"), deadline=deadline)
    assert isinstance(outcome.error, Busy)
    assert world.jira.failures.calls["ticket"] == 0


def test_what_the_wait_for_a_booked_call_takes_is_not_there_for_the_requests() -> None:
    world = Deployment()
    issue = world.link()
    pace = Pace(rate=1.0, next=world.clock() + 1.4, raised_at=world.clock(), sure=True, written_by="others")
    world.store.replace_pace("main", world.store.server_notes("main").pace, pace)
    before = world.jira.failures.calls["ticket"]
    (outcome,) = world.synchronise(issue.id, Hint("main"), deadline=world.clock() + LONGEST_REQUEST + 1)
    assert isinstance(outcome.error, Busy)
    assert world.jira.failures.calls["ticket"] == before


def test_settings_that_cannot_be_read_are_said() -> None:
    world = Deployment()
    issue = world.link()
    world.configuration.found = []
    world.configuration.broken = {("my_universe", PROJECT): "jira-bugs: subject: is required"}
    (outcome,) = world.hear(issue)
    assert (outcome.decision, outcome.detail) == (Decision.REFUSED, "jira-bugs: subject: is required")


def test_settings_that_cannot_be_read_stop_no_other_link_of_the_ticket() -> None:
    second = integration(name="b", sync={"jira_to_backtrace": True})
    world = Deployment(more=(second,))
    issue = world.link()
    world.link(OTHER, issue, second)
    world.configuration.found = [second]
    world.configuration.broken = {("my_universe", PROJECT): "jira-bugs: subject: is required"}
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    assert (world.state(GROUP), world.state(OTHER)) == ("in-progress", "resolved")


def test_a_bug_tells_no_value() -> None:
    world = Deployment()
    issue = world.link()
    world.jira.failures.before["ticket"] = [KeyError("s3cret")]
    (outcome,) = world.hear(issue)
    assert outcome.decision is Decision.POSTPONED
    assert "s3cret" not in outcome.detail
