"""The link table as synchronisation uses it: links by ticket and by group, turns, watermarks, parking notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backtrace_jira.adapters.dynamodb import DynamoDBLinks
from backtrace_jira.adapters.link_rows import (
    BY_ISSUE,
    RECORDING,
    TURN,
    WATERMARK,
    Item,
    link_in,
    n,
    recording,
    s,
    synced_text,
)
from backtrace_jira.adapters.table import ConditionFailed
from backtrace_jira.errors import Busy
from backtrace_jira.model import Issue, Link, LinkKey, LinkState, Record
from backtrace_jira.synced import Synced
from backtrace_jira.turns import Turn

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

REMEMBERED = 24 * 3600
"""Seconds for which the notes of a turn that was cut off are kept."""


class DynamoDBSync(DynamoDBLinks):
    """The `SyncStore` port on one DynamoDB table."""

    def links_of_issue(self, issue_id: str) -> Sequence[Link]:
        """Find them in the index, which may be behind, and read each as it is now."""
        found = self._table.query(
            IndexName=BY_ISSUE,
            KeyConditionExpression="issue_id = :id",
            ExpressionAttributeValues={":id": s(issue_id)},
        )
        now = [self.get(link_in(item).key) for item in found]
        return [link for link in now if link and link.issue and link.issue.id == issue_id]

    def links_of_group(self, integration: str, fingerprint: str) -> Sequence[Link]:
        """Return the group's own link and those of its errors; the rest of a fingerprint follows no other."""
        found = self._table.query(
            KeyConditionExpression="integration = :integration AND begins_with(fingerprint, :fingerprint)",
            ExpressionAttributeValues={":integration": s(integration), ":fingerprint": s(fingerprint)},
            ConsistentRead=True,
        )
        links = [link_in(item) for item in found if "issue_id" in item]
        return [link for link in links if link.key.fingerprint == fingerprint]

    def record_synced(self, key: LinkKey, before: Issue, now: Issue, synced: Synced) -> bool:
        """Write what the sides are, and the key that the ticket has by now."""
        return self._update(
            key,
            "SET synced = :synced, issue_key = :key, issue_url = :url",
            "issue_id = :id",
            {
                ":synced": s(synced_text(synced)),
                ":key": s(now.key),
                ":url": s(now.url),
                ":id": s(before.id),
            },
        )[0]

    def unlink(self, key: LinkKey, issue_id: str, record: Record) -> bool:
        """Release the row of this ticket."""
        return self._update(
            key,
            f"SET #state = :released{RECORDING} REMOVE issue_id, issue_key, issue_url, linked, synced",
            "issue_id = :id",
            {":released": s(LinkState.RELEASED), ":id": s(issue_id), **recording(record)},
        )[0]

    def take_turn(self, turn: Turn, *, now: float) -> Turn:
        """Take the turn, unless somebody has it whose time is not over."""
        done, item = self._table.change(
            _turn(turn),
            "SET #owner = :owner, #until = :until, expires_at = :expires",
            "attribute_not_exists(#owner) OR #until < :now OR #owner = :owner",
            {
                ":owner": s(turn.owner),
                ":until": n(turn.until),
                ":now": n(now),
                ":expires": n(int(now) + REMEMBERED),
            },
            returning="ALL_OLD",
        )
        if not done:
            wait = _number(item, "until") - now
            raise Busy("another invocation brings this ticket in line", after=max(1.0, min(wait, 15.0)))
        remembered = _number(item, "expires_at") > now  # DynamoDB may be late to delete it
        notes = item.get("notes", {}).get("SS", []) if remembered else []
        return replace(turn, notes=tuple(notes))

    def take_note(self, turn: Turn, what: str) -> None:
        """Write a note beside the turn.

        Raises:
            Busy: it is somebody else's turn by now.
        """
        done, _ = self._table.change(
            _turn(turn),
            "ADD notes :note",
            "#owner = :owner",
            {":note": {"SS": [what]}, ":owner": s(turn.owner)},
            returning="NONE",
        )
        if not done:
            raise Busy("this took too long; another invocation goes on")

    def end_turn(self, turn: Turn, *, done: bool) -> None:
        """Delete the turn, or leave its notes to the next."""
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
            return  # it is somebody else's by now, or a repeated request found it gone

    def watermark(self, name: str) -> float | None:
        """Read a watermark."""
        item = self._table.get(_watermark(name))
        return _number(item, "at") if item else None

    def advance(self, name: str, at: float) -> None:
        """Move a watermark, unless another run has moved it further."""
        self._table.change(
            _watermark(name),
            "SET #at = :at",
            "attribute_not_exists(#at) OR #at < :at",
            {":at": n(at)},
            returning="NONE",
        )


def _turn(turn: Turn) -> dict[str, AttributeValueTypeDef]:
    return {"integration": s(TURN), "fingerprint": s(f"{turn.connection} {turn.issue_id}")}


def _watermark(name: str) -> dict[str, AttributeValueTypeDef]:
    return {"integration": s(WATERMARK), "fingerprint": s(name)}


def _number(item: Item, name: str) -> float:
    return float(item.get(name, {}).get("N", 0))
