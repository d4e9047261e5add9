"""What people do in Backtrace while a turn runs is kept, and what Backtrace's answer says is what is recorded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.builders import group
from tests.world.checkpoint import checkpoint
from tests.world.fix_versions.test_fix_versions import (
    OWN,
    close,
    flavours,
    invariants,
    later,
    only_issue,
    world_with,
)
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld

FINGERPRINT = group().fingerprint
THEIRS = {"watcher": "jira-of-another-team", "short": "OPS-1", "url": "https://jira.example/browse/OPS-1"}


def at_every_call(
    world: SyncWorld, meanwhile: Callable[[], object], is_kept: Callable[[], bool]
) -> tuple[list[str], list[str]]:
    """Let a person act before each call between a turn's first read of the group and its write.

    Returns those calls, and those before which it acted in vain.
    """
    world.deliver_webhooks()
    begin_again = checkpoint(world)
    world.wire.calls.clear()
    world.drain()
    calls = list(world.wire.calls)
    first, last = calls.index("http POST /api/query"), calls.index("http POST /api/issue")
    lost: list[str] = []
    for place in range(first, last + 1):
        begin_again()
        world.new_process()
        world.wire.calls.clear()
        world.wire.interrupt_at, world.wire.interrupt = place, meanwhile
        world.drain()
        assert world.wire.interrupt_at is None, place
        assert later("2.4") in invariants(world), place
        if not is_kept():
            lost.append(calls[place])
    return calls[first : last + 1], lost


@flavours
def test_a_criterion_that_a_person_adds_while_a_turn_runs_is_kept(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    world = world_with(make_sync_world, flavour)
    close(world, "2.4")
    calls, lost = at_every_call(
        world,
        lambda: world.backtrace.seed(PROJECT, FINGERPRINT, invariants=[*invariants(world), OWN]),
        lambda: OWN in invariants(world),
    )
    assert calls[-2:] == ["http POST /api/query", "http POST /api/issue"]
    # Between the second read and the write one moment is left: docs/how-it-works/fix-versions.md says so.
    assert lost == ["http POST /api/issue"]


def test_a_ticket_that_a_person_links_while_a_turn_runs_is_kept(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "2.4")
    _, lost = at_every_call(
        world,
        lambda: world.backtrace.seed(PROJECT, FINGERPRINT, ticket=[*world.of().ticket, THEIRS]),
        lambda: THEIRS["url"] in [entry.get("url") for entry in world.of().ticket],
    )
    assert lost == ["http POST /api/issue"]


def test_a_group_that_a_person_mutes_before_the_write_is_not_resolved(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "2.4")
    begin_again = checkpoint(world)
    world.wire.calls.clear()
    world.settle()
    read_again = world.wire.calls.index("http POST /api/issue") - 1
    begin_again()
    world.new_process()
    world.wire.calls.clear()
    world.wire.interrupt_at, world.wire.interrupt = read_again, lambda: world.set_state("muted")
    world.settle()
    assert (world.of().state, invariants(world)) == ("muted", [])


def test_criteria_that_backtrace_takes_and_does_not_keep_are_not_ours(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    world.backtrace.drops_invariants = True
    close(world, "2.4")
    world.settle()
    synced = world.row_of().synced
    assert synced is not None
    assert (world.of().state, invariants(world), synced.reopen_criteria) == ("resolved", [], ())
    assert any("did not keep the reopen criteria" in problem for problem in synced.problems)
    assert not [each for each in synced.told if "until" in each]
    world.backtrace.drops_invariants = False
    world.jira.edit_issue(only_issue(world).key, summary="touched")
    world.settle()
    assert invariants(world) == [later("2.4")]


@pytest.mark.parametrize("rewords", [True, False])
def test_criteria_that_backtrace_words_otherwise_are_ours(
    make_sync_world: MakeSyncWorld, rewords: bool
) -> None:
    world = world_with(make_sync_world)
    world.backtrace.rewords_invariants = rewords
    close(world, "2.4")
    world.settle()
    synced = world.row_of().synced
    assert synced is not None
    assert (len(synced.reopen_criteria), synced.problems) == (1, ())
    world.jira.transition(only_issue(world).key, "To Do")
    world.settle()
    assert invariants(world) == []
