"""Exit codes, and the one exception that ends a command."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from backtrace_jira_cli.faults import Fault


class Exit(IntEnum):
    """What a script can tell from how a command ended."""

    FINE = 0
    FAILED = 1
    """Something was refused or did not work."""
    USAGE = 2
    """Wrong usage, or a settings file that is not valid. Nothing was done."""


class Stop(Exception):
    """Ends the command with a sentence for the operator, and what is to be mended, row by row."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.faults = tuple(faults)


def wrong_usage(message: str, *, faults: Sequence[Fault] = ()) -> Stop:
    """Return a stop for what the operator can mend in the call or in the file."""
    return Stop(message, Exit.USAGE, faults=faults)
