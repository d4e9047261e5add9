"""What a server answers is noted for all, whichever of its client's methods met it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.errors import (
    Busy,
    CredentialRefused,
    OutcomeUnknown,
    Parked,
    Refused,
    Throttled,
    Unreachable,
)
from backtrace_jira.jira.limit import Limit
from backtrace_jira.links.guard import guard
from backtrace_jira.links.servers import MOST_UNANSWERED, Servers
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.times import PAUSE
from tests.fakes.clock import Clock
from tests.fakes.links import FakeTicketLinks


class Client:
    """A server's client that answers, or raises, whatever it is asked."""

    limit: Limit | None = None

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.asked = 0

    def _answer(self) -> str:
        self.asked += 1
        if self.error:
            raise self.error
        return "answer"

    @property
    def kind(self) -> str:
        return self._answer()

    def ask(self, what: str) -> str:
        return self._answer()

    def pages(self) -> Iterator[str]:
        yield "page"
        yield self._answer()


USES: dict[str, Callable[[Client], object]] = {
    "property": lambda client: client.kind,
    "method": lambda client: client.ask("10001"),
    "generator": lambda client: list(client.pages()),
}


class Guarded:
    def __init__(self, error: Exception | None = None, **how: Any) -> None:
        self.clock, self.store, self.raw = Clock(), FakeTicketLinks(), Client(error)
        self.servers = Servers(self.store, self.clock, trust=30, parked=300)
        self.client = guard(self.raw, "main", self.servers, **how)

    def meet(self, use: str) -> None:
        assert self.raw.error
        with pytest.raises(type(self.raw.error)):
            USES[use](self.client)


@pytest.mark.parametrize("use", USES)
def test_an_answer_is_passed_on(use: str) -> None:
    expected = {"property": "answer", "method": "answer", "generator": ["page", "answer"]}[use]
    assert USES[use](Guarded().client) == expected


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("after", "pause"), [(7.0, 7.0), (None, PAUSE)])
def test_a_pause_that_is_asked_for_is_kept_by_all_processes(
    use: str, after: float | None, pause: float
) -> None:
    guarded = Guarded(Throttled("later", after=after))
    guarded.meet(use)
    other = Servers(guarded.store, guarded.clock)
    other.notes("main")
    for servers in (guarded.servers, other):
        with pytest.raises(Throttled) as caught:
            servers.ensure_open("main")
        assert caught.value.after == pause
    guarded.clock.advance(pause)
    guarded.servers.ensure_open("main")
    other.ensure_open("main")


@pytest.mark.parametrize("use", USES)
def test_nothing_is_sent_during_a_pause(use: str) -> None:
    guarded = Guarded(Throttled("later", after=60))
    guarded.meet("method")
    guarded.raw.error = None
    with pytest.raises(Throttled):
        USES[use](guarded.client)
    assert guarded.raw.asked == 1


@pytest.mark.parametrize("use", USES)
def test_a_refused_credential_parks_the_connection(use: str) -> None:
    guarded = Guarded(CredentialRefused("401", status=401), locks_accounts=True)
    guarded.meet(use)
    with pytest.raises(Parked):
        guarded.servers.ensure_not_parked("main")
    with pytest.raises(Parked):
        Servers(guarded.store, guarded.clock).ensure_not_parked("main", "BUG/Bug")


def test_a_server_that_locks_no_accounts_may_be_asked_again() -> None:
    guarded = Guarded(CredentialRefused("401", status=401))
    guarded.meet("method")
    guarded.servers.ensure_not_parked("main")


@pytest.mark.parametrize("use", USES)
def test_another_refusal_is_an_answer(use: str) -> None:
    guarded = Guarded(Refused("400", status=400))
    for _ in range(MOST_UNANSWERED + 1):
        guarded.meet(use)
    guarded.servers.ensure_not_parked("main")
    guarded.servers.ensure_open("main")
    assert not guarded.store.table.servers


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("error", [Unreachable("down"), OutcomeUnknown("time-out")])
def test_a_server_that_does_not_answer_is_left_alone_for_a_while(use: str, error: Exception) -> None:
    guarded = Guarded(error)
    for _ in range(MOST_UNANSWERED - 1):
        guarded.meet(use)
    guarded.servers.ensure_open("main")
    guarded.meet(use)
    with pytest.raises(Throttled):
        guarded.servers.ensure_open("main")


@pytest.mark.parametrize("use", USES)
def test_a_request_for_which_no_time_was_left_says_nothing_of_the_server(use: str) -> None:
    guarded = Guarded(Unreachable("down"))
    for error in [Busy("no time is left"), Unreachable("down")] * MOST_UNANSWERED:
        guarded.raw.error = error
        guarded.meet(use)
    # It is no answer: the silences around it were in a row.
    with pytest.raises(Throttled):
        guarded.servers.ensure_open("main")


def test_one_call_without_an_answer_among_others_is_no_outage() -> None:
    guarded = Guarded(OutcomeUnknown("time-out"))
    for _ in range(5 * MOST_UNANSWERED):
        guarded.raw.error = OutcomeUnknown("time-out")
        guarded.meet("method")
        guarded.raw.error = None
        guarded.client.ask("")
    assert not guarded.store.table.servers


def test_a_connection_keeps_no_parking_notes_that_are_over() -> None:
    """A template may name a scope for each program: their notes would fill the item, and each look reads it."""
    guarded, refusal = Guarded(), Record(0.0, Decision.REFUSED, "400")
    for number in range(1000):
        guarded.servers.park("main", f"BUG/Type {number}", replace(refusal, at=guarded.clock()))
        guarded.clock.advance(10)
    assert len(guarded.store.server_notes("main").parkings) <= 300 / 10 + 1
    assert len(guarded.servers.notes("main").parkings) <= 300 / 10 + 1


def test_a_limit_that_is_near_makes_a_pace_before_anything_is_refused() -> None:
    guarded = Guarded()
    guarded.client.ask("")
    assert guarded.servers.notes("main").pace.rate is None
    guarded.raw.limit = Limit(rate=0.5, near=True)
    guarded.client.ask("")
    assert guarded.store.server_notes("main").pace.rate == 0.5
