"""What all other tests of worlds stand on."""

from __future__ import annotations

import botocore.session
import pytest

from tests.world.checkpoint import checkpoint
from tests.world.sync_world import MakeSyncWorld
from tests.world.world import MakeWorld, Wire


def test_processes_share_the_clients_of_aws(
    make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_sync_world()
    world.ticket()
    made: list[str] = []
    monkeypatch.setattr(botocore.session.Session, "create_client", lambda _, name, **__: made.append(name))
    for _ in range(3):
        world.new_process()
    make_sync_world().ticket("f" * 64)
    assert made == []


def test_each_world_sees_its_own_calls(make_world: MakeWorld) -> None:
    first, second = Wire(), Wire()
    make_world("cloud", first).deliver()
    counted = len(first.calls)
    make_world("cloud", second).deliver()
    assert len(first.calls) == counted
    assert second.calls == first.calls
    assert second.count("dynamodb") == 4
    assert second.count("http") == 3


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_a_world_comes_back_to_its_checkpoint(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world = make_sync_world(flavour)
    issue = world.ticket()
    begin_again = checkpoint(world)
    row, group, now = world.row_of(), world.of().result(), world.clock()
    for _ in range(2):
        world.jira.transition(issue.key, "Done")
        world.deliver_webhooks()
        world.drain()
        world.ticket("f" * 64)
        assert world.of().state == "resolved"
        assert len(world.jira.issues) == 2
        begin_again()
        assert world.status(issue) == "To Do"
        assert (world.row_of(), world.of().result(), world.clock()) == (row, group, now)
        assert len(world.jira.issues) == 1
        assert world.changes_waiting() == world.letters() == []
        assert world.told == []
