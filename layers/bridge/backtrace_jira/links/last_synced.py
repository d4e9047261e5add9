"""A link's memory of its ticket and its group."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from backtrace_jira.states import State, Status

INDEX_LAG = 240.0
"""Seconds after which Backtrace's queries surely know an error that they were asked for too early.

Less than a period of the polls, so that the run after next sees the group at the latest.
"""
REOPENING = "reopening"
"""Among what was refused: that a regression reopens the ticket."""
LOST_CRITERIA = "criteria"
"""Among what was refused: reopen criteria of ours that the group had no more, and was given again."""


class Opener(StrEnum):
    """Who opened a group whose ticket is done. The values are stored."""

    NOBODY = ""
    OURS = "ours"
    """Backtrace, by a reopen criterion of this link."""
    THEIRS = "theirs"
    """Backtrace, by a reopen criterion that somebody else set."""
    PERSON = "person"


class Standing(StrEnum):
    """What a ticket's Fix Versions come to. Machines rely on the names."""

    NEVER_REOPENED = "never_reopened"
    """It was resolved in a way that no error undoes."""
    NOT_SHOWN = "not_shown"
    """Jira does not show the field."""
    NO_VERSIONS = "no_versions"
    UNREAD = "unread"
    """None of them says anything to Backtrace."""
    WAITING = "waiting"
    """The one that counts is not released yet."""
    RESOLVED_UNTIL = "resolved_until"


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A Fix Version by its name, which may be cut."""

    name: str
    released: bool = True


@dataclass(frozen=True, slots=True)
class VersionsSeen:
    """A done ticket's Fix Versions as they were read last, kept for people to see."""

    standing: Standing
    versions: tuple[NamedVersion, ...] = ()
    more: int = 0
    """The number of those that are not listed."""
    resolution: str = ""
    boundary: str = ""
    """What they come to, `version > 2.4`, whether it was written to Backtrace or not."""


@dataclass(frozen=True, slots=True)
class LastSynced:
    """The values of ticket and group when they last agreed. A value equal to the remembered one is not a change.

    Only what was really carried, or needed no carrying, is agreed on. What a server refused leaves the value as it was
    remembered, so that it is offered again. None: not compared yet since the ticket was linked.
    """

    state: State | None = None
    """The group's."""
    assignee: str | None = None
    """The group's: a Backtrace user id, empty for nobody."""
    status: Status | None = None
    """The ticket's."""
    ticket_assignee: str | None = None
    """The ticket's: an accountId or user name, empty for nobody."""
    at: float = 0.0
    """The moment (unix seconds) at which the synchronisation compared ticket and group; 0 is never."""
    told: tuple[str, ...] = ()
    """A sentence for each thing that this bridge did then."""
    problems: tuple[str, ...] = ()
    """A sentence for each thing that it could not do then."""
    reopen_criteria: tuple[str, ...] = ()
    """The group's reopen criteria that this link set, as JSON texts. People and other links may have set others."""
    unread_versions: tuple[str, ...] = ()
    """A sentence for each Fix Version that could not be read, or is in doubt: said already."""
    fix_versions: Mapping[str, str] = field(default_factory=dict)
    """The facts of the ticket's Fix Versions, by id."""
    reopens: int | None = None
    """The number of times that Backtrace had reopened the group."""
    regressed: bool = False
    """True if the ticket was already reopened, followed up or commented on because its error came back."""
    opened_by: Opener = Opener.NOBODY
    """Who opened the group, while it is open and its ticket is done."""
    resolved_again: tuple[float, ...] = ()
    """The moments (unix seconds) at which the group was resolved again, because its error had not come back."""
    answered: str = ""
    """Digest of the last sighting that a turn has dealt with. An event with the same one tells nothing new."""
    doubted: tuple[str, ...] = ()
    """The boundaries of which was said that an error's version may be past them, and that nobody knows."""
    versions_seen: VersionsSeen | None = None
    """None where they do not count: the feature is off, or the ticket is not done."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Values that the other side did not take, by name, such as `status`. A hint that shows one tells nothing new."""
    refused_at: float = 0.0
    """When one of these was refused last (unix seconds)."""
    meaning: State | None = None
    """The state that the ticket's status meant by the settings of then; None: as it does by those of now."""

    @property
    def needs_another_look(self) -> bool:
        """Return whether nobody looked late enough after the group was resolved again, or it was left open for now."""
        is_left_open = self.opened_by is Opener.OURS and not self.regressed
        return is_left_open or (bool(self.resolved_again) and self.at < self.resolved_again[-1] + INDEX_LAG)


def refused_criteria(criteria: Iterable[str]) -> str:
    """Return reopen criteria as one text, as they are kept among the refused values."""
    return json.dumps(list(criteria))
