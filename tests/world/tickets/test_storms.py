"""Storms and outages in virtual time, small; `make storm` has the big ones. Counts, and no time of this machine."""

from __future__ import annotations

import dataclasses

import pytest

from local.storm.deployment import BEGIN, Deployment
from local.storm.figures import Report
from local.storm.link_table import LinkTable
from local.storm.scenarios import SCENARIOS, Neighbours, Outage, Scenario, Storm
from local.storm.servers import Conduct
from local.storm.virtual_time import VirtualTime
from tests.fakes.links import FakeTicketLinks

SMALL: tuple[Scenario, ...] = (
    Storm("storm", events=1_000, groups=100, rate=10, retry_after=5, within=2.6, deliveries=2_400),
    Storm("slow", events=120, groups=30, rate=1, retry_after=5, within=1.9, deliveries=700),
    Storm("slower", events=600, groups=60, rate=2, retry_after=60, within=5.5, deliveries=5_000),
    Outage("jira-away", "Jira", hours=6, groups_per_hour=20),
    Outage("backtrace-away", "Backtrace", hours=6, groups_per_hour=20),
    Neighbours(
        "paused", "asks for an hour", Conduct(paused=(BEGIN, BEGIN + 3600)), 500, 50, others=30, later=5
    ),
    Neighbours("down", "is away", Conduct(away=(BEGIN, BEGIN + 3600)), 500, 50, others=30, later=20),
    Neighbours("limited", "takes 1/s", Conduct(rate=1), 500, 50, others=30, later=20),
)


def missed(report: Report) -> list[str]:
    return [f"{each.what}: {each.measured:g}, not {each.goal}" for each in report.figures if each.missed]


@pytest.mark.parametrize("scenario", SMALL, ids=lambda each: each.name)
def test_a_storm_loses_nothing_and_costs_little(scenario: Scenario) -> None:
    assert missed(scenario.run()) == []


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_big_storm_loses_nothing_and_costs_little(scenario: Scenario) -> None:
    assert missed(scenario.run()) == []


def test_each_scenario_has_a_small_one() -> None:
    assert [each.name for each in SMALL] == [each.name for each in SCENARIOS]


def test_a_storm_is_the_same_each_time_and_with_the_table_that_the_contract_judges() -> None:
    storm = dataclasses.replace(SMALL[0], name="again")
    once, again, judged = storm.run(), storm.run(table=LinkTable()), storm.run(table=FakeTicketLinks())
    assert once.figures == again.figures == judged.figures


def test_known_errors_cost_one_read_for_a_batch_and_nothing_else() -> None:
    deployment = Deployment({"main": Conduct()})
    deployment.publish("main", [(0.0, "a" * 64), *((60.0, "a" * 64) for _ in range(50))])
    deployment.run(until=3600)
    assert deployment.queue.deliveries == 51
    assert deployment.requests == {"look": 1 + 5, "claim": 1, "complete": 1, "mark_linked": 1}


def test_what_only_waits_is_read_once_for_a_batch_and_written_by_nobody() -> None:
    deployment = Deployment({"main": Conduct(paused=(BEGIN, BEGIN + 3600))})
    deployment.publish("main", [(0.0, "a" * 64), *((60.0, f"{number:064x}") for number in range(50))])
    deployment.run(until=1800)
    writes = {name: count for name, count in deployment.requests.items() if name != "look"}
    assert writes == {"claim": 1, "release": 1, "replace_pace": 1}  # the first message alone met the pause
    assert deployment.queue.left == 51


# Virtual time


def test_one_thread_runs_at_a_time_and_the_clock_jumps_when_all_wait() -> None:
    time, seen = VirtualTime(100.0), list[tuple[str, float]]()

    def work(name: str, seconds: float) -> None:
        seen.append((name, time()))
        time.sleep(seconds)
        seen.append((name, time()))

    time.side_by_side([lambda: work("slow", 3600.0), lambda: work("quick", 1.0)])
    time.close()
    assert seen == [("slow", 100), ("quick", 100), ("quick", 101), ("slow", 3700)]
    assert time() == 3700


def test_what_is_owed_is_slept_with_the_next_sleep() -> None:
    time = VirtualTime(0.0)
    time.owe(2.0)
    assert time() == 0
    time.sleep(1.0)
    assert time() == 3
    time.sleep(1.0)
    assert time() == 4


def test_the_first_error_of_several_things_is_raised_when_all_are_done() -> None:
    time, done = VirtualTime(0.0), list[float]()

    def fail() -> None:
        raise KeyError("x")

    def work() -> None:
        time.sleep(5.0)
        done.append(time())

    with pytest.raises(KeyError):
        time.side_by_side([fail, work])
    time.close()
    assert done == [5.0]


# The queue


def test_a_message_that_is_neither_deleted_nor_postponed_comes_again_and_is_a_dead_letter_in_the_end() -> (
    None
):
    deployment = Deployment({"main": Conduct()})
    deployment.publish("main", [(0.0, "a" * 64)])
    queue, times = deployment.queue, list[float]()
    while queue.receive():
        times.append(deployment.time() - BEGIN)
    assert times[:3] == [0, 360, 720]
    assert (len(times), queue.deliveries, queue.dead_letters, queue.left) == (1000, 1000, 1, 0)
