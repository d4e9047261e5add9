"""A small storm on the wire: the whole stack on this machine, with its sockets and in real time.

Virtual time leaves out what only a wire has: the servers' own headers, a store that is asked by HTTP, the time that
the code itself takes. Jira limits calls as Data Center does, and says so with each answer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local import CACHE
from local.storm.figures import Figure, Report, spoken
from local.storm.timeline import Timeline

if TYPE_CHECKING:
    from local.stack import LocalStack

LOG = CACHE / "storm.log"
IDLE = 0.05
"""Seconds between two looks at a queue in which nothing is visible."""


@dataclass(frozen=True)
class OnTheWire:
    """More errors at once than Jira lets tickets be made for."""

    name: str
    events: int
    groups: int
    rate: int
    before: str = "not measured"
    longest: float = 300.0
    """Seconds after which it is given up."""

    def run(self, progress: Callable[[float], None] = lambda _: None) -> Report:
        """Run it."""
        # Imported here: it brings moto along, which virtual time does without.
        from local.jira_stand_in import JiraStandIn
        from local.stack import LocalStack

        with LocalStack(jira=JiraStandIn("data-center"), log=LOG) as stack:
            stack.configure()
            self._publish(stack)
            stack.jira.limit_rate(self.rate, self.rate, 1.0)
            began, calls_before = time.monotonic(), len(stack.jira.requests)
            deliveries, last, timeline = self._serve(stack, began, progress)
            return Report(
                self.name,
                f"on the wire, in real time: {spoken(self.events)} events in {spoken(self.groups)} groups, "
                f"Jira takes {self.rate}/s",
                self.before,
                self._figures(stack, deliveries, last, calls_before),
                timeline,
            )

    def _publish(self, stack: LocalStack) -> None:
        from local.sample import new_group

        groups = [new_group() for _ in range(self.groups)]
        for number in range(self.events):
            stack.publish(groups[number % self.groups])

    def _serve(
        self, stack: LocalStack, began: float, progress: Callable[[float], None]
    ) -> tuple[int, float, Timeline]:
        """Deliver until the queue is empty; return deliveries, and when the last ticket was made (seconds)."""
        deliveries, tickets, last = 0, 0, 0.0
        timeline = Timeline(0.0, 1.0)
        while stack.events.waiting() and time.monotonic() - began < self.longest:
            delivered = stack.events.poll()
            deliveries += delivered
            now = time.monotonic() - began
            for _ in range(len(stack.jira.issues) - tickets):
                timeline.count("main served", now)
                tickets, last = tickets + 1, now
            progress(now)
            if not delivered:
                time.sleep(IDLE)
        return deliveries, last, timeline

    def _figures(
        self, stack: LocalStack, deliveries: int, last: float, calls_before: int
    ) -> tuple[Figure, ...]:
        creates = [each for each in stack.jira.requests[calls_before:] if each.path.endswith("/issue")]
        statuses = Counter(each.status for each in creates)
        groups = Counter(
            str(issue.properties["backtrace-jira"]["fingerprint"]) for issue in stack.jira.issues.values()
        )
        return (
            Figure("tickets", len(groups), most=self.groups, least=self.groups),
            Figure("second tickets", groups.total() - len(groups), most=0),
            Figure("dead letters", len(stack.dead_letters()), most=0),
            Figure("messages left", stack.events.waiting(), most=0),
            Figure("last ticket after", last, unit="s"),
            Figure("deliveries", deliveries),
            Figure("calls that Jira refused", statuses[429], most=max(2, 0.05 * len(creates))),
        )
