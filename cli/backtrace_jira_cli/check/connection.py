"""Checks of one Jira connection: its address, the server that answers there, and the sign-in of the account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.errors import BacktraceJiraError, CredentialRefused, Refused
from backtrace_jira.settings.connection import Connection, CredentialKind
from backtrace_jira_cli.check.address import reach_jira
from backtrace_jira_cli.check.finding import (
    CheckName,
    Finding,
    failed,
    not_checked,
    ok,
    run_in_order,
    warning,
)
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS, Server
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard, Refusals
from backtrace_jira_cli.deployment.remedies import explain_error
from backtrace_jira_cli.deployment.stored_settings import NotKnownYet, StoredSettings, Unusable

FIRST_WITH_ACCESS_TOKENS = (8, 14)
"""Data Center 8.14 brought personal access tokens."""
FIRST_WITHOUT_BASIC = (11,)
"""Data Center 11.0 disables basic authentication unless an administrator turns it on again."""

CHECKS = (
    CheckName.ENDPOINT,
    CheckName.REACHABLE,
    CheckName.CREDENTIAL,
    CheckName.CREDENTIAL_KIND,
    CheckName.SERVER,
)


@dataclass(frozen=True, slots=True)
class Jira:
    """A Jira site where the account has signed in."""

    tickets: LockoutGuard[JiraClient]
    cloud: bool


class ConnectionChecks:
    """The checks of one connection. They run once, however many integrations use it."""

    # Each of these is set by a check that passed. `run_in_order` runs no check whose predecessor failed.
    _connection: Connection
    _tickets: LockoutGuard[JiraClient]
    jira: Jira

    def __init__(self, name: str, stored_settings: StoredSettings, refusals: Refusals) -> None:
        self._name = name
        self._stored_settings = stored_settings
        self._refusals = refusals
        self._found: list[Finding] | None = None
        self._server: Server | None = None

    def findings(self) -> Iterator[Finding]:
        """Yield the findings while the checks run; afterwards, yield the same ones again."""
        if self._found is not None:
            yield from self._found
            return
        found = []
        for finding in run_in_order(
            [
                ((CheckName.ENDPOINT,), self._check_endpoint),
                ((CheckName.REACHABLE,), self._check_reachable),
                ((CheckName.CREDENTIAL, CheckName.CREDENTIAL_KIND), self._check_credential),
                ((CheckName.SERVER,), self._check_server),
            ]
        ):
            found.append(finding)
            yield finding
        self._found = found

    def _check_endpoint(self) -> Iterator[Finding]:
        try:
            self._connection = self._stored_settings.read_connection(self._name)
        except Unusable as error:
            yield failed(CheckName.ENDPOINT, str(error), error.remedy)
        else:
            yield ok(CheckName.ENDPOINT, f"{self._connection.jira_api}/")

    def _check_reachable(self) -> Iterator[Finding]:
        finding, self._server = reach_jira(self._connection.jira_api)
        yield finding

    def _check_credential(self) -> Iterator[Finding]:
        """Send the credential once. A kind that this server surely refuses is not sent: failed logins lock accounts."""
        unfit = _explain_unfit_kind(self._connection.credential, self._server) if self._server else None
        if unfit:
            yield not_checked(CheckName.CREDENTIAL, "it was not sent, see credential kind")
            yield failed(CheckName.CREDENTIAL_KIND, *unfit)
            return
        try:
            secret = self._stored_settings.read_jira_secret(self._name)
        except Unusable as error:
            yield failed(CheckName.CREDENTIAL, str(error), error.remedy)
        except NotKnownYet as error:
            yield not_checked(CheckName.CREDENTIAL, str(error))
        else:
            yield from self._send_credential(secret)
            return
        yield not_checked(CheckName.CREDENTIAL_KIND, "see credential")

    def _send_credential(self, secret: SecretStr) -> Iterator[Finding]:
        client = self._open_client(secret)
        try:
            account = client.ask(JiraClient.account)
        except Refused as error:
            yield from self._explain_refusal(error, client)
            return
        except BacktraceJiraError as error:
            yield failed(CheckName.CREDENTIAL, *explain_error(error))
            yield not_checked(CheckName.CREDENTIAL_KIND, "see credential")
            return
        self._tickets = client
        yield ok(CheckName.CREDENTIAL, f"signed in as {account}")
        yield _judge_kind(self._connection.credential, self._server)

    def _open_client(self, secret: SecretStr) -> LockoutGuard[JiraClient]:
        settings = self._connection
        cloud = self._server.cloud if self._server else None
        client = JiraClient(settings, secret, timeouts=TIMEOUTS, cloud=cloud)
        shown = (urlsplit(settings.jira_api).netloc, settings.email, secret.get_secret_value())
        return LockoutGuard(client, shown, self._refusals)

    def _explain_refusal(self, error: Refused, client: LockoutGuard[JiraClient]) -> Iterator[Finding]:
        if not isinstance(error, CredentialRefused):
            client.give_up(CredentialRefused(str(error), status=error.status))
        if self._refuses_basic(error):
            yield not_checked(CheckName.CREDENTIAL, "see credential kind")
            yield failed(
                CheckName.CREDENTIAL_KIND,
                f"{error.status}: {self._server} accepts no basic authentication unless an administrator allows it",
                "Make a personal access token in Jira, and set credential: personal_access_token.",
            )
            return
        yield failed(CheckName.CREDENTIAL, str(error), _remedy(error, self._connection, self._server))
        yield not_checked(CheckName.CREDENTIAL_KIND, "see credential")

    def _refuses_basic(self, error: Refused) -> bool:
        server, kind = self._server, self._connection.credential
        return (
            not isinstance(error, CredentialRefused)
            and error.status == 403
            and kind is not CredentialKind.PERSONAL_ACCESS_TOKEN
            and server is not None
            and not server.cloud
            and server.numbers >= FIRST_WITHOUT_BASIC
        )

    def _check_server(self) -> Iterator[Finding]:
        if self._server is None:
            self._server = Server.from_info(dict(self._tickets.ask(JiraClient.server_info)))
        if self._server is None:
            yield failed(
                CheckName.SERVER,
                "the server answers without a version, so it may be no Jira",
                "Make sure that jira_api is the address of a Jira.",
            )
            return
        self.jira = Jira(self._tickets, self._server.cloud)
        yield ok(CheckName.SERVER, str(self._server))


def _explain_unfit_kind(kind: CredentialKind, server: Server) -> tuple[str, str] | None:
    """Return why this server never accepts a kind of credential, and what to do. None: it may accept it."""
    if server.cloud and kind is CredentialKind.PASSWORD:
        return "a password, which Jira Cloud does not accept", (
            "Make an API token at id.atlassian.com with this account, and set credential: api_token."
        )
    if kind is not CredentialKind.PERSONAL_ACCESS_TOKEN:
        return None
    if server.cloud:
        return "a personal access token, which Jira Cloud does not have", (
            "Make an API token at id.atlassian.com with this account, and set credential: api_token."
        )
    if server.numbers and server.numbers < FIRST_WITH_ACCESS_TOKENS:
        return f"a personal access token, which {server} does not have (8.14 and later do)", (
            "Set credential: password with the account's user name as email."
        )
    return None


def _judge_kind(kind: CredentialKind, server: Server | None) -> Finding:
    """Warn of a kind of credential that this server still accepts, and that Jira has deprecated."""
    check = CheckName.CREDENTIAL_KIND
    if kind is CredentialKind.PASSWORD:
        return warning(
            check,
            "a password, which Backtrace and Jira have deprecated",
            "Make a personal access token, and set credential: personal_access_token.",
        )
    if kind is CredentialKind.API_TOKEN and server and not server.cloud:
        return warning(
            check,
            "the settings call it an API token; only Jira Cloud has those, so it is a password",
            "Make a personal access token, and set credential: personal_access_token.",
        )
    return ok(
        check, "a personal access token" if kind is CredentialKind.PERSONAL_ACCESS_TOKEN else "an API token"
    )


def _remedy(error: Refused, connection: Connection, server: Server | None) -> str:
    """Return what to do if Jira refused the account. The credential is not sent again."""
    name = connection.name
    again = f"then write it with backtrace-jira configure --ask-secrets (connection {name})."
    if "CAPTCHA" in str(error):
        return "Log in once in a browser with this account and solve the CAPTCHA; then run this again."
    if not isinstance(error, CredentialRefused):
        return "Allow this account to use Jira's REST API, and let /rest/api/2/ pass a sign-on proxy if there is one."
    if connection.credential is CredentialKind.PERSONAL_ACCESS_TOKEN:
        return f"Make a new personal access token (it may have expired), {again}"
    hints = _hints(connection, server)
    question = "Check e-mail and token: did this account make it, and has it expired?"
    return f"{question} {hints}If need be, make a new one, {again}"


def _hints(connection: Connection, server: Server | None) -> str:
    if server is None:
        return ""
    if server.cloud:
        return (
            "A token with scopes works below https://api.atlassian.com/ex/jira/<cloud id>/rest/api/2/ only. "
            if "api.atlassian.com" not in connection.jira_api
            else ""
        )
    texts: Sequence[str] = [
        "Data Center wants the user name as email, not the address. " if "@" in str(connection.email) else "",
        "A personal access token needs credential: personal_access_token. ",
    ]
    return "".join(texts)
