"""DynamoDB throttles everything for two days, or a part of all requests: it costs time, and no ticket is lost."""

from __future__ import annotations

import random
from typing import Any, cast

import pytest

from backtrace_jira.errors import Throttled
from backtrace_jira.tickets.ports import TicketLinks
from local.storm.deployment import BEGIN, Deployment
from local.storm.scenarios import fingerprint
from local.storm.servers import Conduct
from tests.fakes.links import FakeTicketLinks

HOUR = 3600.0
DAY = 24 * HOUR


class ThrottlingTable:
    """The link table behind a DynamoDB that refuses a part of all requests until some time (unix seconds)."""

    def __init__(self, part: float, until: float) -> None:
        self.table = FakeTicketLinks()
        self.deployment: Deployment | None = None
        self._part = part
        self._until = until
        self._random = random.Random(3)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.table, name)

        def call(*args: Any, **named: Any) -> Any:
            assert self.deployment
            if self.deployment.time() < self._until and self._random.random() < self._part:
                raise Throttled(f"DynamoDB {name}: ThrottlingException")
            return method(*args, **named)

        return call


def storm(part: float, hours: float, groups: int) -> Deployment:
    table = ThrottlingTable(part, BEGIN + hours * HOUR)
    made = table.deployment = Deployment({"main": Conduct()}, table=cast(TicketLinks, table))
    made.publish("main", [(number * hours * HOUR / groups, fingerprint(number)) for number in range(groups)])
    made.run(until=(hours + 24) * HOUR)
    return made


@pytest.mark.parametrize(("part", "hours"), [(1.0, 48), (0.5, 12), (0.9, 12), (0.2, 12)])
def test_nothing_is_lost(part: float, hours: float) -> None:
    made = storm(part, hours, groups=100)
    assert made.queue.dead_letters == 0
    assert made.tickets_by_group("main") == [1] * 100
    assert made.linked("main") == 100
    assert made.queue.left == 0
    assert made.faults == []


def test_all_is_served_soon_after_two_days() -> None:
    made = storm(1.0, 48, groups=100)
    assert max(made.made_at("main").values()) <= BEGIN + 48 * HOUR + 1800
