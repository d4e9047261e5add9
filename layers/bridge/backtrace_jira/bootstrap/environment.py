"""The environment variables of each function. template.yaml sets them, and a test compares the two.

A field is a variable: `links_table` is LINKS_TABLE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar

from backtrace_jira.errors import InvalidSettings
from backtrace_jira.times import LINKS_PER_RUN, SEARCH_SETTLE, SETTINGS_MAX_AGE


@dataclass(frozen=True, kw_only=True)
class ReceiveWebhookEnvironment:
    """Variables of every function. The queue is `jira-changes`, to which every function sends."""

    settings_prefix: str
    settings_max_age_seconds: int = SETTINGS_MAX_AGE
    links_table: str
    jira_changes_queue_url: str


@dataclass(frozen=True, kw_only=True)
class CreateTicketEnvironment(ReceiveWebhookEnvironment):
    """What makes tickets."""

    stage: str
    error_events_queue_url: str
    dead_letters_url: str
    search_settle_seconds: float = SEARCH_SETTLE
    """Seconds that Jira's search may lag: before this, a look-up that finds nothing proves nothing."""


@dataclass(frozen=True, kw_only=True)
class PollBacktraceEnvironment(ReceiveWebhookEnvironment):
    """Synchronisation asks for new tickets through the queue of error events."""

    error_events_queue_url: str


@dataclass(frozen=True, kw_only=True)
class PollFixVersionsEnvironment(PollBacktraceEnvironment):
    """What goes the round through all links, too."""

    links_per_run: int = LINKS_PER_RUN


@dataclass(frozen=True, kw_only=True)
class ApplyJiraChangeEnvironment(PollBacktraceEnvironment):
    """What applies a change that was told of."""

    jira_changes_dead_letters_url: str


E = TypeVar("E", bound=ReceiveWebhookEnvironment)

_READ = {"str": str, "int": int, "float": float}


def read_environment(model: type[E], env: Mapping[str, str]) -> E:
    """Read a function's variables.

    Raises:
        InvalidSettings: names those that are missing, or the one that is no number.
    """
    missing = [
        field.name.upper()
        for field in fields(model)
        if field.default is MISSING and field.name.upper() not in env
    ]
    if missing:
        raise InvalidSettings(f"the function's environment lacks {', '.join(missing)} (template.yaml)")
    found = {field.name: field.type for field in fields(model) if field.name.upper() in env}
    values: dict[str, Any] = {name: _value(name.upper(), str(kind), env) for name, kind in found.items()}
    return model(**values)


def _value(variable: str, kind: str, env: Mapping[str, str]) -> object:
    try:
        return _READ[kind](env[variable])
    except ValueError:
        raise InvalidSettings(
            f"the function's environment: {variable} is no number (template.yaml)"
        ) from None
