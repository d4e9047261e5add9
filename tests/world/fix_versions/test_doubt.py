"""A version that may be before or after its release reopens nothing, whoever tells of the error."""

from __future__ import annotations

import pytest

from backtrace_jira.outcomes import Decision
from tests.world.fix_versions.test_fix_versions import close, invariants, later, only_issue, world_with
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
