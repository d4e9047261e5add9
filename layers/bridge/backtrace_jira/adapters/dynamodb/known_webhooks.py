"""The webhooks that were stored lately: items of the link table. DynamoDB deletes them some time after they expire.

The function behind the public address imports this module, which imports nothing about other items.
"""

from __future__ import annotations

from backtrace_jira.adapters.dynamodb.table import Table, Values

WEBHOOK = "#webhook"
"""Replaces the integration's id in the key; the function may touch no other items (template.yaml)."""


class DynamoDBKnownWebhooks:
    """The `KnownWebhooks` port on the link table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has_webhook(self, identifier: str, *, now: float) -> bool:
        """Read an item. DynamoDB may not have deleted one that has expired."""
        expires_at = self._table.get(_key(identifier)).get("expires_at", {})
        return float(expires_at.get("N", 0)) > now

    def remember_webhook(self, identifier: str, *, until: float) -> None:
        """Write an item."""
        self._table.request("put_item", Item={**_key(identifier), "expires_at": {"N": str(int(until))}})


def _key(identifier: str) -> Values:
    return {"integration": {"S": WEBHOOK}, "fingerprint": {"S": identifier}}
