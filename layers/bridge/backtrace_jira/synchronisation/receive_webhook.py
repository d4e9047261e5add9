"""Jira's webhooks: verify one, reduce it to a hint, put the hint into the queue. Nothing more.

The answer decides whether Jira sends the webhook again: Cloud repeats it after 5xx, 408, 409, 425 and 429, and takes
any other 4xx as final. So a 2xx means that the hint is stored, and a 5xx never means a mistake of the sender.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from backtrace_jira.errors import BacktraceJiraError, InvalidEvent
from backtrace_jira.jira.webhook import WebhookHint, is_secret, is_signed, read_webhook
from backtrace_jira.synchronisation.jira_change import JiraChange

LARGEST = 6 * 1024 * 1024
"""Bytes. Lambda takes no more; Jira's own limit is 25 MB. The poll finds the changes whose webhooks are larger."""
WEBHOOK_REMEMBERED = 3 * 24 * 3600
"""Seconds for which a repeated webhook is recognised: Jira repeats for hours, and a signature has no time in it."""

_CONNECTION = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request. `secret` is what stands in the path; header names are in lower case. `body` None is no base64."""

    method: str
    connection: str
    secret: str
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to Jira, and what the log says of it."""

    status: int
    decision: str
    detail: str
    hint: WebhookHint | None = None


class WebhookSecrets(Protocol):
    """The secrets that webhooks are signed with."""

    def find_secret(self, connection: str) -> str:
        """Return a connection's secret; empty where it has none. One that is being replaced has several lines."""
        ...

    def find_new_secret(self, connection: str) -> str:
        """Return it as it is stored now, unless it was read a moment ago."""
        ...


class KnownWebhooks(Protocol):
    """The webhooks that were stored lately."""

    def has_webhook(self, identifier: str, *, now: float) -> bool:
        """Return whether this webhook was stored before."""
        ...

    def remember_webhook(self, identifier: str, *, until: float) -> None:
        """Remember this webhook until then (unix seconds)."""
        ...


class JiraChanges(Protocol):
    """The queue `jira-changes`, as the receiver of webhooks writes to it."""

    def send(self, change: JiraChange, identifier: str) -> None:
        """Put a change into the queue; one with the identifier of another is taken for its repetition."""
        ...


class ReceiveWebhook:
    """The use case behind `functions/receive_webhook`."""

    def __init__(
        self,
        *,
        secrets: WebhookSecrets,
        known: KnownWebhooks,
        changes: JiraChanges,
        clock: Callable[[], float],
    ) -> None:
        self._secrets = secrets
        self._known = known
        self._changes = changes
        self._clock = clock

    def __call__(self, webhook: Webhook) -> Answer:
        """Serve one request."""
        if webhook.method != "POST":
            return Answer(405, "refused", "not a POST")
        if webhook.body is None:
            return Answer(400, "refused", "the body is no base64")
        if len(webhook.body) > LARGEST:
            return Answer(413, "refused", f"larger than {LARGEST} bytes")
        try:
            refusal = self._refusal(webhook)
            return refusal or self._store(webhook, webhook.body)
        except InvalidEvent as error:
            return Answer(400, "refused", str(error))
        except BacktraceJiraError as error:
            return Answer(503, "postponed", str(error))

    def _refusal(self, webhook: Webhook) -> Answer | None:
        """Return a refusal unless Jira sent this. Its detail is for our log only."""
        if not _CONNECTION.fullmatch(webhook.connection):
            return Answer(401, "refused", "there can be no connection of this name")
        refusal = self._judged(webhook, self._secrets.find_secret(webhook.connection))
        # Cloud takes a 401 for final: what does not fit may be signed with a secret that was stored since.
        return refusal and self._judged(webhook, self._secrets.find_new_secret(webhook.connection))

    def _judged(self, webhook: Webhook, secret: str) -> Answer | None:
        if not secret:
            return Answer(
                401,
                "refused",
                "this connection has no webhook secret: backtrace-jira webhook install makes one",
            )
        signature = webhook.headers.get("x-hub-signature")
        if webhook.secret and not is_secret(webhook.secret, secret):
            return Answer(401, "refused", "the secret in the path is not this connection's")
        if signature is None and not webhook.secret:
            return Answer(401, "refused", "there is no signature")
        if signature is not None and not is_signed(webhook.body or b"", signature, secret):
            return Answer(401, "refused", "the signature is not the body's")
        return None

    def _store(self, webhook: Webhook, body: bytes) -> Answer:
        hint = read_webhook(body)
        if hint is None:
            return Answer(200, "ignored", "it can concern no linked ticket")
        identifier = _identifier(webhook, body)
        if self._known.has_webhook(identifier, now=self._clock()):
            return Answer(200, "repeated", "it was stored before", hint)
        change = JiraChange(webhook.connection, hint.issue_id, hint.project_id, hint.event, hint.fields)
        self._changes.send(change, identifier)
        try:
            # Remember only after the change is in the queue. If this process dies in between, the change is sent
            # twice. The other way round, Jira's next try would count as repeated, and the change would be lost.
            self._known.remember_webhook(identifier, until=self._clock() + WEBHOOK_REMEMBERED)
        except BacktraceJiraError as error:
            return Answer(200, "stored", f"if it comes again, it is not known again: {error}", hint)
        return Answer(200, "stored", "", hint)


def _identifier(webhook: Webhook, body: bytes) -> str:
    """Return what a repeated webhook has in common with the first: Cloud's identifier, else a digest of its body."""
    given = webhook.headers.get("x-atlassian-webhook-identifier", "")
    text = given if _IDENTIFIER.fullmatch(given) else hashlib.sha256(body).hexdigest()
    return hashlib.sha256(f"{webhook.connection}\n{text}".encode()).hexdigest()
