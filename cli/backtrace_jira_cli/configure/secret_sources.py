"""Where each secret comes from: an environment variable, the store, or the operator's keyboard.

Never from the settings file and never from the command line, where others could read it.
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
    """Where a secret was found."""

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
    """A needed secret and its origin. `value` is None where it stays as it is stored, or is not known yet."""

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
            "holds a blank, or a character that no token has; copy it again, and nothing around it"
        )
    if "{{" in secret:
        raise ValueError("holds {{, which Parameter Store does not accept; make another one")
    return SecretStr(secret)


def find_secrets(
    needed: Sequence[NeededSecret], env: Mapping[str, str], stored: Collection[str], *, ask_again: bool
) -> list[FoundSecret]:
    """Find what needs no asking; the rest is NOT_YET. A variable comes before what is stored.

    Raises:
        Stop: a variable holds something that cannot be a secret.
    """
    given, faults = [], []
    for one in needed:
        if one.variable in env:
            try:
                given.append(FoundSecret(one, Origin.ENVIRONMENT, parse_secret(env[one.variable], one)))
            except ValueError as error:
                faults.append(Fault(one.variable, str(error)))
        elif one.parameter in stored and not ask_again:
            given.append(FoundSecret(one, Origin.STORED))
        else:
            given.append(FoundSecret(one, Origin.NOT_YET))
    if faults:
        raise wrong_usage(
            "These environment variables cannot be secrets; nothing was written.", faults=faults
        )
    return given


def describe_missing(given: Sequence[FoundSecret]) -> Stop:
    """Return what to say where nobody can be asked."""
    faults = [
        Fault(one.needed.variable, f"has to be set: {one.needed.title}")
        for one in given
        if one.origin is Origin.NOT_YET
    ]
    return wrong_usage(
        "Secrets are missing, and this is no terminal to ask for them; nothing was written.", faults=faults
    )


def ask_for_secret(given: FoundSecret, ask: Callable[[str], str], tell: Callable[[str], None]) -> FoundSecret:
    """Ask for a secret that was not found, a few times if need be."""
    if given.origin is not Origin.NOT_YET:
        return given
    for _ in range(ATTEMPTS):
        try:
            return FoundSecret(
                given.needed, Origin.TYPED, parse_secret(ask(given.needed.title), given.needed)
            )
        except ValueError as error:
            tell(f"What was typed {error}.")
    raise Stop(f"No usable {given.needed.title}; nothing was written.")
