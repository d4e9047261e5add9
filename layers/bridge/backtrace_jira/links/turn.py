"""A turn: a lock on a ticket, with notes of what its holder is about to write.

The process that brings a ticket in step adds a note before each write that could be taken for a person's: status and
assignee in Jira, reopen criteria, regressions. If it dies, or gets no answer, the next
holder of the turn reads the notes. It then knows that a change in Jira or Backtrace may be our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class NoteKind(StrEnum):
    """Kinds of notes. The values are stored."""

    STATUS = "status"
    """The id of the status that the ticket is about to get."""
    ASSIGNEE = "assignee"
    """The accountId or user name that the ticket is about to be assigned to; empty for nobody."""
    REGRESSION = "regression"
    """A regression that is about to be handled, as JSON."""
    REOPEN_CRITERIA = "until"
    """The reopen criteria that a group is about to get, as JSON."""
    KEY = "key"
    """The group whose entry is about to get a moved ticket's new key, and key and address, as JSON."""
    RESOLVED_AGAIN = "again"
    """The group that is about to be resolved again, and the moment, as JSON."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The exclusive right to bring one ticket and its groups in step, until `until` (unix seconds).

    `notes` are those of the last holder, if it did not end its turn.
    """

    connection: str
    issue_id: str
    owner: str
    until: float
    notes: tuple[str, ...] = ()

    def may_have_written(self, kind: NoteKind, value: str) -> bool:
        """Return whether the last holder was about to write this value."""
        return note_text(kind, value) in self.notes

    def noted_values(self, kind: NoteKind) -> Iterator[str]:
        """Return the values of the last holder's notes of one kind."""
        return (value for name, _, value in (note.partition(" ") for note in self.notes) if name == kind)


def note_text(kind: NoteKind, value: str) -> str:
    """Return a note as it is stored."""
    return f"{kind} {value}"
