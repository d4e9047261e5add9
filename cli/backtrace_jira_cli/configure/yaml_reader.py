"""Read one YAML document as text, lists and mappings, and remember the line of everything.

A value is taken as it is written. YAML 1.1 would make a boolean of NO, a number of 1.10 and a date of
2026-01-01; settings are texts, and the models convert what is not (https://yaml.org/type/bool.html).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from backtrace_jira_cli.faults import Fault, Path, where_of

LARGEST_FILE = 1_000_000
MOST_NODES = 50_000
"""Of the document with its anchors expanded: a few lines can otherwise expand to gigabytes."""

_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = {_CORE + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge")}
_NULL = _CORE + "null"
_MERGE = _CORE + "merge"

# PyYAML's own words can repeat what stands in the file; these do not.
_SYNTAX = (
    ("found character '\\t'", "holds a tab; indent with spaces"),
    ("found character", "has a text that starts with @, ` or %; put it in quotes"),
    (
        "mapping values are not allowed",
        "has a text with a colon in it that needs quotes, or is indented wrongly",
    ),
    ("could not find expected ':'", "has a key without its colon, or is indented wrongly"),
    (
        "found undefined alias",
        "has a text that starts with *; put it in quotes (it would refer to an anchor)",
    ),
    ("found duplicate anchor", "defines an anchor twice"),
    ("but found another document", "starts a second document; keep one"),
    ("found unexpected end of stream", "has a quote that is never closed"),
    ("found unknown escape character", 'has a backslash within "..."; write two, or use single quotes'),
    ("expected ',' or", "has a [ or { that is never closed; a text that starts with one needs quotes"),
    ("but found '<block mapping start>'", "is indented wrongly"),
)


@dataclass(slots=True)
class Document:
    """A document as it was read. `data` is None if nothing of it can be used."""

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_yaml(raw: bytes) -> Document:
    """Read a document; mistakes are listed in it, not raised."""
    document = Document()
    if len(raw) > LARGEST_FILE:
        document.faults.append(Fault("the file", f"is larger than {LARGEST_FILE:,} bytes; split it"))
        return document
    try:
        root = yaml.compose(raw.decode("utf-8-sig"), Loader=yaml.SafeLoader)
        document.data = _Walk(document).read_value(root, ()) if root else None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        document.faults.append(Fault("the file", "is not UTF-8 text; save it as UTF-8", line))
    except yaml.YAMLError as error:
        document.faults.append(_syntax_fault(error, raw))
    except RecursionError:
        document.faults.append(Fault("the file", "is nested too deeply"))
    except _TooManyValues:
        document.faults.append(
            Fault("the file", f"expands to more than {MOST_NODES:,} values; use fewer anchors")
        )
    return document


class _TooManyValues(Exception):
    """The document is larger than any settings file."""


class _Walk:
    """One walk over the nodes of a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MOST_NODES
        self._open: set[int] = set()

    def read_value(self, node: yaml.Node, path: Path) -> object:
        self._left -= 1
        if self._left < 0:
            raise _TooManyValues
        if not path or isinstance(path[-1], int):  # the line of a value with a key is its key's
            self._document.lines[path] = _line(node)
        if isinstance(node, yaml.ScalarNode):
            return self._read_text(node, path)
        if id(node) in self._open:
            self._refuse(path, node, "refers to itself")
            return None
        self._open.add(id(node))
        try:
            return self._read_collection(node, path)
        finally:
            self._open.discard(id(node))

    def _read_text(self, node: yaml.ScalarNode, path: Path) -> str | None:
        if node.tag not in _TEXT_TAGS:
            self._refuse(path, node, "starts with !, which is a YAML tag; put the text in quotes")
            return None
        return None if node.tag == _NULL else str(node.value)

    def _read_collection(self, node: yaml.Node, path: Path) -> object:
        if isinstance(node, yaml.SequenceNode) and node.tag == _CORE + "seq":
            return [self.read_value(item, (*path, place)) for place, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == _CORE + "map":
            return self._read_mapping(node, path)
        self._refuse(path, node, "carries a YAML tag (!); leave the tag out")
        return None

    def _read_mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        merged = self._read_merged(node, path)
        own: dict[str, object] = {}
        for key, value in node.value:
            if key.tag == _MERGE or not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in own:
                first = self._document.lines[(*path, key.value)]
                self._refuse((*path, key.value), key, f"is there twice, first in line {first}; keep one")
                continue
            self._document.lines[(*path, key.value)] = _line(key)
            own[key.value] = self.read_value(value, (*path, key.value))
        return merged | own

    def _read_merged(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        """Return the keys that `<<: *anchor` adds. Of several anchors, the first wins."""
        merged: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(path, key, "has a key that is a list or a group; put {...} and [...] in quotes")
            elif key.tag == _MERGE:
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in sources:
                    found = self.read_value(source, path)
                    if not isinstance(found, dict):
                        self._refuse(path, key, "merges (<<) something that is no group of keys")
                        continue
                    merged = found | merged
        return merged

    def _refuse(self, path: Path, node: yaml.Node, expected: str) -> None:
        self._document.faults.append(Fault(where_of(path), expected, _line(node)))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _syntax_fault(error: yaml.YAMLError, raw: bytes) -> Fault:
    if isinstance(error, yaml.MarkedYAMLError):
        problem = f"{error.problem}"
        mark = error.problem_mark or error.context_mark
        sentence = next(
            (ours for theirs, ours in _SYNTAX if theirs in problem), "is not YAML, or is indented wrongly"
        )
        return Fault("the file", sentence, mark.line + 1 if mark else 0)
    position = getattr(error, "position", None)
    line = raw.decode("utf-8-sig").count("\n", 0, position) + 1 if isinstance(position, int) else 0
    return Fault("the file", "holds a control character; remove it", line)
