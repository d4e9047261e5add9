"""Whatever is imported is declared where it is needed, and not only there because something else brings it along."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.builders import ROOT

OURS = {
    path.stem
    for pattern in ("layers/bridge/*/", "functions/*/", "cli/*/", "local/", "tests/", "docs/")
    for path in ROOT.glob(pattern)
}
LAMBDA_RUNTIME = {"boto3", "botocore"}
"""What Lambda brings along for Python: https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html"""


class Imports(ast.NodeVisitor):
    """The top-level names that a module imports: when it runs, or for types only."""

    def __init__(self) -> None:
        self.run: set[str] = set()
        self.typed: set[str] = set()
        self._now = self.run

    def visit_Import(self, node: ast.Import) -> None:
        self._now.update(each.name.partition(".")[0] for each in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.module
        self._now.add(node.module.partition(".")[0])

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) == "TYPE_CHECKING":
            self._now = self.typed
        self.generic_visit(node)
        self._now = self.run


@cache
def imported(*folders: str) -> Imports:
    """Return what the modules of some folders import of others' packages."""
    found = Imports()
    for folder in folders:
        for path in sorted(ROOT.glob(f"{folder}/**/*.py")):
            found.visit(ast.parse(path.read_text(encoding="utf-8")))
    for names in (found.run, found.typed):
        names -= OURS | sys.stdlib_module_names
    return found


def distributions(packages: Iterable[str]) -> set[str]:
    """Return the distributions that the packages come from."""
    by_package = packages_distributions()
    return {canonicalize_name(by_package[package][0]) for package in packages}


def declared(lines: Iterable[str]) -> Iterator[str]:
    """Yield the distributions that are asked for, and those that an extra of theirs stands for."""
    for requirement in map(Requirement, lines):
        yield canonicalize_name(requirement.name)
        for extra in requirement.extras:
            for further in map(Requirement, requires(requirement.name) or []):
                if (
                    further.marker
                    and further.marker.evaluate({"extra": extra})
                    and is_named_for(further, extra)
                ):
                    yield canonicalize_name(further.name)


def is_named_for(requirement: Requirement, extra: str) -> bool:
    """Whether the extra is but another name for it: boto3-stubs[ssm] for mypy-boto3-ssm."""
    return canonicalize_name(requirement.name).endswith(f"-{canonicalize_name(extra)}")


@cache
def project() -> dict[str, set[str]]:
    """Return the distributions that each part of the project declares."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    layer = (ROOT / "layers/bridge/requirements.in").read_text().splitlines()
    return {
        "layer": set(declared(line for line in layer if line and not line.startswith("#"))),
        "command": set(declared(table["dependencies"])),
        "dev": set(declared(table["optional-dependencies"]["dev"])),
    }


def test_imports_are_found_wherever_they_stand() -> None:
    found = Imports()
    found.visit(
        ast.parse(
            "import a.b\nif TYPE_CHECKING:\n    from c.d import e\n"
            "import f as g\ndef h() -> None:\n    from i import j\n"
        )
    )
    assert (found.run, found.typed) == ({"a", "f", "i"}, {"c"})
    assert {"pydantic", "re2", "botocore"} <= imported("layers").run


def test_extras_stand_for_what_is_named_like_them() -> None:
    assert set(declared(["boto3-stubs[ssm]"])) == {"boto3-stubs", "mypy-boto3-ssm"}


def test_the_layer_declares_what_the_functions_import_and_nothing_else() -> None:
    needed = distributions(imported("layers", "functions").run)
    assert needed - LAMBDA_RUNTIME == project()["layer"]


def test_the_command_declares_what_it_and_the_core_import_and_nothing_else() -> None:
    assert distributions(imported("layers", "cli").run) == project()["command"]


@pytest.mark.parametrize("folder", ["layers", "functions", "cli"])
def test_types_of_what_is_delivered_come_with_the_tools(folder: str) -> None:
    assert distributions(imported(folder).typed) - project()["command"] - project()["dev"] == set()


@pytest.mark.parametrize("folder", ["local", "tests", "docs"])
def test_whatever_else_is_imported_is_a_dependency_of_the_command_or_of_developers(folder: str) -> None:
    used = imported(folder)
    assert distributions(used.run | used.typed) - project()["command"] - project()["dev"] == set()


def test_nothing_is_declared_twice() -> None:
    assert project()["command"] & project()["dev"] == set()
