"""Let the process die at every call of a delivery that may change something, and deliver again."""

from __future__ import annotations

import pytest

from backtrace_jira.outcomes import Decision
from tests.world.world import Flavour, MakeWorld, Wire


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
@pytest.mark.parametrize("lag", [0.0, 5.0], ids=["index at once", "index 5 s behind"])
def test_a_delivery_cut_off_anywhere_still_ends_in_one_ticket(
    make_real_world: MakeWorld, flavour: Flavour, lag: float
) -> None:
    whole = make_real_world(flavour)
    assert whole.deliver() == []
    assert any(call.startswith("dynamodb") for call in whole.wire.changes)
    assert "http POST /rest/api/2/issue" in whole.wire.changes
    assert "http POST /api/issue" in whole.wire.changes

    for number, change in enumerate(whole.wire.changes):
        wire = Wire()
        world = make_real_world(flavour, wire)
        world.jira.index_lag = lag
        wire.cut_at = number
        assert world.deliver_and_be_cut() == f"after {change}"
        wire.cut_at = None
        world.new_process()
        world.deliver_until_done()
        world.assert_one_ticket()


def test_a_recovery_cut_off_anywhere_still_ends_in_one_ticket(make_real_world: MakeWorld) -> None:
    """The same for the delivery that looks a lost create up and makes it a second time."""
    calls: list[str] = []
    for number in range(200):
        wire = Wire()
        world = make_real_world("cloud", wire)
        world.jira.faults.add("POST", r"/issue$", drop_before=True)
        assert world.deliver() == ["m0"]
        wire.cut_at = len(wire.changes) + number
        where = world.deliver_and_be_cut()
        calls.append(where)
        wire.cut_at = None
        world.new_process()
        world.deliver_until_done()
        world.assert_one_ticket()
        if where == "nowhere":
            break
    assert "after http POST /rest/api/2/issue" in calls
    assert calls[-1] == "nowhere", "every call of the recovery was cut"


def test_the_redelivery_of_a_finished_message_costs_one_request(make_real_world: MakeWorld) -> None:
    world = make_real_world()
    world.deliver()
    world.wire.calls.clear()
    assert world.deliver_until_done() is Decision.KNOWN
    assert world.wire.calls == ["dynamodb BatchGetItem"]
