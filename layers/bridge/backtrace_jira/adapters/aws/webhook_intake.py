"""What the intake of webhooks needs of AWS: one secret, one queue, and which webhooks were stored lately."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.errors import Unreachable
from backtrace_jira.jira.webhook import WebhookHint
from backtrace_jira.settings.parameter_names import ParameterNames

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

WEBHOOK = "#webhook"
"""Stands where an integration's id stands; the function may touch no other items (template.yaml)."""
SHORTEST_AGE = 10.0
"""Seconds for which a secret that is not there, or does not fit, is not asked for again."""


class SSMWebhookSecrets:
    """The `WebhookSecrets` port, cached for `max_age` seconds."""

    def __init__(
        self, client: SSMClient, names: ParameterNames, *, max_age: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._names = names
        self._max_age = max_age
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}
        """When it was read, and what was read."""

    def of(self, connection: str) -> str:
        """Read a SecureString; one that is missing may have been made since."""
        known = self._kept.get(connection)
        return self._younger_than(self._max_age if known and known[1] else SHORTEST_AGE, connection)

    def anew(self, connection: str) -> str:
        """Read it again, at most every few seconds: whoever sends nonsense shall not make us ask SSM each time."""
        return self._younger_than(SHORTEST_AGE, connection)

    def _younger_than(self, age: float, connection: str) -> str:
        known = self._kept.get(connection)
        if known and self._clock() - known[0] < min(age, self._max_age):
            return known[1]
        secret = self._read(self._names.webhook_secret(connection))
        if len(self._kept) > 1000:  # names that somebody makes up
            self._kept.clear()
        self._kept[connection] = (self._clock(), secret)
        return secret

    def _read(self, name: str) -> str:
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ParameterNotFound":
                return ""
            raise _unreachable("SSM get_parameter", error) from None
        except BotoCoreError as error:
            raise _unreachable("SSM get_parameter", error) from None
        return str(found["Parameter"].get("Value", "")).strip()


class DynamoDBKnownWebhooks:
    """The `KnownWebhooks` port: items of the link table that DynamoDB deletes some time after they expire."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def known(self, identifier: str, *, now: float) -> bool:
        """Read an item."""
        found = self._request("get_item", Key=_key(identifier), ConsistentRead=True).get("Item", {})
        return float(found.get("expires_at", {}).get("N", 0)) > now

    def remember(self, identifier: str, *, until: float) -> None:
        """Write an item."""
        self._request("put_item", Item={**_key(identifier), "expires_at": {"N": str(int(until))}})

    def _request(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, operation)(TableName=self._table, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise _unreachable(f"DynamoDB {operation}", error) from None


class SQSJiraChanges:
    """The `JiraChanges` port: a queue that keeps the order of what is said of one ticket."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, connection: str, hint: WebhookHint, identifier: str) -> None:
        """Send one message; SQS itself forgets what it was sent within the last five minutes."""
        concerned = {"project_id": hint.project_id} if hint.project_id else {"issue_id": hint.issue_id}
        body = {
            "connection": connection,
            **concerned,
            "event": hint.event,
            "fields": list(hint.fields),
        }
        try:
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=json.dumps(body),
                MessageGroupId=f"{connection}-{hint.issue_id or f'versions-{hint.project_id}'}",
                MessageDeduplicationId=identifier,
            )
        except (ClientError, BotoCoreError) as error:
            raise _unreachable("SQS send_message", error) from None


def _key(identifier: str) -> dict[str, Any]:
    return {"integration": {"S": WEBHOOK}, "fingerprint": {"S": identifier}}


def _unreachable(request: str, error: Exception) -> Unreachable:
    code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
    return Unreachable(f"{request}: {code or type(error).__name__}")
