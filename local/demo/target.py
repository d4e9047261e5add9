"""The Jira that gets the ticket: the stand-in, or the user's own, which the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from backtrace_jira.settings.base import describe_faults
from backtrace_jira.settings.connection import Connection

REQUIRED = ("JIRA_URL", "JIRA_USER", "JIRA_TOKEN", "JIRA_PROJECT_KEY")
DEFAULT_ISSUE_TYPE = "Bug"


class WrongSettings(Exception):
    """A variable of the environment is missing or cannot be used. The text names the variable, never its value."""


@dataclass(frozen=True)
class Target:
    """A Jira, with the project and issue type that the ticket gets there."""

    connection: Connection
    secret: str = field(repr=False)
    project_key: str = "BUG"
    issue_type: str = DEFAULT_ISSUE_TYPE
    own: bool = False
    """True for a Jira of the user's own, false for the stand-in."""

    @property
    def settings(self) -> dict[str, Any]:
        """Return what `LocalStack.configure` takes."""
        return {
            "connection": self.connection,
            "jira_secret": self.secret,
            "project_key": self.project_key,
            "issue_type": self.issue_type,
        }


def own_jira(environment: Mapping[str, str]) -> Target | None:
    """Read JIRA_URL, JIRA_USER, JIRA_TOKEN, JIRA_PROJECT_KEY and JIRA_ISSUE_TYPE; None if none is set.

    Raises:
        WrongSettings: only some are set, or one cannot be used.
    """
    given = {name: environment.get(name, "").strip() for name in REQUIRED}
    if not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise WrongSettings(
            f"{' and '.join(missing)} {verb} missing: a Jira of your own needs {', '.join(REQUIRED)}"
        )
    return Target(
        connection=_connection(given["JIRA_URL"], given["JIRA_USER"]),
        secret=given["JIRA_TOKEN"],
        project_key=given["JIRA_PROJECT_KEY"],
        issue_type=environment.get("JIRA_ISSUE_TYPE", "").strip() or DEFAULT_ISSUE_TYPE,
        own=True,
    )


def _connection(url: str, user: str) -> Connection:
    try:
        return Connection(name="own", jira_api=url, email=user)
    except ValidationError as error:
        told = describe_faults(error).replace("Value error, ", "")
        for field_name, variable in (("jira_api", "JIRA_URL"), ("email", "JIRA_USER")):
            told = told.replace(f"{field_name}:", f"{variable}")
        raise WrongSettings(told.replace("body: browse_url is", "JIRA_URL: browse_url is")) from None
