"""The link table in memory, as far as making tickets needs it: claims, tickets, notes of servers.

A thread of a storm goes on only when another one waits, and none waits within these methods, so they need no lock.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking, ServerNotes
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import DueRule
from backtrace_jira.tickets.ports import Seen


class LinkTable:
    """The `TicketLinks` port."""

    def __init__(self) -> None:
        self.rows: dict[LinkKey, Link] = {}
        self._servers: dict[str, ServerNotes] = {}

    def look(self, keys: Collection[LinkKey], servers: Collection[str]) -> Seen:
        """Return what is known of them."""
        rows = {key: self.rows[key] for key in keys if key in self.rows}
        return Seen(rows, {server: self.server_notes(server) for server in servers})

    def claim(self, lease: Lease) -> Link:
        """Take a key that nobody holds; return its row."""
        row = self.rows.get(lease.key, Link(lease.key, LinkState.RELEASED))
        if row.state is LinkState.RELEASED:
            row = replace(row, state=LinkState.CREATING, owner=lease.owner, lease_until=lease.until)
            self.rows[lease.key] = row
        return row

    def take_over(self, seen: Link, lease: Lease) -> bool:
        """Take an expired row, if it is as it was seen."""
        if self.rows[seen.key] != seen:
            return False
        since = seen.uncertain_since or seen.lease_until
        self._put(
            seen, LinkState.UNCERTAIN, owner=lease.owner, lease_until=lease.until, uncertain_since=since
        )
        return True

    def start_again(self, lease: Lease) -> bool:
        """Begin a new attempt on our own row."""
        row = self.rows[lease.key]
        if row.owner == lease.owner:
            self._put(row, LinkState.CREATING, uncertain_since=0.0, lookups=0)
        return row.owner == lease.owner

    def leave_uncertain(
        self, lease: Lease, record: Record, *, now: float, until: float, looked_up: bool
    ) -> None:
        """Give our row back, undecided."""
        row = self.rows[lease.key]
        if row.owner == lease.owner and not row.issue:
            since, lookups = row.uncertain_since or now, row.lookups + looked_up
            times = {"lease_until": until, "uncertain_since": since, "lookups": lookups}
            self._put(row, LinkState.UNCERTAIN, record=record, **times)

    def release(self, lease: Lease, record: Record | None) -> None:
        """Give our row back: no ticket."""
        row = self.rows[lease.key]
        if row.owner == lease.owner and row.state is LinkState.CREATING:
            self._put(row, LinkState.RELEASED, lease_until=0.0, record=record or row.record)

    def complete(
        self,
        key: LinkKey,
        issue: Issue,
        record: Record,
        page: str = "",
        *,
        generation: int | None = None,  # noqa: ARG002
    ) -> Issue:
        """Record the ticket, unless there is one."""
        row = self.rows[key]
        if not row.issue:
            self._put(row, LinkState.COMPLETE, owner="", issue=issue, record=record, page=page)
        return row.issue or issue

    def mark_linked(self, key: LinkKey, baseline: LastSynced, issue: Issue | None = None) -> None:
        """Record that Backtrace has the ticket."""
        row = self.rows[key]
        if issue is None or issue == row.issue:
            self._put(row, row.state, linked_in_backtrace=True, synced=row.synced or baseline)

    def park(self, server: str, scope: str, parking: Parking, *, expired: Collection[str] = ()) -> None:
        """Keep a note, and forget others."""
        notes = self.server_notes(server)
        kept = {name: each for name, each in notes.parkings.items() if name not in expired}
        self._servers[server] = replace(notes, parkings={**kept, scope: parking})

    def server_notes(self, server: str) -> ServerNotes:
        """Return what is noted of a server."""
        return self._servers.get(server, ServerNotes())

    def replace_pace(self, server: str, seen: Pace, pace: Pace) -> Pace:
        """Keep a pace, if nobody changed it."""
        notes = self.server_notes(server)
        if notes.pace.written_by == seen.written_by:
            self._servers[server] = replace(notes, pace=pace)
        return self.server_notes(server).pace

    def get(self, key: LinkKey) -> Link | None:
        """Return a row."""
        return self.rows.get(key)

    def _put(self, row: Link, state: LinkState, **changes: object) -> None:
        self.rows[row.key] = replace(row, state=state, **changes)  # type: ignore[arg-type]

    # What a storm's settings never ask for

    def count_event(self, key: LinkKey, trace: str, now: float, rule: DueRule) -> bool:
        """Raise: a storm's integrations let all events through."""
        raise NotImplementedError

    def hold(self, lease: Lease, record: Record, expires_at: float) -> None:
        """Raise: a storm's integrations hold nothing back."""
        raise NotImplementedError

    def record_unclaimed(self, key: LinkKey, record: Record, expires_at: float) -> None:
        """Raise: a storm's integrations filter nothing."""
        raise NotImplementedError

    def complete_follow_up(self, row: Link, issue: Issue, record: Record, page: str = "") -> Issue:
        """Raise: no ticket of a storm follows another."""
        raise NotImplementedError

    def store_screen(self, connection: str, scope: str, text: str, expires_at: float) -> None:
        """Raise: a storm's integrations need no create screen."""
        raise NotImplementedError

    def load_screen(self, connection: str, scope: str) -> str | None:
        """Raise: a storm's integrations need no create screen."""
        raise NotImplementedError
