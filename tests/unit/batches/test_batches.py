"""What becomes of a message, for every way its group can end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from backtrace_jira.backtrace.error_group import ErrorGroup, read_error_group
from backtrace_jira.batches import (
    LONGEST_DELAY,
    LONGEST_DELAY_AT_WORK,
    LONGEST_WAIT,
    MOST_FAILURES,
    PATIENCE,
    SHORTEST_DELAY,
    Deliveries,
    Delivery,
)
from backtrace_jira.errors import Busy, InvalidEvent, OverBudget, Refused, Throttled, Unreachable
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.times import LONGEST_PAUSE
from tests.builders import sample_body
from tests.fakes.clock import Clock
from tests.fakes.queues import FakeFailureCounter, FakeMessageQueue

Answer = Callable[[ErrorGroup], list[Outcome]]


class Desk:
    """`Deliveries` around a use case that answers as told."""

    def __init__(self, answer: Answer, *, jitter: float = 1.0) -> None:
        self.queue = FakeMessageQueue()
        self.failures = FakeFailureCounter()
        self.reports: list[Outcome] = []
        self.clock = Clock()

        def serve(bodies: Sequence[str], deadline: float) -> list[list[Outcome]]:
            return [outcomes_of(body) for body in bodies]

        def outcomes_of(body: str) -> list[Outcome]:
            try:
                return answer(read_error_group(body))
            except InvalidEvent as error:
                return [Outcome(Decision.INVALID, detail=str(error), error=error)]

        self.serve = Deliveries(
            serve=serve,
            queue=self.queue,
            failures=self.failures,
            report=self.reports.append,
            jitter=lambda: jitter,
            clock=self.clock,
        )

    def __call__(self, *batch: Delivery) -> list[str]:
        return [delivery.id for delivery in self.serve(batch, deadline=0)]

    @property
    def decisions(self) -> list[Decision]:
        return [outcome.decision for outcome in self.reports]


def message(number: int = 1, *, body: str | None = None, direct: bool = False, age: float = 0) -> Delivery:
    text = body if body is not None else json.dumps(sample_body() | {"fingerprint": f"{number:064x}"})
    return Delivery(f"m{number}", text, None if direct else f"handle-{number}", Clock()() - age)


def failing(*errors: Exception) -> Answer:
    return lambda group: [
        Outcome(Decision.REFUSED, group.fingerprint, "u/p/n", detail=str(error), error=error)
        for error in errors
    ]


def fine(group: ErrorGroup) -> list[Outcome]:
    return [Outcome(Decision.CREATED, group.fingerprint, "u/p/n")]


def test_a_message_that_is_done_with_leaves_the_queue() -> None:
    desk = Desk(fine)
    assert desk(message()) == []
    assert desk.decisions == [Decision.CREATED]
    assert not desk.queue.postponed
    assert not desk.queue.buried


def test_an_empty_batch_is_no_error() -> None:
    assert Desk(fine)() == []


@pytest.mark.parametrize(
    ("body", "culprit"),
    [
        ('{"hello": "world"}', "fingerprint"),
        ("[]", "body"),
        ("", "body"),
        ("not json", "body"),
        ('"text"', "body"),
        (json.dumps(sample_body() | {"universe": None}), "universe"),
        (json.dumps(sample_body() | {"project": "../x"}), "project"),
    ],
)
def test_what_is_no_error_group_is_kept_with_one_clear_sentence(body: str, culprit: str) -> None:
    desk = Desk(fine)
    assert desk(message(body=body)) == []
    ((kept, (reason,)),) = desk.queue.buried
    assert kept.body == body
    assert reason.detail.startswith("not a Backtrace error group: ")
    assert culprit in reason.detail
    assert desk.decisions == [Decision.INVALID, Decision.DEAD_LETTER]


def test_one_bad_message_among_nine_good_ones_harms_none() -> None:
    desk = Desk(fine)
    batch = [message(number) for number in range(9)]
    batch.insert(4, message(99, body="{}"))
    assert desk(*batch) == []
    assert desk.decisions.count(Decision.CREATED) == 9
    assert [kept.id for kept, _ in desk.queue.buried] == ["m99"]


def test_a_retryable_failure_stays_in_the_queue_for_the_time_asked_for() -> None:
    desk = Desk(failing(Throttled("429", after=77)))
    assert desk(message()) == ["m1"]
    assert desk.queue.postponed[0][1] == 77
    assert not desk.queue.buried


def test_no_server_can_make_a_message_vanish_for_a_day() -> None:
    desk = Desk(failing(Throttled("429", after=1_795_478_430)))
    desk(message())
    assert desk.queue.postponed[0][1] == LONGEST_PAUSE


def test_the_delay_grows_with_the_age_of_the_message() -> None:
    desk = Desk(failing(Unreachable("down")))
    for age in (0.0, 100.0, 600.0, 86_400.0, PATIENCE, 12 * 86_400.0):
        desk(message(age=age))
    delays = [seconds for _, seconds in desk.queue.postponed]
    assert delays == [SHORTEST_DELAY, SHORTEST_DELAY, 60, LONGEST_DELAY, LONGEST_PAUSE, LONGEST_PAUSE]


@pytest.mark.parametrize("age", [0.0, 500.0, 86_400.0, 12 * 86_400.0])
@pytest.mark.parametrize("asked", [1.0, 20.0, 899.0, 901.0, 3_000.0])
@pytest.mark.parametrize("jitter", [1.0, 1.5, 2.0])
def test_no_message_comes_before_the_time_that_was_asked_for(age: float, asked: float, jitter: float) -> None:
    desk = Desk(failing(Throttled("429", after=asked), Unreachable("down")), jitter=jitter)
    desk(message(age=age))
    assert asked <= desk.queue.postponed[0][1] <= LONGEST_PAUSE


def test_waiting_for_two_weeks_takes_fewer_receives_than_sqs_allows() -> None:
    desk = Desk(failing(Unreachable("down")))
    age, receives = 0.0, 0
    while age < LONGEST_WAIT:
        desk(message(age=age))
        age += desk.queue.postponed[-1][1]
        receives += 1
    assert 500 < receives < 700  # maxReceiveCount is 1,000 (template.yaml)
    assert not desk.queue.buried


def test_what_waits_while_others_are_served_does_not_fall_behind_however_old_it_is() -> None:
    for turn in (OverBudget("booked out"), Busy("being created", after=15), Throttled("429", after=5)):
        desk = Desk(failing(turn), jitter=2.0)
        desk(message(age=0), message(age=86_400.0), message(age=PATIENCE))
        delays = [seconds for _, seconds in desk.queue.postponed]
        assert delays[1:] == [2 * LONGEST_DELAY_AT_WORK, LONGEST_PAUSE]
        assert delays[0] <= 2 * SHORTEST_DELAY
    desk = Desk(failing(OverBudget("booked out"), Unreachable("down")))
    desk(message(age=86_400.0))
    assert desk.queue.postponed[0][1] == LONGEST_DELAY


def test_waiting_for_a_turn_for_two_weeks_takes_fewer_receives_than_sqs_allows() -> None:
    desk = Desk(failing(OverBudget("booked out")), jitter=1.5)  # the mean
    age, receives = 0.0, 0
    while age < LONGEST_WAIT:
        desk(message(age=age))
        age += desk.queue.postponed[-1][1]
        receives += 1
    assert 900 < receives < 1000  # maxReceiveCount (template.yaml)


def test_what_has_waited_too_long_is_kept_with_its_reason_before_the_queue_forgets_it() -> None:
    desk = Desk(failing(Unreachable("down")))
    assert desk(message(age=LONGEST_WAIT + 1)) == []
    assert desk.queue.buried[0][1][0].detail == "down"


def test_an_error_that_nobody_expected_is_tried_again_a_few_times() -> None:
    desk = Desk(failing(KeyError("s3cret")))
    for _ in range(MOST_FAILURES - 1):
        assert desk(message()) == ["m1"]
    assert desk(message(2)) == ["m2"]  # each message has tries of its own
    assert desk(message()) == []
    assert [kept.id for kept, _ in desk.queue.buried] == ["m1"]


def test_waiting_does_not_use_up_the_tries_of_an_unexpected_error() -> None:
    errors: list[Exception] = [Throttled("429")] * 900 + [KeyError("x")]
    desk = Desk(lambda group: failing(errors.pop(0))(group))
    for _ in range(901):
        assert desk(message(age=1000)) == ["m1"]
    assert not desk.queue.buried


def test_a_refusal_is_kept_at_once_with_its_reason() -> None:
    desk = Desk(failing(Refused("POST /issue: 400, Team is required", status=400)))
    assert desk(message()) == []
    assert desk.queue.buried[0][1][0].detail == "POST /issue: 400, Team is required"
    assert desk.decisions == [Decision.REFUSED, Decision.DEAD_LETTER]


def test_while_one_integration_can_still_succeed_the_message_comes_again() -> None:
    desk = Desk(failing(Refused("400", status=400), Unreachable("down")))
    assert desk(message()) == ["m1"]
    assert not desk.queue.buried


def test_a_direct_event_is_put_on_the_queue_when_it_must_wait() -> None:
    desk = Desk(failing(Unreachable("down")))
    assert desk(message(direct=True)) == []
    assert [kept.handle for kept, _ in desk.queue.postponed] == [None]


@pytest.mark.parametrize("error", [Refused("400", status=400), Unreachable("down")])
def test_when_the_queues_cannot_be_reached_the_message_stays(error: Exception) -> None:
    desk = Desk(failing(error))
    desk.queue.fail = [Unreachable("SQS down")]
    assert desk(message(1), message(2)) == (["m1"] if isinstance(error, Refused) else ["m1", "m2"])


def test_a_bug_that_stops_the_batch_loses_nothing_and_tells_no_value() -> None:
    def broken(group: ErrorGroup) -> list[Outcome]:
        raise KeyError("s3cret")

    desk = Desk(broken)
    assert desk(message(1), message(2)) == ["m1", "m2"]
    assert all("s3cret" not in outcome.detail for outcome in desk.reports)


def test_nothing_of_a_batch_is_lost_whatever_happens_to_each() -> None:
    def mixed(group: ErrorGroup) -> list[Outcome]:
        ends: list[Any] = [None, Refused("400", status=400), Unreachable("down")]
        error = ends[int(group.fingerprint, 16) % 3]
        return [Outcome(Decision.KNOWN, group.fingerprint, "u/p/n", error=error)]

    desk = Desk(mixed)
    stay = desk(*(message(number) for number in range(30)))
    kept = [delivery.id for delivery, _ in desk.queue.buried]
    done = {f"m{number}" for number in range(0, 30, 3)}
    assert sorted([*stay, *kept, *done]) == sorted(f"m{number}" for number in range(30))
