"""The queue of tickets to look at: what is sent to it, and what a message of it says."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.errors import Unreachable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SQSChangeHints:
    """The `ChangeHints` and `RegressionHints` ports. `client` is called when there is something to send, not before."""

    def __init__(self, client: Callable[[], SQSClient], queue_url: str) -> None:
        self._queue = _Queue(client, queue_url)

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Send one message; those of one ticket follow each other."""
        self._send(connection, issue_id, "look", reason, uuid.uuid4().hex)

    def send_regression(self, connection: str, issue_id: str, *, reason: str, occasion: str) -> None:
        """Send one message; SQS itself forgets what it was sent within the last five minutes."""
        digest = hashlib.sha256(f"{connection}\n{issue_id}\n{occasion}".encode()).hexdigest()
        self._send(connection, issue_id, "regression", reason, digest)

    def _send(self, connection: str, issue_id: str, event: str, reason: str, identifier: str) -> None:
        body = {
            "connection": connection,
            "issue_id": issue_id,
            "event": event,
            "fields": [],
            "reason": reason,
        }
        group = f"{connection}-{issue_id}"[:128]
        self._queue.send(json.dumps(body), MessageGroupId=group, MessageDeduplicationId=identifier)


class SQSNewEvents:
    """The `NewEvents` port: the queue of error events."""

    def __init__(self, client: Callable[[], SQSClient], queue_url: str) -> None:
        self._queue = _Queue(client, queue_url)

    def publish(self, body: str, *, after: int) -> None:
        """Send an event that nobody receives before that time."""
        self._queue.send(body, DelaySeconds=after)


class _Queue:
    def __init__(self, client: Callable[[], SQSClient], url: str) -> None:
        self._new_client = client
        self._url = url

    def send(self, body: str, **how: Any) -> None:
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body, **how)
        except ClientError as error:
            raise Unreachable(
                f"SQS send_message: {error.response.get('Error', {}).get('Code', '')}"
            ) from None
        except BotoCoreError as error:
            raise Unreachable(f"SQS send_message: {type(error).__name__}") from None

    @cached_property
    def _client(self) -> SQSClient:
        return self._new_client()
