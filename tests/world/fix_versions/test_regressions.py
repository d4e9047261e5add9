"""An error past its ticket's boundary: told by Backtrace or by an event, once, and as the settings say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.outcomes import Decision
from local.jira_stand_in.model import Issue
from tests.builders import group, sample_body
from tests.world.checkpoint import checkpoint
from tests.world.fix_versions.test_fix_versions import (
    ONE_WAY,
    close,
    fix_in,
    invariants,
    later,
    only_issue,
    world_with,
)
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import Cut

BOTH = pytest.mark.parametrize("told_by", ["backtrace", "event"])
flavours = pytest.mark.parametrize("flavour", ["cloud", "data-center"])


def resolved(make: MakeSyncWorld, flavour: str = "cloud", fix: str = "2.4", **settings: Any) -> SyncWorld:
    fixes = settings.pop("fixes", None)
    world = world_with(make, flavour, fixes=fixes, **settings)
    world.backtrace.receive(PROJECT, group().fingerprint, version="2.3")
    world.backtrace.receive(PROJECT, group().fingerprint, version="9.0")  # long before the fix: of no concern
    world.clock.advance(60)
    close(world, fix)
    world.settle()
    assert invariants(world)
    world.clock.advance(3600)
    world.told.clear()
    world.forget_calls()
    return world


def event(**versions: int) -> dict[str, Any]:
    """Return an event of the group with these versions (2_5=3 for three of 2.5), and those that it had before."""
    found = {name.lstrip("v").replace("_", "."): count for name, count in versions.items()}
    histogram = {"2.3": 1, "9.0": 1, **found}
    return sample_body() | {"attributes": {"version": [[name, count] for name, count in histogram.items()]}}


def report(
    world: SyncWorld, version: str, told_by: str = "backtrace", times: int = 1, **attributes: Any
) -> None:
    """Let errors of a version come in; without a `told_by` of backtrace its own criteria are not looked at."""
    fingerprint = group().fingerprint
    for _ in range(times):
        if told_by == "event":
            kept = world.of().invariants
            world.of().invariants = []
            world.backtrace.receive(PROJECT, fingerprint, version=version, **attributes)
            world.of().invariants = kept
            body = event(**{f"v{version.replace('.', '_')}": times})
            assert world.deliver(world.event(body)) == []
        else:
            world.backtrace.receive(PROJECT, fingerprint, version=version, **attributes)
    world.drain()
    if told_by == "backtrace":
        world.poll()


def comments(issue: Issue) -> list[str]:
    return [str(each["body"]) for each in issue.comments]


@flavours
@BOTH
def test_a_later_version_reopens_the_ticket_with_a_comment(
    make_sync_world: MakeSyncWorld, flavour: str, told_by: str
) -> None:
    world = resolved(make_sync_world, flavour)
    issue = only_issue(world)
    report(world, "2.5", told_by)
    assert world.status(issue) == "To Do"
    (comment,) = comments(issue)
    assert "was seen again in 2.5 (1 error)" in comment
    assert "version > 2.4" in comment.replace("\\", "")
    assert "[View in Backtrace|" in comment
    assert (world.of().state, invariants(world)) == ("open", [])
    assert [outcome.decision for outcome in world.told if outcome.decision is Decision.REGRESSED] == [
        "regressed"
    ]
    world.settle()
    world.poll()
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("To Do", "open", 1)


@flavours
def test_a_page_elsewhere_is_no_link_in_the_comment(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    """An event names its page, and anybody who can publish one could let a comment of ours lead somewhere."""
    world = resolved(make_sync_world, flavour)
    key = {"integration": {"S": world.settings.id}, "fingerprint": {"S": group().fingerprint}}
    world._aws.dynamodb.update_item(
        TableName=world.table,
        Key=key,
        UpdateExpression="SET page = :page",
        ExpressionAttributeValues={":page": {"S": "https://evil.example/login"}},
    )
    report(world, "2.5")
    (comment,) = comments(only_issue(world))
    assert comment.endswith(". View in Backtrace (https:\u2060//evil.example/login)")


@BOTH
@pytest.mark.parametrize(
    "version", ["2.3", "2.4", "2.4.0", "v2.4", "2.4-rc.1", "1.10", "unknown", "3f2a9c1", "2.x"]
)
def test_an_equal_older_or_unreadable_version_leaves_everything_alone(
    make_sync_world: MakeSyncWorld, told_by: str, version: str
) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    report(world, version, told_by)
    assert (world.status(issue), world.of().state) == ("Done", "resolved")
    assert invariants(world) == [later("2.4")]
    assert comments(issue) == []


@BOTH
def test_the_same_version_counts_where_the_settings_say_so(
    make_sync_world: MakeSyncWorld, told_by: str
) -> None:
    world = resolved(make_sync_world, fixes={"seen_in": "version_ge"})
    report(world, "2.4", told_by)
    assert world.status(only_issue(world)) == "To Do"


@BOTH
def test_it_needs_no_synchronisation(make_sync_world: MakeSyncWorld, told_by: str) -> None:
    world = resolved(make_sync_world, sync=ONE_WAY)
    report(world, "2.5", told_by)
    issue = only_issue(world)
    assert (world.status(issue), len(comments(issue))) == ("To Do", 1)
    assert (world.of().state, invariants(world)) == ("open", [])


def test_fifty_events_at_once_reopen_once_and_comment_once(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    world.forget_calls()
    for _ in range(50):
        world.backtrace.reports[PROJECT].append(
            world.backtrace.reports[PROJECT][0].__class__(
                group().fingerprint, int(world.clock()), {"version": "2.5"}
            )
        )
    for _ in range(5):
        assert world.deliver(world.event(*[event(v2_5=50) for _ in range(10)])) == []
    world.drain()
    assert world.jira.count("POST", "/transitions$") == 1
    assert world.jira.count("POST", "/comment$") == 1
    assert "2.5 (50 errors)" in comments(issue)[0]
    assert world.of().state == "open"


def test_hints_that_come_more_than_five_minutes_apart_do_it_once_too(make_sync_world: MakeSyncWorld) -> None:
    """SQS forgets what it was sent before: the link has to know."""
    world = resolved(make_sync_world, fixes={"on_regression": "comment"})
    issue = only_issue(world)
    report(world, "2.5", "event")
    row = world.row_of()
    assert row.synced
    assert row.synced.regressed
    for number in range(5):
        world.clock.advance(400)
        body = {
            "connection": "main",
            "issue_id": issue.id,
            "event": "regression",
            "fields": [],
            "reason": str(number),
        }
        world._aws.sqs.send_message(
            QueueUrl=world.changes,
            MessageBody=json.dumps(body),
            MessageGroupId="g",
            MessageDeduplicationId=str(number),
        )
        world.drain()
        assert world.deliver(world.event(event(v2_5=3))) == []
        world.settle()
    assert len(comments(issue)) == 1


@BOTH
def test_only_a_comment(make_sync_world: MakeSyncWorld, told_by: str) -> None:
    world = resolved(make_sync_world, fixes={"on_regression": "comment"})
    issue = only_issue(world)
    report(world, "2.5", told_by, times=3)
    assert (world.status(issue), len(comments(issue))) == ("Done", 1)
    assert world.of().state == "open"
    world.settle()
    world.poll()
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("Done", "open", 1)


def test_a_new_boundary_after_a_comment_counts_anew(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fixes={"on_regression": "comment"})
    issue = only_issue(world)
    report(world, "2.5")
    fix_in(world, world.jira.add_version("2.6"))
    world.settle()
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.6")])
    report(world, "2.7")
    assert len(comments(issue)) == 2
    assert "2.7" in comments(issue)[1]


@BOTH
def test_left_alone_where_the_settings_say_so(make_sync_world: MakeSyncWorld, told_by: str) -> None:
    world = resolved(make_sync_world, fixes={"on_regression": "leave"})
    issue = only_issue(world)
    report(world, "2.5", told_by)
    assert (world.status(issue), comments(issue)) == ("Done", [])
    assert world.of().state == ("open" if told_by == "backtrace" else "resolved")


def new_ticket_of(world: SyncWorld, old: Issue) -> Issue:
    """Let the event come in that is on its way, and return the ticket it makes."""
    received = world._aws.sqs.receive_message(QueueUrl=world.events, MaxNumberOfMessages=10).get(
        "Messages", []
    )
    bodies = [message["Body"] for message in received]
    assert len(bodies) == 1
    world.clock.advance(30)
    assert world.deliver(world.event(*bodies)) == []
    (new,) = [issue for issue in world.jira.issues.values() if issue.id != old.id]
    return new


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQS is emulated in real time; the order of things is kept by `new_ticket_of`."""
    send = "backtrace_jira.adapters.aws.message_queue.SQSNewEvents.publish"
    from backtrace_jira.adapters.aws.message_queue import SQSNewEvents

    publish = SQSNewEvents.publish
    monkeypatch.setattr(send, lambda self, body, *, after: publish(self, body, after=0))


@flavours
@BOTH
def test_a_new_ticket_that_is_linked_to_the_old_one(
    make_sync_world: MakeSyncWorld, flavour: str, told_by: str
) -> None:
    world = resolved(make_sync_world, flavour, fixes={"on_regression": "new_ticket"})
    world.backtrace.attributes |= {"hostname": "none"}
    old = only_issue(world)
    report(world, "2.5", told_by, hostname="h1", callstack=["printf", "main"])
    new = new_ticket_of(world, old)
    assert (world.status(old), comments(old)) == ("Done", [])
    assert new.issue_links == [{"type": "Relates", "outward": old.id}]
    assert world.row_of().issue.id == new.id  # type: ignore[union-attr]
    assert world.row_of().previous == ""
    assert "2.5" in new.fields["description"]
    assert "printf" in new.fields["description"]
    assert "View in Backtrace" in new.fields["description"]
    assert (world.of().state, invariants(world)) == ("in-progress", [])
    world.settle()
    world.jira.transition(old.key, "To Do")
    world.settle()
    assert world.of().state == "in-progress"
    world.jira.transition(new.key, "Done")
    world.settle()
    assert world.of().state == "resolved"


def test_a_link_that_jira_does_not_take_is_said(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fixes={"on_regression": "new_ticket", "link_type": "Follows"})
    old = only_issue(world)
    report(world, "2.5")
    new_ticket_of(world, old)
    assert any("is not linked to it" in outcome.detail for outcome in world.reports)
    assert world.row_of().linked_in_backtrace


def test_an_old_ticket_gets_a_new_one(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fixes={"reopen_within_days": 14})
    old = only_issue(world)
    world.clock.advance(15 * 24 * 3600)
    report(world, "2.5")
    assert new_ticket_of(world, old).issue_links
    assert world.status(old) == "Done"


def test_a_young_ticket_is_reopened(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fixes={"reopen_within_days": 14})
    world.clock.advance(13 * 24 * 3600)
    report(world, "2.5")
    assert world.status(only_issue(world)) == "To Do"


@pytest.mark.parametrize("resolution", ["Won't Do", "Duplicate"])
def test_what_was_never_to_be_fixed_is_not_reopened(make_sync_world: MakeSyncWorld, resolution: str) -> None:
    world = world_with(make_sync_world)
    done = next(step for step in world.jira.project().workflow.transitions if step.name == "Done")
    done.sets_resolution = resolution
    issue = only_issue(world)
    world.jira.transition(issue.key, "Done")
    world.settle()
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[later("2.4")])  # a person's own
    report(world, "2.5")
    assert world.of().state == "open"
    assert (world.status(issue), comments(issue)) == ("Done", [])


def test_a_persons_own_criterion_reopens_too(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    issue = only_issue(world)
    world.jira.transition(issue.key, "Done")
    world.settle()
    own = {"type": "timestamp_gt", "timestamp": 1}
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[own])
    report(world, "2.5")
    assert world.status(issue) == "To Do"
    assert "reopened by Backtrace" in comments(issue)[0]
    assert invariants(world) == [own]


def test_a_person_who_opens_the_group_is_no_regression(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    world.set_state("open")
    world.poll()
    issue = only_issue(world)
    assert (world.status(issue), comments(issue)) == ("To Do", [])
    world.settle()
    assert invariants(world) == []


def test_branches_are_judged_by_errors_and_not_by_sums(make_sync_world: MakeSyncWorld) -> None:
    """A group with a mobile error in 2.3 and a server error in 9.1 has both values, but no error of both."""
    branches = [{"versions": "^Mobile", "attribute": "environment", "values": "^mobile$"}]
    world = resolved(make_sync_world, fix="Mobile 2.4", fixes={"several": "branches", "branches": branches})
    issue = only_issue(world)
    fingerprint = group().fingerprint
    world.backtrace.receive(PROJECT, fingerprint, version="2.3", environment="mobile")
    world.backtrace.receive(PROJECT, fingerprint, version="9.1", environment="server")
    body = sample_body() | {
        "attributes": {"version": [["2.3", 2], ["9.1", 1]], "environment": [["mobile", 1], ["server", 1]]}
    }
    assert world.deliver(world.event(body)) == []
    world.drain()
    assert world.status(issue) == "Done"
    world.backtrace.receive(PROJECT, fingerprint, version="2.5", environment="mobile")
    world.poll()
    assert world.status(issue) == "To Do"
    assert "2.5 (1 error)" in comments(issue)[0]


def test_every_error_with_its_own_ticket_reopens_none(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, event="trace")
    issue = only_issue(world)
    report(world, "2.5")
    assert (world.status(issue), comments(issue)) == ("Done", [])


def test_an_event_of_a_known_group_costs_nothing_more_without_a_boundary(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = world_with(make_sync_world)
    world.wire.calls.clear()
    assert world.deliver(world.event(event(v2_5=1))) == []
    assert [call for call in world.wire.calls if not call.startswith("ssm")] == ["dynamodb BatchGetItem"]


def test_a_message_that_cannot_be_sent_comes_again(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    queue, world.changes = world.changes, world.changes + "-gone"
    world.new_process()
    assert len(world.deliver(world.event(event(v2_5=1)))) == 1
    world.changes = queue


def test_a_comment_that_is_refused_is_said(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    world.jira.deny("ADD_COMMENTS")
    report(world, "2.5")
    assert world.status(only_issue(world)) == "To Do"
    assert any("could not be commented on" in outcome.detail for outcome in world.told)


def test_a_workflow_without_a_way_back_is_said_and_commented(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    for step in world.jira.project().workflow.transitions:
        step.sources = ("10000", "3")
    report(world, "2.5")
    assert world.status(issue) == "Done"
    assert len(comments(issue)) == 1
    assert any("could not be carried to Jira" in outcome.detail for outcome in world.told)
    world.poll()
    world.poll()
    assert len(comments(issue)) == 1


def test_hostile_versions_do_nothing_in_a_comment(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    hostile = "{color:red}[~admin]@2.5"
    world.backtrace.receive(PROJECT, group().fingerprint, version=hostile)
    body = sample_body() | {"attributes": {"version": [[hostile, 1]]}}
    assert world.deliver(world.event(body)) == []
    world.drain()
    (comment,) = comments(only_issue(world))
    assert "[~admin]" not in comment


@BOTH
@pytest.mark.parametrize("action", ["reopen", "comment", "new_ticket"])
def test_a_process_that_dies_anywhere_does_it_once(
    make_sync_world: MakeSyncWorld, told_by: str, action: str
) -> None:
    world = resolved(make_sync_world, fixes={"on_regression": action})
    begin_again = checkpoint(world)
    for cut in range(80):
        begin_again()
        issue = only_issue(world)
        receive_regression(world, told_by)
        world.clock.advance(300)
        world.wire.calls.clear()
        world.wire.cut_at = cut
        is_done = comes_to_the_end(world, told_by)
        world.wire.cut_at = None
        world.new_process()
        world.clock.advance(80)
        world.release_messages()
        world.drain()
        world.poll()
        world.poll()
        if action == "new_ticket":
            assert_one_new_ticket(world, issue, cut)
        else:
            assert len(comments(issue)) == 1, cut
            assert world.status(issue) == ("To Do" if action == "reopen" else "Done"), cut
            assert world.of().state == "open", cut
        if is_done:
            assert cut > 5
            return
    raise AssertionError("never came to the end")


def receive_regression(world: SyncWorld, told_by: str) -> None:
    """Let Backtrace see the error in a later version; the poll, too, is to learn of it by the event alone."""
    if told_by == "event":
        world.of().invariants, kept = [], world.of().invariants
        world.backtrace.receive(PROJECT, group().fingerprint, version="2.5", hostname="h")
        world.of().invariants = kept
        assert world.deliver(world.event(event(v2_5=1))) == []
    else:
        world.backtrace.receive(PROJECT, group().fingerprint, version="2.5", hostname="h")


def comes_to_the_end(world: SyncWorld, told_by: str) -> bool:
    """Run what acts on a regression; whether the process lived on."""
    try:
        if told_by == "event":
            world.apply_batch()
        else:
            world.polling_backtrace(deadline=world.clock() + 300)
    except Cut:
        return False
    return True


def assert_one_new_ticket(world: SyncWorld, issue: Issue, cut: int) -> None:
    """Let the error event come that asks for a new ticket, perhaps twice: one ticket is made, and linked."""
    received = world._aws.sqs.receive_message(QueueUrl=world.events, MaxNumberOfMessages=10).get(
        "Messages", []
    )
    assert received, cut
    assert world.deliver(world.event(*[message["Body"] for message in received])) == []
    assert len(world.jira.issues) == 2, cut
    assert world.row_of().issue.id != issue.id, cut  # type: ignore[union-attr]
    world.settle()
    assert world.of().state == "in-progress", cut
