"""What the polls remember between two runs, in one item of the link table; and the links, page by page."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from backtrace_jira.adapters.dynamodb.items import POLLS, n, s
from backtrace_jira.adapters.dynamodb.link_rows import LinkRows
from backtrace_jira.adapters.dynamodb.rows import read_item
from backtrace_jira.adapters.dynamodb.synced_rows import PollsRow
from backtrace_jira.adapters.dynamodb.table import Table, Values
from backtrace_jira.synchronisation.poll_memory import JiraProject, LinkPage, PollNotes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_KEY: Values = {"integration": s(POLLS), "fingerprint": s(POLLS)}


class DynamoDBPollMemory:
    """The `PollMemory` port on one DynamoDB table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows = LinkRows(table)

    def notes(self) -> PollNotes:
        """Read the item."""
        item = self._table.get(_KEY)
        if not item:
            return PollNotes()
        row = read_item(PollsRow, item)
        return PollNotes(
            row.after_link,
            row.began,
            row.took,
            frozenset(map(_project_in, row.seen)),
            frozenset(map(_project_in, row.seen_before)),
            {
                name: first
                for name, first in (("jira", row.first_jira), ("backtrace", row.first_backtrace))
                if first
            },
        )

    def links_after(self, after: str, most: int) -> LinkPage:
        """Scan a part of the index of tickets, which may lag behind the table, and read the rows themselves."""
        return LinkPage(*self._rows.after(after, most))

    def advance_round(
        self, before: PollNotes, after: str, *, now: float, seen: Collection[JiraProject]
    ) -> None:
        """Move the place, unless another run has. At the end of a round, what it has seen is kept for the next."""
        change, values = (
            "SET after_link = :after, began = :began",
            {":after": s(after), ":began": n(before.began or now)},
        )
        met = before.seen | set(seen)
        if not after:
            change = "SET after_link = :after, began = :began, took = :took"
            values = {":after": s(""), ":began": n(0), ":took": n(now - (before.began or now))}
            # Deleted one by one: what other runs have met since the item was read belongs to the next round.
            change += ", seen_before = :met DELETE seen :met" if met else " REMOVE seen_before"
        elif seen:
            change += " ADD seen :met"
        self._table.change(
            _KEY,
            change,
            "after_link = :before"
            if before.after
            else "attribute_not_exists(after_link) OR after_link = :before",
            {**values, ":before": s(before.after), **({":met": _names(met)} if ":met" in change else {})},
            returning="NONE",
        )

    def learn_projects(self, projects: Collection[JiraProject]) -> None:
        """Add to the projects seen."""
        self._table.request(
            "update_item",
            Key=_KEY,
            UpdateExpression="ADD seen :met",
            ExpressionAttributeValues={":met": _names(projects)},
        )

    def begin_with(self, schedule: str, first: str) -> None:
        """Write who is first."""
        self._table.request(
            "update_item",
            Key=_KEY,
            UpdateExpression=f"SET first_{schedule} = :first",
            ExpressionAttributeValues={":first": s(first)},
        )


def _names(projects: Iterable[JiraProject]) -> AttributeValueTypeDef:
    return {"SS": sorted(f"{connection} {key}" for connection, key in projects)}


def _project_in(name: str) -> JiraProject:
    connection, _, key = name.partition(" ")
    return connection, key
