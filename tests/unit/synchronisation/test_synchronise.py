"""Both sides after a change on either, on fakes that keep state."""

from __future__ import annotations

import pytest

from backtrace_jira.links.link import LinkState
from backtrace_jira.outcomes import Decision
from backtrace_jira.states import Status
from tests.builders import integration
from tests.fakes.backtrace import PROJECT
from tests.fakes.jira_issues import DOING, DONE, TODO
from tests.unit.synchronisation.deployment import GROUP, JANE, OTHER, Deployment

# One side changes, the other follows


def test_linking_is_where_it_starts_and_no_change() -> None:
    world = Deployment()
    issue = world.link()
    (outcome,) = world.hear(issue)
    assert outcome.decision is Decision.IN_STEP
    assert (world.status(issue), world.state()) == (TODO, "in-progress")
    assert world.writes == 0
    assert world.synced().status == TODO


@pytest.mark.parametrize(
    ("to", "state"),
    [(DONE, "resolved"), (DOING, "in-progress"), (Status("9", "Closed", "done"), "resolved")],
)
def test_a_group_follows_its_ticket(to: Status, state: str) -> None:
    world = Deployment()
    issue = world.link()
    world.jira.move_to(issue.id, to)
    world.hear(issue)
    assert world.state() == state
    mirrored = world.group().tickets[1]
    assert (mirrored["watcher"], mirrored["short"]) == ("jira-bugs", issue.key)
    before = world.writes
    assert [each.decision for each in world.hear(issue, thorough=True)] == [Decision.IN_STEP]
    assert world.writes == before


def test_a_ticket_follows_its_group_and_the_echo_is_no_news() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.poll()
    assert world.status(issue) == DONE
    before = world.writes
    assert [each.decision for each in world.hear(issue)] == [Decision.IN_STEP]
    world.poll()
    assert world.writes == before


def test_an_assignee_goes_both_ways() -> None:
    world = Deployment()
    issue = world.link()
    jane = world.jira.add_user("jane", email="jane@example.com")
    world.set_assignee(JANE)
    world.poll()
    assert world.ticket(issue).assignee == jane
    world.clock.advance(60)
    world.jira.assign_to(issue.id, None)
    world.hear(issue)
    assert world.group().assignee is None
    world.set_assignee(JANE, GROUP)
    world.poll()
    assert world.ticket(issue).assignee == jane


@pytest.mark.parametrize(
    ("sync", "state"),
    [
        ({"jira_to_backtrace": False}, "in-progress"),
        ({"backtrace_to_jira": False}, "resolved"),
        ({"fields": ["assignee"]}, "in-progress"),
        ({"backtrace_to_jira": False, "jira_to_backtrace": False}, "in-progress"),
        ({"states": {"done": "muted"}}, "muted"),
        ({"states": {DONE.id: "open"}}, "open"),
    ],
)
def test_settings_say_what_a_closed_ticket_does(sync: dict[str, object], state: str) -> None:
    world = Deployment(sync=sync)
    issue = world.link()
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    world.poll()
    assert (world.status(issue), world.state()) == (DONE, state)


@pytest.mark.parametrize(
    ("sync", "status"),
    [
        ({"backtrace_to_jira": False}, TODO),
        ({"jira_to_backtrace": False}, DONE),
        ({"fields": ["assignee"]}, TODO),
    ],
)
def test_settings_say_what_a_resolved_group_does(sync: dict[str, object], status: Status) -> None:
    world = Deployment(sync=sync)
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.poll()
    assert (world.status(issue), world.state()) == (status, "resolved")


# Conflicts


@pytest.mark.parametrize(
    ("first", "seconds", "winner"),
    [("jira", 10, "backtrace"), ("backtrace", 10, "jira"), ("jira", 0, "jira"), ("backtrace", 0, "jira")],
)
@pytest.mark.parametrize("told_by", ["webhook", "poll"])
def test_the_later_change_wins_and_jira_s_in_a_tie(
    first: str, seconds: float, winner: str, told_by: str
) -> None:
    world = Deployment()
    issue = world.link()
    world.hear(issue)
    for side in (first, "backtrace" if first == "jira" else "jira"):
        if side == "jira":
            world.jira.move_to(issue.id, DONE)
        else:
            world.backtrace.seed(PROJECT, GROUP, state="open")
        world.clock.advance(seconds)
    if told_by == "webhook":
        world.hear(issue)
    world.poll()
    expected = (DONE, "resolved") if winner == "jira" else (TODO, "open")
    assert (world.status(issue), world.state()) == expected


@pytest.mark.parametrize(
    ("truth", "status", "state"),
    [("none", DONE, "in-progress"), ("jira", DONE, "resolved"), ("backtrace", DOING, "in-progress")],
)
def test_whose_word_holds_when_a_ticket_is_linked(truth: str, status: Status, state: str) -> None:
    world = Deployment(sync={"on_linking": truth})
    issue = world.jira.create_issue("done long ago")
    world.jira.move_to(issue.id, DONE)
    world.clock.advance(60)
    world.link(issue=issue)
    world.hear(issue)
    world.poll()
    assert (world.status(issue), world.state()) == (status, state)


def test_all_groups_of_a_ticket_follow_the_one_that_changed() -> None:
    world = Deployment()
    issue = world.link()
    world.link(OTHER, issue)
    world.hear(issue, thorough=True)
    world.clock.advance(60)
    world.backtrace.seed(PROJECT, OTHER, state="resolved")
    world.poll()
    assert (world.status(issue), world.state(GROUP), world.state(OTHER)) == (DONE, "resolved", "resolved")


def test_the_same_id_on_another_site_is_another_ticket() -> None:
    elsewhere = integration(name="elsewhere", connection="other", sync={"jira_to_backtrace": True})
    world = Deployment(more=(elsewhere,))
    issue = world.link()
    world.link(OTHER, issue, elsewhere)
    world.jira.move_to(issue.id, DONE)
    assert len(world.hear(issue)) == 1
    assert (world.state(GROUP), world.state(OTHER)) == ("resolved", "in-progress")


# Muted


def test_a_muted_group_stays_so_until_its_ticket_is_reopened() -> None:
    world = Deployment()
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="muted")
    world.poll()
    assert world.status(issue) == TODO
    for status in (DOING, DONE):
        world.jira.move_to(issue.id, status)
        world.hear(issue)
        world.clock.advance(60)
        assert world.state() == "muted"
    world.jira.move_to(issue.id, TODO)
    world.hear(issue)
    assert world.state() == "open"


def test_muting_can_resolve_the_ticket() -> None:
    world = Deployment(sync={"muted": "resolve"})
    issue = world.link()
    world.backtrace.seed(PROJECT, GROUP, state="muted")
    world.poll()
    assert (world.status(issue), world.state()) == (DONE, "muted")


# Deleted, hidden, moved


def test_a_deleted_ticket_is_unlinked_and_its_group_is_free() -> None:
    world = Deployment()
    issue = world.link()
    del world.jira.tickets[issue.id]
    (outcome,) = world.hear(issue, deleted=True)
    assert outcome.decision is Decision.UNLINKED
    assert (world.row().state, world.row().issue, world.state()) == (LinkState.RELEASED, None, "open")
    assert not world.group().has_ticket("jira-bugs", issue)


def test_a_ticket_that_is_only_said_to_be_deleted_stays_linked() -> None:
    world = Deployment()
    issue = world.link()
    world.hear(issue, deleted=True)
    assert world.row().issue == issue


def test_a_ticket_that_cannot_be_seen_is_not_taken_for_deleted() -> None:
    world = Deployment()
    issue = world.link()
    del world.jira.tickets[issue.id]
    for _ in range(2):
        (outcome,) = world.hear(issue)
        assert (outcome.decision, outcome.error) == (Decision.REFUSED, None)
        assert world.row().issue == issue
        assert world.synced().problems == (outcome.detail,)


def test_an_issue_without_a_link_costs_nothing() -> None:
    world = Deployment()
    world.link()
    stranger = world.jira.create_issue("nobody's")
    assert world.hear(stranger) == []
    assert world.jira.failures.calls["ticket"] == 0


def test_each_link_records_what_was_done_with_its_own_group() -> None:
    world = Deployment(fix_versions={"enabled": True})
    issue = world.link()
    world.link(OTHER, issue)
    world.backtrace.refuse(GROUP, "no")
    world.resolve_with(issue, "2.4")
    refused, written = world.synced(GROUP), world.synced(OTHER)
    assert (len(refused.problems), refused.told) == (1, ())
    assert (written.problems, len(written.told)) == ((), 2)


def test_what_was_done_with_the_ticket_is_recorded_in_each_link() -> None:
    world = Deployment()
    issue = world.link()
    world.link(OTHER, issue)
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.hear(issue, thorough=True)
    sentence = "resolved in Backtrace: To Do → Done in Jira"
    assert [world.synced(each).told for each in (GROUP, OTHER)] == [
        (sentence,),
        (sentence, "Done in Jira: in-progress → resolved in Backtrace"),
    ]


def test_a_step_between_statuses_of_one_meaning_before_the_first_look_is_no_change() -> None:
    world = Deployment()
    review = Status("4", "In Review", "indeterminate")
    issue = world.jira.create_issue("begun already")
    world.jira.move_to(issue.id, DOING)
    world.clock.advance(60)
    world.link(issue=issue)
    world.backtrace.seed(PROJECT, GROUP, state="resolved")
    world.clock.advance(60)
    world.jira.move_to(issue.id, review)
    world.hear(issue)
    assert (world.state(), world.status(issue)) == ("resolved", DONE)
