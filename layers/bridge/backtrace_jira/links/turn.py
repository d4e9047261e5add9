"""A turn at a ticket, and what is left of one that was cut off.

Whoever brings a ticket in line notes what it is about to write to Jira, before it does. When it dies, or hears no
answer, the next one knows that what it finds there may be our own doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STATUS, ASSIGNEE, REGRESSION, UNTIL = "status", "assignee", "regression", "until"


@dataclass(frozen=True, slots=True)
class Turn:
    """The exclusive right to bring one ticket and its groups in line, until `until` (unix seconds).

    `notes` are those of whoever had the turn before and did not say that it was done.
    """

    connection: str
    issue_id: str
    owner: str
    until: float
    notes: tuple[str, ...] = ()

    def wrote(self, field: str, value: str) -> bool:
        """Tell whether a value of the ticket may be the doing of the turn before."""
        return note(field, value) in self.notes

    def said(self, field: str) -> Iterator[str]:
        """Give what was noted of a field by whoever had the turn before."""
        return (text for name, _, text in (said.partition(" ") for said in self.notes) if name == field)


def note(field: str, value: str) -> str:
    """Return the note of what is about to be written."""
    return f"{field} {value}"
