"""A Jira whose every answer takes 24 seconds: no request begins that may outlive its invocation, nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.adapters.http import Http, Response
from backtrace_jira.errors import OutcomeUnknown
from backtrace_jira.links.link import LinkState
from local.sample import new_group
from tests.world.world import MakeWorld, World

TIME_OUT = 60
"""Seconds: template.yaml's of the function, and what a world's deadline is."""
SLOW = 24
"""Seconds for each answer. A request may take thirty."""


@pytest.fixture(params=["cloud", "data-center"])
def world(request: pytest.FixtureRequest, make_world: MakeWorld) -> World:
    return make_world(request.param)


def slow_down(world: World, patch: pytest.MonkeyPatch, *, hangs: bool = False) -> list[str]:
    """Let each request take a while from now on, and end with its answer or with none; return what was sent."""
    exchange, sent = Http._exchange, list[str]()

    def slowly(self: Http, method: str, url: str, *rest: Any) -> Response:
        sent.append(f"{method} {url}")
        answer = exchange(self, method, url, *rest)
        world.clock.advance(SLOW)
        if hangs:
            raise OutcomeUnknown(f"{method} {url}: sent, but no answer came")
        return answer

    patch.setattr(Http, "_exchange", slowly)
    return sent


def deliver_in_time(world: World, times: int) -> None:
    event = world.event()
    for _ in range(times):
        began = world.clock()
        world.deliver(event)
        assert world.clock() - began <= TIME_OUT, "Lambda would have ended the function"
        world.clock.advance(60)


@pytest.mark.parametrize("hangs", [False, True], ids=["slow", "without an answer"])
def test_a_new_ticket(world: World, monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    with monkeypatch.context() as patch:
        slow_down(world, patch, hangs=hangs)
        deliver_in_time(world, 12)
    world.deliver_until_done()
    world.assert_one_ticket()


@pytest.mark.parametrize("hangs", [False, True], ids=["slow", "without an answer"])
def test_a_ticket_that_is_looked_up(world: World, monkeypatch: pytest.MonkeyPatch, hangs: bool) -> None:
    # Nothing is found, so the last look-up has up to five requests: two searches, properties, permission, create.
    world.jira.faults.add("POST", r"/issue$", drop_before=True)
    world.deliver()
    assert world.row().state is LinkState.UNCERTAIN
    with monkeypatch.context() as patch:
        sent = slow_down(world, patch, hangs=hangs)
        deliver_in_time(world, 12)
        assert hangs or any("search" in each for each in sent)
    world.deliver_until_done()
    world.assert_one_ticket()


def test_what_has_no_time_says_nothing_of_the_server(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.jira.faults.add("POST", r"/issue$", drop_before=True)
    world.deliver()
    with monkeypatch.context() as patch:
        slow_down(world, patch)
        deliver_in_time(world, 12)
    assert "no time is left" in str([outcome.detail for outcome in world.reports])
    assert world.deliver(world.event(new_group())) == []
