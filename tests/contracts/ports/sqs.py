"""Queues as moto emulates them, read to the end."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from backtrace_jira.adapters.aws.sqs_queue import SQSQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """A queue with what is in it now."""

    def __init__(self, client: SQSClient, *, fifo: bool = False) -> None:
        attributes = {"FifoQueue": "true"} if fifo else {}
        name = f"{uuid.uuid4().hex}{'.fifo' if fifo else ''}"
        self.url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
        self.client = client

    @property
    def adapter(self) -> SQSQueue:
        return SQSQueue(self.client, self.url)

    def receive(self) -> list[Any]:
        """Take all messages that can be received now; none comes again."""
        found: list[Any] = []
        while True:
            answer = self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                found.append(message)
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.receive()]
