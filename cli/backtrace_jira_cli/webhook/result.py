"""The result of a webhook command for one connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """The result for one connection. Machines rely on the names."""

    REGISTERED = "registered"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    ABSENT = "absent"
    FINE = "fine"
    NOT_FINE = "not_fine"
    BY_HAND = "by_hand"
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def is_well(self) -> bool:
        """Whether the operator has nothing to do."""
        return self not in (Result.NOT_FINE, Result.BY_HAND, Result.FAILED)


@dataclass(slots=True)
class ConnectionResult:
    """The result with its explanation: `notes` are sentences, `steps` are for the operator to do by hand."""

    connection: str
    result: Result
    notes: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the result for machines."""
        return {
            "connection": self.connection,
            "outcome": str(self.result),
            "notes": self.notes,
            "steps": self.steps,
            **({"state": self.state} if self.state else {}),
        }


IN_WORDS = {
    Result.REGISTERED: "registered",
    Result.UPDATED: "updated",
    Result.UNCHANGED: "registered already; nothing was changed",
    Result.REMOVED: "removed",
    Result.ABSENT: "no webhook of ours is registered",
    Result.FINE: "as it should be",
    Result.NOT_FINE: "not as it should be",
    Result.BY_HAND: "do this by hand",
    Result.SKIPPED: "skipped",
    Result.FAILED: "failed",
}
