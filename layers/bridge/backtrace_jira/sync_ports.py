"""What synchronisation needs from the world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from backtrace_jira.config import Integration
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.model import JSON, Issue, Link, LinkKey, Record
from backtrace_jira.ports import ParkingStore
from backtrace_jira.sides import BacktraceUser, Group, Ticket
from backtrace_jira.states import State
from backtrace_jira.synced import Synced
from backtrace_jira.turns import Turn
from backtrace_jira.workflow import Step


class SyncStore(ParkingStore, Protocol):
    """Links by ticket and by group, turns, watermarks. Every method is one request to the store but the first two."""

    def links_of_issue(self, issue_id: str) -> Sequence[Link]:
        """Return the links of a ticket as they are now, of all Jira sites: one request, and one for each link."""
        ...

    def links_of_group(self, integration: str, fingerprint: str) -> Sequence[Link]:
        """Return the links of a group that have a ticket; several where each error has one."""
        ...

    def get(self, key: LinkKey) -> Link | None:
        """Return a link as it is now."""
        ...

    def record_synced(self, key: LinkKey, before: Issue, now: Issue, synced: Synced) -> bool:
        """Record what both sides are now; false where the link holds another ticket by now."""
        ...

    def unlink(self, key: LinkKey, issue_id: str, record: Record) -> bool:
        """Cut a link, if it still holds that ticket: the next error of the group makes a new one."""
        ...

    def take_turn(self, turn: Turn, *, now: float) -> Turn:
        """Take the turn, with the notes of the last holder.

        Raises:
            Busy: somebody has it.
        """
        ...

    def take_note(self, turn: Turn, what: str) -> None:
        """Note what is about to be written.

        Raises:
            Busy: the turn is somebody else's by now.
        """
        ...

    def end_turn(self, turn: Turn, *, done: bool) -> None:
        """Give the turn back; its notes are forgotten when it is done."""
        ...

    def watermark(self, name: str) -> float | None:
        """Return up to which moment (unix seconds) all changes were looked at."""
        ...

    def advance(self, name: str, at: float) -> None:
        """Move a watermark forward; never back."""
        ...


class JiraSide(Protocol):
    """One Jira connection, as synchronisation uses it. Every method raises what `Tickets.create` does."""

    @property
    def cloud(self) -> bool:
        """Tell Cloud from Data Center."""
        ...

    def ticket(self, issue_id: str, *, changes: bool = False) -> Ticket | None:
        """Read an issue, with its changelog if asked; None where it does not exist or may not be seen."""
        ...

    def steps(self, issue_id: str) -> Sequence[Step]:
        """Return the transitions open to the issue now; none may mean that the account may not transition."""
        ...

    def transition(self, issue_id: str, step: Step, fields: Mapping[str, JSON]) -> None:
        """Take a transition, once."""
        ...

    def assign(self, issue_id: str, user: str | None) -> None:
        """Assign to an accountId (Cloud) or user name (Data Center), or to nobody."""
        ...

    def find_user(self, who: str, project: str) -> str | None:
        """Return the accountId or user name of an e-mail address, if it is one's."""
        ...

    def changed(self, project: str, oldest: int, youngest: int) -> Iterator[Ticket]:
        """Give a project's issues that changed so many minutes ago, as the search index knows them.

        The latest change comes first. `youngest` 0 is now.
        """
        ...


class BacktraceSide(Protocol):
    """One Backtrace universe, as synchronisation uses it."""

    def group(self, project: str, fingerprint: str) -> Group:
        """Read one group; one that nobody ever touched is open."""
        ...

    def changed(self, project: str, begin: float, end: float | None) -> Iterator[Group]:
        """Give the groups modified from `begin` until `end` (unix seconds; None is now), latest change first."""
        ...

    def write(
        self,
        group: Group,
        *,
        state: State | None = None,
        tickets: Sequence[JSON] | None = None,
        assigned: bool = False,
    ) -> None:
        """Write state and ticket column of one group, once; None leaves one as it is.

        `assigned` says that the column's assignees are others than they were.
        """
        ...

    def find_user(self, project: str, email: str) -> BacktraceUser | None:
        """Return the user of this exact e-mail address, as far as any group of the project was ever assigned to it."""
        ...


class SyncConfiguration(Protocol):
    """Settings and what is made of them."""

    def integration(self, integration_id: str) -> Integration | None:
        """Return the integration of this id, if it is still configured."""
        ...

    def all_integrations(self) -> tuple[Sequence[Integration], Sequence[InvalidSettings]]:
        """Return every integration of the deployment, and what is wrong with those that cannot be read."""
        ...

    def tickets(self, integration: Integration) -> JiraSide:
        """Return the client of the integration's connection."""
        ...

    def backtrace(self, universe: str) -> BacktraceSide:
        """Return the client of the universe."""
        ...


class ChangeHints(Protocol):
    """The queue of tickets to look at."""

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Let a ticket be looked at soon."""
        ...
