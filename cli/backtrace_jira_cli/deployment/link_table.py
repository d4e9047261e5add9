"""The link table, as the operator's commands read and write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.adapters.dynamodb.items import (
    BY_ISSUE,
    PARKING,
    RECENT_DECISIONS,
    s,
)
from backtrace_jira.adapters.dynamodb.rows import link_in, parkings_in
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Item, Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.links.link import Link, LinkState
from backtrace_jira.links.parking import Parking
from backtrace_jira_cli.exits import Stop

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_ROWS = 200
"""Of one integration and fingerprint; where every error has a ticket there may be any number."""

_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 5})


class LinkTable:
    """Decisions by integration and fingerprint, and parking notes by connection."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self.tickets = DynamoDBTicketLinks(Table(client, table))
        self.store = DynamoDBSyncedLinks(Table(client, table))

    def find_by_fingerprint(self, integration: str, beginning: str) -> list[Link]:
        """Return the rows of all fingerprints that begin like this, newest decision first."""
        found = self._query(
            KeyConditionExpression="integration = :integration AND begins_with(fingerprint, :beginning)",
            ExpressionAttributeValues={":integration": s(integration), ":beginning": s(beginning)},
        )
        return sorted(found, key=lambda link: link.record.at if link.record else 0.0, reverse=True)

    def list_recent_decisions(self, integration: str, limit: int) -> list[Link]:
        """Return the rows that were decided about last, newest first."""
        return self._query(
            limit,
            IndexName=RECENT_DECISIONS,
            KeyConditionExpression="integration = :integration",
            ExpressionAttributeValues={":integration": s(integration)},
            ScanIndexForward=False,
        )

    def list_links(self, integration: str, limit: int) -> list[Link]:
        """Return the rows that have a ticket or may be getting one, the last decision first."""
        return self._query(
            limit,
            IndexName=RECENT_DECISIONS,
            KeyConditionExpression="integration = :integration",
            FilterExpression="attribute_exists(issue_id) OR #state IN (:creating, :uncertain)",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={
                ":integration": s(integration),
                ":creating": s(LinkState.CREATING),
                ":uncertain": s(LinkState.UNCERTAIN),
            },
            ScanIndexForward=False,
        )

    def find_by_issue_key(self, integration: str, issue_key: str) -> list[Link]:
        """Return the rows that hold a ticket under this key; all rows of the integration are read for it."""
        return self._query(
            KeyConditionExpression="integration = :integration",
            FilterExpression="issue_key = :key",
            ExpressionAttributeValues={":integration": s(integration), ":key": s(issue_key)},
        )

    def find_by_issue_id(self, integration: str, issue_id: str) -> list[Link]:
        """Return the rows of an integration that hold a ticket."""
        return self._query(
            IndexName=BY_ISSUE,
            KeyConditionExpression="issue_id = :id AND integration = :integration",
            ExpressionAttributeValues={":integration": s(integration), ":id": s(issue_id)},
        )

    def read_parkings(self, connection: str) -> Mapping[str, Parking]:
        """Return the connection's parking notes by scope, expired or not."""
        with self._in_one_sentence():
            found = self._client.get_item(
                TableName=self._table, Key={"integration": s(PARKING), "fingerprint": s(connection)}
            )
        return parkings_in(cast("Item", found.get("Item", {})))

    def _query(self, limit: int = MOST_ROWS, **query: Any) -> list[Link]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table, PaginationConfig={"MaxItems": limit}, **query
        )
        with self._in_one_sentence():
            items = [item for page in pages for item in page["Items"]]
        # A group's item may hold nothing but its counters.
        return [link_in(item) for item in items if "state" in item or "record" in item]

    @contextmanager
    def _in_one_sentence(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "no code")
            raise Stop(
                f"DynamoDB refused {error.operation_name} on the table {self._table}: {code}. "
                f"These AWS credentials need dynamodb:{error.operation_name} on the table and its index."
            ) from None
        except BotoCoreError as error:
            raise Stop(f"DynamoDB could not be reached ({type(error).__name__}).") from None


def open_link_table(
    table: str, *, region: str | None, profile: str | None, endpoint_url: str | None
) -> LinkTable:
    """Return the link table of an account and region; the store of parameters was opened there before."""
    session = boto3.Session(profile_name=profile, region_name=region)
    return LinkTable(session.client("dynamodb", config=_CONFIG, endpoint_url=endpoint_url), table)
