"""Error groups and settings for tests; the group is the one in events/create_ticket.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.settings.integration import Integration

ROOT = Path(__file__).parents[1]


def sample_event(name: str = "create_ticket") -> dict[str, Any]:
    """Return the sample Lambda event of a path."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def sample_body() -> dict[str, Any]:
    """Return Backtrace's webhook body out of the sample event."""
    body: dict[str, Any] = json.loads(json.loads(sample_event()["Records"][0]["body"])["Message"])
    return body


def group(**changes: Any) -> ErrorGroup:
    """Return the sample group with changes."""
    return ErrorGroup.model_validate_json(json.dumps(sample_body() | changes))


def integration(**changes: Any) -> Integration:
    """Return an integration of the sample group's project with changes."""
    settings = {
        "universe": "my_universe",
        "project": "my_project",
        "name": "jira-bugs",
        "connection": "main",
        "project_key": "BUG",
        "subject": "$error.message in $application",
    }
    return Integration.model_validate(settings | changes)
