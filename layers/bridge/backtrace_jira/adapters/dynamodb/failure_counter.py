"""Our own failures by message: items of the link table, which DynamoDB deletes some time after they expire."""

from __future__ import annotations

from collections.abc import Callable

from backtrace_jira.adapters.dynamodb.items import n, s
from backtrace_jira.adapters.dynamodb.table import Table

FAILURE = "#failure"
"""Replaces the integration's id in the key."""
KEPT = 15 * 86_400
"""Seconds: longer than SQS keeps a message."""


class DynamoDBFailureCounter:
    """The `FailureCounter` port on the link table."""

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def count(self, message: str) -> int:
        """Add one to the item of a message: one request."""
        answer = self._table.request(
            "update_item",
            Key={"integration": s(FAILURE), "fingerprint": s(message)},
            UpdateExpression="SET expires_at = :expires ADD failures :one",
            ExpressionAttributeValues={":expires": n(int(self._clock()) + KEPT), ":one": n(1)},
            ReturnValues="UPDATED_NEW",
        )
        return int(float(answer["Attributes"]["failures"]["N"]))
