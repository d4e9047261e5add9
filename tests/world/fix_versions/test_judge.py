"""The judge in the world: what Backtrace, people and clocks do to a group whose ticket is done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from local.backtrace_stand_in.objects import Report
from local.jira_stand_in.model import Issue
from tests.builders import group
from tests.world.checkpoint import checkpoint
from tests.world.fix_versions.test_fix_versions import (
    ONE_WAY,
    OWN,
    close,
    fix_in,
    invariants,
    later,
    only_issue,
    world_with,
)
from tests.world.fix_versions.test_regressions import comments, event, report, resolved
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import Cut

flavours = pytest.mark.parametrize("flavour", ["cloud", "data-center"])


def receive(world: SyncWorld, version: str, **more: Any) -> None:
    world.backtrace.receive(PROJECT, group().fingerprint, version=version, **more)


def hide_report(world: SyncWorld) -> Report:
    """Let Backtrace's queries not find the last error yet."""
    return world.backtrace.reports[PROJECT].pop()


def show_report(world: SyncWorld, hidden: Report) -> None:
    world.backtrace.reports[PROJECT].append(hidden)


def assert_resolved(world: SyncWorld, issue: Issue, *criteria: dict[str, Any]) -> None:
    assert (world.status(issue), world.of().state, comments(issue)) == ("Done", "resolved", [])
    assert invariants(world) == list(criteria)


def assert_regression(world: SyncWorld, issue: Issue, version: str) -> None:
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("To Do", "open", 1)
    assert f"was seen again in {version}" in comments(issue)[0]


# Backtrace has reopened it, and the error did not come back


@flavours
@pytest.mark.parametrize("heard", ["webhook", "poll", "event"])
def test_an_error_below_a_boundary_that_was_raised(
    make_sync_world: MakeSyncWorld, flavour: str, heard: str
) -> None:
    world = resolved(make_sync_world, flavour, fix="2.5")
    issue = only_issue(world)
    fix_in(world, world.jira.add_version("2.6"))
    receive(world, "2.5.3")
    assert world.of().state == "open"
    if heard == "webhook":
        world.deliver_webhooks()
    elif heard == "event":
        assert world.deliver(world.event(event(v2_5_3=1))) == []
    world.drain()
    world.poll()
    world.settle()
    assert_resolved(world, issue, later("2.6"))
    report(world, "2.7")
    assert_regression(world, issue, "2.7")


def test_an_error_between_our_reading_and_our_write_of_a_higher_boundary(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = resolved(make_sync_world, fix="2.5")
    begin_again = checkpoint(world)
    for call in range(60):
        begin_again()
        issue = only_issue(world)
        ran: list[int] = []
        fix_in(world, world.jira.add_version("2.6"))
        world.deliver_webhooks()
        world.wire.calls.clear()

        def meanwhile(world: SyncWorld = world, ran: list[int] = ran) -> None:
            receive(world, "2.5.3")
            ran.append(1)

        world.wire.interrupt_at, world.wire.interrupt = call, meanwhile
        world.drain()
        world.wire.interrupt_at = None
        world.poll()
        world.poll()
        assert_resolved(world, issue, later("2.6"))
        if not ran:
            assert call > 8
            return
    raise AssertionError("never came to the end")


def test_a_boundary_that_was_removed(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    receive(world, "2.5")
    fix_in(world)
    world.settle()
    assert_resolved(world, only_issue(world))


def test_another_order_than_ours_reopens_a_few_times_a_day(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fix="2.4-HF1")
    issue = only_issue(world)
    for _ in range(3):
        receive(world, "2.4.post1")
        assert world.of().state == "open"
        world.poll()
        world.poll()
        assert_resolved(world, issue, later("2.4"))
    world.told.clear()
    writes = world.calls["backtrace writes"]
    receive(world, "2.4.post1")
    for _ in range(5):
        world.poll()
    assert (world.status(issue), world.of().state, comments(issue)) == ("Done", "open", [])
    assert world.calls["backtrace writes"] == writes
    said = [
        outcome for outcome in world.told if "stays open: Backtrace has reopened it 4 times" in outcome.detail
    ]
    assert len(said) == 1
    assert world.deliver(world.event(event(**{"v2_4_post1": 4, "v2_5": 1}))) == []
    world.drain()
    assert world.status(issue) == "Done"  # Backtrace knows of no error in 2.5
    world.clock.advance(300)  # within five minutes, one hint is enough
    receive(world, "2.5")
    assert world.deliver(world.event(event(v2_5=2))) == []
    world.drain()
    assert_regression(world, issue, "2.5")


def test_on_another_day_it_is_resolved_again(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fix="2.4-HF1")
    issue = only_issue(world)
    for _ in range(4):
        receive(world, "2.4.post1")
        world.poll()
    assert world.of().state == "open"
    world.clock.advance(25 * 3600)
    world.backtrace.seed(PROJECT, group().fingerprint, tags="seen")
    world.poll()
    assert_resolved(world, issue, later("2.4"))


# What Backtrace does not say, or not yet


@pytest.mark.parametrize("told_by", ["backtrace", "event"])
def test_an_error_that_is_found_late_is_not_lost(make_sync_world: MakeSyncWorld, told_by: str) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    receive(world, "2.5")
    hidden = hide_report(world)
    if told_by == "event":
        assert world.deliver(world.event(event(v2_5=1))) == []
        world.drain()
    else:
        world.poll()
    assert_resolved(world, issue, later("2.4"))
    show_report(world, hidden)
    world.poll()
    world.poll()
    assert_regression(world, issue, "2.5")
    world.settle()
    assert len(comments(issue)) == 1


def test_the_look_minutes_later_is_the_last(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    receive(world, "2.5")
    hide_report(world)
    for _ in range(3):
        world.poll()
    world.forget_calls()
    for _ in range(3):
        world.poll()
    assert (world.calls["jira reads"], world.calls["backtrace writes"]) == (0, 0)


def test_an_error_that_is_found_late_is_not_lost_by_a_death(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    begin_again = checkpoint(world)
    for cut in range(40):
        begin_again()
        issue = only_issue(world)
        receive(world, "2.5")
        hidden = hide_report(world)
        world.clock.advance(300)
        world.wire.calls.clear()
        world.wire.cut_at = cut
        try:
            world.polling_backtrace(deadline=world.clock() + 300)
            is_done = True
        except Cut:
            is_done = False
        world.wire.cut_at = None
        world.new_process()
        world.clock.advance(80)
        world.polling_backtrace(deadline=world.clock() + 300)
        show_report(world, hidden)
        world.poll()
        world.poll()
        assert_regression(world, issue, "2.5")
        if is_done:
            assert cut > 3
            return
    raise AssertionError("never came to the end")


def test_where_backtrace_shows_no_versions_its_word_counts(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    del world.backtrace.attributes["version"]
    report(world, "2.5")
    issue = only_issue(world)
    assert world.status(issue) == "To Do"
    assert "was seen again and reopened by Backtrace" in comments(issue)[0]
    assert any("does not say in which versions" in outcome.detail for outcome in world.told)


def test_where_backtrace_shows_no_versions_an_older_boundary_is_no_proof(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = resolved(make_sync_world, fix="2.5")
    del world.backtrace.attributes["version"]
    fix_in(world, world.jira.add_version("2.6"))
    receive(world, "2.5.3")
    world.settle()
    assert_resolved(world, only_issue(world), later("2.6"))
    assert any("does not say in which versions" in outcome.detail for outcome in world.told)
    report(world, "2.7")
    assert world.status(only_issue(world)) == "To Do"


# Muted


def test_a_criterion_of_ours_does_not_end_a_muting(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    world.backtrace.seed(PROJECT, group().fingerprint, state="muted", invariants=[OWN, *invariants(world)])
    world.poll()
    assert (world.of().state, invariants(world)) == ("muted", [OWN])
    world.of().invariants = []
    report(world, "2.5")
    assert world.deliver(world.event(event(v2_5=1))) == []
    world.settle()
    assert (world.status(issue), world.of().state, comments(issue)) == ("Done", "muted", [])
    world.set_state("resolved")
    world.jira.edit_issue(issue.key, summary="touched")
    world.settle()
    assert invariants(world) == [later("2.4")]


# The last closing


@flavours
@pytest.mark.parametrize("kept", ["the first", "none"])
@pytest.mark.parametrize("told_by", ["backtrace", "event"])
def test_the_last_closing_counts_where_a_workflow_keeps_the_resolution(
    make_sync_world: MakeSyncWorld, flavour: str, kept: str, told_by: str
) -> None:
    world = resolved(make_sync_world, flavour)
    issue = only_issue(world)
    first = dict(issue.fields)
    report(world, "2.5")
    assert world.status(issue) == "To Do"
    world.clock.advance(3600)
    world.jira.transition(issue.key, "Done")
    issue.fields["resolutiondate"] = first["resolutiondate"] if kept == "the first" else None
    issue.fields["resolution"] = first["resolution"] if kept == "the first" else None
    world.settle()
    world.clock.advance(3600)
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4")])
    world.jira.edit_issue(issue.key, summary="touched")
    if told_by == "event":
        assert world.deliver(world.event(event(v2_5=1))) == []
        world.drain()
    else:
        receive(world, "2.4.post1")  # past 2.4 for us, too
        hide_report(world)
        world.poll()
        world.poll()
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("Done", "resolved", 1)
    report(world, "2.6")
    assert "2.6 (1 error)" in comments(issue)[1]
    assert "2.5" not in comments(issue)[1]


# Clocks


@pytest.mark.parametrize("told_by", ["backtrace", "event"])
@pytest.mark.parametrize("ahead", [-600, 600])
@pytest.mark.parametrize("whose", ["Backtrace's", "Jira's", "ours"])
def test_clocks_that_differ_by_ten_minutes(
    make_sync_world: MakeSyncWorld, whose: str, ahead: int, told_by: str
) -> None:
    world = world_with(make_sync_world)
    issue, clock = only_issue(world), world.clock
    if whose in ("Backtrace's", "ours"):
        world.backtrace.clock = lambda: clock() + (ahead if whose == "Backtrace's" else -ahead)
    if whose in ("Jira's", "ours"):
        world.jira.state.clock = lambda: clock() + (ahead if whose == "Jira's" else -ahead)
    world.clock.advance(1200)
    receive(world, "2.5")
    world.clock.advance(60)
    close(world, "2.4")
    world.settle()
    assert world.deliver(world.event(event(v2_5=1))) == []
    world.drain()
    assert_resolved(world, issue, later("2.4"))
    if told_by == "event":
        invariants(world).clear()
    receive(world, "2.6")
    if told_by == "event":
        assert world.deliver(world.event(event(v2_5=1, v2_6=1))) == []
    else:
        world.poll()
    world.drain()
    assert_regression(world, issue, "2.6 (1 error)")


# People


@pytest.mark.parametrize("look", ["a summary", "nothing"])
def test_what_a_person_opened_stays_open(make_sync_world: MakeSyncWorld, look: str) -> None:
    world = resolved(make_sync_world, sync=ONE_WAY)
    issue = only_issue(world)
    world.set_state("open")
    for _ in range(3):
        if look == "a summary":
            world.jira.edit_issue(issue.key, summary="touched")
        world.settle()
    fix_in(world, world.jira.add_version("2.6"))
    world.settle()
    world.jira.edit_issue(issue.key, summary="touched again")
    world.settle()
    assert (world.status(issue), world.of().state, comments(issue)) == ("Done", "open", [])
    world.set_state("resolved")
    world.jira.edit_issue(issue.key, summary="and again")
    world.settle()
    assert_resolved(world, issue, later("2.6"))


def test_a_person_opens_what_waits_for_a_release(make_sync_world: MakeSyncWorld) -> None:
    """The boundary comes later, and the ticket is looked at twice: nothing says any more who opened the group."""
    world = world_with(
        make_sync_world, fixes={"when": "released"}, sync=ONE_WAY | {"jira_to_backtrace": True}
    )
    (version,) = close(world, "2.4", released=False)
    world.settle()
    assert (world.of().state, invariants(world)) == ("resolved", [])
    world.set_state("open")
    world.jira.edit_issue(only_issue(world).key, summary="touched")
    world.settle()
    world.jira.change_version(version, released=True)
    for _ in range(3):
        world.settle()
    assert (world.status(only_issue(world)), world.of().state) == ("Done", "open")


def test_a_criterion_of_a_person_claims_nothing_of_ours(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    issue = only_issue(world)
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[*invariants(world), OWN])
    report(world, "2.3")
    assert world.status(issue) == "To Do"
    (comment,) = comments(issue)
    assert "reopened by Backtrace" in comment
    assert "resolved until" not in comment
    assert invariants(world) == [OWN]


# Other words


def test_a_boundary_in_other_words_is_no_new_regression(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world, fixes={"on_regression": "comment"})
    issue = only_issue(world)
    report(world, "2.5")
    assert len(comments(issue)) == 1
    link = world.row_of()
    assert link.synced
    assert link.issue
    older = {"version": "2.4", "field": "version", "type": "version_gt"}
    synced = replace(link.synced, reopen_criteria=(json.dumps(older),))
    world.links.record_synced(link.key, link.issue, link.issue, synced)
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[older])
    for _ in range(3):
        world.jira.edit_issue(issue.key, summary="touched")
        world.settle()
    assert world.deliver(world.event(event(v2_5=1))) == []
    world.drain()
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("Done", "open", 1)
