"""Which webhooks were stored lately: items of the link table that DynamoDB deletes some time after they expire.

The function behind the public address imports this; of the other items it needs nothing.
"""

from __future__ import annotations

from backtrace_jira.adapters.dynamodb.table import Table, Values

WEBHOOK = "#webhook"
"""Stands where an integration's id stands; the function may touch no other items (template.yaml)."""


class DynamoDBKnownWebhooks:
    """The `KnownWebhooks` port on the link table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has_webhook(self, identifier: str, *, now: float) -> bool:
        """Read an item; one that has expired may not have been deleted yet."""
        expires_at = self._table.get(_key(identifier)).get("expires_at", {})
        return float(expires_at.get("N", 0)) > now

    def remember_webhook(self, identifier: str, *, until: float) -> None:
        """Write an item."""
        self._table.request("put_item", Item={**_key(identifier), "expires_at": {"N": str(int(until))}})


def _key(identifier: str) -> Values:
    return {"integration": {"S": WEBHOOK}, "fingerprint": {"S": identifier}}
