"""The sources of secrets: an environment variable, the store, or the operator's keyboard.

The settings file and the command line are none, because others could read a secret there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from backtrace_jira.settings.connection import CredentialKind
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.configure.settings_file import SettingsFile
from backtrace_jira_cli.configure.variables import jira_variable, universe_variable
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.faults import Fault

LONGEST_SECRET = 4096
ATTEMPTS = 3

KIND_IN_WORDS = {
    CredentialKind.API_TOKEN: "API token",
    CredentialKind.PASSWORD: "password",
    CredentialKind.PERSONAL_ACCESS_TOKEN: "personal access token",
}


class Origin(StrEnum):
    """The source of a secret."""

    ENVIRONMENT = "environment"
    STORED = "stored"
    TYPED = "typed"
    NOT_YET = "not yet"
    """A dry run asks for nothing."""


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """A secret that the settings need."""

    parameter: str
    variable: str
    title: str
    may_have_blanks: bool = False
    """Passwords may hold anything printable; tokens are one word of ASCII."""


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A needed secret and its origin. `value` is None if the stored secret stays, or if none is known yet."""

    needed: NeededSecret
    origin: Origin
    value: SecretStr | None = None


def secrets_needed(settings: SettingsFile, names: ParameterNames) -> Iterator[NeededSecret]:
    """Yield one secret for each connection and each universe."""
    for connection in settings.connections:
        yield NeededSecret(
            names.jira_secret(connection.name),
            jira_variable(connection.name),
            f"{KIND_IN_WORDS[connection.credential]} of Jira connection {connection.name}",
            may_have_blanks=connection.credential is CredentialKind.PASSWORD,
        )
    for universe in settings.backtrace:
        yield NeededSecret(
            names.backtrace_secret(universe.universe),
            universe_variable(universe.universe),
            f"Backtrace token of universe {universe.universe}",
        )


def parse_secret(text: str, needed: NeededSecret) -> SecretStr:
    """Return the secret without the blanks and line ends around it.

    Raises:
        ValueError: says what is wrong with it; the secret is not repeated.
    """
    secret = text.strip()
    if not secret:
        raise ValueError("is empty")
    if len(secret.encode(errors="replace")) > LONGEST_SECRET:
        raise ValueError(f"is longer than {LONGEST_SECRET:,} bytes; that is no token")
    if not secret.isprintable():
        raise ValueError("holds a line end or another character that does not print; copy it again")
    if not needed.may_have_blanks and (not secret.isascii() or " " in secret):
        raise ValueError(
            "holds a blank, or a character that no token has; copy it again, without anything around it"
        )
    if "{{" in secret:
        raise ValueError("holds {{, which Parameter Store does not accept; make another one")
    return SecretStr(secret)


def find_secrets(
    needed: Sequence[NeededSecret], env: Mapping[str, str], stored: Collection[str], *, ask_again: bool
) -> list[FoundSecret]:
    """Find each secret in its variable, or else in the store. Those that are in neither have the origin NOT_YET.

    Raises:
        Stop: a variable holds something that cannot be a secret.
    """
    found, faults = [], []
    for one in needed:
        if one.variable in env:
            try:
                found.append(FoundSecret(one, Origin.ENVIRONMENT, parse_secret(env[one.variable], one)))
            except ValueError as error:
                faults.append(Fault(one.variable, str(error)))
        elif one.parameter in stored and not ask_again:
            found.append(FoundSecret(one, Origin.STORED))
        else:
            found.append(FoundSecret(one, Origin.NOT_YET))
    if faults:
        raise wrong_usage(
            "These environment variables cannot be secrets; nothing was written.", faults=faults
        )
    return found


def describe_missing(secrets: Sequence[FoundSecret]) -> Stop:
    """Return the stop of a run without a terminal. It lists the variables that have to be set."""
    faults = [
        Fault(one.needed.variable, f"has to be set: {one.needed.title}")
        for one in secrets
        if one.origin is Origin.NOT_YET
    ]
    return wrong_usage(
        "Nothing was written: secrets are missing, and there is no terminal to ask at.", faults=faults
    )


def ask_for_secret(
    secret: FoundSecret, ask: Callable[[str], str], warn: Callable[[str], None]
) -> FoundSecret:
    """Ask for a secret that was not found, a few times if need be."""
    if secret.origin is not Origin.NOT_YET:
        return secret
    for _ in range(ATTEMPTS):
        try:
            return FoundSecret(
                secret.needed, Origin.TYPED, parse_secret(ask(secret.needed.title), secret.needed)
            )
        except ValueError as error:
            warn(f"The secret that you typed {error}.")
    raise Stop(f"Nothing was written: you typed no usable {secret.needed.title}.")
