"""Every port of the layer has a fake, and one contract that runs against the fake and against the real adapter.

A contract is a module of this folder with `PORTS`: the fake of each port that it is about.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import backtrace_jira

FOLDER = Path(__file__).parent
NO_PORTS = {"FieldSync"}
"""Protocols that the core fulfils itself: nothing of them is outside, and their rules have tables."""


def contracts() -> dict[type, tuple[type, Path]]:
    """Return fake and contract of each port."""
    found: dict[type, tuple[type, Path]] = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(f"tests.contracts.ports.{path.stem}")
        found |= {port: (fake, path) for port, fake in getattr(module, "PORTS", {}).items()}
    return found


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(backtrace_jira.__path__, "backtrace_jira.")
    return [importlib.import_module(each.name) for each in found if "bootstrap" not in each.name]


def members(port: type) -> list[str]:
    """Return what a port can be asked for; those of a value are attributes, and a value needs no fake."""
    known = {name: inspect.getattr_static(port, name) for name in dir(port) if not name.startswith("_")}
    return [name for name, each in known.items() if inspect.isfunction(each) or isinstance(each, property)]


def ports() -> list[type]:
    """Return the protocols of the layer that have methods."""
    return sorted(
        {
            each
            for module in modules()
            for each in vars(module).values()
            if isinstance(each, type) and getattr(each, "_is_protocol", False) and _is_port(each)
        },
        key=lambda port: port.__name__,
    )


def _is_port(each: type) -> bool:
    own = [inspect.getattr_static(each, name) for name in members(each)]
    ours = each.__module__.startswith("backtrace_jira.") and each.__name__ not in NO_PORTS
    return ours and any(map(inspect.isfunction, own))


@pytest.mark.parametrize("port", ports(), ids=lambda port: port.__name__)
def test_a_port_has_a_contract_that_asks_for_all_of_it(port: type) -> None:
    assert port in contracts(), "write its contract in tests/contracts/ports, and its fake in tests/fakes"
    fake, path = contracts()[port]
    assert fake.__module__.startswith("tests.fakes.")
    tree = ast.parse(path.read_text())
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert set(members(port)) - asked == set(), f"{path.name} does not ask for these"


@pytest.mark.parametrize(
    "path", sorted({path for _, path in contracts().values()}), ids=lambda path: path.stem
)
def test_a_contract_runs_against_the_fake_and_the_real(path: Path) -> None:
    params = [
        ast.literal_eval(keyword.value)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "params"
    ]
    assert params
    for each in params:
        assert "fake" in each
        assert any("fake" not in name for name in each), f"{path.name} has nothing real to compare with"


def test_the_ports_are_found() -> None:
    names = {port.__name__ for port in ports()}
    assert {"TicketLinks", "SyncedLinks", "JiraIssues", "BacktraceGroups", "MessageQueue"} <= names
    assert "Named" not in names  # an argument with a name is a value
