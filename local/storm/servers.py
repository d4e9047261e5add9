"""A Jira with a limit and a Backtrace, both with outages, in virtual time. Each is the port of who calls it, too."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backtrace_jira.errors import Throttled, Unreachable
from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.jira.issue import Find, Issue, TicketDraft
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.states import State
from local.storm.timeline import Timeline
from local.storm.virtual_time import VirtualTime

TIME_OUT = 5.0
"""Seconds until a connection to a server that is away is given up: `adapters/http.py`."""

Span = tuple[float, float]
"""From one moment to another, in unix seconds."""


@dataclass
class Conduct:
    """How a server behaves: calls a second, the pause it asks for, and when it is away or takes nothing."""

    rate: float | None = None
    retry_after: float = 5.0
    away: Span = (0.0, 0.0)
    paused: Span = (0.0, 0.0)


@dataclass
class _Server:
    """Counts served, refused and unanswered calls by name in the timeline."""

    name: str
    conduct: Conduct
    time: VirtualTime
    timeline: Timeline
    latency: float
    _window: int = -1
    _used: int = 0

    def _arrive(self) -> None:
        """Let a call arrive, or raise.

        Raises:
            Throttled: it is over the limit, or in a pause.
            Unreachable: the server is away.
        """
        now = self.time()
        if _within(now, self.conduct.away):
            self.timeline.count(f"{self.name} unanswered", now)
            self.time.sleep(TIME_OUT)
            raise Unreachable(f"{self.name}: no connection")
        self.time.sleep(self.latency / 2)
        now = self.time()
        pause = self.conduct.paused[1] - now if _within(now, self.conduct.paused) else 0.0
        if pause or not self._takes(now):
            self.timeline.count(f"{self.name} refused", now)
            self.time.sleep(self.latency / 2)
            raise Throttled(f"{self.name}: 429", after=pause or self.conduct.retry_after)
        self.timeline.count(f"{self.name} served", now)

    def _leave(self) -> None:
        self.time.sleep(self.latency / 2)

    def _takes(self, now: float) -> bool:
        """Return whether a call is within the limit: so many in each second."""
        if self.conduct.rate is None:
            return True
        seconds = max(1.0, 1 / self.conduct.rate)
        if self._window != int(now / seconds):
            self._window, self._used = int(now / seconds), 0
        self._used += 1
        return self._used <= self.conduct.rate * seconds


def _within(now: float, span: Span) -> bool:
    return span[0] <= now < span[1]


@dataclass
class Jira(_Server):
    """The `JiraTickets` port, as far as a ticket with few fields needs it. Its search shows each ticket at once."""

    tickets: dict[str, list[Issue]] = field(default_factory=dict)
    """By marker."""
    made_at: dict[str, float] = field(default_factory=dict)
    """When the last ticket of a marker was made (unix seconds)."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def create(self, draft: TicketDraft) -> Issue:
        """Make a ticket, within the limit."""
        self._arrive()
        number = next(self._numbers)
        issue = Issue(f"{self.name}-{number}", f"{draft.project}-{number}", f"https://{self.name}/{number}")
        self.tickets.setdefault(draft.marker, []).append(issue)
        self.made_at[draft.marker] = self.time()
        self.timeline.count(f"{self.name} made", self.time())
        self._leave()
        return issue

    def find(self, marker: str) -> Sequence[Find]:
        """Search for a marker, within the limit."""
        self._arrive()
        found = self.tickets.get(marker, [])
        self._leave()
        return [Find(issue, marker) for issue in found[::-1]]

    def find_made(self, marker: str, _minutes: tuple[int, int]) -> Sequence[Find]:
        """Search as for a marker: nobody edits a ticket of a storm."""
        return self.find(marker)

    def may_browse(self, _project: str) -> bool:
        """Say yes, within the limit."""
        self._arrive()
        self._leave()
        return True

    def field_schema(self, _project: str, _issue_type: str) -> FieldSchema | None:
        """Raise: the settings of a storm need no create screen."""
        raise NotImplementedError

    def relate(self, _issue: Issue, _other: str, _link_type: str) -> None:
        """Raise: no ticket of a storm follows another."""
        raise NotImplementedError

    def comment(self, _issue: str, _text: str) -> None:
        """Raise: nobody comments in a storm."""
        raise NotImplementedError

    def comments(self, _issue: str) -> Sequence[tuple[float, str]]:
        """Raise: nobody comments in a storm."""
        raise NotImplementedError

    def find_user(self, _who: str, _project: str) -> str | None:
        """Raise: no ticket of a storm names a person."""
        raise NotImplementedError


@dataclass
class Backtrace(_Server):
    """The `BacktraceLinks` port."""

    address: str = "https://my_universe.sp.backtrace.io"
    linked: set[tuple[str, str]] = field(default_factory=set)
    """Project and fingerprint."""

    def link(
        self,
        *,
        project: str,
        fingerprint: str,
        watcher: str,  # noqa: ARG002
        issue: Issue,  # noqa: ARG002
        replaced: str = "",  # noqa: ARG002
    ) -> LastSynced:
        """Link a ticket."""
        self._arrive()
        self.linked.add((project, fingerprint))
        self.timeline.count("linked", self.time())
        self._leave()
        return LastSynced(state=State.IN_PROGRESS, assignee="")
