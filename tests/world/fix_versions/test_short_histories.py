"""Histories that the convergence machine found or passes by, each as short as it can be."""

from __future__ import annotations

from contextlib import suppress

import pytest

from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.fix_versions import SeenIn
from tests.builders import group
from tests.world.fix_versions.test_fix_versions import (
    ONE_WAY,
    close,
    fix_in,
    invariants,
    later,
    only_issue,
    world_with,
)
from tests.world.fix_versions.test_regressions import BOTH, comments, event, report, resolved
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import Cut


def come_in_line(world: SyncWorld) -> None:
    """Let webhooks come in and periods pass, more than an hour: so long what was refused is not tried again."""
    world.deliver_webhooks()
    world.drain()
    world.poll()
    world.clock.advance(3600)
    world.poll()
    world.poll()


def error(world: SyncWorld, version: str) -> None:
    """Let an error come in, and the event that tells of it."""
    world.clock.advance(5)
    world.backtrace.receive(PROJECT, group().fingerprint, version=version)
    assert world.deliver(world.event(event(**{f"v{version.replace('.', '_')}": 1}))) == []


def fixed_in(make: MakeSyncWorld, fix: str = "2.4", **settings: object) -> SyncWorld:
    world = world_with(make, **settings)  # type: ignore[arg-type]
    close(world, fix)
    world.settle()
    assert invariants(world) == [later(f"{fix}.0")]
    world.clock.advance(60)
    return world


def test_an_error_before_the_last_closing_does_not_reopen_the_ticket(make_sync_world: MakeSyncWorld) -> None:
    """Backtrace reopened the group; before anybody looked, a person reopened the ticket and closed it again."""
    world = fixed_in(make_sync_world)
    issue = only_issue(world)
    world.backtrace.receive(PROJECT, group().fingerprint, version="2.5")
    world.clock.advance(700)  # more than the clocks of two machines may differ
    for status in ("In Progress", "Done"):
        world.clock.advance(5)
        world.jira.transition(issue.key, status)
    come_in_line(world)
    assert (world.status(issue), world.of().state) == ("Done", "resolved")
    assert (invariants(world), comments(issue)) == ([later("2.4.0")], [])


def test_an_error_between_the_closing_and_our_look_is_a_regression(make_sync_world: MakeSyncWorld) -> None:
    """Nobody had told Backtrace of the boundary when the error came, and the link did not know of it either."""
    world = world_with(make_sync_world)
    issue = only_issue(world)
    close(world, "2.4")
    error(world, "2.5")
    come_in_line(world)
    assert (world.status(issue), world.of().state, invariants(world)) == ("To Do", "in-progress", [])
    (comment,) = comments(issue)
    assert "2.5 (1 error)" in comment


def test_an_error_below_a_raised_boundary_resolves_the_group_again(make_sync_world: MakeSyncWorld) -> None:
    world = fixed_in(make_sync_world)
    issue = only_issue(world)
    world.clock.advance(5)
    fix_in(world, world.jira.add_version("2.6"))
    world.clock.advance(5)
    world.backtrace.receive(PROJECT, group().fingerprint, version="2.5")
    come_in_line(world)
    assert (world.status(issue), comments(issue)) == ("Done", [])
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.6.0")])


def test_an_error_past_a_boundary_that_was_set_or_lowered_later_reopens_the_ticket(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = fixed_in(make_sync_world, "2.6")
    issue = only_issue(world)
    error(world, "2.5")
    come_in_line(world)
    assert world.status(issue) == "Done"
    (version,) = world.jira.project().versions
    world.jira.change_version(version, name="2.4")
    come_in_line(world)
    assert (world.status(issue), world.of().state) == ("To Do", "open")


def test_a_boundary_that_backtrace_refused_is_written_later(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "2.4")
    refusal = {"error": {"code": 1, "message": "not now"}}
    world.backtrace.faults.add("POST", "/api/issue", 2, status=200, body=refusal)
    come_in_line(world)
    come_in_line(world)
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4.0")])


def test_a_group_that_is_muted_later_stays_muted(make_sync_world: MakeSyncWorld) -> None:
    """A muted group with reopen criteria would be muted only until one is met."""
    world = fixed_in(make_sync_world)
    issue = only_issue(world)
    world.set_state("muted")
    come_in_line(world)
    assert (world.of().state, invariants(world)) == ("muted", [])
    error(world, "2.5")
    come_in_line(world)
    assert (world.of().state, world.status(issue), comments(issue)) == ("muted", "Done", [])


def test_a_boundary_that_is_gone_before_we_look_reopens_nothing(make_sync_world: MakeSyncWorld) -> None:
    world = fixed_in(make_sync_world)
    issue = only_issue(world)
    world.backtrace.receive(PROJECT, group().fingerprint, version="2.5")
    world.clock.advance(5)
    (version,) = world.jira.project().versions
    world.jira.delete_version(version)
    come_in_line(world)
    assert (world.status(issue), comments(issue)) == ("Done", [])
    assert (world.of().state, invariants(world)) == ("resolved", [])


def test_a_ticket_that_was_moved_twice_stays_linked(make_sync_world: MakeSyncWorld) -> None:
    """The process that brought the first move to the group died before it recorded the new key."""
    world = fixed_in(make_sync_world)
    issue = only_issue(world)
    world.jira.add_project("OPS", "Operations")
    world.jira.move_issue(issue.key, "OPS")
    world.clock.advance(300)
    world.wire.calls.clear()
    for cut in range(40):
        world.wire.cut_at = len(world.wire.changes) + cut
        with suppress(Cut):
            world.polling_jira(deadline=world.clock() + 300)
        world.wire.cut_at = None
        if any(entry.get("short") == issue.key for entry in world.of().ticket):
            break
        world.new_process()
        world.clock.advance(400)
    assert world.row_of().issue.key == "BUG-1"  # type: ignore[union-attr]
    world.new_process()
    world.jira.move_issue(issue.key, "BUG")
    world.clock.advance(400)
    come_in_line(world)
    assert world.row_of().issue.key == issue.key  # type: ignore[union-attr]
    assert [entry.get("short") for entry in world.of().ticket if "short" in entry] == [issue.key]


def test_a_universe_without_settings_keeps_the_round_from_its_own_links_only(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = fixed_in(make_sync_world)
    broken = world.add_integration(name="other", universe="gone", fix_versions={"enabled": True})
    ticket = world.jira.create_issue("of the other universe")
    linked = Issue(ticket.id, ticket.key, f"{world.jira.site_url}/browse/{ticket.key}")
    world.store.complete(LinkKey(broken.id, "a" * 64), linked, Record(world.clock(), Decision.LINKED))
    later_too = world.settings.fix_versions.model_copy(update={"seen_in": SeenIn.SAME_OR_LATER})
    world.configure(fix_versions=later_too)
    world.new_process()
    world.clock.advance(3600)
    world.poll()
    assert invariants(world) == [later("2.4.0", "version_ge")]


@BOTH
@pytest.mark.parametrize("sync", [{}, ONE_WAY])
def test_a_reopening_that_jira_refused_is_tried_again_by_the_round(
    make_sync_world: MakeSyncWorld, told_by: str, sync: dict[str, bool]
) -> None:
    """Once an hour, without a further comment."""
    world = resolved(make_sync_world, sync=sync)
    issue = only_issue(world)
    refusal = {"errorMessages": ["not now"], "errors": {}}
    world.jira.faults.add("POST", "/transitions$", None, status=400, body=refusal)
    report(world, "2.5", told_by)
    for _ in range(3):
        world.settle()
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("Done", "open", 1)
    assert world.jira.count("POST", "/transitions$") == 1
    world.clock.advance(3600)
    world.poll()
    assert world.jira.count("POST", "/transitions$") == 2
    world.jira.faults.clear()
    world.clock.advance(3600)
    for _ in range(2):
        world.poll()
    assert (world.status(issue), world.of().state, len(comments(issue))) == ("To Do", "open", 1)
    assert (invariants(world), world.letters()) == ([], [])


def test_a_universe_without_settings_does_not_stop_the_ticket_s_other_groups(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = world_with(make_sync_world)
    broken = world.add_integration(name="other", universe="gone", fix_versions={"enabled": True})
    ticket = only_issue(world)
    linked = Issue(ticket.id, ticket.key, f"{world.jira.site_url}/browse/{ticket.key}")
    world.store.complete(LinkKey(broken.id, "a" * 64), linked, Record(world.clock(), Decision.LINKED))
    world.new_process()
    close(world, "2.4")
    world.settle()
    assert (invariants(world), world.letters()) == ([later("2.4.0")], [])


def test_criteria_that_a_group_lost_come_back(make_sync_world: MakeSyncWorld) -> None:
    world = fixed_in(make_sync_world)
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[])
    come_in_line(world)
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4.0")])
