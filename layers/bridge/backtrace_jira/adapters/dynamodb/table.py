"""Requests to one DynamoDB table. botocore's errors are translated into ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from botocore.exceptions import ClientError

from backtrace_jira.adapters.botocore_errors import AWS_ERRORS, error_code, translate
from backtrace_jira.errors import Throttled, Unreachable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item: TypeAlias = "Mapping[str, AttributeValueTypeDef]"
"""An item as DynamoDB gives it: `{"S": ...}`, `{"N": ...}` and so on by attribute."""
Values: TypeAlias = "dict[str, AttributeValueTypeDef]"
"""Values as DynamoDB's API takes them, by attribute or by placeholder of an expression."""

MOST_KEYS = 100
"""DynamoDB's limit for one BatchGetItem."""
_THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")
_NO_INDEX = ("ValidationException", "ResourceNotFoundException")
_RESERVED = {"#state": "state", "#owner": "owner", "#record": "record", "#until": "until", "#at": "at"}


class Table:
    """One table of items keyed by integration and fingerprint. It knows no kind of item."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Values) -> Item:
        """Return an item as it is now, or nothing."""
        return cast("Item", self.request("get_item", Key=key, ConsistentRead=True).get("Item", {}))

    def get_all(self, keys: Sequence[Values]) -> list[Item]:
        """Return the items of these keys (each given once) that exist, as they are now, in any order.

        One request for a hundred keys; more where DynamoDB leaves some unprocessed.
        """
        found: list[Item] = []
        left = list(keys)
        while left:
            batch = left[:MOST_KEYS]
            asked = {self._name: {"Keys": batch, "ConsistentRead": True}}
            answer = self._request("batch_get_item", RequestItems=asked)
            found += answer.get("Responses", {}).get(self._name, [])
            unprocessed = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if len(unprocessed) == len(batch):
                raise Throttled("DynamoDB batch_get_item: it processed none of the keys")
            left = [*unprocessed, *left[MOST_KEYS:]]
        return found

    def connect(self) -> None:
        """Open the connection to DynamoDB: look for an item that is never there."""
        self.get({"integration": {"S": "#"}, "fingerprint": {"S": "#"}})

    def change(
        self, key: Values, change: str, condition: str, values: Values, *, returning: str
    ) -> tuple[bool, Item]:
        """Update an item if the condition holds. Return whether it held, and the item.

        After an update, the item is as `returning` says; if the condition failed, as it is in the table.
        """
        used = {name: meant for name, meant in _RESERVED.items() if name in change + condition}
        try:
            answer = self.request(
                "update_item",
                Key=key,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues=returning,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ExpressionAttributeNames": used} if used else {}),
            )
        except ConditionFailed as failed:
            return False, failed.item
        return True, cast("Item", answer.get("Attributes", {}))

    def query(self, **arguments: Any) -> list[Item]:
        """Return the items of all pages."""
        return self._all_pages("query", arguments)

    def scan(self, **arguments: Any) -> list[Item]:
        """Return all items of the table, or of an index, of all pages."""
        return self._all_pages("scan", arguments)

    def scan_page(self, *, start: Values | None, most: int, **arguments: Any) -> tuple[list[Item], Values]:
        """Return at most so many items of the table, or of an index, after a key; and the last key, if more may follow.

        The key need not be there any more. One request.
        """
        begin = {"ExclusiveStartKey": start} if start else {}
        page = self.request("scan", Limit=most, **begin, **arguments)
        return page.get("Items", []), page.get("LastEvaluatedKey", {})

    def _all_pages(self, operation: str, arguments: dict[str, Any]) -> list[Item]:
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            page = self.request(operation, **arguments, **start)
            found += page.get("Items", [])
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def request(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send one request.

        Raises:
            ConditionFailed, IndexUnreadable, Throttled, Unreachable
        """
        return self._request(operation, TableName=self._name, **arguments)

    def _request(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = getattr(self._client, operation)(**arguments)
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) == "ConditionalCheckFailedException":
                raise ConditionFailed(cast("Item", error.response.get("Item", {}))) from None
            if "IndexName" in arguments and error_code(error) in _NO_INDEX:
                raise IndexUnreadable(
                    f"DynamoDB {operation}: {arguments['IndexName']} cannot be read"
                ) from None
            raise translate(error, f"DynamoDB {operation}", throttles=_THROTTLES) from None
        return cast("dict[str, Any]", answer)


class IndexUnreadable(Unreachable):
    """The table does not have this index, or DynamoDB is still filling it."""


class ConditionFailed(Exception):
    """The condition did not hold; `item` is the item as it is in the table."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item
