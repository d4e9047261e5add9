"""The Jira of one connection, and the registration that it should have."""

from __future__ import annotations

from dataclasses import dataclass

from backtrace_jira.settings.connection import API_ENDING, Connection
from backtrace_jira_cli.deployment.jira_server import Server
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard
from backtrace_jira_cli.webhook.manual_steps import ManualSteps
from backtrace_jira_cli.webhook.registration import (
    FIRST_THAT_SIGNS,
    DesiredRegistration,
    JiraWebhooks,
    NotAdministrator,
    Registration,
)
from backtrace_jira_cli.webhook.secret import WebhookSecret

GATEWAY = "api.atlassian.com"


@dataclass(frozen=True, slots=True)
class RegistrationTarget:
    """The Jira of one connection, and all that its registration depends on."""

    connection: Connection
    jira: LockoutGuard[JiraWebhooks] | None
    """None: the address is Atlassian's gateway, which has no registrations."""
    server: Server
    secret: WebhookSecret
    name: str
    address: str
    jql: str
    region: str

    @property
    def signs(self) -> bool:
        """Whether this server can sign its webhooks."""
        return self.server.cloud or self.server.numbers >= FIRST_THAT_SIGNS

    @property
    def desired(self) -> DesiredRegistration:
        """Return the registration as it should be."""
        secret = self.secret.current
        if self.signs:
            return DesiredRegistration(self.name, self.address, self.jql, secret)
        return DesiredRegistration(self.name, f"{self.address}/{secret.get_secret_value()}", self.jql)

    @property
    def manual_steps(self) -> ManualSteps:
        """Return the steps with which a person registers the webhook."""
        site = self.connection.browse_url or self.connection.jira_api.removesuffix(API_ENDING)
        return ManualSteps(
            site=site,
            cloud=self.server.cloud,
            signs=self.signs,
            name=self.name,
            address=self.address,
            jql=self.jql,
            aws_options=f"--name {self.secret.parameter} --region {self.region}",
            has_former_secret=self.secret.replaces_another,
        )

    @property
    def why_by_hand(self) -> str:
        """Return why the operator has to register the webhook by hand."""
        if self.jira is None:
            return f"{GATEWAY} registers no webhooks. Register it on the site itself."
        return (
            "The account of this connection is no Jira administrator, and Jira lets nobody else see webhooks."
        )

    def leads_here(self, registration: Registration) -> bool:
        """Whether a registration leads to this deployment, whatever secret its address holds."""
        return registration.url == self.address or registration.url.startswith(f"{self.address}/")

    def find_registrations(self) -> list[Registration] | None:
        """Return all registrations, ours and others. None: this account may not see them."""
        if self.jira is None:
            return None
        try:
            return self.jira.ask(JiraWebhooks.read_all)
        except NotAdministrator:
            return None
