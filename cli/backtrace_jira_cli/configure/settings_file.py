"""The settings file: connections, Backtrace universes and integrations in one YAML document.

It is read whole, and every mistake is listed, before anything is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import Field, ValidationError

from backtrace_jira.settings.base import Settings
from backtrace_jira.settings.connection import BacktraceUniverse, Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.configure.variables import jira_variable, universe_variable
from backtrace_jira_cli.configure.yaml_reader import LARGEST_FILE, read_yaml
from backtrace_jira_cli.deployment.parameter_text import LARGEST_VALUE, parameter_text, size_of
from backtrace_jira_cli.faults import Fault, Path, faults_from, line_of, where_of


class SettingsFile(Settings):
    """Everything that `backtrace-jira configure` writes for one stage, except the secrets."""

    connections: tuple[Connection, ...] = Field(
        default=(), description="Jira sites and the accounts used there."
    )
    backtrace: tuple[BacktraceUniverse, ...] = Field(default=(), description="Backtrace universes.")
    integrations: tuple[Integration, ...] = Field(
        default=(), description="Which Backtrace project makes tickets in which Jira project, and how."
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """A connection or universe that an integration names and the file does not hold."""

    fault: Fault
    connection: str = ""
    universe: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A settings file as it was read. `settings` is None as long as there are faults."""

    settings: SettingsFile | None
    faults: tuple[Fault, ...] = ()
    references: tuple[Reference, ...] = ()


def read_start(file: FilePath) -> bytes:
    """Return a file's bytes; of a file that is too large, one byte more than is allowed."""
    with file.open("rb") as opened:
        return opened.read(LARGEST_FILE + 1)


def read_settings(raw: bytes) -> Reading:
    """Read and check a settings file. Whether its `references` are stored is left to the caller."""
    document = read_yaml(raw)
    faults = list(document.faults)
    if document.data is None and not faults:
        faults.append(Fault("the file", "is empty; start from docs/settings.example.yaml"))
    if document.data is None:
        return Reading(None, tuple(faults))
    settings, invalid = _validate(document.data, document.lines)
    known = {fault.where for fault in faults}
    faults += [fault for fault in invalid if fault.where not in known]
    items = _Items(document.data, document.lines)
    faults += items.find_duplicates()
    faults += _find_too_large(settings, document.lines) if settings else []
    faults.sort(key=lambda fault: fault.line)
    return Reading(None if faults else settings, tuple(faults), tuple(items.find_references()))


def _validate(data: object, lines: Mapping[Path, int]) -> tuple[SettingsFile | None, list[Fault]]:
    try:
        return SettingsFile.model_validate(data), []
    except ValidationError as error:
        return None, faults_from(error, SettingsFile, lines)


def _find_too_large(settings: SettingsFile, lines: Mapping[Path, int]) -> Iterator[Fault]:
    for section in SettingsFile.model_fields:
        for place, item in enumerate(getattr(settings, section)):
            size = size_of(parameter_text(item))
            if size > LARGEST_VALUE:
                path = (section, place)
                expected = f"takes {size:,} bytes, and a parameter holds {LARGEST_VALUE:,}; shorten its texts"
                yield Fault(where_of(path), expected, line_of(path, lines))


class _Items:
    """Checks between items. They look at the raw data, so that one bad item does not hide another's fault."""

    def __init__(self, data: object, lines: Mapping[Path, int]) -> None:
        self._data = data if isinstance(data, dict) else {}
        self._lines = lines

    def find_duplicates(self) -> Iterator[Fault]:
        """Find items that are in the file twice, and items whose secrets would be in the same variable."""
        yield from self._find_twice("connections", ("name",), _same_name)
        yield from self._find_twice("backtrace", ("universe",), _same_name)
        yield from self._find_twice("integrations", ("universe", "project", "name"), _same_name)
        yield from self._find_twice("connections", ("name",), jira_variable)
        yield from self._find_twice("backtrace", ("universe",), universe_variable)

    def find_references(self) -> Iterator[Reference]:
        """Find the connections and universes that integrations name and that are not in the file."""
        connections = {name for _, (name,) in self._texts("connections", ("name",))}
        universes = {name for _, (name,) in self._texts("backtrace", ("universe",))}
        for path, (name,) in self._texts("integrations", ("connection",)):
            if name not in connections:
                yield Reference(
                    self._unknown((*path, "connection"), "connection", "connections"), connection=name
                )
        for path, (name,) in self._texts("integrations", ("universe",)):
            if name not in universes:
                yield Reference(self._unknown((*path, "universe"), "universe", "backtrace"), universe=name)

    def _find_twice(
        self, section: str, keys: tuple[str, ...], identity: Callable[[str], str]
    ) -> Iterator[Fault]:
        first: dict[str, tuple[Path, tuple[str, ...]]] = {}
        for path, texts in self._texts(section, keys):
            earlier, same = first.setdefault(identity("/".join(texts)), (path, texts))
            # Equal names are one fault: the variable that they share is not reported as well.
            if earlier == path or (identity is not _same_name and texts == same):
                continue
            place = f"{where_of(earlier)} (line {line_of(earlier, self._lines)})"
            if identity is _same_name:
                expected = f"has the {' and '.join(keys)} of {place}; give it another, or remove one"
            else:
                expected = f"would have its secret in the same environment variable as {place}; rename one"
            where = (*path, keys[-1])
            yield Fault(where_of(where), expected, line_of(where, self._lines))

    def _unknown(self, path: Path, kind: str, section: str) -> Fault:
        expected = f"names a {kind} that is neither in this file nor stored; add it to {section}"
        return Fault(where_of(path), expected, line_of(path, self._lines))

    def _texts(self, section: str, keys: tuple[str, ...]) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """Yield the items of a section that have a text for each key."""
        items = self._data.get(section)
        for place, item in enumerate(items if isinstance(items, list) else []):
            texts = [item.get(key) for key in keys] if isinstance(item, dict) else []
            named = tuple(text.strip() for text in texts if isinstance(text, str) and text.strip())
            if len(named) == len(keys):
                yield (section, place), named


def _same_name(name: str) -> str:
    return name
