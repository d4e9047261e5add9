"""Shared by both stores of links: read a row, change a row, and read and write a connection's parking notes."""

from __future__ import annotations

from collections.abc import Mapping

from backtrace_jira.adapters.dynamodb.items import PARKING, SCOPE, key_of, s
from backtrace_jira.adapters.dynamodb.rows import link_in, parking_text, parkings_in
from backtrace_jira.adapters.dynamodb.table import Table, Values
from backtrace_jira.links.link import Link, LinkKey, LinkState
from backtrace_jira.links.parking import Parking


class LinkRows:
    """The link rows of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: LinkKey) -> Link | None:
        """Read a row."""
        item = self._table.get(key_of(key))
        return link_in(item) if item else None

    def update(self, key: LinkKey, change: str, condition: str, values: Values) -> tuple[bool, Link]:
        """Change a row; return whether the condition held, and the row as it is now."""
        done, item = self._table.change(key_of(key), change, condition, values, returning="ALL_NEW")
        return done, link_in(item) if item else Link(key, LinkState.RELEASED)


class ParkingRows:
    """One item for each connection, with a note for each scope."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def park(self, connection: str, scope: str, parking: Parking) -> None:
        """Write one scope's note into the connection's item."""
        self._table.request(
            "update_item",
            Key=_parking(connection),
            UpdateExpression="SET #scope = :note",
            ExpressionAttributeNames={"#scope": f"{SCOPE}{scope}"},
            ExpressionAttributeValues={":note": s(parking_text(parking))},
        )

    def parkings(self, connection: str) -> Mapping[str, Parking]:
        """Read the connection's item."""
        return parkings_in(self._table.get(_parking(connection)))


def _parking(connection: str) -> Values:
    return {"integration": s(PARKING), "fingerprint": s(connection)}
