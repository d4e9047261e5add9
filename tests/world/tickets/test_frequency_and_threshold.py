"""Event, Frequency and Threshold on the wire: which errors get a ticket, whatever is repeated or at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backtrace_jira.links.link import LinkKey, LinkState
from backtrace_jira.outcomes import Decision
from backtrace_jira.settings.integration import EventKind
from tests.builders import group, sample_body
from tests.world.world import Cut, MakeWorld, World


def trace(number: int) -> dict[str, Any]:
    return sample_body() | {"object_id": f"{number:x}"}


def decide(world: World, *numbers: int) -> list[Decision]:
    """Deliver errors one after another, each by its own message, to the end."""
    return [world.deliver_until_done(world.event(trace(number))) for number in numbers]


def traced(make_world: MakeWorld, **settings: Any) -> World:
    return make_world(event=EventKind.TRACE, **settings)


CREATED, HELD, KNOWN = Decision.CREATED, Decision.HELD, Decision.KNOWN


def test_each_error_has_its_ticket_and_the_group_all_of_them(make_world: MakeWorld) -> None:
    world = traced(make_world)
    assert decide(world, 1, 2, 1, 2, 3) == [CREATED, CREATED, KNOWN, KNOWN, CREATED]
    assert len(world.jira.issues) == 3
    issue = world.backtrace.issue("my_project", group().fingerprint)
    assert issue is not None
    assert [each["short"] for each in issue.ticket if "short" in each] == list(world.jira.issues)


def test_an_error_without_an_id_is_known_by_what_it_says(make_world: MakeWorld) -> None:
    world = traced(make_world)
    body = sample_body() | {"object_id": None}
    for each in (body, body, body | {"occurrences": 99}):
        world.deliver_until_done(world.event(each))
    assert len(world.jira.issues) == 2


def test_a_group_has_one_ticket_whatever_its_errors(make_world: MakeWorld) -> None:
    world = make_world()
    assert decide(world, 1, 2, 3) == [CREATED, KNOWN, KNOWN]


def test_frequency_holds_the_errors_of_its_time_back_for_good(make_world: MakeWorld) -> None:
    world = traced(make_world, frequency=60)
    assert decide(world, 1, 2, 3) == [CREATED, HELD, HELD]
    world.clock.advance(60)
    assert decide(world, 2, 4, 5, 1) == [HELD, CREATED, HELD, KNOWN]
    assert len(world.jira.issues) == 2


def test_threshold_lets_every_so_many_th_error_through(make_world: MakeWorld) -> None:
    world = traced(make_world, threshold=3)
    assert decide(world, 1, 2, 2, 1, 3, 4, 5, 6) == [HELD, HELD, HELD, HELD, CREATED, HELD, HELD, CREATED]


def test_the_threshold_heeds_no_frequency(make_world: MakeWorld) -> None:
    world = traced(make_world, frequency=3600, threshold=2)
    assert decide(world, 1, 2, 3, 4) == [CREATED, HELD, CREATED, HELD]


def test_a_threshold_of_one_is_none(make_world: MakeWorld) -> None:
    world = traced(make_world, frequency=3600, threshold=1)
    assert decide(world, 1, 2) == [CREATED, CREATED]
    assert "aggregated" not in str(world.wire.calls)


def test_a_group_waits_for_its_threshold(make_world: MakeWorld) -> None:
    world = make_world(threshold=3)
    assert decide(world, 1, 2, 3, 4) == [HELD, HELD, CREATED, KNOWN]
    world.assert_one_ticket()


@pytest.mark.parametrize("settings", [{"frequency": 60}, {"threshold": 2}, {"frequency": 60, "threshold": 2}])
def test_counting_costs_one_request_more(make_world: MakeWorld, settings: dict[str, int]) -> None:
    world = traced(make_world, **settings)
    decide(world, 1, 2)
    seen = set()
    for number in range(3, 7):
        world.wire.calls.clear()
        (decision,) = decide(world, number)
        seen.add(decision)
        assert world.wire.count("dynamodb UpdateItem") <= 3 + 1
        assert world.wire.count("http POST /rest/api") == (decision is CREATED)
    assert HELD in seen


def test_a_held_error_says_why(make_world: MakeWorld) -> None:
    world = traced(make_world, frequency=60, threshold=9)
    decide(world, 1, 2)
    row = world.store.get(LinkKey(world.settings.id, group().fingerprint, "2"))
    assert row is not None
    assert row.state is LinkState.HELD
    assert row.record is not None
    assert "less than 60 s since" in row.record.reason


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 500, "after_effect": True}, {"drop_before": True}]
)
def test_an_error_that_was_due_stays_due_however_often_it_comes_back(
    make_world: MakeWorld, fault: dict[str, Any]
) -> None:
    world = traced(make_world, frequency=60)
    world.jira.faults.add("POST", r"/issue$", **fault)
    first = world.event(trace(1))
    assert world.deliver(first) == ["m0"]
    assert decide(world, 2) == [HELD]
    world.deliver_until_done(first)
    assert len(world.jira.issues) == 1


def test_a_refused_error_is_made_when_it_is_replayed(make_world: MakeWorld) -> None:
    world = traced(make_world, frequency=3600)
    world.jira.faults.add("POST", r"/issue$", status=400, body={"errors": {"customfield_1": "no"}})
    assert decide(world, 1) == [Decision.DEAD_LETTER]
    world.clock.advance(world.timing.parked + 1)
    world.new_process()
    assert decide(world, 2, 1) == [HELD, CREATED]


def test_an_event_that_could_not_be_counted_is_counted_later(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = traced(make_world, frequency=3600)
    decide(world, 1)
    with monkeypatch.context() as patch:
        patch.setattr("backtrace_jira.adapters.dynamodb.ticket_links._RACES", 0)
        event = world.event(trace(2))
        assert world.deliver(event) == ["m0"]
    assert world.deliver_until_done(event) is HELD


@pytest.mark.parametrize(
    ("settings", "tickets"),
    [({"threshold": 10}, 5), ({"frequency": 3600}, 1), ({"frequency": 3600, "threshold": 10}, 5)],
)
def test_fifty_at_once(make_real_world: MakeWorld, settings: dict[str, int], tickets: int) -> None:
    world = traced(make_real_world, **settings)
    events = [world.event(trace(number)) for number in range(50)]
    processes = []
    for _ in range(5):
        world.new_process()
        processes.append(world.process)

    def serve(number: int) -> None:
        for _ in range(20):
            if not world.deliver(events[number], processes[number % 5]):
                return
        raise AssertionError("never done")

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(serve, range(50)))
    assert len(world.jira.issues) == tickets
    assert sum(each.decision is HELD for each in world.reports) == 50 - tickets


def test_a_filtered_event_does_not_make_a_due_one_forgotten(make_world: MakeWorld) -> None:
    actions = ({"action": "filter", "attribute": "env", "regex": "^dev$"},)
    world = make_world(threshold=2, actions=actions)
    decide(world, 1)
    world.jira.faults.rate_limited(retry_after=33, path=r"/issue$")
    due = world.event(trace(2))
    assert world.deliver(due) == ["m0"]
    assert (
        world.deliver_until_done(world.event(trace(3) | {"attributes": {"env": [["dev", 1]]}}))
        is Decision.FILTERED
    )
    assert world.deliver_until_done(due) is CREATED


def test_a_due_event_stays_due_wherever_its_delivery_dies(make_world: MakeWorld) -> None:
    """Also where it was counted and nobody heard: the counter knows the error, not the delivery."""
    for cut in range(40):
        world = traced(make_world, frequency=3600)
        event = world.event()
        world.wire.cut_at = cut
        try:
            world.deliver(event)
            break
        except Cut:
            pass
        world.wire.cut_at = None
        world.clock.advance(80)
        world.new_process()
        world.deliver_until_done(event)
        assert len(world.jira.issues) == 1, f"cut at {cut}"
    assert cut > 4


def test_the_same_event_again_is_counted_once(make_world: MakeWorld) -> None:
    world = make_world("cloud", threshold=3)
    for _ in range(4):
        world.deliver(world.event(sample_body() | {"object_id": "1"}))
    assert world.jira.issues == {}
    for number in ("2", "3"):
        world.deliver(world.event(sample_body() | {"object_id": number}))
    assert len(world.jira.issues) == 1
