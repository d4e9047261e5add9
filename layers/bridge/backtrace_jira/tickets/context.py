"""The values that all steps from an error group to its ticket share: the process's `Context`, and the `Case`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import LinkKey
from backtrace_jira.links.parking import ParkingGuard
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.tickets.actions import Verdict
from backtrace_jira.tickets.create_screens import CreateScreens
from backtrace_jira.tickets.fill_fields import TicketTarget, ticket_target
from backtrace_jira.tickets.ports import Configuration, RegressionHints, TicketLinks
from backtrace_jira.times import LEASE, LONGEST_REQUEST, PARKED, PARKING_TRUSTED, PAUSE, SEARCH_SETTLE


@dataclass(frozen=True, slots=True)
class Timing:
    """The lengths of leases, look-ups and parkings, in seconds; `times` says why."""

    lease: float = LEASE
    longest_create: float = LONGEST_REQUEST
    settle: float = SEARCH_SETTLE
    lookups: int = 3
    """Look-ups without a find before a second create: an issue already found can vanish for a moment."""
    between_lookups: float = PAUSE
    parked: float = PARKED
    parking_note: float = PARKING_TRUSTED


@dataclass(frozen=True, kw_only=True)
class Context:
    """The ports and times of one process. `clock` returns unix seconds, `new_owner` a new name for each lease."""

    stage: str
    configuration: Configuration
    links: TicketLinks
    regression_hints: RegressionHints
    clock: Callable[[], float]
    new_owner: Callable[[], str]
    timing: Timing = field(default_factory=Timing)

    @cached_property
    def parking(self) -> ParkingGuard:
        """The parking notes, as far as this process remembers them."""
        return ParkingGuard(
            self.links, self.clock, trust=self.timing.parking_note, duration=self.timing.parked
        )

    @cached_property
    def screens(self) -> CreateScreens:
        """The create screens, as far as this process remembers them."""
        return CreateScreens(self.links, self.clock)


@dataclass(frozen=True)
class Case:
    """An error group on its way into one integration, with the verdict of the integration's actions."""

    group: ErrorGroup
    integration: Integration
    verdict: Verdict

    @cached_property
    def key(self) -> LinkKey:
        """The key of the link row: one ticket for the group, or one for each of its errors."""
        trace = self.group.trace if self.integration.event is EventKind.TRACE else ""
        return LinkKey(self.integration.id, self.group.fingerprint, trace)

    @property
    def target(self) -> TicketTarget:
        """The Jira project and issue type of the ticket."""
        return ticket_target(self.group, self.integration)

    def outcome(self, decision: Decision, issue: Issue | None = None, detail: str = "") -> Outcome:
        """Return an outcome without an error."""
        return Outcome(decision, self.group.fingerprint, self.integration.id, issue, detail)
