"""The ports of the use case that makes tickets. One contract suite runs against each fake and each real adapter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.jira.issue import Find, Issue, TicketDraft
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Lease, Link, LinkKey, Sighting
from backtrace_jira.links.parking import ServerNotes, ServerStore
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import DueRule, Integration


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch of events found in the store: the link rows that exist, and the notes of the servers concerned."""

    links: Mapping[LinkKey, Link]
    servers: Mapping[str, ServerNotes]


class TicketLinks(ServerStore, Protocol):
    """Link rows, notes of servers and create screens. Every method is one request to the store, but `count_event`."""

    def look(self, keys: Collection[LinkKey], servers: Collection[str]) -> Seen:
        """Return the rows of these keys and the notes of these servers as they are now.

        One request, up to a hundred keys and servers. A server without notes has empty ones.

        Raises:
            TryAgain: the store did not answer.
        """
        ...

    def claim(self, lease: Lease) -> Link:
        """Take a key that nobody holds and return the row, which is ours if its owner is the lease's.

        Otherwise it is the row that stands in the way, unchanged. A claim keeps the row's record. With `follows`, a
        row is taken that has this ticket and wants another; it keeps the ticket until the new one is complete.
        """
        ...

    def count_event(self, key: LinkKey, trace: str, now: float, rule: DueRule) -> bool:
        """Count one event of the key's group and tell whether a ticket is due.

        An event is due in two cases: `frequency` seconds have passed since the group's last due event, or there was
        none; or it is the `threshold`th since then. The store counts each of several events at the same moment once.
        `trace` names the error: one that comes again right away is not counted again, and is due if it was before.
        One request; two with a threshold; more only while other processes count the same group. A rule that lets all
        events through must not be asked.

        Raises:
            Busy: too many others counted at the same moment; this event was not counted.
        """
        ...

    def hold(self, lease: Lease, record: Record, expires_at: float) -> None:
        """Give our row back as `held`, for good; the store may delete it after `expires_at`."""
        ...

    def record_unclaimed(self, key: LinkKey, record: Record, expires_at: float) -> None:
        """Record a decision that needed no claim, unless the row was ever claimed."""
        ...

    def take_over(self, seen: Link, lease: Lease) -> bool:
        """Take an expired row as `uncertain`, if it still is as it was seen."""
        ...

    def start_again(self, lease: Lease) -> bool:
        """Turn our uncertain row into a new attempt, now that the last one surely made no ticket."""
        ...

    def leave_uncertain(
        self, lease: Lease, record: Record, *, now: float, until: float, looked_up: bool
    ) -> None:
        """Give our row back as `uncertain`. No delivery takes it before `until`.

        `looked_up` counts one more look-up without a find. The first time, `now` becomes `uncertain_since`.
        """
        ...

    def release(self, lease: Lease, record: Record | None) -> None:
        """Give our row back: there surely is no new ticket. `record` says why; None leaves the last one.

        A row that has the ticket before it still wants the new one.
        """
        ...

    def complete(
        self, key: LinkKey, issue: Issue, record: Record, page: str = "", *, generation: int | None = None
    ) -> Issue:
        """Record the ticket and return the one the row holds: the first of a generation to be recorded stays.

        `page` is the group's page in Backtrace, `generation` the one that the row had when the ticket was made; None
        takes whichever it has now.

        Raises:
            Busy: the row has let go of that generation's ticket, and has no other.
        """
        ...

    def complete_follow_up(self, row: Link, issue: Issue, record: Record, page: str = "") -> Issue:
        """Put a ticket into the place of the one that `row` has, and return the one that the row holds now.

        The one before becomes `previous`. `page` is the group's page in Backtrace; empty leaves the one that is known.

        Raises:
            Busy: the row has let go of its ticket, and has no other.
        """
        ...

    def mark_linked(self, key: LinkKey, baseline: LastSynced, issue: Issue | None = None) -> None:
        """Record that Backtrace knows the ticket, and what the group was then, unless that is known.

        The ticket before it, if there was one, is forgotten: it is linked by now. With `issue`, only if the row holds
        that ticket: whoever linked it may be late, and the row may have another by now.
        """
        ...

    def store_screen(self, connection: str, scope: str, text: str, expires_at: float) -> None:
        """Store a connection's create screen as text; the store may delete it after `expires_at`."""
        ...

    def load_screen(self, connection: str, scope: str) -> str | None:
        """Return the text of a create screen, expired or not; None if there is none."""
        ...

    def get(self, key: LinkKey) -> Link | None:
        """Return a row as it is."""
        ...


class JiraTickets(Protocol):
    """One Jira connection, for making tickets."""

    def create(self, draft: TicketDraft) -> Issue:
        """Send one `POST /issue`, once.

        Raises:
            Throttled, Unreachable: it was not executed.
            OutcomeUnknown: it may have been executed.
            Refused, CredentialRefused: Jira said no.
        """
        ...

    def find(self, marker: str) -> Sequence[Find]:
        """Return the issues that carry the marker as a label or in a text, latest first; fifty at most."""
        ...

    def find_made(self, marker: str, minutes: tuple[int, int]) -> Sequence[Find]:
        """Return the issues that this account created from so many minutes ago until so many, oldest first.

        Those that carry another ticket's marker as a label are left out.
        """
        ...

    def may_browse(self, project: str) -> bool:
        """Return whether the account sees the project's issues, so that an empty find means something."""
        ...

    def field_schema(self, project: str, issue_type: str) -> FieldSchema | None:
        """Return the fields of a create screen; None from a server that has no create metadata.

        Raises:
            InvalidField: Jira shows this account no such project or issue type.
            Refused, CredentialRefused, TryAgain: as for every request.
        """
        ...

    def relate(self, issue: Issue, other: str, link_type: str) -> None:
        """Link an issue to another, known by its key. Doing it twice changes nothing."""
        ...

    def find_user(self, who: str, project: str) -> str | None:
        """Return the accountId (Cloud) or user name (Data Center) of the one user with this e-mail address or name."""
        ...

    def comment(self, issue: str, text: str) -> None:
        """Write a comment, once; wiki markup. `issue` is an id or a key."""
        ...

    def comments(self, issue: str) -> Sequence[tuple[float, str]]:
        """Return the latest comments of an issue (id or key): when they were written (unix seconds), and their text."""
        ...


class BacktraceLinks(Protocol):
    """One Backtrace universe, for linking tickets. `address` is its own, from the settings."""

    address: str

    def link(
        self, *, project: str, fingerprint: str, watcher: str, issue: Issue, replaced: str = ""
    ) -> LastSynced:
        """Add the ticket to the fingerprint and make an Open one In Progress. Doing it twice changes nothing.

        `replaced` is the key of the watcher's ticket that goes with that.
        Returns the group's state and assignee after that: the baseline of synchronisation.
        """
        ...


class Configuration(Protocol):
    """Settings, and the clients made from them, cached for a while."""

    def integrations(self, universe: str, project: str) -> Sequence[Integration]:
        """Return the integrations of a Backtrace project, by name.

        Raises:
            InvalidSettings: one of them is malformed; none is used then.
        """
        ...

    def jira(self, integration: Integration) -> JiraTickets:
        """Return the client of the integration's connection."""
        ...

    def backtrace(self, universe: str) -> BacktraceLinks:
        """Return the client of the universe."""
        ...


class RegressionHints(Protocol):
    """The queue `jira-changes`, as ticket creation writes to it: hints that a ticket's error may have come back."""

    def send_regression(
        self, connection: str, issue_id: str, sighting: Sighting, *, reason: str, occasion: str
    ) -> None:
        """Ask the synchronisation to look at a ticket soon.

        A link's hints of one occasion are sent once in a few minutes.
        """
        ...
