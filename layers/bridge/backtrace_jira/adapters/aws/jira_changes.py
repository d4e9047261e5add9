"""Senders to the queue `jira-changes`. The reader of the queue uses the same class, `JiraChange`."""

from __future__ import annotations

import hashlib
import uuid

from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.synchronisation.jira_change import LOOK, REGRESSION, JiraChange


class SQSJiraChanges:
    """The `JiraChanges` port: changes that a webhook reports."""

    def __init__(self, queue: SQSQueue) -> None:
        self._queue = queue

    def send(self, change: JiraChange, identifier: str) -> None:
        """Send one message. SQS keeps the order of the messages of one ticket."""
        # SQS drops a message with the identifier of another that it got within the last five minutes.
        self._queue.send(change.to_json(), MessageGroupId=change.group, MessageDeduplicationId=identifier)


class SQSChangeHints:
    """The ports `ChangeHints` and `RegressionHints`: changes that a process of ours suspects."""

    def __init__(self, queue: SQSQueue) -> None:
        self._changes = SQSJiraChanges(queue)

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Send one message, even if an equal one was sent a moment ago."""
        self._changes.send(JiraChange(connection, issue_id, event=LOOK, reason=reason), uuid.uuid4().hex)

    def send_regression(self, connection: str, issue_id: str, *, reason: str, occasion: str) -> None:
        """Send one message, unless one of the same occasion was sent within five minutes."""
        digest = hashlib.sha256(f"{connection}\n{issue_id}\n{occasion}".encode()).hexdigest()
        self._changes.send(JiraChange(connection, issue_id, event=REGRESSION, reason=reason), digest)
