"""Senders to the queue `jira-changes`. The reader of the queue uses the same class, `JiraChange`."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.synchronisation.jira_change import LOOK, REGRESSION, JiraChange

if TYPE_CHECKING:
    from backtrace_jira.links.link import Sighting

QUIET = 240.0
"""Seconds for which this process does not repeat a hint. SQS would drop it for 300 (SendMessage,
MessageDeduplicationId), so nothing is lost by that."""


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

    def __init__(self, queue: SQSQueue, clock: Callable[[], float] = time.time) -> None:
        self._changes = SQSJiraChanges(queue)
        self._clock = clock
        self._sent: dict[str, float] = {}
        """When SQS took the hints of the last minutes, by identifier."""

    def send(self, connection: str, issue_id: str, *, reason: str) -> None:
        """Send one message, even if an equal one was sent a moment ago."""
        self._changes.send(JiraChange(connection, issue_id, event=LOOK, reason=reason), uuid.uuid4().hex)

    def send_regression(
        self, connection: str, issue_id: str, sighting: Sighting, *, reason: str, occasion: str
    ) -> None:
        """Send one message, unless one of the same link and occasion was sent within five minutes."""
        key = sighting.key
        change = JiraChange(
            connection,
            issue_id,
            event=REGRESSION,
            reason=reason,
            integration=key.integration,
            fingerprint=key.fingerprint,
            sighting=sighting.digest,
        )
        text = "\n".join((connection, issue_id, key.integration, key.fingerprint, occasion))
        identifier, now = hashlib.sha256(text.encode()).hexdigest(), self._clock()
        self._sent = {name: at for name, at in self._sent.items() if now - at < QUIET}
        if identifier in self._sent:
            return
        self._changes.send(change, identifier)
        # Remembered only once SQS has it: a hint that could not be sent is sent again by the next event.
        self._sent[identifier] = now
