"""What the intake of webhooks asks for, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from backtrace_jira.jira.webhook import WebhookHint
from tests.fakes.failures import raise_next


@dataclass
class FakeWebhookSecrets:
    """The `WebhookSecrets` port: what was read a while ago, and what is stored by now, by connection."""

    stored: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def of(self, connection: str) -> str:
        return self.kept.setdefault(connection, self.stored.get(connection, ""))

    def anew(self, connection: str) -> str:
        self.kept[connection] = self.stored.get(connection, "")
        return self.kept[connection]


@dataclass
class FakeKnownWebhooks:
    """The `KnownWebhooks` port: until when each is known. `fail` is raised before the effect of `remember`."""

    until: dict[str, float] = field(default_factory=dict)
    fail: list[Exception | None] = field(default_factory=list)

    def known(self, identifier: str, *, now: float) -> bool:
        return self.until.get(identifier, 0.0) > now

    def remember(self, identifier: str, *, until: float) -> None:
        raise_next(self.fail)
        self.until[identifier] = until


@dataclass
class FakeJiraChanges:
    """The `JiraChanges` port. `fail` is raised before the effect."""

    sent: dict[str, tuple[str, WebhookHint]] = field(default_factory=dict)
    """Connection and hint by the webhook's identifier: SQS takes one of a kind."""
    fail: list[Exception | None] = field(default_factory=list)

    def send(self, connection: str, hint: WebhookHint, identifier: str) -> None:
        raise_next(self.fail)
        self.sent.setdefault(identifier, (connection, hint))
