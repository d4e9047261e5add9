"""Who sends to the queue of tickets and projects to look at. Its reader reads with the same class, `JiraChange`."""

from __future__ import annotations

import hashlib
import uuid

from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.synchronisation.jira_change import LOOK, REGRESSION, JiraChange


class SQSJiraChanges:
    """The `JiraChanges` port: changes that webhooks tell of."""

    def __init__(self, queue: SQSQueue) -> None:
        self._queue = queue

    def send(self, change: JiraChange, identifier: str) -> None:
        """Send one message; those of one ticket keep their order."""
        # SQS forgets what it was sent with the same identifier within five minutes.
        self._queue.send(change.to_json(), MessageGroupId=change.group, MessageDeduplicationId=identifier)


class SQSChangeHints:
    """The ports `ChangeHints` and `RegressionHints`: changes that we suspect ourselves."""

    def __init__(self, queue: SQSQueue) -> None:
        self._changes = SQSJiraChanges(queue)

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Send one message, whatever was sent before."""
        self._changes.send(JiraChange(connection, issue_id, event=LOOK, reason=reason), uuid.uuid4().hex)

    def send_regression(self, connection: str, issue_id: str, *, reason: str, occasion: str) -> None:
        """Send one message, unless one of the same occasion was sent within five minutes."""
        digest = hashlib.sha256(f"{connection}\n{issue_id}\n{occasion}".encode()).hexdigest()
        self._changes.send(JiraChange(connection, issue_id, event=REGRESSION, reason=reason), digest)
