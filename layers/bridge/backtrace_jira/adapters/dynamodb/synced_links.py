"""The link table as synchronisation uses it: links by ticket and by group, turns, watermarks, parking notes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace

from backtrace_jira.adapters.dynamodb.items import FIXES, TURN, VERSIONS, WATERMARK, n, s
from backtrace_jira.adapters.dynamodb.link_rows import LinkRows, ServerRows
from backtrace_jira.adapters.dynamodb.rows import (
    RECORDING,
    link_in,
    read_item,
    recording,
    synced_text,
)
from backtrace_jira.adapters.dynamodb.synced_rows import (
    ProjectVersionsRow,
    TicketVersionRow,
    TurnRow,
    WatermarkRow,
    compressed,
)
from backtrace_jira.adapters.dynamodb.table import ConditionFailed, Item, Table, Values
from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import FollowUp, Link, LinkKey, LinkState
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Record
from backtrace_jira.synchronisation.poll_memory import ProjectVersions, Sweep, TicketVersion

NEXT_GENERATION = "generation = if_not_exists(generation, :one) + :one"
"""Counts on with each ticket that a row lets go of: no look-up for the next one may find it."""
NOBODY = "unlinked"
"""The owner of a row whose ticket was unlinked while another was made that follows it."""
NOTES_REMEMBERED = 24 * 3600
"""Seconds for which the notes of a turn that was cut off are kept."""


class DynamoDBSyncedLinks(ServerRows):
    """The `SyncedLinks` port on one DynamoDB table. It cannot claim a key, so no ticket can be made with it."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._rows = LinkRows(table)

    def get(self, key: LinkKey) -> Link | None:
        """Read a row."""
        return self._rows.get(key)

    def links_of_issue(self, issue_id: str) -> Sequence[Link]:
        """Find the rows by the index of tickets."""
        return self._rows.of_issue(issue_id)

    def linked_issues(self) -> Collection[str]:
        """Read the whole index of tickets."""
        return self._rows.issues()

    def links_of_group(self, integration: str, fingerprint: str) -> Sequence[Link]:
        """Return the group's own link and those of its errors. Fingerprints that only begin alike are left out."""
        found = self._table.query(
            KeyConditionExpression="integration = :integration AND begins_with(fingerprint, :fingerprint)",
            ExpressionAttributeValues={":integration": s(integration), ":fingerprint": s(fingerprint)},
            ConsistentRead=True,
        )
        links = [link_in(item) for item in found if "issue_id" in item]
        return [link for link in links if link.key.fingerprint == fingerprint]

    def record_synced(self, key: LinkKey, before: Issue, now: Issue, synced: LastSynced) -> bool:
        """Write the values that both sides agreed on, and the ticket's present key."""
        other = self._rows.update(
            key,
            # The regression is over: nobody waits for the follow-up that it asked for.
            "SET synced = :synced, issue_key = :key, issue_url = :url"
            + ("" if synced.regressed else " REMOVE follow_up"),
            "issue_id = :id",
            {
                ":synced": s(synced_text(synced)),
                ":key": s(now.key),
                ":url": s(now.url),
                ":id": s(before.id),
            },
        )
        return other is None

    def unlink(self, key: LinkKey, issue_id: str, record: Record) -> bool:
        """Release the row, if it still holds this ticket; where one is made that follows it, leave it in doubt."""
        gone = (
            f"{NEXT_GENERATION}{RECORDING} REMOVE issue_id, issue_key, issue_url, linked, synced, follow_up"
        )
        making = "#state IN (:creating, :uncertain)"
        values = {
            ":id": s(issue_id),
            ":one": n(1),
            ":creating": s(LinkState.CREATING),
            ":uncertain": s(LinkState.UNCERTAIN),
            **recording(record),
        }
        other = self._rows.update(
            key,
            f"SET #state = :released, {gone}, lease_until, uncertain_since, lookups, cut_off",
            f"issue_id = :id AND NOT {making}",
            {":released": s(LinkState.RELEASED), **values},
        )
        if other and other.follows == issue_id:
            # Not released: that ticket may exist already, and its generation is the row's now. So it is looked up.
            # And whoever makes it does not have the row any more: what it writes, it would write beside this ticket.
            other = self._rows.update(
                key,
                "SET #state = :uncertain, #owner = :nobody, "
                f"uncertain_since = if_not_exists(uncertain_since, lease_until), {gone}",
                f"issue_id = :id AND {making}",
                {":nobody": s(NOBODY), **values},
            )
        return other is None

    def want_follow_up(
        self, key: LinkKey, issue: Issue, follow_up: FollowUp, synced: LastSynced, record: Record
    ) -> bool:
        """Write what is wanted, if the row holds this ticket and no other is being made."""
        other = self._rows.update(
            key,
            f"SET follow_up = :follow_up, synced = :synced{RECORDING}",
            "issue_id = :id AND #state = :complete",
            {
                ":follow_up": s(json.dumps(asdict(follow_up))),
                ":synced": s(synced_text(synced)),
                ":id": s(issue.id),
                ":complete": s(LinkState.COMPLETE),
                **recording(record),
            },
        )
        return other is None

    def record_versions(
        self, connection: str, issue_id: str, versions: Mapping[str, str], before: Mapping[str, str]
    ) -> None:
        """Write an item for each version that is new or changed, and delete those that the ticket no longer has."""
        # Write before deleting: a process that dies in between leaves an item too many. With one too few, no poll
        # would find the ticket by its new version.
        for version_id, facts in versions.items():
            if before.get(version_id) != facts:
                version = TicketVersion(version_id, issue_id, facts)
                self._table.request("put_item", Item={**_fix(connection, version), "facts": s(facts)})
        for version_id in before.keys() - versions.keys():
            self.forget_version(connection, TicketVersion(version_id, issue_id, ""))

    def tickets_with_version(self, connection: str, version_id: str = "") -> Sequence[TicketVersion]:
        """Query the items of one version, or of all versions of a connection."""
        begin = f"{connection} {version_id} " if version_id else f"{connection} "
        found = self._table.query(
            KeyConditionExpression="integration = :fixes AND begins_with(fingerprint, :begin)",
            ExpressionAttributeValues={":fixes": s(FIXES), ":begin": s(begin)},
            ConsistentRead=True,
        )
        return [_ticket_version(item) for item in found]

    def forget_version(self, connection: str, version: TicketVersion) -> None:
        """Delete an item."""
        self._table.request("delete_item", Key=_fix(connection, version))

    def project_versions(self, connection: str, project: str) -> ProjectVersions | None:
        """Read the last list. It is compressed, because a project may have thousands of versions."""
        item = self._table.get(_versions(connection, project))
        if not item:
            return None
        row = read_item(ProjectVersionsRow, item)
        return ProjectVersions(row.at, row.facts.facts, row.facts.recent, row.project_id)

    def record_project_versions(self, connection: str, project: str, versions: ProjectVersions) -> None:
        """Write the list, unless a later one is stored."""
        known = {"facts": dict(versions.facts), "recent": dict(versions.recent)}
        self._table.change(
            _versions(connection, project),
            "SET #at = :at, facts = :facts, project_id = :id",
            "attribute_not_exists(#at) OR #at <= :at",
            {
                ":at": n(versions.listed_at),
                ":facts": {"B": compressed(known)},
                ":id": s(versions.project_id),
            },
            returning="NONE",
        )

    def take_turn(self, turn: Turn, *, now: float) -> Turn:
        """Take the turn, unless another process has it and its time is not over."""
        # `notes` are not touched, and the old item is returned: it holds the notes of the last holder. Our own owner
        # is accepted, because botocore may repeat a request whose answer was lost.
        done, item = self._table.change(
            _turn(turn),
            "SET #owner = :owner, #until = :until, expires_at = :expires",
            "attribute_not_exists(#owner) OR #until < :now OR #owner = :owner",
            {
                ":owner": s(turn.owner),
                ":until": n(turn.until),
                ":now": n(now),
                ":expires": n(int(now) + NOTES_REMEMBERED),
            },
            returning="ALL_OLD",
        )
        if not done:
            wait = read_item(TurnRow, item).until - now
            raise Busy("another invocation brings this ticket in step", after=max(1.0, min(wait, 15.0)))
        before = read_item(TurnRow, item)
        remembered = before.expires_at > now  # DynamoDB may be late to delete it
        return replace(turn, notes=before.notes if remembered else ())

    def add_note(self, turn: Turn, note: str) -> None:
        """Write a note beside the turn.

        Raises:
            Busy: another process has taken the turn.
        """
        done, _ = self._table.change(
            _turn(turn),
            "ADD notes :note",
            "#owner = :owner",
            {":note": {"SS": [note]}, ":owner": s(turn.owner)},
            returning="NONE",
        )
        if not done:
            raise Busy("this took too long; another invocation goes on")

    def end_turn(self, turn: Turn, *, done: bool) -> None:
        """Delete the turn with its notes; if the work is not done, end it and leave the notes to the next holder."""
        if not done:
            values = {":owner": s(turn.owner), ":over": n(0)}
            self._table.change(_turn(turn), "SET #until = :over", "#owner = :owner", values, returning="NONE")
            return
        try:
            self._table.request(
                "delete_item",
                Key=_turn(turn),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": s(turn.owner)},
            )
        except ConditionFailed:
            return  # another process has the turn, or a repeated request found it deleted

    def advance_watermark(self, name: str, at: float) -> None:
        """Move a watermark, unless another run has moved it further."""
        self._table.change(
            _watermark(name),
            "SET #at = :at REMOVE sweep_started, sweep_after",
            "attribute_not_exists(#at) OR #at <= :at",
            {":at": n(at)},
            returning="NONE",
        )

    def sweep(self, name: str) -> Sweep | None:
        """Read a watermark's item."""
        item = self._table.get(_watermark(name))
        if not item:
            return None
        row = read_item(WatermarkRow, item)
        return Sweep(row.at, row.sweep_started, row.sweep_after)

    def record_sweep(self, name: str, sweep: Sweep) -> None:
        """Write into a watermark's item."""
        # Start and key go together: of two runs at once, each has looked at all tickets up to its key after its start.
        self._table.change(
            _watermark(name),
            "SET #at = :since, sweep_started = :started, sweep_after = :after",
            "attribute_not_exists(#at) OR #at = :since",
            {":since": n(sweep.since), ":started": n(sweep.started), ":after": s(sweep.after)},
            returning="NONE",
        )


def _turn(turn: Turn) -> Values:
    return {"integration": s(TURN), "fingerprint": s(f"{turn.connection} {turn.issue_id}")}


def _ticket_version(item: Item) -> TicketVersion:
    row = read_item(TicketVersionRow, item)
    _, version_id, issue_id = row.fingerprint.split()
    return TicketVersion(version_id, issue_id, row.facts)


def _fix(connection: str, version: TicketVersion) -> Values:
    name = f"{connection} {version.version_id} {version.issue_id}"
    return {"integration": s(FIXES), "fingerprint": s(name)}


def _versions(connection: str, project: str) -> Values:
    return {"integration": s(VERSIONS), "fingerprint": s(f"{connection} {project}")}


def _watermark(name: str) -> Values:
    return {"integration": s(WATERMARK), "fingerprint": s(name)}
