"""One connection in trouble: events of another, in the same batches, are served as if nothing were.

Each batch holds events of both connections. What the good one costs is compared with what it costs beside a
connection in health.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from backtrace_jira.bootstrap import create_ticket
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision
from backtrace_jira.settings.integration import Integration
from local.jira_stand_in import JiraStandIn
from tests.builders import sample_body
from tests.world.world import MakeWorld, World

BATCHES = 6
OF_EACH = 3
"""Events of each connection in a batch; in the queue, those of the bad one stand before those of the good one."""
GOOD_PROJECT = "good_project"
PATIENCE = 20.0
"""Real seconds for which the bad connection's call is held, if nobody serves the good one."""


@dataclass
class Deployment:
    """The world's own Jira is the bad one."""

    world: World
    good_jira: JiraStandIn
    good: Integration
    sleeps: list[float] = field(default_factory=list)
    good_stayed: int = 0

    def new_process(self) -> None:
        """Start cold, and record each wait within the process."""

        def sleep(seconds: float) -> None:
            self.sleeps.append(seconds)
            self.world.clock.advance(seconds)

        world = self.world
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(create_ticket, "report", world.reports.append)
            world.process = create_ticket.wire(world.env, clock=world.clock, sleep=sleep)

    def batch(self, number: int) -> dict[str, Any]:
        """Return a batch of new groups; the messages of the good connection come last."""
        bodies = [
            sample_body() | {"fingerprint": f"{number:032x}{place:032x}", "project": project}
            for project in ("my_project", GOOD_PROJECT)
            for place in range(OF_EACH)
        ]
        return self.world.event(*bodies)

    def serve(self, batches: int = BATCHES) -> None:
        """Serve batch after batch, each by one of two processes, some seconds after each other."""
        for number in range(batches):
            if number % 3 == 0:
                self.new_process()
            stayed = self.world.deliver(self.batch(number))
            self.good_stayed += sum(int(message[1:]) >= OF_EACH for message in stayed)
            self.world.clock.advance(4)

    def good_decisions(self) -> Counter[Decision]:
        return Counter(each.decision for each in self.world.reports if each.integration == self.good.id)

    def bad_calls(self) -> int:
        return self.world.jira.count("POST", r"/issue$")

    def assert_good_is_served(self, batches: int = BATCHES) -> None:
        """Each event at its first delivery, by one call, and nobody waited within a process."""
        tickets = batches * OF_EACH
        assert self.good_decisions() == {Decision.CREATED: tickets}
        assert self.good_stayed == 0
        assert self.good_jira.count("POST", "") == self.good_jira.count("POST", r"/issue$") == tickets
        assert len(self.good_jira.issues) == tickets
        assert self.sleeps == []


@pytest.fixture
def deployment(make_world: MakeWorld) -> Iterator[Deployment]:
    world = make_world()
    with JiraStandIn(clock=world.clock) as jira:
        good = world.add_integration(jira, project=GOOD_PROJECT, connection="good")
        world.backtrace.add_project(GOOD_PROJECT)
        yield Deployment(world, jira, good)


def be_well(_: World) -> None:
    """No trouble at all: what the others are compared with."""


def pause_for_an_hour(world: World) -> None:
    world.jira.faults.rate_limited(retry_after=3600, path=r"/issue$")


def refuse_connections(world: World) -> None:
    world.jira.stop()


def give_no_answer(world: World) -> None:
    world.jira.faults.add("POST", "", times=None, drop_after=True)


def refuse_the_credential(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", times=None, status=401)


def refuse_the_project(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", times=None, status=403, body={"errorMessages": ["no"]})


def refuse_each_group(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", times=None, status=400, body={"errors": {"summary": "no"}})


@pytest.mark.parametrize(
    ("trouble", "most_calls"),
    [
        (be_well, BATCHES * OF_EACH),
        (pause_for_an_hour, 1),
        (refuse_connections, 0),
        (give_no_answer, 4),
        (refuse_the_credential, 1),
        (refuse_the_project, 1),
        (refuse_each_group, 6),
    ],
)
def test_the_other_connection_is_served_as_if_nothing_were(
    deployment: Deployment, trouble: Callable[[World], None], most_calls: int
) -> None:
    trouble(deployment.world)
    deployment.serve()
    deployment.assert_good_is_served()
    assert deployment.bad_calls() <= most_calls


def test_a_call_that_hangs_holds_no_event_of_the_other_connection(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bad connection does not answer before the good one's tickets are made."""
    made = threading.Event()
    send = HTTPAdapter.send
    held: list[bool] = []

    def wait_for_the_good(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> Any:
        if str(request.url).startswith(deployment.world.jira.url):
            held.append(made.wait(PATIENCE))
            raise requests.ConnectTimeout
        response = send(self, request, **options)
        if len(deployment.good_jira.issues) == OF_EACH:
            made.set()
        return response

    monkeypatch.setattr(HTTPAdapter, "send", wait_for_the_good)
    deployment.serve(batches=1)
    deployment.assert_good_is_served(batches=1)
    assert all(held)
    assert held


def test_a_known_group_waits_for_no_new_ticket(make_world: MakeWorld) -> None:
    """Known groups are done with, whatever becomes of the new ones in their batch."""
    world = make_world()
    known, new = ([f"{number:064x}" for number in range(first, first + 5)] for first in (0, 10))
    world.deliver(world.event(*(sample_body() | {"fingerprint": each} for each in known)))
    world.jira.faults.add("POST", r"/issue$", times=None, drop_after=True)
    world.reports.clear()
    stay = world.deliver(world.event(*(sample_body() | {"fingerprint": each} for each in (*new, *known))))
    done = [outcome.decision for outcome in world.reports]
    assert stay == [f"m{number}" for number in range(5)]
    assert done == [Decision.POSTPONED] * 5 + [Decision.KNOWN] * 5
    assert world.store.get(LinkKey(world.settings.id, new[0])) is not None
