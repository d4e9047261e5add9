"""Whatever order of versions Backtrace has, and in whichever words it keeps what it is told: the rules hold."""

from __future__ import annotations

import pytest

from backtrace_jira.backtrace.reopen_criteria import holds_all
from local.backtrace_stand_in.stand_in import Order
from tests.builders import group
from tests.world.fix_versions.test_fix_versions import OWN, close, fix_in, invariants, only_issue, world_with
from tests.world.fix_versions.test_regressions import comments, report
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld


def resolved_until(make: MakeSyncWorld, order: Order, *fixes: str) -> SyncWorld:
    world = world_with(make)
    world.backtrace.order = order
    world.backtrace.rewords_invariants = True
    close(world, *fixes)
    world.settle()
    world.clock.advance(3600)
    return world


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize(
    ("fixes", "others", "regression"),
    [
        (["2.4"], ["2.4.0", "2.4.0-HF1", "2.4.0-rc.1"], "2.4.1"),
        (["1.5.2", "1.6.4", "2.1.1"], ["1.5.1", "2.0.9", "2.1.0"], "1.5.3"),
        (["2.4.0-rc.1"], ["2.4.0-beta.9", "2.3.9"], "2.4.0-rc.2"),
        (["2.4.0-SNAPSHOT"], ["2.4.0-rc1", "2.4.0-SNAPSHOT"], "2.4.0"),
        (["2.4.0-hotfix.1"], ["2.4.0", "2.4.0-hotfix.1"], "2.4.1"),
        (["2.4-HF1"], ["2.4.0", "2.4.0-HF1"], "2.4.1"),
        (["4.2.1-10234"], ["4.2.1", "4.2.1-10233"], "4.2.1-10235"),
        (["4.2.1.10234"], ["4.2.1.9876"], "4.2.1.10235"),
    ],
)
def test_only_a_regression_reopens(
    make_sync_world: MakeSyncWorld, order: Order, fixes: list[str], others: list[str], regression: str
) -> None:
    world = resolved_until(make_sync_world, order, *fixes)
    issue = only_issue(world)
    ours = world.row_of().synced.reopen_criteria  # type: ignore[union-attr]
    for version in others:
        for told_by in ("backtrace", "event"):
            report(world, version, told_by)
            world.clock.advance(600)  # SQS drops a hint of the same occasion for five minutes
            assert (world.status(issue), world.of().state, comments(issue)) == ("Done", "resolved", []), (
                version
            )
            assert holds_all(invariants(world), ours)
            assert len(invariants(world)) == len(ours)
    report(world, regression, "event")
    assert (world.status(issue), world.of().state, invariants(world)) == ("To Do", "open", [])
    assert len(comments(issue)) == 1


@pytest.mark.parametrize("order", Order)
def test_backtrace_itself_finds_a_regression_on_a_line(make_sync_world: MakeSyncWorld, order: Order) -> None:
    world = resolved_until(make_sync_world, order, "1.5.2", "2.1.1")
    report(world, "1.5.3", "backtrace")
    assert world.status(only_issue(world)) == "To Do"


def test_our_criteria_are_found_and_replaced_although_they_are_reworded(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = world_with(make_sync_world)
    world.backtrace.rewords_invariants = True
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[OWN])
    close(world, "1.5.2", "2.1.1")
    world.settle()
    assert len(invariants(world)) == 3
    fix_in(world, world.jira.add_version("2.6"))
    world.settle()
    assert [each.get("version") for each in invariants(world)] == [OWN.get("version"), "2.6.0"]
    writes = world.calls["backtrace writes"]
    for _ in range(3):
        world.settle()
        world.poll()
    assert world.calls["backtrace writes"] == writes
    world.jira.transition(only_issue(world).key, "In Progress")
    world.settle()
    assert [each.get("version") for each in invariants(world)] == [OWN.get("version")]
