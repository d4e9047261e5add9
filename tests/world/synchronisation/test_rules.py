"""The rules of synchronisation: directions, linking, muting, names, people, moves, deletions, permissions."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.links.link import LinkState
from backtrace_jira.outcomes import Decision
from backtrace_jira.synchronisation.level import RETRY
from local.jira_stand_in.model import Issue
from tests.builders import group
from tests.world.sync_world import MakeSyncWorld, SyncWorld

JANE = {"id": 7, "username": "jane", "email": "jane@example.com"}
OTHER = "e" * 64


def two_sides(make: MakeSyncWorld, flavour: str = "cloud", **sync: Any) -> tuple[SyncWorld, Issue]:
    """A ticket and its group, both in progress, and nothing left to tell."""
    world = make(flavour, sync=sync)
    issue = world.ticket()
    world.jira.transition(issue.key, "In Progress")
    world.settle()
    world.jira.webhooks.outbox.clear()
    world.told.clear()
    world.forget_calls()
    return world, issue


def told(world: SyncWorld) -> list[Decision]:
    return [outcome.decision for outcome in world.told]


# Directions


def test_one_way_leaves_backtrace_alone(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world, jira_to_backtrace=False)
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.of().state == "in-progress"
    assert (world.calls["jira reads"], world.calls["jira"]) == (
        0,
        1,
    )  # the round reads all linked tickets together
    world.set_state("open")
    world.poll()
    assert world.status(issue) == "To Do"


def test_the_other_way_leaves_jira_alone(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world, backtrace_to_jira=False)
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "In Progress"
    world.jira.transition(issue.key, "To Do")
    world.settle()
    assert world.of().state == "open"


def test_none_touches_nothing_and_asks_nobody(make_sync_world: MakeSyncWorld) -> None:
    world = make_sync_world(sync={"backtrace_to_jira": False, "jira_to_backtrace": False})
    issue = world.ticket()
    world.forget_calls()
    world.jira.transition(issue.key, "Done")
    world.set_state("muted")
    world.settle()
    assert (world.status(issue), world.of().state) == ("Done", "muted")
    assert world.calls["jira"] == world.calls["backtrace"] == 0


def test_a_field_that_is_not_synchronised_stays(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world, fields=["assignee"])
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.of().state == "in-progress"


# Conflicts


def test_the_later_change_wins_although_it_is_heard_of_later(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.clock.advance(10)
    world.set_state("open")
    world.settle()
    assert (world.status(issue), world.of().state) == ("To Do", "open")


def test_the_earlier_change_loses_although_it_is_seen_first(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.set_state("open")
    world.clock.advance(10)
    world.jira.transition(issue.key, "Done")
    world.jira.webhooks.outbox.clear()
    world.poll()
    assert (world.status(issue), world.of().state) == ("Done", "resolved")


def test_jira_wins_a_tie(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.set_state("open")
    world.settle()
    assert (world.status(issue), world.of().state) == ("Done", "resolved")


def test_a_comment_after_a_change_does_not_make_it_later(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.clock.advance(10)
    world.set_state("open")
    world.clock.advance(10)
    world.jira.comment(issue.key, "still there?")
    world.settle()
    assert world.of().state == "open"


# Linking


@pytest.mark.parametrize(
    ("truth", "status", "state"),
    [
        ("none", "Done", "in-progress"),
        ("jira", "Done", "resolved"),
        ("backtrace", "In Progress", "in-progress"),
    ],
)
def test_whose_word_holds_when_a_ticket_is_linked(
    make_sync_world: MakeSyncWorld, truth: str, status: str, state: str
) -> None:
    world = make_sync_world(sync={"on_linking": truth})
    issue = world.jira.create_issue("done long ago")
    world.jira.transition(issue.key, "Done")
    world.clock.advance(60)
    world.backtrace.seed("my_project", OTHER, state="open")
    world.link(OTHER, issue)
    world.jira.webhooks.outbox.clear()
    world.settle()
    world.settle()
    assert (world.status(issue), world.of(OTHER).state) == (status, state)


def test_an_assignee_from_before_the_ticket_goes_to_it_if_backtrace_is_the_truth(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = make_sync_world(sync={"on_linking": "backtrace"})
    world.jira.add_user("jane", email="jane@example.com")
    fingerprint = group().fingerprint
    world.backtrace.seed("my_project", fingerprint, ticket=[{"watcher": "_backtrace", "assignees": [JANE]}])
    issue = world.ticket()
    world.poll()
    assert world.assignee(issue) == "jane@example.com"
    assert world.of().state == "in-progress"


def test_a_change_before_the_first_look_is_not_taken_for_a_baseline(make_sync_world: MakeSyncWorld) -> None:
    """Nobody reads a ticket when it is made: what it was then, its changelog tells."""
    world = make_sync_world()
    issue = world.ticket()
    world.jira.transition(issue.key, "Done")
    world.clock.advance(60)
    world.set_assignee(None)  # touches the row, and nothing else
    world.jira.webhooks.outbox.clear()
    world.poll()
    assert world.of().state == "resolved"


# Muted


def test_muting_leaves_the_ticket_alone_and_only_a_reopening_ends_it(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.set_state("muted")
    world.poll()
    assert world.status(issue) == "In Progress"
    for status in ("To Do", "In Progress", "Done"):
        world.clock.advance(10)
        world.jira.transition(issue.key, status)
        world.settle()
        assert world.of().state == "muted"
    world.clock.advance(10)
    world.jira.transition(issue.key, "To Do")
    world.settle()
    assert world.of().state == "open"


def test_muting_can_resolve_the_ticket(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world, muted="resolve")
    world.set_state("muted")
    world.poll()
    assert (world.status(issue), world.of().state) == ("Done", "muted")


def test_un_muting_in_backtrace_brings_the_ticket_back(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world, muted="resolve")
    world.set_state("muted")
    world.poll()
    world.set_state("open")
    world.poll()
    assert world.status(issue) == "To Do"


# Names


def test_a_status_means_what_the_settings_say(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world, states={"done": "muted"})
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.of().state == "muted"


# People


def test_people_are_who_the_settings_say_they_are(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    user = world.jira.add_user("j.doe", email="private@example.com", email_visibility="hidden")
    sync = world.settings.sync.model_dump() | {"people": [{"backtrace_id": 7, "jira": user.account_id}]}
    world.configure(sync=type(world.settings.sync).model_validate(sync))
    world.new_process()
    world.set_assignee({"id": 7, "username": "jane"})
    world.poll()
    assert world.assignee(issue) == "private@example.com"
    world.jira.assign(issue.key, None)
    world.settle()
    world.jira.assign(issue.key, "j.doe")
    world.settle()
    assert world.assigned() == [7]


def test_somebody_whom_nobody_knows_is_reported_and_not_tried_again(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.set_assignee({"id": 9, "username": "ghost", "email": "ghost@example.com"})
    world.poll()
    assert world.assignee(issue) is None
    assert told(world) == [Decision.REFUSED]
    assert "ghost" in world.told[0].detail
    synced = world.row_of().synced
    assert synced is not None
    assert "sync.people" in synced.problems[0]
    world.forget_calls()
    world.poll()
    assert world.calls["jira writes"] == 0
    assert world.changes_waiting() == world.letters() == []


def test_a_jira_user_whom_nobody_knows_leaves_the_group_as_it_is(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.set_assignee(JANE)
    world.jira.add_user("jane", email="jane@example.com")
    world.poll()
    world.jira.add_user("ghost", email="ghost@example.com")
    world.jira.assign(issue.key, "ghost")
    world.settle()
    assert world.assigned() == [7]
    assert Decision.REFUSED in told(world)


def test_several_assignees_the_first_goes_to_jira_and_jira_replaces_all(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, issue = two_sides(make_sync_world)
    for name in ("jane", "john"):
        world.jira.add_user(name, email=f"{name}@example.com")
    john = {"id": 8, "username": "john", "email": "john@example.com"}
    row = world.of()
    tickets = [{**entry, "assignees": [JANE, john]} for entry in row.ticket]
    world.backtrace.seed("my_project", row.fingerprint, ticket=tickets)
    world.poll()
    assert world.assignee(issue) == "jane@example.com"
    world.jira.assign(issue.key, "john")
    world.settle()
    assert world.assigned() == [8]


def test_assigning_an_open_group_makes_it_in_progress(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.set_state("open")
    world.poll()
    world.backtrace.seed("my_project", OTHER, ticket=[{"watcher": "_backtrace", "assignees": [JANE]}])
    world.jira.add_user("jane", email="jane@example.com")
    world.jira.assign(issue.key, "jane")
    world.settle()
    assert (world.of().state, world.status(issue)) == ("in-progress", "To Do")


# Several groups


def test_all_groups_of_a_ticket_follow(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.link(OTHER, issue)
    world.settle()
    world.set_state("resolved", OTHER)
    world.poll()
    assert (world.status(issue), world.of().state) == ("Done", "resolved")
    world.jira.transition(issue.key, "To Do")
    world.settle()
    assert world.of().state == world.of(OTHER).state == "open"


# Moves and deletions


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_a_moved_ticket_keeps_its_link(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, issue = two_sides(make_sync_world, flavour)
    world.jira.add_project("OPS", "Operations")
    world.jira.move_issue(issue.key, "OPS")
    world.settle()
    row = world.row_of()
    assert row.issue is not None
    assert (row.issue.id, row.issue.key) == (issue.id, "OPS-1")
    assert world.of().ticket[1]["short"] == "OPS-1"
    assert world.of().ticket[1]["url"] == f"{world.jira.site_url}/browse/OPS-1"
    world.jira.transition("OPS-1", "Done")
    world.deliver_webhooks()
    world.drain()
    assert world.of().state == "resolved"


def test_a_deleted_ticket_is_unlinked_and_the_next_error_makes_a_new_one(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.delete_issue(issue.key)
    world.settle()
    assert told(world)[0] is Decision.UNLINKED
    row = world.row_of()
    assert (row.state, row.issue, row.synced) == (LinkState.RELEASED, None, None)
    assert row.record is not None
    assert "deleted" in row.record.reason
    assert world.of().ticket == [{"watcher": "_backtrace"}]
    assert world.of().state == "open"
    again = world.ticket()
    assert again.id != issue.id


def test_a_claim_that_a_ticket_was_deleted_is_not_believed_while_it_is_there(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, issue = two_sides(make_sync_world)
    world._aws.sqs.send_message(
        QueueUrl=world.changes,
        MessageBody=f'{{"connection": "main", "issue_id": "{issue.id}", "event": "x", "fields": ["deleted"]}}',
        MessageGroupId="g",
        MessageDeduplicationId="d",
    )
    world.drain()
    assert world.row_of().state is LinkState.COMPLETE


def test_a_ticket_that_cannot_be_seen_is_no_deleted_one(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.jira.deny("BROWSE_PROJECTS")
    world.deliver_webhooks()
    world.drain()
    assert world.row_of().state is LinkState.COMPLETE
    assert world.letters() == []
    synced = world.row_of().synced
    assert synced is not None
    assert "may not see it" in synced.problems[0]
    world.jira.allow("BROWSE_PROJECTS")
    world.clock.advance(RETRY)
    world.poll()
    assert world.of().state == "resolved"
    assert (synced := world.row_of().synced) is not None
    assert synced.problems == ()


def test_what_was_unlinked_in_backtrace_is_left_alone(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.backtrace.seed("my_project", group().fingerprint, ticket=[{"watcher": "_backtrace"}], state="open")
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.of().state == "open"
    world.set_state("muted")
    world.poll()
    assert world.status(issue) == "Done"


# What is refused


def test_a_group_that_backtrace_refuses_to_change_is_reported(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.backtrace.refuse(group().fingerprint, "no such fingerprint")
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert told(world)[0] is Decision.REFUSED
    assert "no such fingerprint" in world.told[0].detail


def test_a_refused_credential_is_not_sent_again_and_its_messages_are_kept(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.put("/backtrace-jira/test/secrets/jira/main", "an old token", secret=True)
    world.new_process()
    world.deliver_webhooks()
    world.apply_batch()
    (letter,) = world.letters()
    assert "does not accept" in letter["Reason"]
    world.forget_calls()
    world.jira.transition(issue.key, "To Do")
    world.deliver_webhooks()
    world.apply_batch()
    assert world.calls["jira"] == 0
    assert world.told[-1].decision is Decision.PARKED
    assert len(world.letters()) == 1


def test_what_backtrace_refuses_or_puts_off_is_none_of_jira_s(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.put("/backtrace-jira/test/secrets/backtrace/my_universe", "an old token", secret=True)
    world.new_process()
    world.deliver_webhooks()
    world.apply_batch()
    (letter,) = world.letters()
    assert "Backtrace does not accept the token" in letter["Reason"]
    assert world.links.server_notes("main").parkings == {}
    world.put("/backtrace-jira/test/secrets/backtrace/my_universe", world.backtrace.token, secret=True)
    world.new_process()
    world.backtrace.faults.add("POST", "/api", 1, status=429, headers={"Retry-After": "600"})
    world.jira.transition(issue.key, "To Do")
    world.deliver_webhooks()
    world.apply_batch()
    assert world.told[-1].decision is Decision.POSTPONED
    world.forget_calls()
    world.clock.advance(600)
    world.hasten()
    world.apply_batch()
    assert world.calls["jira"] == 1
    assert world.of().state == "open"


def test_the_poll_does_not_send_a_refused_credential_again(make_sync_world: MakeSyncWorld) -> None:
    world, _ = two_sides(make_sync_world)
    world.put("/backtrace-jira/test/secrets/jira/main", "an old token", secret=True)
    world.new_process()
    world.clock.advance(300)
    world.polling(deadline=world.clock() + 300)
    world.forget_calls()
    world.new_process()
    world.clock.advance(60)
    world.polling(deadline=world.clock() + 300)
    assert world.calls["jira"] == 0
    assert world.told[-1].decision is Decision.PARKED


def test_settings_that_cannot_be_read_stop_no_other_project(make_sync_world: MakeSyncWorld) -> None:
    world, issue = two_sides(make_sync_world)
    world.put("/backtrace-jira/test/integrations/another/project/broken", "{}")
    world.new_process()
    world.set_state("open")
    world.poll()
    assert world.status(issue) == "To Do"
    assert any("another/project/broken" in outcome.detail for outcome in world.told)


def test_settings_that_cannot_be_read_keep_the_message_with_its_reason(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, issue = two_sides(make_sync_world)
    world.put("/backtrace-jira/test/integrations/my_universe/my_project/jira-bugs", "{}")
    world.new_process()
    world.jira.transition(issue.key, "Done")
    world.deliver_webhooks()
    world.apply_batch()
    (letter,) = world.letters()
    assert "jira-bugs" in letter["Reason"]


def test_a_foreign_message_is_kept_with_its_reason(make_sync_world: MakeSyncWorld) -> None:
    world = make_sync_world()
    world._aws.sqs.send_message(
        QueueUrl=world.changes, MessageBody="[]", MessageGroupId="g", MessageDeduplicationId="d"
    )
    world.drain()
    (letter,) = world.letters()
    assert "issue_id" in letter["Reason"]
