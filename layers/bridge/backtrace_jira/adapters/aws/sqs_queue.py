"""One SQS queue. botocore's errors are translated into ours."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backtrace_jira.adapters.botocore_errors import AWS_ERRORS, translate
from backtrace_jira.errors import Unreachable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SQSQueue:
    """Requests about one queue."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    @property
    def is_ordered(self) -> bool:
        """Return whether the queue keeps an order (FIFO), and wants to know which messages belong together."""
        return self._url.endswith(".fifo")

    def connect(self) -> None:
        """Open the connection to SQS by sending a message without a body, which SQS refuses.

        Who may do nothing but send has no request that does nothing.
        """
        with suppress(Unreachable):
            self.request("send_message")

    def send(self, body: str, **options: Any) -> None:
        """Send one message; `options` are those of SQS's SendMessage.

        Raises:
            Unreachable: SQS did not store it, or did not answer.
        """
        self.request("send_message", MessageBody=body, **options)

    def request(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Send one request about the queue, and return the answer.

        Raises:
            Unreachable: SQS refused, or did not answer.
        """
        try:
            answer: Mapping[str, Any] = getattr(self._client, operation)(QueueUrl=self._url, **arguments)
        except AWS_ERRORS as error:
            raise translate(error, f"SQS {operation}") from None
        return answer
