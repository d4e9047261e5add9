"""The link table as tests create it; test_template.py holds the keys to those of template.yaml."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from backtrace_jira.adapters.dynamodb.items import BY_ISSUE, RECENT_DECISIONS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def new_table(client: DynamoDBClient) -> str:
    """Create an empty link table with the keys and the indexes of template.yaml."""
    name = f"links-{uuid.uuid4().hex}"
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "integration", "KeyType": "HASH"},
            {"AttributeName": "fingerprint", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "integration", "AttributeType": "S"},
            {"AttributeName": "fingerprint", "AttributeType": "S"},
            {"AttributeName": "decided_at", "AttributeType": "N"},
            {"AttributeName": "issue_id", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": RECENT_DECISIONS,
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
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name
