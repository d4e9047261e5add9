"""A connection to change, and the sentence by which settings refuse values; the sentence must not repeat them."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from backtrace_jira.settings.base import Settings, describe_faults
from backtrace_jira.settings.connection import Connection

CANARY = "canary-8f1b"


def connection(**changes: Any) -> Connection:
    plain = {"name": "main", "jira_api": "https://jira.example/rest/api/2/", "email": "bot@example.org"}
    return Connection.model_validate(plain | changes)


def refusal(model: type[Settings], values: dict[str, Any]) -> ValidationError | None:
    try:
        model.model_validate(values)
    except ValidationError as error:
        return error
    return None


def faults(model: type[Settings], values: dict[str, Any]) -> str:
    error = refusal(model, values)
    assert error, "accepted"
    assert all(str(value) not in str(error) for value in values.values() if CANARY in str(value))
    return describe_faults(error)
