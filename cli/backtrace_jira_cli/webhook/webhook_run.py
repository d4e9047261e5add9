"""One run of `backtrace-jira webhook`: what is asked of whom, connection by connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.errors import BacktraceJiraError, NeedsAttention
from backtrace_jira.settings.connection import Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.deployment import ROOT, Deployment
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS, Server
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard, Refusals
from backtrace_jira_cli.deployment.remedies import explain_error
from backtrace_jira_cli.deployment.stored_settings import Unusable
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.webhook.inspection import COLUMNS, inspect_registration, remove_registration
from backtrace_jira_cli.webhook.installation import Installation
from backtrace_jira_cli.webhook.registration import JiraWebhooks, project_filter
from backtrace_jira_cli.webhook.registration_target import GATEWAY, RegistrationTarget
from backtrace_jira_cli.webhook.result import IN_WORDS, ConnectionResult, Result
from backtrace_jira_cli.webhook.secret import WebhookSecret


class WebhookRun:
    """One run of a command about webhooks: it goes through the connections and prints what became of each."""

    def __init__(self, deployment: Deployment, console: Console, address: str) -> None:
        self._console = console
        self._address = address
        self._store = deployment.store
        self._stored = deployment.stored
        self._names = deployment.names
        self._stored_settings = deployment.settings
        self._integrations = deployment.integrations
        self._refusals: Refusals = {}
        self._secrets: list[WebhookSecret] = []

    def install(self, connection: str | None, *, rotate: bool) -> None:
        """Register our webhook in each Jira, or correct the one that is there.

        Raises:
            Stop: not every webhook is registered.
        """
        outcomes = self._run_each(
            connection, lambda target: Installation(target, self._console).install(rotate=rotate)
        )
        self._stop_if_wrong(outcomes, "Not every webhook is registered")

    def status(self, connection: str | None) -> None:
        """Show whether each webhook is registered as it should be.

        Raises:
            Stop: one is not, or is not known.
        """
        outcomes = self._run_each(connection, inspect_registration)
        rows = [_row(outcome) for outcome in outcomes]
        self._console.show_table(("connection", "registered", *COLUMNS, "last problem"), rows)
        mends = any(outcome.ending is Result.NOT_FINE for outcome in outcomes)
        advice = " (backtrace-jira webhook install corrects it)" if mends else ""
        self._stop_if_wrong(outcomes, f"Not every webhook is known to be as it should be{advice}")

    def remove(self, connection: str | None, *, forget_secret: bool) -> None:
        """Delete the webhooks that lead to our address.

        Raises:
            Stop: one could not be removed.
        """
        outcomes = self._run_each(
            connection, lambda target: remove_registration(target, forget_secret=forget_secret), needed=False
        )
        self._stop_if_wrong(outcomes, "Not every webhook is removed")

    def _run_each(
        self, only: str | None, do: Callable[[RegistrationTarget], ConnectionResult], *, needed: bool = True
    ) -> list[ConnectionResult]:
        outcomes: list[ConnectionResult] = []
        reported: list[dict[str, Any]] = []
        self._console.report["connections"] = reported
        for name in self._choose_connections(only):
            with self._console.show_progress(f"asking the Jira of {name}"):
                outcome = self._run_one(name, do, needed=needed)
            outcome.notes = [self._hide_secrets(text) for text in outcome.notes]
            outcome.state = {column: self._hide_secrets(text) for column, text in outcome.state.items()}
            self._say(outcome)
            outcomes.append(outcome)
            reported.append(outcome.as_json())
        return outcomes

    def _run_one(
        self, name: str, do: Callable[[RegistrationTarget], ConnectionResult], *, needed: bool
    ) -> ConnectionResult:
        users = [each for each in self._integrations.values() if each.connection == name]
        if needed and not users:
            return ConnectionResult(
                name, Result.SKIPPED, ["no integration uses this connection, so no webhook is needed"]
            )
        try:
            return do(self._find_target(name, users))
        except Unusable as error:
            return ConnectionResult(name, Result.FAILED, [str(error), error.remedy])
        except BacktraceJiraError as error:
            return ConnectionResult(name, Result.FAILED, list(explain_error(error)))

    def _choose_connections(self, only: str | None) -> list[str]:
        root = self._names.connection("")
        known = sorted(name.removeprefix(root) for name in self._stored if name.startswith(root))
        if not known:
            raise wrong_usage("No connection is stored here. Write one with backtrace-jira configure.")
        if only is not None and only not in known:
            raise wrong_usage(f"No connection is called {only}. Stored: {', '.join(known)}.")
        return known if only is None else [only]

    def _find_target(self, name: str, users: Sequence[Integration]) -> RegistrationTarget:
        """Sign in before the webhooks are asked for: a 401 from them then means "no administrator", not a bad token."""
        connection = self._stored_settings.read_connection(name)
        secret = WebhookSecret(self._store, self._names, name)
        self._secrets.append(secret)
        gateway = urlsplit(connection.jira_api).hostname == GATEWAY
        server = Server(cloud=True) if gateway else self._ask_server(connection)
        return RegistrationTarget(
            connection=connection,
            jira=None if gateway else self._open_webhooks(connection, server),
            server=server,
            secret=secret,
            name=f"backtrace-jira {self._names.prefix.removeprefix(f'{ROOT}/')} {name}",
            address=f"{self._address}/{name}",
            jql=project_filter([each.project_key for each in users]),
            region=self._store.region,
        )

    def _ask_server(self, connection: Connection) -> Server:
        """Ask with the account, because some sites tell their version only after a sign-in."""
        tickets = JiraClient(
            connection, self._stored_settings.read_jira_secret(connection.name), timeouts=TIMEOUTS
        )
        asking = LockoutGuard(tickets, self._credential(connection), self._refusals)
        asking.ask(JiraClient.account)
        server = Server.from_info(dict(asking.ask(JiraClient.server_info)))
        if server is None:
            raise NeedsAttention(
                f"{connection.jira_api} answers, but not as a Jira does: it does not give its version"
            )
        return server

    def _open_webhooks(self, connection: Connection, server: Server) -> LockoutGuard[JiraWebhooks]:
        client = JiraWebhooks(connection, self._stored_settings.read_jira_secret(connection.name), server)
        return LockoutGuard(client, self._credential(connection), self._refusals)

    def _credential(self, connection: Connection) -> tuple[str, str | None, str]:
        secret = self._stored_settings.read_jira_secret(connection.name).get_secret_value()
        return urlsplit(connection.jira_api).netloc, connection.email, secret

    def _say(self, outcome: ConnectionResult) -> None:
        style = "green" if outcome.ending.is_well else "yellow"
        self._console.say(f"{outcome.connection}: {IN_WORDS[outcome.ending]}", style)
        for note in outcome.notes:
            self._console.say(f"  {note}")
        for number, step in enumerate(outcome.steps, 1):
            self._console.say(f"  {number}. {step}")

    def _stop_if_wrong(self, outcomes: Sequence[ConnectionResult], sentence: str) -> None:
        wrong = [outcome.connection for outcome in outcomes if not outcome.ending.is_well]
        if wrong:
            raise Stop(f"{sentence}: {', '.join(wrong)}.")

    def _hide_secrets(self, text: str) -> str:
        """Replace every secret by ***, because a server may repeat what it was sent."""
        for secret in (each for one in self._secrets for each in one.all):
            text = text.replace(secret, "***")
        return self._stored_settings.hide_secrets(text)


def _row(outcome: ConnectionResult) -> Sequence[str]:
    state = outcome.state
    return (
        outcome.connection,
        state.get("registered", "-"),
        *(state.get(column, "-") for column in COLUMNS),
        state.get("last_problem") or "-",
    )
