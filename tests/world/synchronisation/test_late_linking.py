"""A ticket that is linked in Backtrace only later: our own linking is nobody's change."""

from __future__ import annotations

import pytest

from local.jira_stand_in.model import Issue
from tests.world.sync_world import MakeSyncWorld, SyncWorld

flavours = pytest.mark.parametrize("flavour", ["cloud", "data-center"])


def unlinked(make: MakeSyncWorld, flavour: str = "cloud") -> tuple[SyncWorld, Issue]:
    """Make a ticket while Backtrace takes no writes, and compare ticket and group for the first time."""
    world = make(flavour)
    world.backtrace.faults.add("POST", "/api/issue", None, status=503)
    assert len(world.deliver()) == 1
    world.backtrace.faults.clear()
    (issue,) = world.jira.issues.values()
    assert (world.status(issue), world.row_of().linked_in_backtrace) == ("To Do", False)
    world.clock.advance(60)
    world.jira.edit_issue(issue.key, summary="touched")
    world.poll()
    assert world.row_of().synced
    world.clock.advance(60)
    return world, issue


@flavours
def test_a_new_ticket_is_not_moved_by_its_own_linking(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, issue = unlinked(make_sync_world, flavour)
    assert world.deliver() == []
    assert world.of().state == "in-progress"
    for _ in range(3):
        world.settle()
    assert (world.status(issue), world.of().state) == ("To Do", "in-progress")


def test_what_a_person_does_after_the_linking_is_a_change(make_sync_world: MakeSyncWorld) -> None:
    world, issue = unlinked(make_sync_world)
    assert world.deliver() == []
    world.clock.advance(60)
    world.set_state("resolved")
    world.settle()
    assert (world.status(issue), world.of().state) == ("Done", "resolved")


def test_a_ticket_that_is_closed_before_the_linking_closes_its_group(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, issue = unlinked(make_sync_world)
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.deliver() == []
    world.settle()
    assert (world.status(issue), world.of().state) == ("Done", "resolved")
