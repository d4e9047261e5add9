"""The link table in memory, for who makes tickets; `synced_links` has the same table for who synchronises them."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking, ServerNotes
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import DueRule
from backtrace_jira.tickets.ports import Seen


@dataclass
class Counted:
    """The counter of a group's events."""

    fired_at: float | None = None
    fired_by: str = ""
    aggregated: int | None = None
    aggregated_by: str = ""


@dataclass
class FakeTable:
    """What several stores share, as they share one table of DynamoDB."""

    rows: dict[LinkKey, Link] = field(default_factory=dict)
    unclaimed: set[LinkKey] = field(default_factory=set)
    """Rows that nobody ever claimed: a decision or a counter is all that they hold."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    servers: dict[str, ServerNotes] = field(default_factory=dict)


class FakeServers:
    """The `ServerStore` port on a table in memory."""

    def __init__(self, table: FakeTable | None = None) -> None:
        self.table = table or FakeTable()

    def park(self, server: str, scope: str, parking: Parking, *, expired: Collection[str] = ()) -> None:
        with self.table.lock:
            notes = self.server_notes(server)
            kept = {name: each for name, each in notes.parkings.items() if name not in expired}
            self.table.servers[server] = replace(notes, parkings={**kept, scope: parking})

    def server_notes(self, server: str) -> ServerNotes:
        return self.table.servers.get(server, ServerNotes())

    def replace_pace(self, server: str, seen: Pace, pace: Pace) -> Pace:
        with self.table.lock:
            notes = self.server_notes(server)
            if notes.pace.written_by == seen.written_by:
                self.table.servers[server] = replace(notes, pace=pace)
            return self.server_notes(server).pace


class FakeTicketLinks(FakeServers):
    """The `TicketLinks` port on a table in memory; threads may use it."""

    def __init__(self, table: FakeTable | None = None) -> None:
        super().__init__(table)
        self.screens: dict[tuple[str, str], str] = {}
        self.counters: dict[LinkKey, Counted] = {}
        self._lock = self.table.lock

    @property
    def rows(self) -> dict[LinkKey, Link]:
        """The link rows by key."""
        return self.table.rows

    def claim(self, lease: Lease) -> Link:
        with self._lock:
            row = self.rows.get(lease.key) or Link(lease.key, LinkState.RELEASED)
            wanted = row.is_settled and row.follow_up and row.issue and row.issue.id == lease.follows
            if not (wanted if lease.follows else row.state is LinkState.RELEASED):
                return row
            self.rows[lease.key] = replace(
                row,
                state=LinkState.CREATING,
                owner=lease.owner,
                lease_until=lease.until,
                uncertain_since=0.0,
                lookups=0,
                cut_off=0,
            )
            self.table.unclaimed.discard(lease.key)
            return self.rows[lease.key]

    def count_event(self, key: LinkKey, trace: str, now: float, rule: DueRule) -> bool:
        group = LinkKey(key.integration, key.fingerprint)
        with self._lock:
            if group not in self.rows:
                self._put_unclaimed(Link(group, LinkState.RELEASED))
            counted = self.counters.setdefault(group, Counted())
            first = counted.fired_at is None
            over = first or (counted.fired_at or 0.0) <= now - rule.frequency
            enough = counted.aggregated is not None and counted.aggregated >= rule.threshold - 1
            if (rule.frequency and over) or (rule.threshold and enough):
                self.counters[group] = Counted(now, trace, 0, counted.aggregated_by)
                return True
            if counted.fired_by == trace:
                return True
            if rule.threshold and counted.aggregated_by != trace:
                counted.aggregated, counted.aggregated_by = (counted.aggregated or 0) + 1, trace
            return False

    def hold(self, lease: Lease, record: Record, expires_at: float) -> None:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner == lease.owner and row.state is LinkState.CREATING:
                self.rows[lease.key] = replace(row, state=LinkState.HELD, lease_until=0.0, record=record)

    def record_unclaimed(self, key: LinkKey, record: Record, expires_at: float) -> None:
        with self._lock:
            row = self.rows.get(key)
            if row is None or key in self.table.unclaimed:
                self._put_unclaimed(Link(key, LinkState.RELEASED, record=record))

    def _put_unclaimed(self, row: Link) -> None:
        self.rows[row.key] = row
        self.table.unclaimed.add(row.key)

    def take_over(self, seen: Link, lease: Lease) -> bool:
        with self._lock:
            row = self.rows[seen.key]
            is_made = row.is_settled or row.follows != seen.follows
            if (row.owner, row.lease_until) != (seen.owner, seen.lease_until) or is_made:
                return row.owner == lease.owner
            self.rows[seen.key] = replace(
                row,
                state=LinkState.UNCERTAIN,
                owner=lease.owner,
                lease_until=lease.until,
                uncertain_since=row.uncertain_since or seen.lease_until,
                cut_off=row.cut_off + 1,
            )
            return True

    def start_again(self, lease: Lease) -> bool:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner != lease.owner or row.state is not LinkState.UNCERTAIN:
                return row.owner == lease.owner and row.state is LinkState.CREATING
            self.rows[lease.key] = replace(row, state=LinkState.CREATING, uncertain_since=0.0, lookups=0)
            return True

    def leave_uncertain(
        self, lease: Lease, record: Record, *, now: float, until: float, looked_up: bool
    ) -> None:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner != lease.owner or row.lease_until != lease.until or row.is_settled:
                return
            self.rows[lease.key] = replace(
                row,
                state=LinkState.UNCERTAIN,
                lease_until=until,
                uncertain_since=row.uncertain_since or now,
                lookups=row.lookups + int(looked_up),
                cut_off=0,
                record=record,
            )

    def release(self, lease: Lease, record: Record | None) -> None:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner == lease.owner and row.state is LinkState.CREATING:
                state = LinkState.COMPLETE if lease.follows else LinkState.RELEASED
                self.rows[lease.key] = replace(
                    row, state=state, lease_until=0.0, cut_off=0, record=record or row.record
                )

    def complete(
        self, key: LinkKey, issue: Issue, record: Record, page: str = "", *, generation: int | None = None
    ) -> Issue:
        with self._lock:
            row = self.rows.get(key) or Link(key, LinkState.RELEASED, generation=generation or 1)
            if row.issue:
                return row.issue
            if generation not in (None, row.generation):
                raise Busy("the ticket was let go of")
            self.rows[key] = Link(
                key,
                LinkState.COMPLETE,
                issue=issue,
                record=record,
                page=page,
                previous=row.previous,
                generation=row.generation,
            )
            self.table.unclaimed.discard(key)
            return issue

    def complete_follow_up(self, row: Link, issue: Issue, record: Record, page: str = "") -> Issue:
        with self._lock:
            now = self.rows[row.key]
            if now.issue and (now.issue.id, now.generation) != (row.follows, row.generation):
                return now.issue
            if now.issue is None:
                raise Busy("the ticket was let go of")
            self.rows[row.key] = Link(
                row.key,
                LinkState.COMPLETE,
                issue=issue,
                record=record,
                page=page or row.page,
                previous=now.issue.key,
                generation=row.next_generation,
            )
            return issue

    def mark_linked(self, key: LinkKey, baseline: LastSynced, issue: Issue | None = None) -> None:
        with self._lock:
            row = self.rows.get(key)
            if row and row.issue and (issue is None or issue.id == row.issue.id):
                synced = row.synced or baseline
                self.rows[key] = replace(row, linked_in_backtrace=True, synced=synced, previous="")

    def store_screen(self, connection: str, scope: str, text: str, expires_at: float) -> None:
        self.screens[connection, scope] = text

    def load_screen(self, connection: str, scope: str) -> str | None:
        return self.screens.get((connection, scope))

    def get(self, key: LinkKey) -> Link | None:
        return self.rows.get(key)

    def look(self, keys: Collection[LinkKey], servers: Collection[str]) -> Seen:
        with self._lock:
            rows = {key: self.rows[key] for key in keys if key in self.rows}
            return Seen(rows, {server: self.server_notes(server) for server in servers})
