"""Shared by both stores of links: read a row, change a row, and read and write the notes of a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from backtrace_jira.adapters.dynamodb.items import BY_ISSUE, BY_TICKET, PARKING, SCOPE, key_of, s
from backtrace_jira.adapters.dynamodb.rows import link_in, notes_in, pace_text, parking_text
from backtrace_jira.adapters.dynamodb.table import IndexUnreadable, Item, Table, Values
from backtrace_jira.links.link import Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking, ServerNotes

T = TypeVar("T")


class LinkRows:
    """The link rows of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: LinkKey) -> Link | None:
        """Read a row."""
        item = self._table.get(key_of(key))
        return link_in(item) if item else None

    def of_issue(self, issue_id: str) -> Sequence[Link]:
        """Find the rows' keys in the index, which may lag behind the table, then read the rows themselves."""
        found = self._read_index(
            self._table.query,
            KeyConditionExpression="issue_id = :id",
            ExpressionAttributeValues={":id": s(issue_id)},
            ProjectionExpression="integration, fingerprint",
        )
        return [link for link in self._read(found) if link.issue and link.issue.id == issue_id]

    def after(self, place: str, most: int) -> tuple[Sequence[Link], str]:
        """Return at most so many rows with a ticket, in the order of the index, and the place of the last one.

        The index keeps the rows of a ticket together. Its order is none that people know, but it stays the same.
        """
        start: Values = {name: s(text) for name, text in json.loads(place).items()} if place else {}
        found, last = self._read_index(self._table.scan_page, start=start, most=most)
        links = [link for link in self._read(found) if link.issue]
        links.sort(key=lambda link: link.issue.id if link.issue else "")
        return links, json.dumps({name: value["S"] for name, value in last.items()}) if last else ""

    def _read(self, found: Sequence[Item]) -> list[Link]:
        keys: list[Values] = [
            {"integration": item["integration"], "fingerprint": item["fingerprint"]} for item in found
        ]
        links = [link_in(item) for item in self._table.get_all(keys)]
        return sorted(links, key=lambda link: (link.key.integration, link.key.fingerprint, link.key.trace))

    def issues(self) -> Collection[str]:
        """Read the whole index: it has the rows with a ticket only, some thousands in a request."""
        found = self._read_index(self._table.scan, ProjectionExpression="issue_id")
        return {item["issue_id"]["S"] for item in found}

    def _read_index(self, read: Callable[..., T], **arguments: Any) -> T:
        try:
            return read(IndexName=BY_TICKET, **arguments)
        except IndexUnreadable:
            # While a deployment adds the index, and until DynamoDB has filled it with the rows that were there.
            return read(IndexName=BY_ISSUE, **arguments)

    def update(self, key: LinkKey, change: str, condition: str, values: Values) -> Link | None:
        """Change a row if the condition holds, and return None; else return the row as it is."""
        done, item = self._table.change(key_of(key), change, condition, values, returning="NONE")
        return None if done else _link_of(key, item)

    def update_and_read(self, key: LinkKey, change: str, condition: str, values: Values) -> Link:
        """Change a row if the condition holds; return it as it is after that."""
        _, item = self._table.change(key_of(key), change, condition, values, returning="ALL_NEW")
        return _link_of(key, item)


def _link_of(key: LinkKey, item: Item) -> Link:
    return link_in(item) if item else Link(key, LinkState.RELEASED)


class ServerRows:
    """The `ServerStore` port: one item for each server, with a parking note for each scope, and the pace."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def park(self, server: str, scope: str, parking: Parking, *, expired: Collection[str] = ()) -> None:
        """Write one scope's note into the server's item, and remove others."""
        removed = {f"#e{number}": f"{SCOPE}{each}" for number, each in enumerate(expired)}
        self._table.request(
            "update_item",
            Key=server_key(server),
            UpdateExpression="SET #scope = :note" + (f" REMOVE {', '.join(removed)}" if removed else ""),
            ExpressionAttributeNames={"#scope": f"{SCOPE}{scope}", **removed},
            ExpressionAttributeValues={":note": s(parking_text(parking))},
        )

    def server_notes(self, server: str) -> ServerNotes:
        """Read the server's item."""
        return notes_in(self._table.get(server_key(server)))

    def replace_pace(self, server: str, seen: Pace, pace: Pace) -> Pace:
        """Write the pace, if the item's is as it was seen; return the item's."""
        # Not the texts are compared: another version of this program may have written the same pace otherwise.
        unseen = "" if seen.written_by else " OR attribute_not_exists(paced_by)"
        done, item = self._table.change(
            server_key(server),
            "SET pace = :pace, paced_by = :by",
            f"paced_by = :seen{unseen}",
            {":pace": s(pace_text(pace)), ":by": s(pace.written_by), ":seen": s(seen.written_by)},
            returning="NONE",
        )
        return pace if done else notes_in(item).pace


def is_server(item: Item) -> bool:
    """Return whether an item holds the notes of a server."""
    return item["integration"] == s(PARKING)


def server_key(server: str) -> Values:
    """Return the key of a server's item."""
    return {"integration": s(PARKING), "fingerprint": s(server)}
