"""Checks of one Backtrace project: whether the token can read its error groups, and which attributes it has.

A universe is what Backtrace calls a customer's instance; it holds projects. The settings have one token for each.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterator
from urllib.parse import urlsplit

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.errors import BacktraceJiraError, CredentialRefused, InvalidSettings, Refused
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.check.finding import CheckName, Finding, failed, not_checked, ok
from backtrace_jira_cli.check.overrides import unknown_attributes
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard, Refusals
from backtrace_jira_cli.deployment.remedies import explain_error
from backtrace_jira_cli.deployment.stored_settings import NotKnownYet, StoredSettings, Unusable

ADD_ATTRIBUTE = "Correct the name, or add the attribute in Backtrace: Project Settings > Attributes."


class BacktraceProjectChecks:
    """The checks of one Backtrace project. The token is tried once, however many integrations use the project."""

    def __init__(
        self, universe: str, project: str, stored_settings: StoredSettings, refusals: Refusals
    ) -> None:
        self._universe = universe
        self._project = project
        self._stored_settings = stored_settings
        self._refusals = refusals
        self._reached: Finding | None = None
        self._attributes: frozenset[str] | None = None

    def findings(self, integration: Integration | None) -> Iterator[Finding]:
        """Check the attributes that an integration uses, and the token. None: its settings cannot be read."""
        reached = self._reached = self._reached or self._check_token()
        if reached.stops:
            yield not_checked(CheckName.ATTRIBUTES, "see backtrace")
        elif integration is None:
            yield not_checked(CheckName.ATTRIBUTES, "see endpoint")
        else:
            yield self._check_attributes(integration)
        yield reached

    def _check_token(self) -> Finding:
        check = CheckName.BACKTRACE
        try:
            settings = self._stored_settings.read_universe(self._universe)
            token = self._stored_settings.read_backtrace_secret(self._universe)
        except Unusable as error:
            return failed(check, str(error), error.remedy)
        except NotKnownYet as error:
            return not_checked(check, str(error))
        shown: Hashable = ("backtrace", urlsplit(settings.address).netloc, token.get_secret_value())
        client = LockoutGuard(BacktraceClient(settings, token, timeouts=TIMEOUTS), shown, self._refusals)
        try:
            client.ask(lambda backtrace: backtrace.ensure_readable(self._project))
        except BacktraceJiraError as error:
            return failed(check, str(error), _remedy(error, self._universe))
        self._client = client
        return ok(check, f"the token reads the error groups of {self._universe}/{self._project}")

    def _check_attributes(self, integration: Integration) -> Finding:
        check = CheckName.ATTRIBUTES
        try:
            known = self._read_attributes()
        except BacktraceJiraError as error:
            return failed(check, *explain_error(error))
        unknown = list(unknown_attributes(integration, known))
        if not unknown:
            return ok(
                check, f"the project has every attribute that the settings use, and {len(known)} in all"
            )
        names = ", ".join(dict.fromkeys(name for name, _ in unknown))
        details = [f"{name} ({place}){_suggest(name, known)}" for name, place in unknown]
        return failed(check, f"Backtrace does not know {names}", ADD_ATTRIBUTE, details)

    def _read_attributes(self) -> frozenset[str]:
        if self._attributes is None:
            self._attributes = self._client.ask(lambda backtrace: backtrace.attributes(self._project))
        return self._attributes


def _suggest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _remedy(error: BacktraceJiraError, universe: str) -> str:
    match error:
        case CredentialRefused():
            return (
                "Make an API token with the capability query:post in Backtrace (project settings), then write it "
                f"with backtrace-jira configure --ask-secrets (universe {universe})."
            )
        case InvalidSettings():
            return "Correct the address of the universe, or its certificate."
        case Refused():
            return "Correct universe and project of the integration, or the address of the universe."
    return f"{explain_error(error)[1]} The address is in the section backtrace of the settings file."
