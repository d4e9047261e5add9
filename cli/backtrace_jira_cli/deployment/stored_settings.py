"""The settings under check: as they are stored, or as they are about to be."""

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
    """A parameter that is missing or not valid."""

    def __init__(self, found: str, remedy: str = WRITE_IT) -> None:
        super().__init__(found)
        self.remedy = remedy


class NotKnownYet(Exception):
    """A secret that nobody has given yet, as in a dry run, or that may not be read."""


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
    """Parameters by name, and how a secret is read. Secrets that are about to be written come first."""

    def __init__(
        self,
        names: ParameterNames,
        stored: Mapping[str, Stored],
        read_secret: Callable[[str], SecretStr | None],
        given: Mapping[str, SecretStr | None] | None = None,
    ) -> None:
        """Take `given` by parameter; None there stands for a secret that is not known yet."""
        self._names = names
        self._stored = stored
        self._read_secret = read_secret
        self._given = given or {}
        self._shown: set[str] = set()

    def without_secrets(self, text: str) -> str:
        """Take out every secret that was handed out: a server may repeat in its answer what it was sent."""
        for secret in self._shown:
            text = text.replace(secret, "***")
        return text

    def integrations(self) -> Iterator[IntegrationPath]:
        """Find the integrations, valid or not."""
        root = f"{self._names.prefix}/integrations/"
        for parameter in sorted(self._stored):
            parts = parameter.removeprefix(root).split("/")
            if parameter.startswith(root) and len(parts) == 3:
                yield IntegrationPath(*parts)

    def integration(self, path: IntegrationPath) -> Integration:
        """Return an integration's settings.

        Raises:
            Unusable: says how they are not valid.
        """
        parameter = f"{self._names.integrations(path.universe, path.project)}/{path.name}"
        found = self._parsed(Integration, parameter)
        if found.id != path.id:
            raise Unusable(f"{parameter}: universe, project and name must be those of its path")
        return found

    def connection(self, name: str) -> Connection:
        """Return a connection's settings; raises Unusable."""
        return self._parsed(Connection, self._names.connection(name))

    def universe(self, name: str) -> BacktraceUniverse:
        """Return a universe's settings; raises Unusable."""
        return self._parsed(BacktraceUniverse, self._names.universe(name))

    def jira_secret(self, connection: str) -> SecretStr:
        """Return a connection's secret; raises Unusable, NotKnownYet."""
        return self._handed_out(self._names.jira_secret(connection))

    def backtrace_secret(self, universe: str) -> SecretStr:
        """Return a universe's token; raises Unusable, NotKnownYet."""
        return self._handed_out(self._names.backtrace_secret(universe))

    def _parsed(self, model: type[S], parameter: str) -> S:
        stored = self._stored.get(parameter)
        if stored is None:
            raise Unusable(f"{parameter}: the parameter is missing")
        if stored.secure:
            raise Unusable(
                f"{parameter}: is a SecureString, and has to be a String", f"Delete it. {WRITE_IT}"
            )
        try:
            return parse(model, parameter, stored.text)
        except InvalidSettings as error:
            raise Unusable(str(error)) from None

    def _handed_out(self, parameter: str) -> SecretStr:
        secret = self._secret(parameter)
        self._shown.add(secret.get_secret_value())
        return secret

    def _secret(self, parameter: str) -> SecretStr:
        if parameter in self._given:
            given = self._given[parameter]
            if given is None:
                raise NotKnownYet(f"{parameter}: the secret is not known yet")
            return given
        found = self._read_secret(parameter) if parameter in self._stored else None
        if found is None:
            raise Unusable(f"{parameter}: the secret is missing", WRITE_SECRET)
        secret = SecretStr(found.get_secret_value().strip())
        if not secret or not secret.get_secret_value().isprintable():
            raise Unusable(f"{parameter}: the secret is empty or holds a line end", WRITE_SECRET)
        return secret


def integrations_in(stored: Mapping[str, Stored], names: ParameterNames) -> dict[str, Integration]:
    """Return the stored integrations by id; what is not valid is `check`'s to report."""
    found = {}
    for name in sorted(stored):
        if name.startswith(f"{names.prefix}/integrations/"):
            try:
                settings = Integration.model_validate(json.loads(stored[name].text))
            except (ValidationError, ValueError):
                continue
            found[settings.id] = settings
    return found


def named_integrations(name: str | None, integrations: Iterable[str]) -> list[str]:
    """Return the ids of the integrations that are meant: those of this id or name, or all.

    Raises:
        Stop: there is none.
    """
    known = [each for each in integrations if name in (None, each, each.rpartition("/")[2])]
    if name is not None and not known:
        raise wrong_usage(
            f"There is no integration of that name; there are: {', '.join(integrations) or 'none'}."
        )
    return known
