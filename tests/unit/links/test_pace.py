"""The pace of a server: its rules, and what they come to against limits that nobody tells."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from backtrace_jira.errors import OverBudget, Throttled
from backtrace_jira.links import pace as rules
from backtrace_jira.links.pace import (
    AHEAD,
    BELOW,
    FIRST_GUESS,
    FIRST_OUTAGE,
    LONGEST_OUTAGE,
    ONE_BURST,
    SHORT_PAUSE,
    Pace,
)
from backtrace_jira.links.parking import ServerNotes
from backtrace_jira.links.servers import SIDE_BY_SIDE, Servers
from backtrace_jira.times import LONGEST_PAUSE
from tests.fakes.clock import Clock
from tests.fakes.links import FakeTicketLinks

NOW = 1_800_000_000.0


def refused(pace: Pace, at: float, asked: float = 5.0, *, served: int = 0, since: float = NOW) -> Pace:
    return rules.after_refusal(pace, at, asked, served=served, since=since)


def test_a_server_that_refused_nothing_gets_as_many_calls_as_come() -> None:
    assert rules.book(Pace(), NOW, 1000) == (Pace(), [NOW] * 1000)


@pytest.mark.parametrize(
    ("served", "seconds", "rate"),
    [
        (10, 0.3, 10 * BELOW),
        (10, 1.0, 10 * BELOW),
        (100, 10.0, 10 * BELOW),
        (3, 6.0, FIRST_GUESS),
        (0, 1.0, FIRST_GUESS),
    ],
)
def test_the_first_refusal_tells_the_pace(served: int, seconds: float, rate: float) -> None:
    pace = refused(Pace(), NOW + seconds, served=served)
    assert pace.rate == pytest.approx(rate)
    assert pace.paused_until == NOW + seconds + 5


def test_refusals_of_one_burst_add_up_what_each_process_was_served() -> None:
    pace = Pace()
    for number in range(10):
        pace = refused(pace, NOW + 0.3 + number / 100, served=1)
    assert pace.rate == pytest.approx(10 * BELOW)
    assert pace.paused_until == pytest.approx(NOW + 0.39 + 5)


def test_a_server_that_tells_its_rate_is_believed() -> None:
    pace = rules.after_refusal(Pace(), NOW, 5.0, served=40, since=NOW - 1, told=2.5)
    assert (pace.rate, pace.sure) == (2.5, True)


def test_booked_calls_follow_each_other_at_the_pace_and_none_takes_more_than_its_share() -> None:
    pace = Pace(rate=10.0, sure=True, raised_at=NOW)
    pace, first = rules.book(pace, NOW, 10)
    pace, second = rules.book(pace, NOW, 10)
    assert first == pytest.approx([NOW + number / 10 for number in range(10)])
    assert second == pytest.approx([NOW + 1, NOW + 1.1, NOW + 1.2])


def test_nobody_waits_long_for_a_booked_call() -> None:
    pace, booked = Pace(rate=10.0, sure=True, raised_at=NOW), list[float]()
    for _ in range(50):
        pace, times = rules.book(pace, NOW, 10)
        booked += times
    assert len(booked) == pytest.approx(AHEAD * 10, abs=1)
    assert max(booked) <= NOW + AHEAD


def test_what_is_not_urgent_gets_nothing_while_others_have_booked() -> None:
    pace = Pace(rate=10.0, sure=True, raised_at=NOW)
    assert rules.book(pace, NOW, 1, urgent=False)[1] == [NOW]
    for _ in range(5):
        pace, _ = rules.book(pace, NOW, 10)
    assert rules.book(pace, NOW, 1, urgent=False)[1] == []
    assert rules.book(pace, NOW, 1)[1] == pytest.approx([NOW + 1.8])
    assert rules.book(pace, NOW + 1, 1, urgent=False)[1] != []


def test_a_short_pause_is_waited_for_and_a_long_one_is_not() -> None:
    short, long = refused(Pace(), NOW, SHORT_PAUSE, served=9), refused(Pace(), NOW, SHORT_PAUSE + 1, served=9)
    assert rules.book(short, NOW, 1)[1] == [NOW + SHORT_PAUSE]
    assert rules.book(long, NOW, 1)[1] == []


def test_a_server_that_is_away_is_tried_by_one_call_at_a_time_with_longer_pauses() -> None:
    pace, now, pauses = Pace(), NOW, list[float]()
    for _ in range(8):
        pace = rules.after_silence(pace, now)
        pauses.append(pace.wait(now))
        now = pace.paused_until
        assert rules.book(pace, now - 1, 1)[1] == []  # nobody waits for it in a process
        pace, tried = rules.book(pace, now, 10)
        assert tried == [now]
        assert rules.book(pace, now, 10)[1] == []  # another process, at the same time
        assert rules.book(pace, now + FIRST_OUTAGE, 10)[1] == [now + FIRST_OUTAGE]  # the first one died
    assert pauses[:3] == [FIRST_OUTAGE, 2 * FIRST_OUTAGE, 4 * FIRST_OUTAGE]
    assert max(pauses) == LONGEST_OUTAGE
    pace = rules.after_answer(pace, now)
    assert (pace.outages, pace.rate) == (0, 1.0)  # and no stampede


@pytest.mark.parametrize("asked", [1.0, 30.0])
def test_a_server_that_serves_nobody_is_tried_like_one_that_is_away_and_the_pace_stays(asked: float) -> None:
    pace, now, tries = refused(Pace(), NOW, asked, served=10, since=NOW - 1), NOW, 1
    while now < NOW + 48 * 3600:
        now += max(1.0, pace.wait(now))
        pace, times = rules.book(pace, now, 10)
        tries += len(times)
        pace = refused(pace, times[0], asked)
    assert tries < 48 * 3600 / LONGEST_OUTAGE + 30
    pace = rules.after_answer(pace, now + LONGEST_OUTAGE)
    assert pace.rate == pytest.approx(10 * BELOW)
    assert pace.outages == 0


def test_a_server_that_serves_and_refuses_again_makes_the_pace_slower() -> None:
    pace = rules.after_answer(refused(Pace(), NOW, served=10, since=NOW - 1), NOW + 5.3)
    pace = refused(pace, NOW + 6)
    assert pace.rate == pytest.approx(10 * BELOW * 0.7)
    assert pace.outages == 0


def test_what_is_served_within_a_burst_of_refusals_came_before_them() -> None:
    pace = refused(Pace(), NOW, served=10, since=NOW - 1)
    assert rules.after_answer(pace, NOW + ONE_BURST / 2) == pace


# Against limits


@dataclass
class Limiter:
    """A server that serves `rate` calls a second: so many in each second, or by a bucket that holds five seconds'."""

    rate: float
    kind: str
    window: int = -1
    used: float = 0.0
    seen: float = NOW

    def takes(self, now: float) -> bool:
        if self.kind == "window":
            if self.window != int(now * min(1.0, self.rate)):
                self.window, self.used = int(now * min(1.0, self.rate)), 0
        else:
            self.used, self.seen = max(0.0, self.used - (now - self.seen) * self.rate), now
        free = self.used + 1 <= (max(1.0, self.rate) if self.kind == "window" else max(1.0, 5 * self.rate))
        self.used += free
        return free


@dataclass
class Storm:
    """Processes with more to send than the server takes; each call lasts 0.3 seconds."""

    limiter: Limiter
    asked: float
    processes: int
    store: FakeTicketLinks = field(default_factory=FakeTicketLinks)
    clock: Clock = field(default_factory=Clock)
    served: int = 0
    refused: int = 0

    def run(self, seconds: float) -> None:
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        for number in range(self.processes):
            self._at(NOW + number / 100, self._batch(Servers(self.store, self.clock)))
        while self._events and self._events[0][0] < NOW + seconds:
            self.clock.now, _, do = heapq.heappop(self._events)
            do()

    def _at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), do))

    def _batch(self, servers: Servers) -> Callable[[], None]:
        def begin() -> None:
            servers.learn_notes("main", self.store.server_notes("main"))
            try:
                times = servers.book("main", 10)
            except Throttled as error:
                self._at(self.clock() + min(error.after or 1, 1.0), begin)
                return
            width = servers.width("main")
            for when in times[: width if servers.notes("main").pace.rate is None else None]:
                self._at(max(when, self.clock()) + 0.15, call)
            last = max(times, default=self.clock() + 0.2)
            self._at(max(last, self.clock()) + 0.31, begin)

        def call() -> None:
            took = self.limiter.takes(self.clock())
            self._at(self.clock() + 0.15, answer if took else refuse)

        def answer() -> None:
            self.served += 1
            servers.learn_answer("main")

        def refuse() -> None:
            self.refused += 1
            servers.learn_refusal("main", Throttled("429", after=self.asked))

        return begin


@pytest.mark.parametrize("kind", ["window", "bucket"])
@pytest.mark.parametrize("processes", [1, 3, 10])
@pytest.mark.parametrize("rate", [1, 2, 10, 50])
def test_nine_tenths_of_a_limit_are_used_and_hardly_a_call_is_refused(
    rate: int, processes: int, kind: str
) -> None:
    storm = Storm(Limiter(rate, kind), 5.0, processes)
    seconds = 1200 if rate < 10 else 600
    storm.run(seconds)
    possible = min(rate, processes * SIDE_BY_SIDE / 0.31)
    assert storm.served >= 0.9 * possible * seconds, (storm.served, storm.refused)
    assert storm.refused <= 0.05 * (storm.served + storm.refused), (storm.served, storm.refused)


@pytest.mark.parametrize("kind", ["window", "bucket"])
def test_a_server_that_asks_for_a_minute_is_not_tried_often(kind: str) -> None:
    storm = Storm(Limiter(10, kind), 60.0, 1)
    storm.run(7200)
    assert storm.served >= 0.9 * 10 * 7200
    assert storm.refused <= 0.05 * storm.served


@pytest.mark.parametrize(
    ("asked", "hours"), [(0.0, 0.7), (1.0, 0.7), (5.0, 0.7), (60.0, 1.3), (3600.0, 11.7)]
)
def test_a_pace_that_is_too_slow_has_doubled_after_hours_at_most(asked: float, hours: float) -> None:
    pace, now = refused(Pace(rate=1.0, sure=True, raised_at=NOW), NOW + 600, asked), NOW + 600
    slow, since = pace.rate or 0.0, now
    while pace.rate is not None and pace.rate < 2 * slow:
        now += 10
        pace, _ = rules.book(pace, now, 1)
    assert now - since <= hours * 3600


def test_a_turn_pays_for_the_calls_of_the_turn_before() -> None:
    store, clock = FakeTicketLinks(), Clock()
    store.replace_pace("main", Pace(), Pace(rate=2.0, sure=True, raised_at=clock()))
    servers, began, calls = Servers(store, clock), clock(), 0
    while clock() < began + 600:
        try:
            clock.advance(servers.admit("main"))
        except OverBudget:
            clock.advance(0.5)
            continue
        for _ in range(4):  # a turn: the ticket, its transitions, one of them, a comment
            servers.learn_answer("main")
            clock.advance(0.1)
            calls += 1
    pace = store.server_notes("main").pace
    assert pace.rate is not None
    assert calls <= 1.05 * pace.rate * 600
    assert calls >= 0.9 * 2.0 * 600


def test_a_pace_that_could_not_be_stored_holds_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock = FakeTicketLinks(), Clock()

    def away(*_: object) -> Pace:
        raise Throttled("DynamoDB")

    monkeypatch.setattr(store, "replace_pace", away)
    servers = Servers(store, clock)
    servers.learn_refusal("main", Throttled("429", after=60))
    servers.learn_notes("main", ServerNotes())
    with pytest.raises(Throttled):
        servers.ensure_open("main")


def test_no_pause_is_longer_than_an_hour_whatever_a_server_asks_for() -> None:
    store, clock = FakeTicketLinks(), Clock()
    Servers(store, clock).learn_refusal("backtrace u", Throttled("503", after=10 * 365 * 86_400.0))
    clock.advance(LONGEST_PAUSE + 1)
    later = Servers(store, clock)
    later.learn_notes("backtrace u", store.server_notes("backtrace u"))
    later.ensure_open("backtrace u")


def test_a_pause_that_another_process_ended_has_ended_here_too() -> None:
    store, clock = FakeTicketLinks(), Clock()
    waiting, other = Servers(store, clock), Servers(store, clock)
    for _ in range(3):
        waiting.learn_silence("main")
    other.learn_notes("main", store.server_notes("main"))
    other.learn_answer("main")
    waiting.learn_notes("main", store.server_notes("main"))
    waiting.ensure_open("main")


def test_what_was_served_long_before_the_first_refusals_tells_nothing_of_the_pace() -> None:
    store, clock = FakeTicketLinks(), Clock()
    busy, idle = Servers(store, clock), Servers(store, clock)
    idle.learn_answer("main")
    clock.advance(3600)
    for _ in range(20):
        busy.learn_answer("main")
        clock.advance(0.05)
    busy.learn_refusal("main", Throttled("429", after=5))
    idle.learn_notes("main", store.server_notes("main"))
    assert store.server_notes("main").pace.rate == pytest.approx(20 * BELOW)


def test_what_a_process_measured_does_not_replace_what_the_server_told() -> None:
    store, clock = FakeTicketLinks(), Clock()
    told, other = Servers(store, clock), Servers(store, clock)
    other.learn_answer("main")
    told.learn_refusal("main", Throttled("429", after=5, rate=50.0))
    told.learn_refusal("main", Throttled("429", after=5))
    other.learn_notes("main", store.server_notes("main"))
    assert store.server_notes("main").pace.rate == 50.0


def test_processes_that_book_at_the_same_moment_get_different_times() -> None:
    store, clock = FakeTicketLinks(), Clock()
    store.replace_pace("main", Pace(), Pace(rate=10.0, sure=True, raised_at=NOW))
    each = [Servers(store, clock) for _ in range(10)]
    for servers in each:
        servers.learn_notes("main", store.server_notes("main"))
    booked = [time for servers in each for time in servers.book("main", 1 + random.Random(1).randrange(3))]
    assert len(booked) == len(set(booked)) >= 10


def test_a_server_that_was_away_is_tried_by_one_process_and_the_others_wait() -> None:
    store, clock = FakeTicketLinks(), Clock()
    away = Pace(outages=3, paused_until=NOW + 60, next=NOW + 60)
    store.replace_pace("main", Pace(), away)
    each = [Servers(store, clock) for _ in range(5)]
    for _ in range(2):
        tried = 0
        for servers in each:
            servers.learn_notes("main", store.server_notes("main"))
            with suppress(Throttled):
                servers.ensure_tried_once("main")
                tried += 1
        assert tried == (0 if clock() < away.paused_until else 1)
        clock.advance(60)
    each[0].learn_answer("main")
    for servers in each:
        servers.learn_notes("main", store.server_notes("main"))
        servers.ensure_tried_once("main")
