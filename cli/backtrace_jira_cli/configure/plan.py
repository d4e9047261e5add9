"""The changes that a settings file makes in the store, and their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.configure.secret_sources import FoundSecret, Origin
from backtrace_jira_cli.configure.settings_file import SettingsFile
from backtrace_jira_cli.deployment.parameter_store import Stored
from backtrace_jira_cli.deployment.parameter_text import STANDARD_VALUE, parameter_text, size_of
from backtrace_jira_cli.faults import Fault


class Kind(StrEnum):
    """The content of a parameter, in the order of writing: a connection comes before integrations that name it."""

    SECRET = "secret"  # noqa: S105 - a kind, not a secret
    CONNECTION = "connection"
    UNIVERSE = "backtrace"
    INTEGRATION = "integration"


class Effect(StrEnum):
    """The change of a parameter. The operator reads the values in a table."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """A stored secret that this run does not replace."""
    NOT_IN_FILE = "not in this file"
    """Stored, and left as it is."""
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter, and what the run does to it. A repr does not show the value."""

    parameter: str
    kind: Kind
    effect: Effect
    value: SecretStr | None = None
    note: str = ""

    @property
    def writes(self) -> bool:
        """Whether the run writes the parameter."""
        return self.effect in (Effect.NEW, Effect.CHANGED)


def list_parameters(settings: SettingsFile, names: ParameterNames) -> Iterator[tuple[str, Kind, str]]:
    """Yield name, kind and text of every parameter of a file, without the secrets."""
    for connection in settings.connections:
        yield names.connection(connection.name), Kind.CONNECTION, parameter_text(connection)
    for universe in settings.backtrace:
        yield names.universe(universe.universe), Kind.UNIVERSE, parameter_text(universe)
    for integration in settings.integrations:
        yield names.integration(integration), Kind.INTEGRATION, parameter_text(integration)


def plan_changes(
    settings: SettingsFile,
    secrets: Sequence[tuple[FoundSecret, Effect]],
    stored: Mapping[str, Stored],
    names: ParameterNames,
    *,
    prune: bool,
) -> list[Change]:
    """Return every parameter that is in the file or stored.

    Writes come in the order of `Kind`, deletions after them and in the opposite order, so that no function
    ever finds an integration whose connection or secret is missing. Deleting last also means that a run
    that is cut off leaves the old settings at work.
    """
    changes = [_plan_secret(secret, effect) for secret, effect in secrets]
    changes += [_plan_setting(*one, stored) for one in list_parameters(settings, names)]
    return changes + _find_not_in_file(
        settings, {change.parameter for change in changes}, stored, names, prune
    )


def find_type_mismatches(changes: Sequence[Change], stored: Mapping[str, Stored]) -> list[Fault]:
    """Find parameters that are stored as the other type: SSM does not change a parameter's type.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    (HierarchyTypeMismatchException)
    """
    return [
        Fault(
            change.parameter,
            f"is stored as {'SecureString' if stored[change.parameter].secure else 'String'}, and has to be "
            f"{'SecureString' if change.kind is Kind.SECRET else 'String'}: delete the parameter, then try again",
        )
        for change in changes
        if change.effect not in (Effect.NOT_IN_FILE, Effect.DELETED)
        and change.parameter in stored
        and stored[change.parameter].secure is not (change.kind is Kind.SECRET)
    ]


def kind_of(parameter: str, names: ParameterNames) -> Kind | None:
    """Return what a stored parameter holds; None: this command does not write such a parameter."""
    roots = {
        names.connection(""): Kind.CONNECTION,
        names.universe(""): Kind.UNIVERSE,
        names.integrations("", "").rstrip("/") + "/": Kind.INTEGRATION,
        names.jira_secret(""): Kind.SECRET,
        names.backtrace_secret(""): Kind.SECRET,
    }
    return next((kind for root, kind in roots.items() if parameter.startswith(root)), None)


def _plan_secret(secret: FoundSecret, effect: Effect) -> Change:
    notes = {
        Origin.ENVIRONMENT: f"from {secret.needed.variable}",
        Origin.TYPED: "as typed",
        Origin.NOT_YET: f"asked for, or from {secret.needed.variable}",
        Origin.STORED: "",
    }
    return Change(secret.needed.parameter, Kind.SECRET, effect, secret.value, notes[secret.origin])


def _plan_setting(parameter: str, kind: Kind, text: str, stored: Mapping[str, Stored]) -> Change:
    if parameter not in stored:
        effect = Effect.NEW
    else:
        effect = Effect.UNCHANGED if stored[parameter].text == text else Effect.CHANGED
    note = "advanced tier: AWS charges for it" if size_of(text) > STANDARD_VALUE else ""
    return Change(parameter, kind, effect, SecretStr(text), note)


def _find_not_in_file(
    settings: SettingsFile,
    known: set[str],
    stored: Mapping[str, Stored],
    names: ParameterNames,
    prune: bool,
) -> list[Change]:
    """Return a change for each stored parameter that the file lacks. One that an integration names is kept."""
    in_use = {
        name
        for one in settings.integrations
        for name in (
            names.connection(one.connection),
            names.jira_secret(one.connection),
            names.universe(one.universe),
            names.backtrace_secret(one.universe),
        )
    }
    changes = []
    for parameter in sorted(stored.keys() - known):
        kind = kind_of(parameter, names)
        if kind:
            goes = prune and parameter not in in_use
            note = "in use" if parameter in in_use else ""
            changes.append(Change(parameter, kind, Effect.DELETED if goes else Effect.NOT_IN_FILE, note=note))
    order = list(Kind)
    return sorted(changes, key=lambda change: order.index(change.kind), reverse=True)
