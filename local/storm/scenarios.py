"""Storms and outages, and what they may cost."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtrace_jira.batches import LONGEST_DELAY
from backtrace_jira.links.pace import LONGEST_OUTAGE, PROCESSES
from backtrace_jira.tickets.ports import TicketLinks
from local.storm.deployment import BEGIN, FUNCTION_TIME_OUT, Deployment
from local.storm.figures import Figure, Report, spoken
from local.storm.servers import Conduct

Progress = Callable[[float], None]
DAY = 86_400.0
SEED = 7
BEFORE_RETURN = 1800.0
"""Seconds of an outage that its picture shows."""
MANY = 0.05
"""The part of all calls that a server may have to refuse."""


@dataclass(frozen=True)
class Storm:
    """More errors at once than Jira lets tickets be made for. All come in at the beginning, in any order."""

    name: str
    events: int
    groups: int
    rate: float
    retry_after: float
    within: float
    """So many times the possible time the last ticket may take."""
    deliveries: int | None = None
    before: str = "not measured"

    def run(self, progress: Progress = lambda _: None, table: TicketLinks | None = None) -> Report:
        """Run it."""
        deployment = Deployment({"main": Conduct(self.rate, self.retry_after)}, table=table)
        numbers = [number % self.groups for number in range(self.events)]
        random.Random(SEED).shuffle(numbers)  # noqa: S311
        deployment.publish("main", [(0.0, fingerprint(number)) for number in numbers])
        deployment.run(until=5 * 3600, progress=progress)
        title = (
            f"{spoken(self.events)} events in {spoken(self.groups)} groups, "
            f"Jira takes {self.rate:g}/s, Retry-After {self.retry_after:g}"
        )
        figures = (
            *_nothing_lost(deployment, self.groups),
            Figure(
                "last ticket after",
                _last_ticket(deployment),
                most=self.within * self.groups / self.rate,
                unit="s",
            ),
            Figure("deliveries", deployment.queue.deliveries, most=self.deliveries),
            *_refused(deployment),
        )
        return Report(self.name, title, self.before, figures, deployment.timeline)


@dataclass(frozen=True)
class Outage:
    """A server is away for hours, and new groups go on coming in. Jira takes so many calls a second otherwise."""

    name: str
    who: str
    """`Jira` or `Backtrace`."""
    hours: float
    groups_per_hour: int
    rate: float = 10.0
    before: str = "not measured"

    def run(self, progress: Progress = lambda _: None, table: TicketLinks | None = None) -> Report:
        """Run it."""
        seconds, groups = self.hours * 3600, round(self.hours * self.groups_per_hour)
        away = (BEGIN, BEGIN + seconds)
        jira = Conduct(self.rate, away=away) if self.who == "Jira" else Conduct(self.rate)
        backtrace = Conduct(away=away) if self.who == "Backtrace" else Conduct()
        deployment = Deployment({"main": jira}, backtrace, step=60.0, table=table)
        chance = random.Random(SEED)  # noqa: S311
        deployment.publish(
            "main", [(chance.uniform(0, seconds), fingerprint(each)) for each in range(groups)]
        )
        deployment.run(until=seconds + DAY, progress=progress)
        server = "main" if self.who == "Jira" else "backtrace"
        tried = deployment.timeline.total(f"{server} unanswered")
        least = max(groups / self.rate, LONGEST_DELAY)
        figures = (
            *_nothing_lost(deployment, groups),
            Figure("nothing waits after the return", deployment.time() - away[1], most=2 * least, unit="s"),
            Figure(f"calls to the absent {self.who}", tried, most=_attempts(seconds)),
            Figure("deliveries", deployment.queue.deliveries),
            Figure("most receives of a message", deployment.queue.most_receives, most=1000),
            *_refused(deployment),
        )
        title = f"{self.who} away for {self.hours:g} h, {self.groups_per_hour} new groups an hour"
        return Report(self.name, title, self.before, figures, deployment.timeline, seconds - BEFORE_RETURN)


@dataclass(frozen=True)
class Neighbours:
    """Two connections share the queue. One has a storm and cannot serve it, the other has a group a second."""

    name: str
    how: str
    """What the storm's Jira does, in words."""
    conduct: Conduct
    events: int
    groups: int
    others: int = 100
    later: float | None = None
    """So many seconds the other connection's tickets may come later than without the storm."""
    before: str = "not measured"

    def run(self, progress: Progress = lambda _: None, table: TicketLinks | None = None) -> Report:
        """Run it."""
        alone = Deployment({"other": Conduct()})
        self._publish_others(alone)
        alone.run(until=DAY)
        deployment = Deployment({"main": self.conduct, "other": Conduct()}, table=table)
        deployment.publish(
            "main", [(0.0, fingerprint(number % self.groups)) for number in range(self.events)]
        )
        self._publish_others(deployment)
        deployment.run(until=DAY, progress=progress)
        last = _last_ticket(deployment, "other")
        without = _last_ticket(alone, "other")
        most = None if self.later is None else without + self.later
        slowest, usual = self._slowest(deployment), self._slowest(alone)
        figures = (
            *_nothing_lost(deployment, self.groups),
            Figure("the other's tickets", len(deployment.jiras["other"].tickets), self.others, self.others),
            Figure("the other's last one after", last, most=most, unit="s"),
            Figure("without the storm", without, unit="s"),
            Figure(
                "its slowest one", slowest, most=None if self.later is None else usual + self.later, unit="s"
            ),
            Figure("the storm's last one after", _last_ticket(deployment), unit="s"),
        )
        title = (
            f"{spoken(self.events)} events in {spoken(self.groups)} groups while their Jira {self.how}; "
            f"{self.others} for another Jira"
        )
        return Report(self.name, title, self.before, figures, deployment.timeline)

    def _publish_others(self, deployment: Deployment) -> None:
        deployment.publish("other", [(float(each), fingerprint(each)) for each in range(self.others)])

    def _slowest(self, deployment: Deployment) -> float:
        times = deployment.made_at("other")
        return max((times[fingerprint(each)] - BEGIN - each for each in range(self.others)), default=0.0)


Scenario = Storm | Outage | Neighbours

SCENARIOS: Sequence[Scenario] = (
    Storm(
        "storm",
        events=10_000,
        groups=1_000,
        rate=10,
        retry_after=5,
        within=1.15,
        deliveries=15_000,
        before="493 tickets, 1 722 dead letters, 100 799 deliveries",
    ),
    Storm("slow", events=600, groups=150, rate=1, retry_after=5, within=1.25, before="27 tickets"),
    Storm("slower", events=10_000, groups=1_000, rate=2, retry_after=60, within=1.25, before="84 tickets"),
    Outage("jira-away", "Jira", hours=48, groups_per_hour=100, before="every message a dead letter"),
    Outage(
        "backtrace-away", "Backtrace", hours=48, groups_per_hour=100, before="every message a dead letter"
    ),
    Neighbours("paused", "asks for an hour", Conduct(paused=(BEGIN, BEGIN + 3600)), 5_000, 500, later=5),
    Neighbours("down", "is away for an hour", Conduct(away=(BEGIN, BEGIN + 3600)), 5_000, 500, later=20),
    Neighbours("limited", "takes 1/s", Conduct(rate=1), 5_000, 500),
)


def fingerprint(number: int) -> str:
    """Return the fingerprint of a group."""
    return f"{number:064x}"


def _nothing_lost(deployment: Deployment, groups: int) -> tuple[Figure, ...]:
    by_group = deployment.tickets_by_group("main")
    return (
        Figure("tickets", len(by_group), most=groups, least=groups),
        Figure("second tickets", sum(by_group) - len(by_group), most=0),
        Figure("groups that Backtrace has linked", deployment.linked("main"), least=groups),
        Figure("dead letters", deployment.queue.dead_letters, most=0),
        Figure("messages left", deployment.queue.left, most=0),
        Figure("errors that nobody expected", len(deployment.faults), most=0),
        Figure("longest invocation", deployment.longest_invocation, most=FUNCTION_TIME_OUT, unit="s"),
    )


def _last_ticket(deployment: Deployment, connection: str = "main") -> float:
    return max(deployment.made_at(connection).values(), default=BEGIN) - BEGIN


def _refused(deployment: Deployment) -> tuple[Figure, ...]:
    served, refused = (deployment.timeline.total(f"main {what}") for what in ("served", "refused"))
    # Each process finds out by itself that there is a limit, by a call or two.
    most = 2 * PROCESSES + round(MANY * (served + refused))
    return (Figure("calls that Jira refused", refused, most=most),)


def _attempts(seconds: float) -> float:
    """Return how many attempts at an absent server are enough: three after each pause, and some at the beginning."""
    return 60 + 3 * seconds / LONGEST_OUTAGE
