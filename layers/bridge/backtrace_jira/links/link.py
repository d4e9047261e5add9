"""A row of the link table: one error group, or one error of it, in one integration."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.outcomes import Decision, Record


@dataclass(frozen=True, slots=True)
class LinkKey:
    """One error group, or one of its errors, in one integration. A key has at most one ticket."""

    integration: str
    """universe/project/name of the integration."""
    fingerprint: str
    trace: str = ""
    """The one error, if each error has a ticket (Event: Trace); empty if the group has one."""

    def marker(self, stage: str, generation: int = 1) -> str:
        """Return the label by which one ticket of this key can be found again.

        The stage is part of it, so that a trial deployment never adopts a production ticket. So is the generation, so
        that no ticket is taken for the one that came before it. The first ticket's marker is as older releases made it.
        """
        parts = [stage, self.integration, self.fingerprint, *filter(None, (self.trace,))]
        parts += [f"#{generation}"] if generation > 1 else []  # no trace begins with #
        return f"bt-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:24]}"


def is_marker(label: str) -> bool:
    """Return whether a label is a marker, whosever."""
    return re.fullmatch("bt-[0-9a-f]{24}", label) is not None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What an error event lists of versions past the boundary of a link's ticket."""

    key: LinkKey
    digest: str
    """Short whatever the versions are called. Another one as soon as an error of such a version comes in."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A new ticket that is wanted after a regression. Until there is one, the row keeps the ticket before it.

    `wanted_at` is when a turn asked for it, `since` from when on the errors count; both in unix seconds.
    """

    wanted_at: float
    since: float


class LinkState(StrEnum):
    """The state of a link row."""

    CREATING = "creating"
    """A delivery holds the lease, and may be creating the ticket right now."""
    UNCERTAIN = "uncertain"
    """Jira may or may not have made a ticket: a look-up has to find out."""
    RELEASED = "released"
    """There surely is no ticket; the next delivery may create it."""
    HELD = "held"
    """There is no ticket, and none is wanted: frequency and threshold hold this error back."""
    COMPLETE = "complete"
    """The ticket exists."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link row as the store holds it. Times are unix seconds."""

    key: LinkKey
    state: LinkState
    owner: str = ""
    lease_until: float = 0.0
    uncertain_since: float = 0.0
    """The latest moment (unix seconds) at which the create can have ended. Its outcome is not known."""
    lookups: int = 0
    """Look-ups since then that found no ticket."""
    cut_off: int = 0
    """Deliveries, one after the other, that had the row and never gave it back: their process died."""
    issue: Issue | None = None
    linked_in_backtrace: bool = False
    record: Record | None = None
    synced: LastSynced | None = None
    page: str = ""
    """The group's page in Backtrace, as the event gave it."""
    previous: str = ""
    """Key of the ticket before this one; the new ticket has yet to be linked to it."""
    generation: int = 1
    """The number of the row's ticket, or of the next one if it has none: 1 for the first that the key ever had."""
    is_counted: bool = True
    """False if the store has no generation: a ticket in the making may have the first one's marker, as older releases
    gave it to each ticket of a key."""
    follow_up: FollowUp | None = None
    """The ticket that is to follow the row's own."""

    @property
    def has_criteria(self) -> bool:
        """Return whether reopen criteria of ours stand in the group's row."""
        return self.synced is not None and bool(self.synced.reopen_criteria)

    @property
    def is_settled(self) -> bool:
        """Return whether the row has its ticket, and none is being made at this moment."""
        return self.issue is not None and self.state is LinkState.COMPLETE

    @property
    def follows(self) -> str:
        """Return the id of the ticket that the one in the making follows; empty if there is none of both."""
        return self.issue.id if self.issue and not self.is_settled else ""

    @property
    def is_handed_over(self) -> bool:
        """Return whether a follow-up is wanted, and was not refused: its ticket is left alone until then."""
        refused = self.record is not None and self.record.decision is Decision.REFUSED
        return self.is_settled and self.follow_up is not None and not refused

    @property
    def next_generation(self) -> int:
        """Return the number of the ticket that is made next."""
        return self.generation + (self.issue is not None)


@dataclass(frozen=True, slots=True)
class Lease:
    """A delivery's exclusive right to create the ticket of a key, until `until` (unix seconds)."""

    key: LinkKey
    owner: str
    now: float
    until: float
    follows: str = ""
    """Id of the ticket that the new one follows, and that the row keeps until then; empty if it has none."""
