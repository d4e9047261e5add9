"""Decisions: an outcome for the log, and a record in the store for `backtrace-jira explain`.

Most records are part of a write that the protocol makes anyway. Filtered groups and groups without an integration
lead to no such write, so each process writes their record once.
"""

from __future__ import annotations

from collections.abc import Callable

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.errors import TryAgain
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import NO_INTEGRATION, Decision, Outcome, Record, error_text
from backtrace_jira.tickets.context import Case
from backtrace_jira.tickets.ports import TicketLinks

REMEMBERED = 30 * 24 * 3600.0
"""Seconds for which the store keeps the record of a group that got no ticket by the settings."""

NOT_YET_DUE = (Decision.HELD, Decision.FILTERED)
"""After these decisions, the next event of the group is counted."""

MOST_WRITTEN = 10_000
"""Number of records that a process remembers to have written, so as not to write them again."""


def error_outcome(group: ErrorGroup, integration: str, error: Exception) -> Outcome:
    """Return the outcome of an error."""
    return Outcome(
        Decision.from_error(error), group.fingerprint, integration, detail=error_text(error), error=error
    )


def held_outcome(case: Case) -> Outcome:
    """Return the outcome of an event that is not due."""
    rule = case.integration.due_rule
    reasons = [
        *([f"less than {rule.frequency} s since the group's last due event"] if rule.frequency else []),
        *([f"fewer than {rule.threshold} events"] if rule.threshold else []),
    ]
    detail = f"held back: {', and '.join(reasons)}"
    return Outcome(Decision.HELD, case.group.fingerprint, case.integration.id, detail=detail)


class UnclaimedDecisions:
    """Decisions without a claim: recording one is the only request to the store that it needs."""

    def __init__(self, links: TicketLinks, clock: Callable[[], float]) -> None:
        self._links = links
        self._clock = clock
        self._written: set[tuple[LinkKey, str]] = set()

    def record_filtered(self, case: Case) -> Outcome:
        """Record that an action of the settings keeps the group from Jira."""
        detail = case.verdict.reason
        outcome = Outcome(Decision.FILTERED, case.group.fingerprint, case.integration.id, detail=detail)
        self._write(LinkKey(case.integration.id, case.group.fingerprint), outcome, detail)
        return outcome

    def record_no_integration(self, group: ErrorGroup) -> Outcome:
        """Record that the group's project has no integration."""
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
            return  # the log has the decision, and no ticket depends on the record
        if len(self._written) >= MOST_WRITTEN:
            self._written.clear()
        self._written.add((key, outcome.detail))
