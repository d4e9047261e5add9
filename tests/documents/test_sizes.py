"""How long a module and a function may be. A longer one does two things, or is a table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.builders import ROOT

SOURCES = ("layers", "functions", "cli", "local", "docs")
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40
LONGEST_TEST_MODULE = 500
"""More than for sources: half of a module of tests is tables, which are read a row at a time."""

EXCEPTIONS: dict[str, str] = {
    "tests/contracts/test_jira_stand_in.py": "each endpoint of Jira, in the order of the vendor's own description",
    "tests/unit/jira/test_field_values.py": "one table for each type of field, with what Jira takes and refuses",
    "tests/unit/tickets/test_fill_fields.py": "one table for each field that a ticket can have",
    "tests/world/fix_versions/test_fix_versions.py": "the policies together, on the steps that all of them share",
}
"""What may be longer, a module by its path or a function as path::name, and why. Goes when it is short again."""


@cache
def sizes() -> dict[str, tuple[int, int]]:
    """Return how long each module and each function is, and how long it may be, by its name."""
    found: dict[str, tuple[int, int]] = {}
    for folder in (*SOURCES, "tests"):
        for path in sorted(ROOT.glob(f"{folder}/**/*.py")):
            name, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
            longest = LONGEST_TEST_MODULE if folder == "tests" else LONGEST_MODULE
            found[name] = (len(text.splitlines()), longest)
            for function, lines in functions_in(text, with_decorators=folder != "tests"):
                size = max(lines, found.get(f"{name}::{function}", (0, 0))[0])  # two may have one name
                found[f"{name}::{function}"] = (size, LONGEST_FUNCTION)
    return found


def functions_in(text: str, *, with_decorators: bool) -> Iterator[tuple[str, int]]:
    """Yield the functions of a module with their lines.

    A test's decorators do not count: they hold its table. Of a command only the body counts: the rest is its options
    and its help, from which docs/commands.md is written.
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            above = node.decorator_list if with_decorators else []
            first = min([node.lineno, *(each.lineno for each in above)])
            if "operator_command" in map(ast.unparse, node.decorator_list):
                first = (node.body[0].end_lineno or first) + 1
            yield node.name, (node.end_lineno or first) - first + 1


def test_functions_are_found_and_counted() -> None:
    text = "class A:\n    @b(\n        1\n    )\n    def f(self):\n        def g():\n            pass\n"
    assert dict(functions_in(text, with_decorators=True)) == {"f": 6, "g": 2}
    assert dict(functions_in(text, with_decorators=False)) == {"f": 3, "g": 2}
    command = (
        '@operator_command\ndef f(\n    a: int,\n) -> None:\n    """Help.\n\n    More.\n    """\n    g(a)\n'
    )
    assert dict(functions_in(command, with_decorators=True)) == {"f": 1}
    assert "layers/bridge/backtrace_jira/tickets/create_ticket.py::_is_due" in sizes()
    assert "docs/write_reference.py" in sizes()


def test_nothing_is_longer_than_it_may_be() -> None:
    long = {name: lines for name, (lines, longest) in sizes().items() if lines > longest}
    assert {name: lines for name, lines in long.items() if name not in EXCEPTIONS} == {}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_is_needed_and_has_its_reason(name: str) -> None:
    assert name in sizes(), "there is no such module or function any more"
    lines, longest = sizes()[name]
    assert lines > longest, "it is short enough now: take it out of the list"
    assert EXCEPTIONS[name].strip()
