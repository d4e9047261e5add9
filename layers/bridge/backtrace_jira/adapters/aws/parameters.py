"""Settings from SSM Parameter Store, and the clients that are made from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import SecretStr, ValidationError

from backtrace_jira.adapters.aws.cached_parameters import CachedParameters
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.settings.base import Settings, describe_faults
from backtrace_jira.settings.connection import BacktraceUniverse, Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

S = TypeVar("S", bound=Settings)
C = TypeVar("C")
J = TypeVar("J")
B = TypeVar("B")


class SSMConfiguration(Generic[J, B]):
    """The `Configuration` ports of both rooms: they differ in the clients that the two given functions make.

    A client is kept until its settings or its secret change.
    """

    def __init__(
        self,
        client: SSMClient,
        names: ParameterNames,
        *,
        max_age: int,
        new_jira: Callable[[Connection, SecretStr], J],
        new_backtrace: Callable[[BacktraceUniverse, SecretStr], B],
    ) -> None:
        """Take `max_age` in seconds, and two functions that make a client from its settings and secret."""
        self._parameters = CachedParameters(client, max_age=max_age)
        self._names = names
        self._new_jira = new_jira
        self._new_backtrace = new_backtrace
        self._kept: dict[str, tuple[object, object]] = {}

    def integrations(self, universe: str, project: str) -> Sequence[Integration]:
        """Return the project's integrations, sorted by name."""
        path = self._names.integrations(universe, project)
        found = sorted(self._integrations().items())
        parsed = [
            self._parse(Integration, name, text) for name, text in found if name.rpartition("/")[0] == path
        ]
        for integration in parsed:
            self._ensure_in_place(integration, f"{path}/{integration.name}")
        return parsed

    def integration(self, integration_id: str) -> Integration | None:
        """Return the integration of this id (universe/project/name), if it is still configured.

        Another one of the project that cannot be read does not matter.
        """
        universe, project, name = integration_id.split("/", 2)
        parameter = f"{self._names.integrations(universe, project)}/{name}"
        text = self._integrations().get(parameter)
        if text is None:
            return None
        integration = self._parse(Integration, parameter, text)
        self._ensure_in_place(integration, parameter)
        return integration

    @staticmethod
    def _ensure_in_place(integration: Integration, parameter: str) -> None:
        universe, project = parameter.split("/")[-3:-1]
        if (integration.universe, integration.project) != (universe, project):
            raise InvalidSettings(f"{parameter}: universe and project must be those of its path")

    def all_integrations(self) -> tuple[Sequence[Integration], Sequence[InvalidSettings]]:
        """Return all valid integrations, sorted by id, and an error for each invalid one."""
        parsed: list[Integration] = []
        faults: list[InvalidSettings] = []
        for name, text in self._integrations().items():
            try:
                parsed.append(self._parse(Integration, name, text))
            except InvalidSettings as fault:
                faults.append(fault)
        return sorted(parsed, key=lambda integration: integration.id), faults

    def jira(self, integration: Integration) -> J:
        """Return the client that `new_jira` made for the integration's connection."""
        connection = self._read(Connection, self._names.connection(integration.connection))
        secret = self._secret(self._names.jira_secret(integration.connection))
        return self._keep(
            f"jira {connection.name}", (connection, secret), lambda: self._new_jira(connection, secret)
        )

    def backtrace(self, universe: str) -> B:
        """Return the client that `new_backtrace` made for the universe."""
        settings = self._read(BacktraceUniverse, self._names.universe(universe))
        token = self._secret(self._names.backtrace_secret(universe))
        return self._keep(
            f"backtrace {universe}", (settings, token), lambda: self._new_backtrace(settings, token)
        )

    def read_ahead(self) -> None:
        """Read all that an event may ask for, each once, and make the clients. What is missing is left to the event.

        Raises:
            InvalidSettings: the function may not read the integrations.
            Unreachable: SSM did not answer. Nothing further was asked of it.
        """
        found, _ = self.all_integrations()
        for integration in {each.connection: each for each in found}.values():
            with suppress(InvalidSettings):
                self.jira(integration)
        for universe in dict.fromkeys(each.universe for each in found):
            with suppress(InvalidSettings):
                self.backtrace(universe)

    def _integrations(self) -> Mapping[str, str]:
        # One listing for all projects: read ahead of the first event, it answers for whichever project that is of.
        return self._parameters.read_below(self._names.all_integrations)

    def _keep(self, name: str, made_of: object, make: Callable[[], C]) -> C:
        """Return what was made under this name, unless it was made of something else."""
        kept = self._kept.get(name)
        if kept is None or kept[0] != made_of:
            kept = self._kept[name] = (made_of, make())
        return kept[1]  # type: ignore[return-value]

    def _parse(self, model: type[S], name: str, text: str) -> S:
        return self._keep(name, text, lambda: parse(model, name, text))

    def _read(self, model: type[S], name: str) -> S:
        return self._parse(model, name, self._get(name))

    def _secret(self, name: str) -> SecretStr:
        secret = self._get(name, decrypt=True).strip()
        if not secret.isprintable():  # a line break in a header raises an error whose text holds the header
            raise InvalidSettings(f"{name}: the secret holds control characters; write it again")
        return SecretStr(secret)

    def _get(self, name: str, *, decrypt: bool = False) -> str:
        value = self._parameters.read_value(name, decrypt=decrypt)
        if not value:
            raise InvalidSettings(f"{name}: the parameter is empty; write it with backtrace-jira configure")
        return value


def parse(model: type[S], name: str, text: str) -> S:
    """Read one parameter.

    Raises:
        InvalidSettings: the text names the parameter and what is expected, never the value.
    """
    try:
        return model.model_validate(json.loads(text))
    except ValidationError as error:
        raise InvalidSettings(f"{name}: {describe_faults(error)}") from None
    except ValueError:
        raise InvalidSettings(f"{name}: is not JSON; write it with backtrace-jira configure") from None
