"""A turn at a ticket, and what is left of one that was cut off.

Whoever brings a ticket in line notes what it is about to write, before it does. When it dies, or hears no answer, the
next one knows that what it finds may be our own doing, and that a value which looks untouched may have been changed
and changed back.
"""

from __future__ import annotations

from dataclasses import dataclass

STATUS, ASSIGNEE, GROUP = "status", "assignee", "group"


@dataclass(frozen=True, slots=True)
class GroupWrite:
    """A write to a group: when (unix seconds), of which fields (commas between), with the ticket in which state."""

    at: str
    fields: str
    mirrored: str


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

    def group_write(self, fingerprint: str) -> GroupWrite | None:
        """Return what the turn before was about to write to a group, if anything."""
        prefix = note(GROUP, fingerprint) + " "
        found = [
            GroupWrite(*each.removeprefix(prefix).split()) for each in self.notes if each.startswith(prefix)
        ]
        return max(found, key=lambda write: float(write.at), default=None)


def note(field: str, value: str) -> str:
    """Return the note of what is about to be written."""
    return f"{field} {value}"
