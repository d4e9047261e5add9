"""The settings and secrets of a deployment: those that are stored, or those that a run is about to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import SecretStr, ValidationError

from backtrace_jira.adapters.aws.parameters import parse
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.settings.base import Settings
from backtrace_jira.settings.connection import BacktraceUniverse, Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.deployment.parameter_store import Stored
from backtrace_jira_cli.exits import wrong_usage

S = TypeVar("S", bound=Settings)

WRITE_IT = "Write it with backtrace-jira configure."
WRITE_SECRET = "Write it with backtrace-jira configure --ask-secrets."  # noqa: S105 - a sentence


class Unusable(Exception):
    """A parameter is missing or not valid. The message says which, `remedy` what to do."""

    def __init__(self, found: str, remedy: str = WRITE_IT) -> None:
        super().__init__(found)
        self.remedy = remedy


class NotKnownYet(Exception):
    """The secret is not known: a dry run asks for none, or these AWS credentials may not read it."""


@dataclass(frozen=True, slots=True)
class IntegrationPath:
    """Where an integration is stored; its id is universe/project/name."""

    universe: str
    project: str
    name: str

    @property
    def id(self) -> str:
        """Return the id that commands and logs use."""
        return f"{self.universe}/{self.project}/{self.name}"


class StoredSettings:
    """Reads and validates parameters by name. A secret that is about to be written comes before the stored one."""

    def __init__(
        self,
        names: ParameterNames,
        stored: Mapping[str, Stored],
        read_secret: Callable[[str], SecretStr | None],
        new_secrets: Mapping[str, SecretStr | None] | None = None,
    ) -> None:
        """Take the secrets that this run is about to write, by parameter. None: nobody has typed the secret yet."""
        self._names = names
        self._stored = stored
        self._read_secret = read_secret
        self._new_secrets = new_secrets or {}
        self._handed_out_secrets: set[str] = set()

    def hide_secrets(self, text: str) -> str:
        """Replace every secret that was handed out by ***: a server may repeat what it was sent."""
        for secret in self._handed_out_secrets:
            text = text.replace(secret, "***")
        return text

    def find_integrations(self) -> Iterator[IntegrationPath]:
        """Find the paths of all integrations, valid or not."""
        root = f"{self._names.prefix}/integrations/"
        for parameter in sorted(self._stored):
            parts = parameter.removeprefix(root).split("/")
            if parameter.startswith(root) and len(parts) == 3:
                yield IntegrationPath(*parts)

    def read_integration(self, path: IntegrationPath) -> Integration:
        """Return an integration's settings.

        Raises:
            Unusable: they are missing or not valid.
        """
        parameter = f"{self._names.integrations(path.universe, path.project)}/{path.name}"
        found = self._parse(Integration, parameter)
        if found.id != path.id:
            raise Unusable(f"{parameter}: universe, project and name must be those of its path")
        return found

    def read_connection(self, name: str) -> Connection:
        """Return a connection's settings.

        Raises:
            Unusable: they are missing or not valid.
        """
        return self._parse(Connection, self._names.connection(name))

    def read_universe(self, name: str) -> BacktraceUniverse:
        """Return a universe's settings.

        Raises:
            Unusable: they are missing or not valid.
        """
        return self._parse(BacktraceUniverse, self._names.universe(name))

    def read_jira_secret(self, connection: str) -> SecretStr:
        """Return the secret of a Jira connection.

        Raises:
            Unusable: it is missing or cannot be a secret.
            NotKnownYet: nobody has typed it yet, or it may not be read.
        """
        return self._hand_out(self._names.jira_secret(connection))

    def read_backtrace_secret(self, universe: str) -> SecretStr:
        """Return the token of a Backtrace universe.

        Raises:
            Unusable: it is missing or cannot be a token.
            NotKnownYet: nobody has typed it yet, or it may not be read.
        """
        return self._hand_out(self._names.backtrace_secret(universe))

    def _parse(self, model: type[S], parameter: str) -> S:
        stored = self._stored.get(parameter)
        if stored is None:
            raise Unusable(f"{parameter}: the parameter is missing")
        if stored.secure:
            raise Unusable(
                f"{parameter}: it is a SecureString, and has to be a String", f"Delete it. {WRITE_IT}"
            )
        try:
            return parse(model, parameter, stored.text)
        except InvalidSettings as error:
            raise Unusable(str(error)) from None

    def _hand_out(self, parameter: str) -> SecretStr:
        secret = self._find_secret(parameter)
        self._handed_out_secrets.add(secret.get_secret_value())
        return secret

    def _find_secret(self, parameter: str) -> SecretStr:
        if parameter in self._new_secrets:
            new = self._new_secrets[parameter]
            if new is None:
                raise NotKnownYet(f"{parameter}: the secret is not known yet")
            return new
        found = self._read_secret(parameter) if parameter in self._stored else None
        if found is None:
            raise Unusable(f"{parameter}: the secret is missing", WRITE_SECRET)
        secret = SecretStr(found.get_secret_value().strip())
        if not secret or not secret.get_secret_value().isprintable():
            raise Unusable(f"{parameter}: the secret is empty or holds a line end", WRITE_SECRET)
        return secret


def valid_integrations(stored: Mapping[str, Stored], names: ParameterNames) -> dict[str, Integration]:
    """Return the stored integrations by id. Invalid ones are left out: `check` reports them."""
    found = {}
    for name in sorted(stored):
        if name.startswith(f"{names.prefix}/integrations/"):
            try:
                settings = Integration.model_validate(json.loads(stored[name].text))
            except (ValidationError, ValueError):
                continue
            found[settings.id] = settings
    return found


def choose_integrations(name: str | None, integrations: Iterable[str]) -> list[str]:
    """Return the ids of the integrations with this id or name; without a name, all ids.

    Raises:
        Stop: no integration has the name.
    """
    known = [each for each in integrations if name in (None, each, each.rpartition("/")[2])]
    if name is not None and not known:
        raise wrong_usage(f"No integration is called {name}. Stored: {', '.join(integrations) or 'none'}.")
    return known
