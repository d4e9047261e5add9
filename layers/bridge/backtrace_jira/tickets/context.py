"""The values that all steps from an error group to its ticket share: the process's `Context`, and the `Case`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.errors import BacktraceJiraError, Throttled
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.guard import guard
from backtrace_jira.links.link import LinkKey
from backtrace_jira.links.parking import universe_server
from backtrace_jira.links.servers import Servers
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.tickets.actions import Verdict
from backtrace_jira.tickets.create_screens import CreateScreens
from backtrace_jira.tickets.fill_fields import TicketTarget, ticket_target
from backtrace_jira.tickets.ports import (
    BacktraceLinks,
    Configuration,
    JiraTickets,
    RegressionHints,
    TicketLinks,
)
from backtrace_jira.tickets.refusals import RefusedInARow
from backtrace_jira.tickets.side_by_side import run_side_by_side
from backtrace_jira.times import LEASE, LONGEST_REQUEST, PARKED, PARKING_TRUSTED, PAUSE, SEARCH_SETTLE

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between writes that DynamoDB throttles; botocore has tried each three times."""


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
    """The ports and times of one process.

    `clock` returns unix seconds, `sleep` waits so many seconds, `new_owner` returns a new name for each lease.
    """

    stage: str
    configuration: Configuration
    links: TicketLinks
    regression_hints: RegressionHints
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    new_owner: Callable[[], str]
    timing: Timing = field(default_factory=Timing)
    side_by_side: Callable[[Sequence[Callable[[], None]]], None] = run_side_by_side
    """Does several things at once, and returns when all are done."""
    refused_in_a_row: RefusedInARow = field(default_factory=RefusedInARow)

    @cached_property
    def servers(self) -> Servers:
        """The servers, as far as this process knows how they are."""
        return Servers(self.links, self.clock, trust=self.timing.parking_note, parked=self.timing.parked)

    def jira(self, integration: Integration) -> JiraTickets:
        """Return the client of the integration's connection; `servers` watches its calls."""
        jira = self.configuration.jira(integration)
        return guard(jira, integration.connection, self.servers, locks_accounts=True)

    def backtrace(self, universe: str) -> BacktraceLinks:
        """Return the client of a universe; `servers` watches its calls."""
        return guard(self.configuration.backtrace(universe), universe_server(universe), self.servers)

    def keep_trying(self, write: Callable[[], T]) -> T:
        """Send a write that ends a claim, again and again for some seconds while DynamoDB throttles it.

        A row that is not given back is taken for a death of its process, and five deaths make a dead letter.
        """
        for seconds in WAITS:
            try:
                return write()
            except Throttled:
                self.sleep(seconds)
        return write()

    def universe_address(self, universe: str) -> str:
        """Return the universe's own address; empty where its settings are not to be had now."""
        try:
            # Without the guard: no call is sent, and a ticket is made while Backtrace is away.
            return self.configuration.backtrace(universe).address
        except BacktraceJiraError:
            return ""

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
