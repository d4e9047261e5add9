"""One run of `backtrace-jira webhook`: the connections one after the other."""

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
    """One run of a webhook command: it goes through the connections and prints the result for each."""

    def __init__(self, deployment: Deployment, console: Console, address: str) -> None:
        self._console = console
        self._address = address
        self._store = deployment.store
        self._stored = deployment.stored
        self._names = deployment.names
        self._place = deployment.place
        self._stored_settings = deployment.settings
        self._integrations = deployment.integrations
        self._refusals: Refusals = {}
        self._secrets: list[WebhookSecret] = []

    def install(self, connection: str | None, *, rotate: bool) -> None:
        """Register our webhook in each Jira, or correct the one that is there.

        Raises:
            Stop: not every webhook is registered.
        """
        results = self._run_each(
            connection, lambda target: Installation(target, self._console).install(rotate=rotate)
        )
        self._stop_if_wrong(results, "Not every webhook is registered")

    def status(self, connection: str | None) -> None:
        """Show whether each webhook is registered as it should be.

        Raises:
            Stop: a webhook is not as it should be, or Jira does not show it.
        """
        results = self._run_each(connection, inspect_registration)
        rows = [_row(result) for result in results]
        self._console.show_table(("connection", "registered", *COLUMNS, "last problem"), rows)
        can_correct = any(result.result is Result.NOT_FINE for result in results)
        advice = " (backtrace-jira webhook install corrects it)" if can_correct else ""
        self._stop_if_wrong(results, f"Not every webhook is known to be as it should be{advice}")

    def remove(self, connection: str | None, *, forget_secret: bool) -> None:
        """Delete the webhooks that lead to our address.

        Raises:
            Stop: a webhook could not be removed.
        """
        results = self._run_each(
            connection, lambda target: remove_registration(target, forget_secret=forget_secret), needed=False
        )
        self._stop_if_wrong(results, "Not every webhook is removed")

    def _run_each(
        self, only: str | None, do: Callable[[RegistrationTarget], ConnectionResult], *, needed: bool = True
    ) -> list[ConnectionResult]:
        results: list[ConnectionResult] = []
        reported: list[dict[str, Any]] = []
        self._console.report["connections"] = reported
        for name in self._choose_connections(only):
            with self._console.show_progress(f"asking the Jira of {name}"):
                result = self._run_one(name, do, needed=needed)
            result.notes = [self._hide_secrets(text) for text in result.notes]
            result.state = {column: self._hide_secrets(text) for column, text in result.state.items()}
            self._print_result(result)
            results.append(result)
            reported.append(result.as_json())
        return results

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
            raise wrong_usage(
                f"No connection is stored below {self._place}. Write one with backtrace-jira configure, "
                "or name another deployment with --stage or --region."
            )
        if only is not None and only not in known:
            raise wrong_usage(f"No connection is called {only}. Stored: {', '.join(known)}.")
        return known if only is None else [only]

    def _find_target(self, name: str, users: Sequence[Integration]) -> RegistrationTarget:
        """Sign in before any request for webhooks: a 401 to those then means "no administrator", not a bad token."""
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
        client = LockoutGuard(tickets, self._credential(connection), self._refusals)
        client.ask(JiraClient.account)
        server = Server.from_info(dict(client.ask(JiraClient.server_info)))
        if server is None:
            raise NeedsAttention(f"{connection.jira_api} answers without a version, so it may be no Jira")
        return server

    def _open_webhooks(self, connection: Connection, server: Server) -> LockoutGuard[JiraWebhooks]:
        client = JiraWebhooks(connection, self._stored_settings.read_jira_secret(connection.name), server)
        return LockoutGuard(client, self._credential(connection), self._refusals)

    def _credential(self, connection: Connection) -> tuple[str, str | None, str]:
        secret = self._stored_settings.read_jira_secret(connection.name).get_secret_value()
        return urlsplit(connection.jira_api).netloc, connection.email, secret

    def _print_result(self, result: ConnectionResult) -> None:
        style = "green" if result.result.is_well else "yellow"
        self._console.say(f"{result.connection}: {IN_WORDS[result.result]}", style)
        for note in result.notes:
            self._console.say(f"  {note}")
        for number, step in enumerate(result.steps, 1):
            self._console.say(f"  {number}. {step}")

    def _stop_if_wrong(self, results: Sequence[ConnectionResult], sentence: str) -> None:
        wrong = [result.connection for result in results if not result.result.is_well]
        if wrong:
            raise Stop(f"{sentence}: {', '.join(wrong)}.")

    def _hide_secrets(self, text: str) -> str:
        """Replace every secret by ***, because a server may repeat what it was sent."""
        for secret in (each for one in self._secrets for each in one.all):
            text = text.replace(secret, "***")
        return self._stored_settings.hide_secrets(text)


def _row(result: ConnectionResult) -> Sequence[str]:
    state = result.state
    return (
        result.connection,
        state.get("registered", "-"),
        *(state.get(column, "-") for column in COLUMNS),
        state.get("last_problem") or "-",
    )
