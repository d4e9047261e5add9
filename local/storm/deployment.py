"""A deployment in virtual time: the queue, ten processes of the function behind it, the servers that they call.

What a process runs is what Lambda runs, from `Deliveries` on downwards. Only the ports are others.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from backtrace_jira.batches import Deliveries
from backtrace_jira.links.link import LinkKey, Sighting
from backtrace_jira.links.pace import PROCESSES
from backtrace_jira.outcomes import Outcome
from backtrace_jira.settings.integration import Integration
from backtrace_jira.tickets.context import Context
from backtrace_jira.tickets.ports import TicketLinks
from backtrace_jira.tickets.serve_batch import ServeBatch
from local.storm.link_table import LinkTable
from local.storm.queue import Queue
from local.storm.servers import Backtrace, Conduct, Jira
from local.storm.timeline import Timeline
from local.storm.virtual_time import VirtualTime

BEGIN = 1_800_000_000.0
FUNCTION_TIME_OUT = 60.0
"""Seconds: template.yaml's Timeout of the function."""
JIRA_LATENCY, BACKTRACE_LATENCY, TABLE_LATENCY = 0.3, 0.05, 0.005
STAGE, UNIVERSE = "storm", "my_universe"


class Deployment:
    """One deployment, with a Jira by the name of each connection. The project of a connection has its name, too."""

    def __init__(
        self,
        jiras: Mapping[str, Conduct],
        backtrace: Conduct | None = None,
        *,
        step: float = 1.0,
        table: TicketLinks | None = None,
    ) -> None:
        """Take the servers' conduct.

        Args:
            jiras: by connection.
            backtrace: unless it always answers.
            step: seconds of a step of the timeline.
            table: another table than a storm's own.
        """
        self.time = VirtualTime(BEGIN)
        self.timeline = Timeline(BEGIN, step)
        self.queue = Queue(self.time, self.timeline)
        self.jiras = {
            name: Jira(name, conduct, self.time, self.timeline, JIRA_LATENCY)
            for name, conduct in jiras.items()
        }
        self.backtrace = Backtrace(
            "backtrace", backtrace or Conduct(), self.time, self.timeline, BACKTRACE_LATENCY
        )
        self._table = table or LinkTable()
        self.requests: Counter[str] = Counter()
        """Requests to the table, by method."""
        self.faults: list[Outcome] = []
        """Outcomes with an error that nobody expected."""
        self.longest_invocation = 0.0
        self._integrations = {name: _integration(name) for name in jiras}
        self._published: dict[str, set[str]] = {name: set() for name in jiras}
        self._owners = itertools.count(1)
        self._random = random.Random(1)  # noqa: S311

    def publish(self, connection: str, events: Iterable[tuple[float, str]]) -> None:
        """Let error events come in: seconds from the beginning, and fingerprint."""
        for seconds, fingerprint in events:
            self._published[connection].add(fingerprint)
            body = {"universe": UNIVERSE, "project": connection, "fingerprint": fingerprint}
            self.queue.publish(json.dumps(body), BEGIN + seconds)

    def run(self, *, until: float, progress: Callable[[float], None] = lambda _: None) -> None:
        """Serve until no message is left, or until so many seconds have passed. Progress is told by seconds."""
        self.time.at(BEGIN + until, self.queue.close)
        self._tell(progress, until / 50)
        self.time.side_by_side([self._process() for _ in range(PROCESSES)])
        self.time.close()

    def tickets_by_group(self, connection: str) -> list[int]:
        """Return how many tickets each group has that has any."""
        return [len(issues) for issues in self.jiras[connection].tickets.values()]

    def made_at(self, connection: str) -> dict[str, float]:
        """Return when the ticket of each group was made that has one (unix seconds), by fingerprint."""
        made, integration = self.jiras[connection].made_at, self._integrations[connection].id
        markers = {LinkKey(integration, each).marker(STAGE): each for each in self._published[connection]}
        return {markers[marker]: when for marker, when in made.items()}

    def linked(self, connection: str) -> int:
        """Return how many groups Backtrace has linked."""
        return sum(project == connection for project, _ in self.backtrace.linked)

    def _tell(self, progress: Callable[[float], None], every: float) -> None:
        def tell() -> None:
            progress(self.time() - BEGIN)
            if self.queue.left:
                self.time.at(self.time() + every, tell)

        self.time.at(BEGIN, tell)

    def _process(self) -> Callable[[], None]:
        deliveries = self._wire()

        def serve_queue() -> None:
            while batch := self.queue.receive():
                began = self.time()
                unfinished = {each.id for each in deliveries(batch, deadline=began + FUNCTION_TIME_OUT)}
                self.longest_invocation = max(self.longest_invocation, self.time() - began)
                self.queue.delete(each for each in batch if each.id not in unfinished)

        return serve_queue

    def _wire(self) -> Deliveries:
        context = Context(
            stage=STAGE,
            configuration=_Configuration(self),
            links=cast(TicketLinks, _Distant(self._table, self.time, self.requests)),
            regression_hints=_NoHints(),
            clock=self.time,
            sleep=self.time.sleep,
            side_by_side=self.time.side_by_side,
            new_owner=lambda: f"owner-{next(self._owners)}",
        )
        return Deliveries(
            serve=ServeBatch(context),
            queue=self.queue,
            failures=_Failures(),
            report=self._report,
            jitter=lambda: self._random.uniform(1, 2),
            clock=self.time,
        )

    def _report(self, outcome: Outcome) -> None:
        if not outcome.is_expected:
            self.faults.append(outcome)


class _Distant:
    """A store whose methods take a while, and are counted."""

    def __init__(self, store: object, time: VirtualTime, requests: Counter[str]) -> None:
        self._store = store
        self._time = time
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **named: Any) -> Any:
            self._requests[name] += 1
            if name == "replace_pace":  # `Servers` holds its lock
                self._time.owe(TABLE_LATENCY)
            else:
                self._time.sleep(TABLE_LATENCY)
            return method(*args, **named)

        return call


class _Configuration:
    """The `Configuration` port."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def integrations(self, _universe: str, project: str) -> Sequence[Integration]:
        return [self._deployment._integrations[project]]

    def jira(self, integration: Integration) -> Jira:
        return self._deployment.jiras[integration.connection]

    def backtrace(self, _universe: str) -> Backtrace:
        return self._deployment.backtrace


class _NoHints:
    """The `RegressionHints` port."""

    def send_regression(
        self, connection: str, issue_id: str, sighting: Sighting, *, reason: str, occasion: str
    ) -> None:
        raise NotImplementedError


class _Failures:
    """The `FailureCounter` port. None is expected: `Deployment.faults` has them."""

    def count(self, _message: str) -> int:
        return 1


def _integration(connection: str) -> Integration:
    return Integration.model_validate(
        {
            "universe": UNIVERSE,
            "project": connection,
            "name": "jira",
            "connection": connection,
            "project_key": "BUG",
            "subject": "$fingerprint",
        }
    )
