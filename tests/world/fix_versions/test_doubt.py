"""A version that may be before or after its release reopens nothing, whoever tells of the error."""

from __future__ import annotations

import pytest

from backtrace_jira.outcomes import Decision
from local.backtrace_stand_in.stand_in import Order
from tests.builders import sample_body
from tests.world.fix_versions.test_fix_versions import (
    close,
    fix_in,
    invariants,
    later,
    only_issue,
    world_with,
)
from tests.world.fix_versions.test_hints import deliver, receive, sends
from tests.world.fix_versions.test_orders import resolved_until
from tests.world.fix_versions.test_regressions import BOTH, comments, report, resolved
from tests.world.sync_world import MakeSyncWorld

LONG = " " * 16_384 + "("
"""An attribute of 16 KB that is no version."""


@BOTH
@pytest.mark.parametrize(
    ("fix", "error"),
    [
        ("2.4", "2.4-HF1"),
        ("2.4", "2.4-iOS"),
        ("2.4", "2.4-1~deb11u1"),
        ("2.4", "Server 7.1 + Agent 3.2"),
        ("2.4", LONG),
        ("2.4-HF1", "2.4"),
        ("2.4-HF1", "2.4-HF1"),
        ("2.4-HF1", "2.4-p2"),
        ("2.4-HF1", "2.4-hotfix.2"),  # past 2.4, which is all that Backtrace was told
        ("2.4-linux-x64", "2.4"),
    ],
)
def test_doubt_does_not_reopen_a_ticket(
    make_sync_world: MakeSyncWorld, told_by: str, fix: str, error: str
) -> None:
    world = resolved(make_sync_world, fix=fix)
    issue = only_issue(world)
    report(world, error, told_by)
    assert (world.status(issue), world.of().state) == ("Done", "resolved")
    assert invariants(world) == [later("2.4")]
    assert comments(issue) == []


@BOTH
@pytest.mark.parametrize("fix", ["2.4-HF1", "2.4-linux-x64"])
@pytest.mark.parametrize("error", ["2.4.1", "2.5"])
def test_a_later_release_reopens_it(
    make_sync_world: MakeSyncWorld, told_by: str, fix: str, error: str
) -> None:
    world = resolved(make_sync_world, fix=fix)
    report(world, error, told_by)
    assert world.status(only_issue(world)) == "To Do"


def test_it_is_said_once(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "2.4-HF1")
    for _ in range(3):
        world.settle()
    world.jira.edit_issue(only_issue(world).key, summary="touched")
    world.settle()
    world.poll()
    told = [outcome for outcome in world.told if "2.4-HF1: it is not known" in outcome.detail]
    assert [outcome.decision for outcome in told] == [Decision.SYNCED]
    assert invariants(world) == [later("2.4")]


def test_it_is_said_where_nothing_is_written(make_sync_world: MakeSyncWorld) -> None:
    """A version that is not released tells Backtrace nothing yet."""
    world = world_with(make_sync_world, fixes={"when": "released"})
    close(world, "2.4-HF1", released=False)
    for _ in range(2):
        world.settle()
    told = [outcome for outcome in world.told if "2.4-HF1: it is not known" in outcome.detail]
    assert len(told) == 1


@BOTH
def test_doubt_about_an_errors_version_is_said_once(make_sync_world: MakeSyncWorld, told_by: str) -> None:
    # An order of text takes 2.4.0-iOS for later than 2.4.0, and so Backtrace reopens the group.
    world = resolved_until(make_sync_world, Order.TEXT, "2.4")
    for version in ("2.4.0-iOS", "2.4.0-iOS", "2.4.0-tvOS"):
        report(world, version, told_by)
        world.clock.advance(600)
    told = [outcome.detail for outcome in world.told if "it is not known whether" in outcome.detail]
    assert len(told) == 1
    assert "was seen in 2.4.0-iOS: it is not known whether that is past version > 2.4.0, so it" in told[0]
    assert (world.status(only_issue(world)), world.of().state) == ("Done", "resolved")


def test_it_is_said_again_for_another_boundary_only(make_sync_world: MakeSyncWorld) -> None:
    world = resolved(make_sync_world)
    report(world, "2.4-iOS", "event")
    world.clock.advance(600)
    fix_in(world, world.jira.add_version("2.6"))
    world.settle()
    report(world, "2.6-iOS", "event")
    told = [outcome.detail for outcome in world.told if "it is not known whether" in outcome.detail]
    assert [detail.count("version > 2.4.0") + 2 * detail.count("version > 2.6.0") for detail in told] == [
        1,
        2,
    ]


def test_fifty_events_in_doubt_are_one_hint(make_sync_world: MakeSyncWorld) -> None:
    world = resolved_until(make_sync_world, Order.PACKAGING, "2.4")
    sent = 0
    for number in range(1, 51):
        receive(world, "2.4-iOS")
        body = sample_body() | {"attributes": {"version": [["2.4-iOS", number]]}}
        sent += sends(deliver(world, body))
        world.drain()
        world.clock.advance(600 if number % 10 == 0 else 1)
    assert sent == 1
