"""The ports of synchronisation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from backtrace_jira.backtrace.group import BacktraceUser, Group, GroupPage, GroupWrite
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.jira.issue import Issue, ProjectVersion, Ticket, TicketPage, Transition
from backtrace_jira.json_types import JSON, Histogram
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import FollowUp, Link, LinkKey
from backtrace_jira.links.parking import ServerStore
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.poll_memory import (
    JiraProject,
    LinkPage,
    PollNotes,
    ProjectVersions,
    Sweep,
    TicketVersion,
)


class SyncedLinks(ServerStore, Protocol):
    """Links by ticket and by group, turns, watermarks. Every method is one request to the store but the first three."""

    def links_of_issue(self, issue_id: str) -> Sequence[Link]:
        """Return the links of a ticket as they are now, of all Jira sites: one request, and one more if it has any."""
        ...

    def linked_issues(self) -> Collection[str]:
        """Return the ids of all tickets that any group is linked to, but for links made in the last seconds.

        One request for thousands of links.
        """
        ...

    def links_of_group(self, integration: str, fingerprint: str) -> Sequence[Link]:
        """Return the links of a group that have a ticket; several where each error has one."""
        ...

    def get(self, key: LinkKey) -> Link | None:
        """Return a link as it is now."""
        ...

    def record_synced(self, key: LinkKey, before: Issue, now: Issue, synced: LastSynced) -> bool:
        """Record what both sides are now; false where the link holds another ticket by now."""
        ...

    def unlink(self, key: LinkKey, issue_id: str, record: Record) -> bool:
        """Cut a link, if it still holds that ticket: the next error of the group makes a new one."""
        ...

    def want_follow_up(
        self, key: LinkKey, issue: Issue, follow_up: FollowUp, synced: LastSynced, record: Record
    ) -> bool:
        """Record that a new ticket is to follow this one; false where the link holds another, or one is being made."""
        ...

    def record_versions(
        self, connection: str, issue_id: str, versions: Mapping[str, str], before: Mapping[str, str]
    ) -> None:
        """Record which Fix Versions a ticket has, their facts by id: one request for each that is not as `before`."""
        ...

    def tickets_with_version(self, connection: str, version_id: str = "") -> Sequence[TicketVersion]:
        """Return the tickets that have a Fix Version, or any, as they were when they were last looked at."""
        ...

    def forget_version(self, connection: str, version: TicketVersion) -> None:
        """Record that a ticket has a version no longer."""
        ...

    def project_versions(self, connection: str, project: str) -> ProjectVersions | None:
        """Return what was last known of a project's versions."""
        ...

    def record_project_versions(self, connection: str, project: str, versions: ProjectVersions) -> None:
        """Keep the list, unless another process has kept a later one."""
        ...

    def take_turn(self, turn: Turn, *, now: float) -> Turn:
        """Take the turn, with the notes of the last holder.

        Raises:
            Busy: somebody has it.
        """
        ...

    def add_note(self, turn: Turn, note: str) -> None:
        """Add what is about to be written to the turn's notes.

        Raises:
            Busy: the turn is somebody else's by now.
        """
        ...

    def end_turn(self, turn: Turn, *, done: bool) -> None:
        """Give the turn back; its notes are forgotten when it is done."""
        ...

    def advance_watermark(self, name: str, at: float) -> None:
        """Move a watermark forward, never back. A sweep from the watermark before is over."""
        ...

    def sweep(self, name: str) -> Sweep | None:
        """Return the sweep from a watermark on, as far as earlier runs got; None if there is no watermark."""
        ...

    def record_sweep(self, name: str, sweep: Sweep) -> None:
        """Record how far a sweep got, unless the watermark has been moved since."""
        ...


class PollMemory(Protocol):
    """What the polls remember between two runs. Every method is one request to the store but `links_after`."""

    def notes(self) -> PollNotes:
        """Return how far the round has got, where tickets are, and who is first."""
        ...

    def links_after(self, after: str, most: int) -> LinkPage:
        """Return the next links in an order that stays: two requests, and one more for each further hundred."""
        ...

    def advance_round(
        self, before: PollNotes, after: str, *, now: float, seen: Collection[JiraProject]
    ) -> None:
        """Move the round on from where it was, unless another run has; with the projects of the tickets it has met."""
        ...

    def learn_projects(self, projects: Collection[JiraProject]) -> None:
        """Add projects in which a linked ticket was met; at least one."""
        ...

    def begin_with(self, schedule: str, first: str) -> None:
        """Let the next run of a schedule (`jira` or `backtrace`) begin with this; empty for its usual order."""
        ...


class JiraIssues(Protocol):
    """One Jira connection, as synchronisation uses it. Every method raises what `JiraTickets.create` does."""

    @property
    def cloud(self) -> bool:
        """Return true for Jira Cloud, false for Data Center."""
        ...

    def ticket(
        self, issue_id: str, *, changes: bool = False, version_fields: Collection[str] = ()
    ) -> Ticket | None:
        """Read an issue, with its changelog if asked; None where it does not exist or may not be seen.

        `version_fields` are fields that hold versions, by id or name.
        """
        ...

    def tickets_by_id(
        self, issue_ids: Collection[str], *, version_fields: Collection[str] = ()
    ) -> Sequence[Ticket]:
        """Return those that Jira shows, a hundred in a request, no changelogs; one that is missing proves nothing."""
        ...

    def transitions(self, issue_id: str) -> Sequence[Transition]:
        """Return the transitions open to the issue now; none may mean that the account may not transition."""
        ...

    def transition(self, issue_id: str, step: Transition, fields: Mapping[str, JSON]) -> None:
        """Take a transition, once."""
        ...

    def assign(self, issue_id: str, user: str | None) -> None:
        """Assign to an accountId (Cloud) or user name (Data Center), or to nobody."""
        ...

    def find_user(self, who: str, project: str) -> str | None:
        """Return the accountId or user name of the one user with this e-mail address; None if there is none."""
        ...

    def comment(self, issue_id: str, text: str) -> None:
        """Write a comment, once; wiki markup."""
        ...

    def comments(self, issue_id: str) -> Sequence[tuple[float, str]]:
        """Return the latest comments: when they were written (unix seconds), and their text."""
        ...

    def status_category(self, status_id: str) -> str:
        """Return the key of a status's category; empty if there is no such status any more."""
        ...

    def versions(self, project: str) -> Sequence[ProjectVersion]:
        """Return all versions of a project, of all pages.

        Raises:
            Refused: there is no such project, as far as this account may know.
        """
        ...

    def changed_tickets(
        self, project: str, minutes: int, after: str = "", *, version_fields: Collection[str] = ()
    ) -> TicketPage | None:
        """Return a page of a project's issues that changed in the last minutes, as the search index knows them.

        Args:
            project: key of the project.
            minutes: how far back, from Jira's now.
            after: key of the last issue of the page before, which must be in the project still; empty for the first.
            version_fields: fields that hold versions, by id or name.

        Returns:
            None if `after` is not there any more: nobody can tell where to go on.
        """
        ...


class BacktraceGroups(Protocol):
    """One Backtrace universe, as synchronisation uses it. `address` is its own, from the settings."""

    address: str

    def group(self, project: str, fingerprint: str) -> Group:
        """Read one group; one that nobody ever touched is open."""
        ...

    def groups(self, project: str, fingerprints: Collection[str]) -> Mapping[str, Group]:
        """Read groups by fingerprint: one request for a hundred. One that nobody ever touched is open.

        A group whose row cannot be read is left out; `group` says why.
        """
        ...

    def changed_groups(self, project: str, since: float, after: str = "") -> GroupPage:
        """Return a page of the groups modified since then (unix seconds), earliest change first.

        `after` is the place where the page before ended; empty for the first.
        """
        ...

    def write(self, group: Group, write: GroupWrite) -> Group | None:
        """Write to one group, once; return it as it is then, without its time. None if Backtrace does not say."""
        ...

    def count_values(
        self, project: str, fingerprint: str, attribute: str, *, since: float, where: Mapping[str, str]
    ) -> Histogram:
        """Count an attribute's values in a group's errors since then (unix seconds) that match `where` by attribute."""
        ...

    def error_event(self, project: str, fingerprint: str, *, since: float, page: str) -> str:
        """Return a group's errors since a moment as an event's body; `page` is the group's own, if it is known."""
        ...

    def find_user(self, project: str, email: str) -> BacktraceUser | None:
        """Return the user of this exact e-mail address, as far as any group of the project was ever assigned to it."""
        ...


class SyncConfiguration(Protocol):
    """The settings, and the clients that are made of them."""

    def integration(self, integration_id: str) -> Integration | None:
        """Return the integration of this id, if it is still configured."""
        ...

    def all_integrations(self) -> tuple[Sequence[Integration], Sequence[InvalidSettings]]:
        """Return every integration of the deployment, and what is wrong with those that cannot be read."""
        ...

    def jira(self, integration: Integration) -> JiraIssues:
        """Return the client of the integration's connection."""
        ...

    def backtrace(self, universe: str) -> BacktraceGroups:
        """Return the client of the universe."""
        ...


class ChangeHints(Protocol):
    """The queue `jira-changes`, as the polls write to it: hints that a ticket may have changed."""

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Ask `apply_jira_change` to look at a ticket soon."""
        ...


class NewEvents(Protocol):
    """The queue of error events, from which tickets are made."""

    def publish(self, body: str, *, after: int) -> None:
        """Let an event come in after so many seconds."""
        ...
