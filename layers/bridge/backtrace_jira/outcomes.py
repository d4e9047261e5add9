"""A decision, as an outcome for the log and as a record that the store keeps for `backtrace-jira explain`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from backtrace_jira.errors import BacktraceJiraError, InvalidField, Parked, Refused, TryAgain
from backtrace_jira.jira.issue import Issue

NO_INTEGRATION = "#no-integration"
"""Replaces the integration's id in keys of groups whose project has no integration; no id begins with #."""


class Decision(StrEnum):
    """The decision on one group, or on a ticket and its groups, in one integration; the log key `decision`."""

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

    @classmethod
    def from_error(cls, error: Exception) -> Decision:
        """Return the decision on a group, or on a ticket, after this error."""
        if isinstance(error, Parked):
            return cls.PARKED
        if isinstance(error, BacktraceJiraError) and not isinstance(error, TryAgain):
            return cls.REFUSED
        return cls.POSTPONED


@dataclass(frozen=True, slots=True)
class Record:
    """The last decision on a link key, with its reason. `backtrace-jira explain` shows it. `at` is in unix seconds."""

    at: float
    decision: Decision
    reason: str = ""
    rule: str = ""
    """The action of the settings that decided, if one did."""
    messages: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """The server's own words, about the request as a whole and by field id."""
    left_out: tuple[str, ...] = ()
    """A sentence for each field of the settings that the ticket lacks."""
    unknown_attributes: tuple[str, ...] = ()
    """Names after a $ in the settings for which the group has no attribute."""
    until: float = 0.0
    """After a refusal of the group's own values: before this time (unix seconds) nothing is sent to Jira for it."""

    @classmethod
    def from_error(cls, error: Exception, at: float, rule: str = "") -> Record:
        """Return the record of an error, with the server's own words if it sent any."""
        decision, reason = Decision.from_error(error), error_text(error)
        if isinstance(error, Refused | Parked):
            return cls(at, decision, reason, rule, error.messages, error.fields)
        if isinstance(error, InvalidField):
            return cls(at, decision, reason, rule, fields={error.field: reason})
        return cls(at, decision, reason, rule)

    @classmethod
    def from_outcome(cls, outcome: Outcome, at: float, rule: str) -> Record:
        """Return the record of an outcome without an error."""
        return cls(
            at,
            outcome.decision,
            outcome.detail,
            rule,
            left_out=outcome.left_out,
            unknown_attributes=outcome.unknown_attributes,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decision, with the values of its log line. If `error` is set, the message has to come again or is kept."""

    decision: Decision
    fingerprint: str = ""
    integration: str = ""
    issue: Issue | None = None
    detail: str = ""
    unknown_attributes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    error: Exception | None = None

    @property
    def is_expected(self) -> bool:
        """Return whether the error, if there is one, is one that this package raises by intention."""
        return self.error is None or isinstance(self.error, BacktraceJiraError)

    @property
    def log_level(self) -> Literal["info", "warning", "error"]:
        """Return the level of the log line.

        A dead letter is an error, since only a person brings it back, and so is an error that nobody expected. A
        refusal is a warning, and so is a message that has to come again.
        """
        if self.decision is Decision.DEAD_LETTER or not self.is_expected:
            return "error"
        return "warning" if self.error or self.decision is Decision.REFUSED else "info"

    def log_fields(self) -> dict[str, Any]:
        """Return the structured log keys, which docs/operations.md explains; empty ones are left out."""
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


def error_text(error: Exception) -> str:
    """Return the sentence of an error of ours; of any other error, which may hold a secret, only the class."""
    if isinstance(error, BacktraceJiraError):
        return str(error)
    return f"unexpected {type(error).__name__}; the function's log has the traceback"
