"""Random histories of a deployment that synchronises: what networks, servers and dying functions do to it.

A machine of a room adds the people, and says what must be true in the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.world.sync_world import PERIOD, SyncWorld
from tests.world.world import Cut, worlds

NUMBER = os.environ.get("CONVERGENCE_EXAMPLES")
"""So many histories, instead of those of the tests."""
EVERY_DEATH = os.environ.get("EVERY_DEATH", "")
every_death = pytest.mark.skipif(not EVERY_DEATH, reason="takes an hour: EVERY_DEATH=1 make long")
"""For pairs of deaths of which some are tried in any case."""
HANGS_FOR = 25.0
"""Seconds after which our client gives a call up."""
number = st.integers(0, 20)
PATHS = {"jira": "/rest/", "backtrace": "/api/"}

_make: Callable[..., SyncWorld] | None = None


@pytest.fixture(scope="module", autouse=True)
def world_maker() -> Iterator[None]:
    """Let machines make worlds; making one closes the last."""
    global _make
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        with worlds(SyncWorld) as make:
            _make = make
            yield
            _make = None


def histories(number: int, steps: int = 30, asked: str | None = NUMBER) -> settings:
    """Return settings: the same histories in every run, so that a change of the code is to blame; others for more."""
    return settings(
        max_examples=int(asked or number),
        stateful_step_count=steps,
        deadline=None,
        derandomize=asked is None,
        # A step costs milliseconds, and shrinking takes thousands of them: a failure is shown as it was found.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


class Histories(RuleBasedStateMachine):
    """Networks, servers and processes. Each rule may happen at any time."""

    world: SyncWorld
    held: list[Any]
    """Webhooks that came in already."""

    def make(self, flavour: str, **settings: Any) -> SyncWorld:
        """Make the history's world."""
        assert _make
        self.held = []
        self.world = _make(flavour, **settings)
        return self.world

    @contextmanager
    def running(self) -> Iterator[None]:
        """Surround what functions do. A machine may look at the world before and after."""
        yield

    # Networks

    @precondition(lambda self: self.world.jira.webhooks.outbox)
    @rule(number=number, twice=st.booleans())
    def a_webhook_comes(self, number: int, twice: bool) -> None:
        outbox = self.world.jira.webhooks.outbox
        delivery = outbox.pop(number % len(outbox))
        self.held.append(delivery)
        for _ in range(1 + twice):
            assert self.world.receive(delivery) in (200, 503)

    @precondition(lambda self: self.held)
    @rule(number=number)
    def an_old_webhook_comes_again(self, number: int) -> None:
        assert self.world.receive(self.held[number % len(self.held)]) in (200, 503)

    @precondition(lambda self: self.world.jira.webhooks.outbox)
    @rule()
    def webhooks_are_lost(self) -> None:
        self.world.jira.webhooks.outbox.clear()

    @rule()
    def the_queue_is_served(self) -> None:
        self.world.hasten()
        with self.running():
            self.world.apply_batch()

    @rule()
    def time_passes_and_it_is_polled(self) -> None:
        self.world.clock.advance(PERIOD)
        with self.running():
            self.world.polling(deadline=self.world.clock() + 300)

    @rule(at=st.integers(0, 12))
    def a_poll_dies(self, at: int) -> None:
        self.world.clock.advance(PERIOD)
        with self.running():
            self._dies(at, lambda: self.world.polling(deadline=self.world.clock() + 300))

    def _dies(self, at: int, work: Callable[[], object]) -> bool:
        """Let the process that does this work end at one of its changing calls; return whether it lived on."""
        wire = self.world.wire
        wire.cut_at = len(wire.changes) + at
        lived = False
        with suppress(Cut):
            work()
            lived = True
        wire.cut_at = None
        if not lived:
            self.world.new_process()
        return lived

    # Servers

    @rule(where=st.sampled_from(["jira", "backtrace"]))
    def a_server_throttles(self, where: str) -> None:
        if where == "jira":
            self.world.jira.faults.rate_limited(retry_after=3, path="/issue")
        else:
            self.world.backtrace.faults.add("POST", "/api", 1, status=429, headers={"Retry-After": "3"})

    @rule(method=st.sampled_from(["POST", "PUT", "GET"]), after=st.booleans())
    def an_answer_is_lost(self, method: str, after: bool) -> None:
        self.world.jira.faults.add(method, "/issue/", 1, drop_after=after, drop_before=not after)


class HarshHistories(Histories):
    """Beside that, servers hang and refuse for a while, and the queue's function dies."""

    @rule(at=st.integers(0, 12))
    def the_queues_function_dies(self, at: int) -> None:
        self.world.hasten()
        with self.running():
            self._dies(at, self.world.apply_batch)
        self.world.release_messages()

    @rule(where=st.sampled_from(sorted(PATHS)), calls=st.integers(1, 4), after=st.booleans())
    def a_server_hangs(self, where: str, calls: int, after: bool) -> None:
        """Let the next calls to it end with a time-out, before or after their effect."""
        left = [calls]

        def hang(call: str, is_done: bool) -> None:
            if left[0] > 0 and PATHS[where] in call and is_done is after:
                left[0] -= 1
                self.world.clock.advance(HANGS_FOR)
                raise requests.ReadTimeout(call)

        self.world.wire.hang = hang

    @rule(
        what=st.sampled_from(["jira away", "backtrace away", "backtrace refuses"]),
        calls=number,
    )
    def a_server_refuses(self, what: str, calls: int) -> None:
        """Let a server answer that it cannot serve, or that it will not do what changes something."""
        jira, backtrace, calls = self.world.jira.faults, self.world.backtrace.faults, 1 + calls % 4
        if what == "jira away":
            jira.add("*", "/rest/", calls, status=503)
        elif what == "backtrace away":
            backtrace.add("*", "/api/", calls, status=503)
        else:
            backtrace.add(
                "POST", "/api/issue", calls, body={"error": {"code": 1, "message": "not now"}}, status=200
            )

    def let_heal(self) -> None:
        """Let every server answer again, and the messages come back that a dead process had in hand."""
        self.world.jira.faults.clear()
        self.world.backtrace.faults.clear()
        self.world.wire.hang = None
        self.world.release_messages()
