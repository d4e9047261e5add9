"""The queue of tickets to look at: what is sent to it, and what a message of it says."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.errors import Unreachable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SQSChangeHints:
    """The `ChangeHints` port. `client` is asked for when something must be put off, and not before."""

    def __init__(self, client: Callable[[], SQSClient], queue_url: str) -> None:
        self._new_client = client
        self._queue_url = queue_url

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Send one message; those of one ticket follow each other."""
        body = {
            "connection": connection,
            "issue_id": issue_id,
            "event": "look",
            "fields": [],
            "reason": reason,
        }
        try:
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=json.dumps(body),
                MessageGroupId=f"{connection}-{issue_id}"[:128],
                MessageDeduplicationId=uuid.uuid4().hex,
            )
        except ClientError as error:
            raise Unreachable(
                f"SQS send_message: {error.response.get('Error', {}).get('Code', '')}"
            ) from None
        except BotoCoreError as error:
            raise Unreachable(f"SQS send_message: {type(error).__name__}") from None

    @cached_property
    def _client(self) -> SQSClient:
        return self._new_client()
