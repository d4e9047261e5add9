"""Output for the operator: tables and colour at a terminal, plain lines elsewhere, one JSON object for machines."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console as Screen
from rich.table import Table
from rich.text import Text

from backtrace_jira_cli.exits import Exit, Stop
from backtrace_jira_cli.faults import Fault

Row = Sequence[str]


class Console:
    """Prints what a command tells its operator, and asks its questions.

    With `machine`, the command asks nothing and prints nothing until its end; then it prints `report` as JSON.
    """

    def __init__(self, *, machine: bool) -> None:
        self._machine = machine
        self._out = Screen(highlight=False)
        self._err = Screen(stderr=True, highlight=False)
        self.report: dict[str, Any] = {}

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits at a terminal and can answer."""
        return not self._machine and on_terminal()

    def ask_secret(self, title: str) -> str:
        """Ask for a secret. The terminal does not show what is typed.

        Not typer.prompt, which prints the question before it stops the terminal from showing what is typed.
        """
        return getpass.getpass(f"{title}: ")

    def confirm(self, question: str) -> bool:
        """Ask yes or no. Enter means no."""
        return bool(typer.confirm(question, err=True))

    def choose(self, question: str, answers: Sequence[str]) -> str:
        """Ask which of these, until it is one of them."""
        while True:
            answer = str(typer.prompt(f"{question} ({'/'.join(answers)})", err=True)).strip()
            if answer in answers:
                return answer

    def say(self, sentence: str, style: str = "") -> None:
        """Print a result on standard output."""
        self._print_line(self._out, sentence, style)

    def warn(self, sentence: str) -> None:
        """Print a warning on standard error: nothing failed, but the operator should know it."""
        self._print_line(self._err, sentence, "yellow")

    def can_print(self, signs: str) -> bool:
        """Whether the encoding of standard output has these signs."""
        try:
            signs.encode(self._out.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    @contextmanager
    def show_progress(self, waiting_for: str) -> Iterator[Callable[[str], None]]:
        """Show at a terminal what the command is waiting for. Other lines may be printed meanwhile.

        What it gives is a function that adds how far the command has come.
        """
        if self._machine or not self._out.is_terminal:
            yield lambda _: None
            return
        with self._out.status(f"[dim]{waiting_for}[/dim]") as status:
            yield lambda how_far: status.update(f"[dim]{waiting_for}: {how_far}[/dim]")

    @contextmanager
    def show_rows_read(self) -> Iterator[Callable[[int], None]]:
        """Show at a terminal how many rows of the link table were read."""
        with self.show_progress("reading the link table") as show:
            yield lambda rows: show(f"{rows:,} rows")

    def show_table(self, columns: Row, rows: Sequence[Row]) -> None:
        """Print a table on standard output."""
        self._print_table(self._out, columns, rows)

    @contextmanager
    def exit_code(self) -> Iterator[None]:
        """Run a command: print its report, and turn a Stop into its sentence and exit code."""
        exit_code = Exit.FINE
        try:
            yield
        except Stop as stop:
            exit_code = stop.exit_code
            self.report |= {"error": str(stop), "faults": [fault.as_json() for fault in stop.faults]}
            self._print_stop(stop)
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

    def _print_stop(self, stop: Stop) -> None:
        if stop.faults:
            self._print_table(
                self._err, ("where", "line", "what is expected"), [_fault_row(f) for f in stop.faults]
            )
        self._print_line(self._err, str(stop), "bold red")

    def _print_line(self, screen: Screen, sentence: str, style: str) -> None:
        if not self._machine:
            screen.print(Text(printable(sentence), style=style), soft_wrap=True)

    def _print_table(self, screen: Screen, columns: Row, rows: Sequence[Row]) -> None:
        if self._machine:
            return
        if not screen.is_terminal:
            for line in _plain_lines(columns, rows):
                screen.print(Text(printable(line)), soft_wrap=True)
            return
        table = Table(*columns)
        for column in table.columns:
            column.overflow = "fold"
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        screen.print(table)


def printable(text: str) -> str:
    """Replace characters that could steer a terminal: servers sent some of the text, and rich lets them pass."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def on_terminal() -> bool:
    """Whether standard input and standard error are a terminal, so that a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _fault_row(fault: Fault) -> Row:
    return fault.where, str(fault.line or ""), fault.expected


def _plain_lines(columns: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Write a table as lines with ` | ` between the cells, for grep and logs."""
    cells = [columns, *rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        yield " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, `1 link` or `1,200 links`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
