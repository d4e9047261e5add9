"""One run of `backtrace-jira configure`: it writes to Parameter Store what a settings file says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from backtrace_jira.settings.connection import CredentialKind
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.configure.plan import Change, Effect, Kind, find_type_mismatches, plan_changes
from backtrace_jira_cli.configure.secret_sources import (
    FoundSecret,
    Origin,
    ask_for_secret,
    describe_missing,
    find_secrets,
    secrets_needed,
)
from backtrace_jira_cli.configure.settings_file import Reference, SettingsFile, read_settings
from backtrace_jira_cli.console import Console, count_of
from backtrace_jira_cli.deployment.parameter_store import ParameterStore, Stored
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.faults import Fault

NOT_VALID = "The settings file is not valid; nothing was written."
AGAIN = "Running the same command again is safe: it writes only what is missing."


@dataclass(frozen=True, slots=True)
class Options:
    """The options that the operator gave."""

    dry_run: bool = False
    yes: bool = False
    ask_secrets: bool = False
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Preparation:
    """Everything that is about to be written, and what is stored before that."""

    settings: SettingsFile
    secrets: tuple[FoundSecret, ...]
    changes: tuple[Change, ...]
    store: ParameterStore
    stored: Mapping[str, Stored]


Check: TypeAlias = Callable[[Preparation], Sequence[Fault]]
"""Checks what is about to be written. If it returns a fault or raises a Stop, nothing is written."""


class Leftovers(Protocol):
    """What the settings of before have left elsewhere, and nobody would look at again."""

    def find(self, preparation: Preparation) -> None:
        """Look for it, and say so."""
        ...

    def ask(self) -> None:
        """Ask what becomes of it."""
        ...

    def carry_out(self, preparation: Preparation) -> None:
        """Do that."""
        ...


class ConfigureRun:
    """One run of `backtrace-jira configure`."""

    def __init__(
        self,
        open_store: Callable[[], ParameterStore],
        names: ParameterNames,
        console: Console,
        env: Mapping[str, str],
        options: Options,
        *,
        before_writing: Sequence[Check] = (),
        leftovers: Leftovers | None = None,
    ) -> None:
        """Take a function that opens the store: mistakes in the file are listed even without an AWS account."""
        self._open_store = open_store
        self._names = names
        self._console = console
        self._env = env
        self._options = options
        self._before_writing = before_writing
        self._leftovers = leftovers
        self._rows: list[dict[str, Any]] = []
        self._notes: list[str] = []

    def run(self, raw: bytes) -> None:
        """Validate, show, ask, write.

        Raises:
            Stop: the file is not valid, a check failed, AWS refused, or the operator said no.
        """
        self._console.report |= {
            "prefix": self._names.prefix,
            "region": None,
            "dry_run": self._options.dry_run,
            "changes": self._rows,
            "notes": self._notes,
        }
        settings, store, stored = self._read_valid(raw)
        preparation = self._prepare(settings, store, stored)
        self._show(preparation, store)
        self._run_checks(preparation)
        writing = [c for c in preparation.changes if c.writes or c.effect is Effect.DELETED]
        if not writing:
            self._console.say("Everything is stored as the file says; nothing to write.")
            return
        if self._leftovers:
            self._leftovers.find(preparation)
        if self._options.dry_run:
            self._console.say("A dry run: nothing was written.")
            return
        if self._leftovers:
            self._leftovers.ask()
        self._confirm(writing)
        if self._leftovers:
            # Before the settings: a run that fails here is repeated, and the settings still say what is to be done.
            self._leftovers.carry_out(preparation)
        self._write(writing, store)

    def _read_valid(self, raw: bytes) -> tuple[SettingsFile, ParameterStore, Mapping[str, Stored]]:
        reading = read_settings(raw)
        if reading.settings is None:
            faults = [*reading.faults, *self._try_to_find_unstored(reading.references)]
            raise wrong_usage(NOT_VALID, faults=sorted(faults, key=lambda fault: fault.line))
        store, stored = self._read_stored()
        unknown = self._find_unstored(reading.references, stored)
        if unknown:
            raise wrong_usage(NOT_VALID, faults=unknown)
        return reading.settings, store, stored

    def _read_stored(self) -> tuple[ParameterStore, Mapping[str, Stored]]:
        store = self._open_store()
        self._console.report["region"] = store.region
        stored = store.read(self._names.prefix)
        ours = self._names.deployment("")
        return store, {name: found for name, found in stored.items() if not name.startswith(ours)}

    def _try_to_find_unstored(self, references: Sequence[Reference]) -> list[Fault]:
        """Find faults that only the store can show. If AWS refuses, the operator still sees the other faults."""
        try:
            return self._find_unstored(references, self._read_stored()[1]) if references else []
        except Stop:
            return []

    def _find_unstored(self, references: Sequence[Reference], stored: Mapping[str, Stored]) -> list[Fault]:
        return [
            reference.fault
            for reference in references
            if (reference.connection and self._names.connection(reference.connection) not in stored)
            or (reference.universe and self._names.universe(reference.universe) not in stored)
        ]

    def _prepare(
        self, settings: SettingsFile, store: ParameterStore, stored: Mapping[str, Stored]
    ) -> Preparation:
        secrets = self._find_secrets(settings, stored)
        effects = [(secret, _effect_of(secret, store, stored)) for secret in secrets]
        changes = plan_changes(settings, effects, stored, self._names, prune=self._options.prune)
        wrong_type = find_type_mismatches(changes, stored)
        if wrong_type:
            raise Stop("SSM does not change the type of a parameter; nothing was written.", faults=wrong_type)
        return Preparation(settings, tuple(secrets), tuple(changes), store, stored)

    def _find_secrets(self, settings: SettingsFile, stored: Mapping[str, Stored]) -> list[FoundSecret]:
        needed = list(secrets_needed(settings, self._names))
        found = find_secrets(needed, self._env, stored.keys(), ask_again=self._options.ask_secrets)
        if self._options.dry_run or all(one.origin is not Origin.NOT_YET for one in found):
            return found
        if not self._console.can_ask:
            raise describe_missing(found)
        return [ask_for_secret(one, self._console.ask_secret, self._console.warn) for one in found]

    def _show(self, preparation: Preparation, store: ParameterStore) -> None:
        self._rows += [_row(change) for change in preparation.changes]
        self._console.say(f"Settings below {self._names.prefix} in {store.region}:")
        self._console.show_table(
            ("parameter", "change", "kind", "note"),
            [
                (
                    change.parameter.removeprefix(f"{self._names.prefix}/"),
                    change.effect,
                    change.kind,
                    change.note,
                )
                for change in preparation.changes
            ],
        )
        self._notes += _notes(preparation)
        for note in self._notes:
            self._console.warn(note)

    def _run_checks(self, preparation: Preparation) -> None:
        faults = [fault for check in self._before_writing for fault in check(preparation)]
        if faults:
            raise Stop("The settings did not pass their checks; nothing was written.", faults=faults)

    def _confirm(self, writing: Sequence[Change]) -> None:
        if self._options.yes:
            return
        if not self._console.can_ask:
            raise wrong_usage(
                "Nothing was written: there is no terminal to ask at. Add --yes to write, or --dry-run to look."
            )
        deletions = sum(change.effect is Effect.DELETED for change in writing)
        question = f"Write {len(writing) - deletions} parameters"
        if deletions:
            question += f" and DELETE {deletions} (the table shows which, secrets included)"
        if not self._console.confirm(f"{question}?"):
            raise Stop("Nothing was written.")

    def _write(self, writing: Sequence[Change], store: ParameterStore) -> None:
        done: list[str] = []
        try:
            for change in writing:
                _apply(change, store)
                done.append(change.parameter)
        except (Stop, KeyboardInterrupt) as error:
            reason = str(error) or "Interrupted."
            what = f"Done before that: {', '.join(done)}" if done else "Nothing was written before that"
            raise Stop(f"{reason} {what}. {AGAIN}") from None
        finally:
            for row in self._rows:
                row["done"] = row["parameter"] in done
        self._console.say(
            f"Done: {count_of(len(done), 'parameter')}. Running functions keep their copy of the settings for a while "
            "(SettingsMaxAgeInSeconds, 5 minutes unless set otherwise), then read the new ones.",
            "green",
        )


def _effect_of(secret: FoundSecret, store: ParameterStore, stored: Mapping[str, Stored]) -> Effect:
    name = secret.needed.parameter
    if name not in stored:
        return Effect.NEW
    if secret.origin is Origin.STORED:
        return Effect.KEPT
    same = secret.value is not None and store.holds(name, secret.value)
    return Effect.UNCHANGED if same else Effect.CHANGED


def _apply(change: Change, store: ParameterStore) -> None:
    if change.effect is Effect.DELETED:
        store.delete(change.parameter)
    elif change.value is not None:
        store.put(change.parameter, change.value, secure=change.kind is Kind.SECRET)


def _row(change: Change) -> dict[str, Any]:
    return {
        "parameter": change.parameter,
        "kind": str(change.kind),
        "change": str(change.effect),
        "note": change.note,
        "done": False,
    }


def _notes(preparation: Preparation) -> list[str]:
    notes = [
        f"Connection {connection.name} uses a password. Jira has deprecated that: make an API token instead."
        for connection in preparation.settings.connections
        if connection.credential is CredentialKind.PASSWORD
    ]
    left = sum(
        change.effect is Effect.NOT_IN_FILE and change.note != "in use" for change in preparation.changes
    )
    if left:
        notes.append(f"{left} stored parameters are not in this file and stay; --prune deletes them.")
    return notes
