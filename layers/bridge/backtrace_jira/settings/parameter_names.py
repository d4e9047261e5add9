"""Names of the parameters of one stage. Nothing else spells them, and nothing is imported to do so."""

from __future__ import annotations

from typing import Protocol


class Named(Protocol):
    """The three names of an integration."""

    @property
    def universe(self) -> str:
        """Backtrace universe."""
        ...

    @property
    def project(self) -> str:
        """Backtrace project."""
        ...

    @property
    def name(self) -> str:
        """Its own name."""
        ...


class ParameterNames:
    """Names of the parameters of one stage. Nothing else spells them."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix.rstrip("/")

    @property
    def all_integrations(self) -> str:
        """Path that holds the integrations of all Backtrace projects."""
        return f"{self.prefix}/integrations"

    def integrations(self, universe: str, project: str) -> str:
        """Path that holds the integrations of a Backtrace project."""
        return f"{self.prefix}/integrations/{universe}/{project}"

    def integration(self, settings: Named) -> str:
        """Name of one integration's parameter."""
        return f"{self.integrations(settings.universe, settings.project)}/{settings.name}"

    def deployment(self, name: str) -> str:
        """Name of a parameter that the deployment itself writes (template.yaml)."""
        return f"{self.prefix}/deployment/{name}"

    def connection(self, name: str) -> str:
        """Name of a connection's parameter."""
        return f"{self.prefix}/connections/{name}"

    def universe(self, name: str) -> str:
        """Name of the parameter with a universe's address."""
        return f"{self.prefix}/backtrace/{name}"

    def jira_secret(self, connection: str) -> str:
        """Name of the SecureString with a connection's secret."""
        return f"{self.prefix}/secrets/jira/{connection}"

    @property
    def webhook_secrets(self) -> str:
        """Path that holds the secrets of all connections' webhooks."""
        return f"{self.prefix}/secrets/webhook"

    def webhook_secret(self, connection: str) -> str:
        """Name of the SecureString with the secret that a connection's webhooks are signed with."""
        return f"{self.webhook_secrets}/{connection}"

    def backtrace_secret(self, universe: str) -> str:
        """Name of the SecureString with a universe's token."""
        return f"{self.prefix}/secrets/backtrace/{universe}"
