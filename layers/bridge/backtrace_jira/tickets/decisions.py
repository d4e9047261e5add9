"""What was decided, as an outcome for the log and as a record that stays for `backtrace-jira explain`.

A record goes into the store with the request that a path makes anyway. Filtered groups, and those of projects
without an integration, make none: theirs is written once in the life of a process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.errors import TryAgain
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import NO_INTEGRATION, Decision, Outcome, Record, error_text
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.tickets.actions import Verdict
from backtrace_jira.tickets.fill_fields import Target, ticket_target
from backtrace_jira.tickets.ports import TicketLinks

REMEMBERED = 30 * 24 * 3600.0
"""Seconds for which it is remembered that no ticket was wanted."""


NOT_YET_DUE = (Decision.HELD, Decision.FILTERED)
"""After these, an event still has to be counted."""


MOST_WRITTEN = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """An error group on its way into one integration."""

    group: ErrorGroup
    integration: Integration
    verdict: Verdict

    @property
    def key(self) -> LinkKey:
        """What a ticket would be made for."""
        trace = self.group.trace if self.integration.event is EventKind.TRACE else ""
        return LinkKey(self.integration.id, self.group.fingerprint, trace)

    @property
    def target(self) -> Target:
        """Where its ticket goes."""
        return ticket_target(self.group, self.integration)


def failed(group: ErrorGroup, integration: str, error: Exception) -> Outcome:
    """Return the outcome of an error."""
    return Outcome(
        Decision.from_error(error), group.fingerprint, integration, detail=error_text(error), error=error
    )


def held(case: Case) -> Outcome:
    """Return the outcome of an event that is not due."""
    rule = case.integration.due_rule
    reasons = [
        *([f"less than {rule.frequency} s since the last one that was due"] if rule.frequency else []),
        *([f"fewer than {rule.threshold} events"] if rule.threshold else []),
    ]
    detail = f"held back: {', and '.join(reasons)}"
    return Outcome(Decision.HELD, case.group.fingerprint, case.integration.id, detail=detail)


class UnclaimedDecisions:
    """Decisions that need no claim, and so no other request to the store."""

    def __init__(self, links: TicketLinks, clock: Callable[[], float]) -> None:
        self._links = links
        self._clock = clock
        self._written: set[tuple[LinkKey, str]] = set()

    def filtered(self, case: Case) -> Outcome:
        """Decide that the settings want no ticket."""
        detail = case.verdict.reason
        outcome = Outcome(Decision.FILTERED, case.group.fingerprint, case.integration.id, detail=detail)
        self._write(LinkKey(case.integration.id, case.group.fingerprint), outcome, detail)
        return outcome

    def no_integration(self, group: ErrorGroup) -> Outcome:
        """Decide that nobody wants a ticket."""
        detail = f"no integration is configured for {group.universe}/{group.project}"
        outcome = Outcome(Decision.NO_INTEGRATION, group.fingerprint, detail=detail)
        self._write(LinkKey(NO_INTEGRATION, group.fingerprint), outcome)
        return outcome

    def _write(self, key: LinkKey, outcome: Outcome, rule: str = "") -> None:
        if (key, outcome.detail) in self._written:
            return
        record = Record.from_outcome(outcome, self._clock(), rule)
        try:
            self._links.record_unclaimed(key, record, record.at + REMEMBERED)
        except TryAgain:
            return  # the log has it, and no ticket hangs on it
        if len(self._written) >= MOST_WRITTEN:
            self._written.clear()
        self._written.add((key, outcome.detail))
