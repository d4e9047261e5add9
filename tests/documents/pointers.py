"""What documents point at: files, folders, functions and classes, other documents and their headings.

In a document, `path/file.py` begins at the root of the source tree or at the core package, `path/` is a folder, and
`path/file.py::Class.method` is a name in a file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.builders import ROOT

CORE = ROOT / "layers/bridge/backtrace_jira"
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md") for path in ROOT.glob(pattern)
)
YOURS = {"settings.yaml", "FILE.yaml"}
"""Files that a reader writes."""

_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"([\w.-]+/)*[\w.-]+\.(py|md|toml|ya?ml|json|txt|in|template)(::[\w.]+)?")
_FOLDER = re.compile(r"([\w.-]+/)+")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(path: Path) -> str:
    """Return a document without its blocks of code."""
    return _CODE_BLOCK.sub("", path.read_text(encoding="utf-8"))


def pointers_in(text: str) -> list[str]:
    """Return the files, folders and names that a text points at."""
    found = _INLINE.findall(text)
    return [
        each for each in found if (_FILE.fullmatch(each) or _FOLDER.fullmatch(each)) and each not in YOURS
    ]


def place_of(pointer: str) -> Path | None:
    """Return the file or folder that is pointed at."""
    path = pointer.partition("::")[0]
    return next((root / path for root in (ROOT, CORE) if (root / path).exists()), None)


def leads_somewhere(pointer: str) -> bool:
    """Return whether the file or folder exists, and has that name in it."""
    place, name = place_of(pointer), pointer.partition("::")[2]
    return place is not None and (not name or name in names_in(place))


@cache
def names_in(path: Path) -> set[str]:
    """Return the functions, classes, constants and members of a module."""
    return set(_names(ast.parse(path.read_text(encoding="utf-8")), ""))


def _names(parent: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from _names(node, f"{prefix}{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (prefix + each.id for each in targets if isinstance(each, ast.Name))


def links_in(path: Path) -> list[str]:
    """Return the links of a document that do not leave the source tree."""
    return [link for link in _LINK.findall(prose(path)) if "://" not in link]


def is_reached(link: str, document: Path) -> bool:
    """Return whether a link's file exists, and has the heading that it names."""
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not anchor or anchor in anchors_of(target))


@cache
def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = _HEADING.findall(prose(path))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(path: Path, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    _, found, rest = path.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    assert found, f"{path} has no section {heading}"
    return rest.partition("\n## ")[0]
