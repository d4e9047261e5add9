"""The link table as tests create it; test_template.py holds keys and indexes to those of template.yaml."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from backtrace_jira.adapters.dynamodb.items import BY_ISSUE, BY_TICKET

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY_TYPES = {"integration": "S", "fingerprint": "S", "issue_id": "S", "decided_at": "N"}
INDEXES = [
    {
        "IndexName": BY_TICKET,
        "KeySchema": [{"AttributeName": "issue_id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
]
INDEXES_BEFORE = [
    {
        "IndexName": "RecentDecisions",
        "KeySchema": [
            {"AttributeName": "integration", "KeyType": "HASH"},
            {"AttributeName": "decided_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    },
    {
        "IndexName": BY_ISSUE,
        "KeySchema": [
            {"AttributeName": "issue_id", "KeyType": "HASH"},
            {"AttributeName": "integration", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    },
]
"""What tables had until ByTicket."""


def new_table(client: DynamoDBClient, indexes: list[dict[str, Any]] = INDEXES) -> str:
    """Create an empty link table with the keys of template.yaml, and with its indexes or others."""
    name = f"links-{uuid.uuid4().hex}"
    schema = [
        {"AttributeName": "integration", "KeyType": "HASH"},
        {"AttributeName": "fingerprint", "KeyType": "RANGE"},
    ]
    keys = {key["AttributeName"] for keyed in ({"KeySchema": schema}, *indexes) for key in keyed["KeySchema"]}
    table: dict[str, Any] = {
        "TableName": name,
        "KeySchema": schema,
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": kind} for key, kind in KEY_TYPES.items() if key in keys
        ],
        "GlobalSecondaryIndexes": indexes,
        "BillingMode": "PAY_PER_REQUEST",
    }
    client.create_table(**table)
    return name
