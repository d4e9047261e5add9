"""What was decided: an outcome for the log, and a record that stays for `backtrace-jira explain`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from backtrace_jira.errors import BacktraceJiraError, InvalidField, Parked, Refused, TryAgain
from backtrace_jira.jira.issue import Issue

NO_INTEGRATION = "#no-integration"
"""Stands where an integration's id stands, for groups of projects that have none; no id can begin with #."""


class Decision(StrEnum):
    """What was decided for one group, or for a ticket and its groups, in one integration; the log key `decision`."""

    CREATED = "created"
    ADOPTED = "adopted"
    KNOWN = "known"
    LINKED = "linked"
    NO_INTEGRATION = "no_integration"
    FILTERED = "filtered"
    HELD = "held"
    POSTPONED = "postponed"
    REFUSED = "refused"
    PARKED = "parked"
    INVALID = "invalid"
    DEAD_LETTER = "dead_letter"
    SYNCED = "synced"
    IN_STEP = "in_step"
    UNLINKED = "unlinked"
    REGRESSED = "regressed"


@dataclass(frozen=True, slots=True)
class Record:
    """What was decided about a key and why: the memory of `backtrace-jira explain`. `at` is in unix seconds."""

    at: float
    decision: Decision
    reason: str = ""
    rule: str = ""
    """The action of the settings that decided, if one did."""
    messages: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """The server's own words, as a whole and by field id."""
    left_out: tuple[str, ...] = ()
    unknown_attributes: tuple[str, ...] = ()
    """What the ticket does without."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decision with what a log line needs. `error` is set when the message is not done with."""

    decision: Decision
    fingerprint: str = ""
    integration: str = ""
    issue: Issue | None = None
    detail: str = ""
    unknown_attributes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    error: Exception | None = None

    def log_fields(self) -> dict[str, Any]:
        """Return the structured log keys, which README explains; empty ones are left out."""
        keys = {
            "decision": str(self.decision),
            "integration": self.integration,
            "fingerprint": self.fingerprint,
            "issue_key": self.issue.key if self.issue else "",
            "detail": self.detail,
            "unknown_attributes": list(self.unknown_attributes),
            "left_out": list(self.left_out),
        }
        return {key: value for key, value in keys.items() if value}


def explain(error: Exception) -> str:
    """Give an error's sentence. One we did not raise may hold anything, so only its kind is told."""
    if isinstance(error, BacktraceJiraError):
        return str(error)
    return f"unexpected {type(error).__name__}; the function's log has the traceback"


def decision_on(error: Exception) -> Decision:
    """Say what becomes of a group that met this error."""
    if isinstance(error, Parked):
        return Decision.PARKED
    if isinstance(error, BacktraceJiraError) and not isinstance(error, TryAgain):
        return Decision.REFUSED
    return Decision.POSTPONED


def record_of(error: Exception, at: float, rule: str = "") -> Record:
    """Return the record of an error, with the server's words where it has some."""
    decision, reason = decision_on(error), explain(error)
    if isinstance(error, Refused | Parked):
        return Record(at, decision, reason, rule, error.messages, error.fields)
    if isinstance(error, InvalidField):
        return Record(at, decision, reason, rule, fields={error.field: reason})
    return Record(at, decision, reason, rule)


def record_in_favour(outcome: Outcome, at: float, rule: str) -> Record:
    """Return the record of a decision that no error led to."""
    return Record(
        at,
        outcome.decision,
        outcome.detail,
        rule,
        left_out=outcome.left_out,
        unknown_attributes=outcome.unknown_attributes,
    )
