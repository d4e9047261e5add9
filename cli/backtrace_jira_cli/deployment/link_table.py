"""The link table, as the operator's commands read and write it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.adapters.dynamodb.items import PARKING, n, s
from backtrace_jira.adapters.dynamodb.poll_memory import DynamoDBPollMemory
from backtrace_jira.adapters.dynamodb.rows import link_in, notes_in
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Item, Table, Values
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.links.link import Link, LinkState
from backtrace_jira.links.parking import ServerNotes
from backtrace_jira_cli.deployment.newest import NewestItems
from backtrace_jira_cli.exits import Stop

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_ROWS = 200
"""A command reads at most so many rows. With `event: trace`, a group may have any number of them."""

Progress: TypeAlias = Callable[[int], None]
"""Is told how many rows were read, after each page of them."""

_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 5})


_HAS_TICKET = "decided_at > :floor AND (attribute_exists(issue_id) OR #state IN (:creating, :uncertain))"
_STATES = {":creating": s(LinkState.CREATING), ":uncertain": s(LinkState.UNCERTAIN)}
_NAMES = {"#state": "state"}


class LinkTable:
    """Links by fingerprint, ticket or last decision, and notes by server."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self.ticket_links = DynamoDBTicketLinks(Table(client, table))
        self.synced_links = DynamoDBSyncedLinks(Table(client, table))
        self.poll_memory = DynamoDBPollMemory(Table(client, table))

    def find_by_fingerprint(self, integration: str, beginning: str) -> list[Link]:
        """Return the rows of all fingerprints that begin like this, newest decision first."""
        found = self._query(
            KeyConditionExpression="integration = :integration AND begins_with(fingerprint, :beginning)",
            ExpressionAttributeValues={":integration": s(integration), ":beginning": s(beginning)},
        )
        return sorted(found, key=lambda link: link.record.at if link.record else 0.0, reverse=True)

    def list_recent_decisions(
        self, integrations: Iterable[str], limit: int, progress: Progress
    ) -> list[Link]:
        """Return the rows with the latest decisions, newest first. DynamoDB reads all rows of the integrations."""
        return self._query_newest(integrations, limit, progress, "decided_at > :floor", {})

    def list_links(
        self, integrations: Iterable[str], limit: int, progress: Progress, *, only_problems: bool = False
    ) -> list[Link]:
        """Return the rows that have a ticket or may be getting one, the last decision first; it reads all of them."""
        condition, values = _condition(only_problems=only_problems)
        return self._query_newest(
            integrations, limit, progress, condition, values, ExpressionAttributeNames=_NAMES
        )

    def list_all_links(self, limit: int, progress: Progress, *, only_problems: bool = False) -> list[Link]:
        """Return the same of all integrations, whatever the settings know; it reads the whole table."""
        newest = NewestItems(limit)
        condition, values = _condition(only_problems=only_problems)
        for item in self._scan(progress, condition, {":floor": n(0), **values}):
            newest.add(item)
        return [link_in(item) for item in newest.in_order()]

    def find_anywhere(self, progress: Progress, *, beginning: str = "", issue_key: str = "") -> list[Link]:
        """Return the rows of a ticket, or of fingerprints that begin like this; it reads the whole table."""
        which = "issue_key = :text" if issue_key else "begins_with(fingerprint, :text)"
        condition = f"{which} AND (attribute_exists(#state) OR attribute_exists(decided_at))"
        found = self._scan(progress, condition, {":text": s(issue_key or beginning)})
        return [link_in(item) for item in islice(found, MOST_ROWS)]

    def find_with_criteria(self, integration: str, progress: Progress) -> list[Link]:
        """Return the links whose groups have reopen criteria of ours; it reads all rows of the integration."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="integration = :integration",
            FilterExpression="attribute_exists(issue_id) AND contains(synced, :until)",
            ExpressionAttributeValues={":integration": s(integration), ":until": s('"until":')},
        )
        rows = 0
        found: list[Link] = []
        with self._translate_errors():
            for page in pages:
                found += [link_in(item) for item in page["Items"]]
                rows += page["ScannedCount"]
                progress(rows)
        return [link for link in found if link.synced and link.synced.reopen_criteria]

    def _scan(self, progress: Progress, condition: str, values: Values) -> Iterator[Item]:
        rows = 0
        start: dict[str, Any] = {}
        while True:
            with self._translate_errors():
                page = self._client.scan(
                    TableName=self._table,
                    FilterExpression=condition,
                    ExpressionAttributeValues=values,
                    ExpressionAttributeNames=_NAMES,
                    **start,
                )
            yield from cast("list[Item]", page["Items"])
            rows += page["ScannedCount"]
            progress(rows)
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def find_by_issue_key(self, integration: str, issue_key: str) -> list[Link]:
        """Return the rows of the ticket with this key. DynamoDB reads all rows of the integration for that."""
        return self._query(
            KeyConditionExpression="integration = :integration",
            FilterExpression="issue_key = :key",
            ExpressionAttributeValues={":integration": s(integration), ":key": s(issue_key)},
        )

    def find_by_issue_id(self, integration: str, issue_id: str) -> list[Link]:
        """Return the rows of the ticket with this id."""
        with self._translate_errors():
            found = self.synced_links.links_of_issue(issue_id)
        return [link for link in found if link.key.integration == integration]

    def read_notes(self, server: str) -> ServerNotes:
        """Return what is noted of a server: parking notes by scope, expired or not, and its pace."""
        with self._translate_errors():
            found = self._client.get_item(
                TableName=self._table, Key={"integration": s(PARKING), "fingerprint": s(server)}
            )
        return notes_in(cast("Item", found.get("Item", {})))

    def _query(self, limit: int = MOST_ROWS, **query: Any) -> list[Link]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table, PaginationConfig={"MaxItems": limit}, **query
        )
        with self._translate_errors():
            items = [item for page in pages for item in page["Items"]]
        # An item may hold only a group's counters. It is no link.
        return [link_in(item) for item in items if "state" in item or "record" in item]

    def _query_newest(
        self,
        integrations: Iterable[str],
        limit: int,
        progress: Progress,
        condition: str,
        values: Values,
        **names: Any,
    ) -> list[Link]:
        """Read the integrations' rows page by page and keep the newest. The condition lets DynamoDB send no others.

        No index has the rows by time: it would cost two more writes for each decision, all in one place.
        """
        newest = NewestItems(limit)
        rows = 0
        for integration in integrations:
            start: dict[str, Any] = {}
            while True:
                bounds = {":integration": s(integration), ":floor": n(newest.floor)}
                with self._translate_errors():
                    page = self._client.query(
                        TableName=self._table,
                        KeyConditionExpression="integration = :integration",
                        FilterExpression=condition,
                        ExpressionAttributeValues={**bounds, **values},
                        **names,
                        **start,
                    )
                for item in page["Items"]:
                    newest.add(item)
                rows += page["ScannedCount"]
                progress(rows)
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return [link_in(item) for item in newest.in_order()]

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise a Stop with one sentence for the operator instead of AWS's errors."""
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "no code")
            raise Stop(
                f"DynamoDB refused {error.operation_name} on the table {self._table}: {code}. "
                f"These AWS credentials need dynamodb:{error.operation_name} on the table and its index."
            ) from None
        except BacktraceJiraError as error:
            raise Stop(
                f"The table {self._table} could not be read: {error}. These AWS credentials need dynamodb:Query and "
                "dynamodb:BatchGetItem on the table and its index."
            ) from None
        except BotoCoreError as error:
            raise Stop(f"DynamoDB could not be reached ({type(error).__name__}).") from None


def _condition(*, only_problems: bool) -> tuple[str, Values]:
    """Return the filter of what is listed, and its values. A row without a problem has no such name in its text."""
    if not only_problems:
        return _HAS_TICKET, _STATES
    return f"{_HAS_TICKET} AND contains(synced, :problems)", {**_STATES, ":problems": s('"problems":')}


def open_link_table(
    table: str, *, region: str | None, profile: str | None, endpoint_url: str | None
) -> LinkTable:
    """Return the link table of an account and region. Opening Parameter Store has tested the options before."""
    session = boto3.Session(profile_name=profile, region_name=region)
    return LinkTable(session.client("dynamodb", config=_CONFIG, endpoint_url=endpoint_url), table)
