"""The link table in memory, for who synchronises: links by ticket and by group, turns, watermarks, Fix Versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import FollowUp, Link, LinkKey, LinkState
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Record
from backtrace_jira.synchronisation.poll_memory import ProjectVersions, Sweep, TicketVersion
from tests.fakes.links import FakeServers, FakeTable

NOTES_ARE_KEPT = 24 * 3600
"""Seconds, from the moment at which the turn was taken."""


@dataclass
class Held:
    """A turn that somebody has, or did not end."""

    turn: Turn
    until: float
    notes: frozenset[str]
    expires_at: float


class FakeSyncedLinks(FakeServers):
    """The `SyncedLinks` port on a table in memory."""

    def __init__(self, table: FakeTable | None = None) -> None:
        super().__init__(table)
        self.turns: dict[tuple[str, str], Held] = {}
        self.watermarks: dict[str, float] = {}
        self.sweeps: dict[str, Sweep] = {}
        self.versions: dict[tuple[str, str, str], str] = {}
        """Facts by connection, version and ticket."""
        self.listed: dict[tuple[str, str], ProjectVersions] = {}

    def links_of_issue(self, issue_id: str) -> Sequence[Link]:
        return [row for row in self.table.rows.values() if row.issue and row.issue.id == issue_id]

    def linked_issues(self) -> Collection[str]:
        return {row.issue.id for row in self.table.rows.values() if row.issue}

    def links_of_group(self, integration: str, fingerprint: str) -> Sequence[Link]:
        wanted = (integration, fingerprint)
        rows = self.table.rows.items()
        return [row for key, row in rows if row.issue and (key.integration, key.fingerprint) == wanted]

    def get(self, key: LinkKey) -> Link | None:
        return self.table.rows.get(key)

    def record_synced(self, key: LinkKey, before: Issue, now: Issue, synced: LastSynced) -> bool:
        row = self._holding(key, before.id)
        if row:
            issue = replace(now, id=before.id)
            follow_up = row.follow_up if synced.regressed else None
            self.table.rows[key] = replace(row, issue=issue, synced=synced, follow_up=follow_up)
        return row is not None

    def unlink(self, key: LinkKey, issue_id: str, record: Record) -> bool:
        return self._cut(key, issue_id, record)

    def want_follow_up(
        self, key: LinkKey, issue: Issue, follow_up: FollowUp, synced: LastSynced, record: Record
    ) -> bool:
        row = self._holding(key, issue.id)
        if row is None or not row.is_settled:
            return False
        self.table.rows[key] = replace(row, follow_up=follow_up, synced=synced, record=record)
        return True

    def _holding(self, key: LinkKey, issue_id: str) -> Link | None:
        row = self.table.rows.get(key)
        return row if row and row.issue and row.issue.id == issue_id else None

    def _cut(self, key: LinkKey, issue_id: str, record: Record) -> bool:
        row = self._holding(key, issue_id)
        if row:
            gone = replace(
                row,
                issue=None,
                record=record,
                synced=None,
                linked_in_backtrace=False,
                follow_up=None,
                generation=row.generation + 1,
            )
            self.table.rows[key] = (
                replace(
                    gone,
                    state=LinkState.UNCERTAIN,
                    owner="unlinked",
                    uncertain_since=row.uncertain_since or row.lease_until,
                )
                if row.follows
                else replace(
                    gone,
                    state=LinkState.RELEASED,
                    lease_until=0.0,
                    uncertain_since=0.0,
                    lookups=0,
                    cut_off=0,
                )
            )
        return row is not None

    # Fix Versions

    def record_versions(
        self, connection: str, issue_id: str, versions: Mapping[str, str], before: Mapping[str, str]
    ) -> None:
        for version_id, facts in versions.items():
            if before.get(version_id) != facts:
                self.versions[connection, version_id, issue_id] = facts
        for version_id in before.keys() - versions.keys():
            self.versions.pop((connection, version_id, issue_id), None)

    def tickets_with_version(self, connection: str, version_id: str = "") -> Sequence[TicketVersion]:
        return [
            TicketVersion(version, issue, facts)
            for (where, version, issue), facts in self.versions.items()
            if where == connection and version_id in ("", version)
        ]

    def forget_version(self, connection: str, version: TicketVersion) -> None:
        self.versions.pop((connection, version.version_id, version.issue_id), None)

    def project_versions(self, connection: str, project: str) -> ProjectVersions | None:
        return self.listed.get((connection, project))

    def record_project_versions(self, connection: str, project: str, versions: ProjectVersions) -> None:
        known = self.listed.get((connection, project))
        if known is None or known.listed_at <= versions.listed_at:
            self.listed[connection, project] = versions

    # Turns

    def take_turn(self, turn: Turn, *, now: float) -> Turn:
        held = self.turns.get((turn.connection, turn.issue_id))
        if held and held.until >= now and held.turn.owner != turn.owner:
            raise Busy("somebody has the turn", after=max(1.0, min(held.until - now, 15.0)))
        kept = held.notes if held else frozenset[str]()
        remembered = held is not None and held.expires_at > now
        self.turns[turn.connection, turn.issue_id] = Held(turn, turn.until, kept, int(now) + NOTES_ARE_KEPT)
        return replace(turn, notes=tuple(sorted(kept)) if remembered else ())

    def add_note(self, turn: Turn, note: str) -> None:
        held = self._mine(turn)
        if held is None:
            raise Busy("the turn is somebody else's")
        held.notes |= {note}

    def end_turn(self, turn: Turn, *, done: bool) -> None:
        held = self._mine(turn)
        if held and done:
            del self.turns[turn.connection, turn.issue_id]
        elif held:
            held.until = 0.0

    def _mine(self, turn: Turn) -> Held | None:
        held = self.turns.get((turn.connection, turn.issue_id))
        return held if held and held.turn.owner == turn.owner else None

    # Watermarks

    def advance_watermark(self, name: str, at: float) -> None:
        if at >= self.watermarks.get(name, at):
            self.watermarks[name] = at
            self.sweeps.pop(name, None)

    def sweep(self, name: str) -> Sweep | None:
        if name not in self.watermarks:
            return None
        return self.sweeps.get(name, Sweep(self.watermarks[name]))

    def record_sweep(self, name: str, sweep: Sweep) -> None:
        if self.watermarks.setdefault(name, sweep.since) == sweep.since:
            self.sweeps[name] = sweep

    # Parking notes
