"""Let the process die at every call of a batch that may change something, and deliver the batch again.

The batch holds each case that it serves in a way of its own. Nobody hears what the process has done: every event of
the batch comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from backtrace_jira.bootstrap import create_ticket
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision
from backtrace_jira.tickets.context import Context
from backtrace_jira.tickets.side_by_side import run_side_by_side
from backtrace_jira.times import LEASE
from tests.builders import sample_body
from tests.world.checkpoint import checkpoint
from tests.world.world import Cut, MakeWorld, World

Jobs = Sequence[Callable[[], None]]

KNOWN, NEW, REFUSED, NOT_LINKED, CUT_OFF, ELSEWHERE = (letter * 64 for letter in "abcdef")
OTHER_PROJECT = "other_project"
STEP = LEASE + 1
"""Seconds: the queue brings a message back when the lease of a dead process is over."""


def run_one_after_the_other(jobs: Jobs) -> None:
    """Do as a batch that is cut at the same call each time."""
    for job in jobs:
        job()


@contextmanager
def served(jobs: Callable[[Jobs], None]) -> Iterator[None]:
    """Let processes that start in here do the jobs of a batch in this way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(create_ticket, "Context", partial(Context, side_by_side=jobs))
        yield


def body(fingerprint: str, **changes: Any) -> dict[str, Any]:
    return sample_body() | {"fingerprint": fingerprint} | changes


class History:
    """A world in which each group of the batch has come as far as its name says."""

    def __init__(self, world: World) -> None:
        self.world = world
        other = world.add_integration(project=OTHER_PROJECT, connection="other")
        world.backtrace.add_project(OTHER_PROJECT)
        here = (KNOWN, NEW, REFUSED, NOT_LINKED, CUT_OFF)
        self.keys = [LinkKey(world.settings.id, fingerprint) for fingerprint in here]
        self.keys.append(LinkKey(other.id, ELSEWHERE))
        assert world.deliver(world.event(body(KNOWN))) == []
        world.jira.faults.add("POST", r"/issue$", status=400, body={"errors": {"summary": "no"}})
        assert world.deliver(world.event(body(REFUSED))) == []
        world.backtrace.faults.add("POST", "/api/query", status=500)
        assert world.deliver(world.event(body(NOT_LINKED))) == ["m0"]
        world.jira.faults.add("POST", r"/issue$", drop_after=True)
        assert world.deliver(world.event(body(CUT_OFF))) == ["m0"]
        world.clock.advance(world.timing.between_lookups)
        self.event = world.event(
            *map(body, (KNOWN, NEW, NEW, REFUSED, NOT_LINKED, CUT_OFF)),
            body(ELSEWHERE, project=OTHER_PROJECT),
        )
        self.restore = checkpoint(world)
        self.restore()

    def serve(self) -> None:
        """Deliver what is left of the batch again and again, until nothing is."""
        left = self.event["Records"]
        for _ in range(20):
            unfinished = self.world.deliver({"Records": left})
            left = [record for record in left if record["messageId"] in unfinished]
            if not left:
                return
            self.world.clock.advance(STEP)
        raise AssertionError(f"never done: {self.world.reports[-1]}")

    def serve_and_die(self, number: int) -> str:
        """Lose the process at one of its changes; return where that was."""
        self.restore()
        self.world.wire.cut_at = number
        try:
            self.serve()
        except Cut as cut:
            return str(cut)
        finally:
            self.world.wire.cut_at = None
        return "nowhere"

    def assert_nothing_lost(self) -> None:
        self.world.assert_one_ticket_each(*self.keys)
        assert [letter["Fingerprint"] for letter in self.world.dead_letters()] == [REFUSED]


def test_a_batch_cut_off_anywhere_ends_in_one_ticket_for_each_group(make_world: MakeWorld) -> None:
    with served(run_one_after_the_other):
        history = History(make_world())
        history.serve()
        history.assert_nothing_lost()
        decisions = {outcome.decision for outcome in history.world.reports}
        assert decisions >= {
            Decision.KNOWN,
            Decision.CREATED,
            Decision.PARKED,
            Decision.LINKED,
            Decision.ADOPTED,
        }
        changes = list(history.world.wire.changes)
        for number, change in enumerate(changes):
            assert history.serve_and_die(number) == f"after {change}"
            history.world.new_process()
            history.serve()
            history.assert_nothing_lost()
        assert history.serve_and_die(len(changes)) == "nowhere"


def test_a_batch_whose_threads_die_together_ends_in_one_ticket_for_each_group(make_world: MakeWorld) -> None:
    """As on Lambda: which call is the last depends on how the threads run, and some are under way then."""
    with served(run_side_by_side):
        history = History(make_world())
        history.serve()
        history.assert_nothing_lost()
        for number in range(0, len(history.world.wire.changes), 3):
            assert history.serve_and_die(number) != "nowhere"
            history.world.new_process()
            history.serve()
            history.assert_nothing_lost()
