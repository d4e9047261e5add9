"""What the operator sees: tables and colour on a terminal, plain lines elsewhere, one JSON object for machines."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import typer
from rich.console import Console as Screen
from rich.table import Table
from rich.text import Text

from backtrace_jira_cli.exits import Exit, Stop
from backtrace_jira_cli.faults import Fault

Row = Sequence[str]


class Console:
    """Where a command talks to its operator.

    With `machine`, nothing is asked and nothing is printed before the end, when `report` is, as JSON.
    """

    def __init__(self, *, machine: bool) -> None:
        self._machine = machine
        self._out = Screen(highlight=False)
        self._err = Screen(stderr=True, highlight=False)
        self.report: dict[str, Any] = {}

    @property
    def interactive(self) -> bool:
        """Tell whether somebody is there to be asked."""
        return not self._machine and on_terminal()

    def ask_secret(self, title: str) -> str:
        """Ask for a secret; what is typed does not show.

        Not typer.prompt, which prints the question before it stops the terminal from showing what is typed.
        """
        return getpass.getpass(f"{title}: ")

    def confirm(self, question: str) -> bool:
        """Ask yes or no; no is what Enter means."""
        return bool(typer.confirm(question, err=True))

    def say(self, sentence: str, style: str = "") -> None:
        """Tell a result."""
        self._line(self._out, sentence, style)

    def warn(self, sentence: str) -> None:
        """Tell what should be known, and goes wrong for nobody yet."""
        self._line(self._err, sentence, "yellow")

    def writes(self, signs: str) -> bool:
        """Tell whether the output's encoding has these signs."""
        try:
            signs.encode(self._out.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show somebody at a terminal that something is under way; lines may be told meanwhile."""
        if self._machine or not self._out.is_terminal:
            return nullcontext()
        return self._out.status(f"[dim]{what}[/dim]")

    def table(self, columns: Row, rows: Sequence[Row]) -> None:
        """Show a table as a result."""
        self._table(self._out, columns, rows)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End the command: a Stop becomes its sentence and its exit code."""
        exit_code = Exit.FINE
        try:
            yield
        except Stop as stop:
            exit_code = stop.exit_code
            self.report |= {"error": str(stop), "faults": [fault.as_json() for fault in stop.faults]}
            self._show(stop)
        if self._machine:
            head: dict[str, Any] = {
                "ok": exit_code is Exit.FINE,
                "exit_code": int(exit_code),
                "error": None,
                "faults": [],
            }
            typer.echo(json.dumps(head | self.report, indent=2))
        if exit_code is not Exit.FINE:
            raise typer.Exit(int(exit_code))

    def _show(self, stop: Stop) -> None:
        if stop.faults:
            self._table(
                self._err, ("where", "line", "what is expected"), [_fault_row(f) for f in stop.faults]
            )
        self._line(self._err, str(stop), "bold red")

    def _line(self, screen: Screen, sentence: str, style: str) -> None:
        if not self._machine:
            screen.print(Text(printable(sentence), style=style), soft_wrap=True)

    def _table(self, screen: Screen, columns: Row, rows: Sequence[Row]) -> None:
        if self._machine:
            return
        if not screen.is_terminal:
            for line in _plain(columns, rows):
                screen.print(Text(printable(line)), soft_wrap=True)
            return
        table = Table(*columns)
        for column in table.columns:
            column.overflow = "fold"
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        screen.print(table)


def printable(text: str) -> str:
    """Take out what would steer a terminal: servers' words are shown, and rich lets escape sequences pass."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def on_terminal() -> bool:
    """Tell whether a person can be asked: standard input and standard error are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _fault_row(fault: Fault) -> Row:
    return fault.where, str(fault.line or ""), fault.expected


def _plain(columns: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Write a table as lines with ` | ` between the cells, for grep and logs."""
    cells = [columns, *rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        yield " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
