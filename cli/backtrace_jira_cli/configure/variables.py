"""Names of the environment variables that secrets may come from."""

from __future__ import annotations

import re


def jira_variable(connection: str) -> str:
    """Return the variable of a connection's secret: BACKTRACE_JIRA_TOKEN_MAIN for main."""
    return f"BACKTRACE_JIRA_TOKEN_{_upper(connection)}"


def universe_variable(universe: str) -> str:
    """Return the variable of a universe's token: BACKTRACE_TOKEN_MY_TEAM for my-team."""
    return f"BACKTRACE_TOKEN_{_upper(universe)}"


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
