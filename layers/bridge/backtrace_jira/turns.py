"""A turn at a ticket, and what is left of one that was cut off.

Whoever brings a ticket in line notes what it is about to write, before it does. When it dies, or hears no answer, the
next one knows that what it finds may be our own doing, and that a value which looks untouched may have been changed
and changed back.
"""

from __future__ import annotations

from dataclasses import dataclass

STATUS, ASSIGNEE, GROUP = "status", "assignee", "group"


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

    def group_written_at(self, fingerprint: str) -> float | None:
        """Return when the turn before began to write to a group (unix seconds), if it did."""
        prefix = note(GROUP, fingerprint) + " "
        times = [float(each.removeprefix(prefix)) for each in self.notes if each.startswith(prefix)]
        return min(times, default=None)


def note(field: str, value: str) -> str:
    """Return the note of what is about to be written."""
    return f"{field} {value}"
