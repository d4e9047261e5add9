"""Exit codes, and the one exception that ends a command."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from backtrace_jira_cli.faults import Fault


class Exit(IntEnum):
    """Exit codes that scripts may rely on."""

    FINE = 0
    FAILED = 1
    """Something was refused or did not work."""
    USAGE = 2
    """Wrong usage, or a settings file that is not valid. Nothing was done."""


class Stop(Exception):
    """Ends the command with a sentence for the operator, and a row for each mistake."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.faults = tuple(faults)


def wrong_usage(message: str, *, faults: Sequence[Fault] = ()) -> Stop:
    """Return a stop for a mistake in the call or in the settings file."""
    return Stop(message, Exit.USAGE, faults=faults)
