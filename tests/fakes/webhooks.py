"""What the intake of webhooks asks for, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from backtrace_jira.synchronisation.jira_change import JiraChange
from tests.fakes.failures import raise_next


@dataclass
class FakeWebhookSecrets:
    """The `WebhookSecrets` port: what was read a while ago, and what is stored by now, by connection."""

    stored: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def find_secret(self, connection: str) -> str:
        return self.kept.get(connection) or self.find_new_secret(connection)

    def find_new_secret(self, connection: str) -> str:
        self.kept[connection] = self.stored.get(connection, "")
        return self.kept[connection]


@dataclass
class FakeKnownWebhooks:
    """The `KnownWebhooks` port: until when each is known. `fail` is raised before the effect of `remember_webhook`."""

    until: dict[str, float] = field(default_factory=dict)
    fail: list[Exception | None] = field(default_factory=list)

    def has_webhook(self, identifier: str, *, now: float) -> bool:
        return self.until.get(identifier, 0.0) > now

    def remember_webhook(self, identifier: str, *, until: float) -> None:
        raise_next(self.fail)
        self.until[identifier] = until


@dataclass
class FakeJiraChanges:
    """The `JiraChanges` port. `fail` is raised before the effect."""

    sent: dict[str, JiraChange] = field(default_factory=dict)
    """By the webhook's identifier: SQS takes one of a kind."""
    fail: list[Exception | None] = field(default_factory=list)

    def send(self, change: JiraChange, identifier: str) -> None:
        raise_next(self.fail)
        self.sent.setdefault(identifier, change)
