"""Queues in memory: error events and their dead letters, and tickets to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from backtrace_jira.batches import Delivery
from backtrace_jira.links.link import LinkKey, Sighting
from backtrace_jira.outcomes import Outcome
from backtrace_jira.synchronisation.jira_change import LOOK, REGRESSION, JiraChange
from tests.fakes.failures import raise_next


@dataclass
class FakeMessageQueue:
    """The `MessageQueue` port. `fail` is raised before the effect."""

    postponed: list[tuple[Delivery, float]] = field(default_factory=list)
    buried: list[tuple[Delivery, list[Outcome]]] = field(default_factory=list)
    fail: list[Exception | None] = field(default_factory=list)

    def hide(self, waits: Sequence[tuple[Delivery, float]]) -> None:
        raise_next(self.fail)
        self.postponed += waits

    def enqueue(self, delivery: Delivery, seconds: float) -> None:
        raise_next(self.fail)
        self.postponed.append((delivery, seconds))

    def bury(self, delivery: Delivery, reasons: Iterable[Outcome]) -> None:
        raise_next(self.fail)
        self.buried.append((delivery, list(reasons)))

    def visible(self) -> list[str]:
        """Return the bodies that come again at once, by what was said of each message last."""
        last = {delivery.id: (delivery.body, seconds) for delivery, seconds in self.postponed}
        return [body for body, seconds in last.values() if round(seconds) <= 0]


@dataclass
class FakeFailureCounter:
    """The `FailureCounter` port."""

    counted: Counter[str] = field(default_factory=Counter)

    def count(self, message: str) -> int:
        self.counted[message] += 1
        return self.counted[message]


@dataclass
class FakeChangeHints:
    """The `ChangeHints` and `RegressionHints` ports, as one queue."""

    sent: list[JiraChange] = field(default_factory=list)
    occasions: set[tuple[str, str, LinkKey, str]] = field(default_factory=set)
    """Those of the last minutes."""

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        self.sent.append(JiraChange(connection, issue_id, event=LOOK, reason=reason))

    def send_regression(
        self, connection: str, issue_id: str, sighting: Sighting, *, reason: str, occasion: str
    ) -> None:
        key, digest = sighting.key, sighting.digest
        if (connection, issue_id, key, occasion) not in self.occasions:
            self.occasions.add((connection, issue_id, key, occasion))
            self.sent.append(
                JiraChange(
                    connection,
                    issue_id,
                    event=REGRESSION,
                    reason=reason,
                    integration=key.integration,
                    fingerprint=key.fingerprint,
                    sighting=digest,
                )
            )


@dataclass
class FakeNewEvents:
    """The `NewEvents` port."""

    published: list[tuple[str, int]] = field(default_factory=list)
    """Bodies, and after how many seconds each comes in."""

    def publish(self, body: str, *, after: int) -> None:
        self.published.append((body, after))

    def visible(self) -> list[str]:
        """Return the bodies that come in at once."""
        return [body for body, after in self.published if after == 0]
