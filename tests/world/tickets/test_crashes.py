"""For every call that a delivery sends, cut the process off before it and after it, and deliver again."""

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
    calls = list(whole.wire.calls)
    assert any(call.startswith("dynamodb") for call in calls)
    assert "http POST /rest/api/2/issue" in calls
    assert "http POST /api/issue" in calls

    for number in range(len(calls)):
        for after in (False, True):
            wire = Wire()
            world = make_real_world(flavour, wire)
            world.jira.index_lag = lag
            wire.cut_at, wire.after = number, after
            where = world.deliver_and_be_cut()
            assert where == f"{'after' if after else 'before'} {calls[number]}"
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
        wire.cut_at, wire.after = len(wire.calls) + number // 2, bool(number % 2)
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
    assert world.wire.calls == ["dynamodb UpdateItem"]
