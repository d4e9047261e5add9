"""`$attribute` in texts of the settings. Names are replaced by values, once; nothing is evaluated.

Product page: "You can use the value of an attribute within the text by preceding it with $ (e.g. $version).
If an error group has more than one value for the specified attribute, the value with the highest count will
be used."
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.json_types import Histogram

# Attribute names hold dots (application.version). A separator belongs to a name only if more of the name follows,
# so "$version." keeps its full stop.
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z0-9_]+(?:[.:;-]+[A-Za-z0-9_]+)*))")
_LAST_PART = re.compile(r"[.:;-]+[A-Za-z0-9_]+$")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template filled in, and the names that had no value."""

    text: str
    unknown: tuple[str, ...] = ()


def top_value(histogram: Histogram) -> str:
    """Return the value with the highest count; of several, the one that the event lists first."""
    return max(histogram, key=lambda pair: pair[1])[0] if histogram else ""


def template_values(group: ErrorGroup) -> dict[str, str]:
    """Return the values by name: the group's own facts, and its attributes, which win over facts of the same name."""
    facts = {
        "universe": group.universe,
        "project": group.project,
        "fingerprint": group.fingerprint,
        "application": group.application or "",
        "classifiers": ", ".join(group.classifiers),
        "callstack": group.callstack[0] if group.callstack else "",
        "occurrences": str(group.occurrences),
        "hosts": str(group.hosts),
        "guids": str(group.guids),
        "group_url": group.group_url or "",
    }
    known = {name: value for name, value in facts.items() if value}
    return known | {name: top_value(pairs) for name, pairs in group.attributes.items() if pairs}


def attribute_names(template: str) -> tuple[str, ...]:
    """Return the names that a template refers to, each once, in order."""
    names = (match["name"] for match in _REFERENCE.finditer(template))
    return tuple(dict.fromkeys(name for name in names if name and not name[0].isdigit()))


def fill_template(template: str, values: Mapping[str, str], treat: Callable[[str], str] = str) -> Rendered:
    """Fill in a template. The longest name with a value wins; `$$` is a dollar sign; a `$` in a value stays.

    A name without a value becomes empty text and is reported. A dollar that no name follows ("$5", "$ ") stays as
    it is. `treat` is applied to each value before it goes in, e.g. to escape it.
    """
    unknown: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        name = match["name"]
        known = _longest_known(name, values)
        if known is not None:
            return treat(values[known]) + name[len(known) :]
        if name[0].isdigit():
            return match[0]
        unknown.append(name)
        return ""

    text = _REFERENCE.sub(replace, template)
    return Rendered(text, tuple(dict.fromkeys(unknown)))


def _longest_known(name: str, values: Mapping[str, str]) -> str | None:
    """Return the longest name with a value: try `error.message.x`, then `error.message`, then `error`."""
    while name:
        if name in values:
            return name
        shorter = _LAST_PART.sub("", name)
        name = shorter if shorter != name else ""
    return None
