"""Regular expressions of the settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2


def compile_regex(regex: str) -> re2._Regexp[str]:
    """Compile with RE2, which takes time in proportion to the text, whatever the expression.

    RE2 knows no look-around and no back-references. It is imported only if there is an expression to compile.

    Raises:
        ValueError: RE2 does not take the expression.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options)
    except re2.error:
        raise ValueError(
            "is not a regular expression that RE2 takes (no look-around, no back-references)"
        ) from None


def check_regex(regex: str) -> str:
    """Return an expression that RE2 takes, or an empty one, as it is.

    Raises:
        ValueError: RE2 does not take it.
    """
    if regex:
        compile_regex(regex)
    return regex


def check_version_regex(regex: str) -> str:
    """Return an expression that can find a version, or an empty one, as it is.

    Raises:
        ValueError: RE2 does not take it, or its first group repeats.
    """
    check_regex(regex)
    if _repeats_first_group(regex):
        raise ValueError(
            "is of no use: its first group repeats, so it holds only the last part that it found. Write (?:…) for "
            "that group, or put a group around it and its sign of repetition"
        )
    return regex


_PARTS = r"""
    \\Q.*?(?:\\E|\Z)                                  # literal text
    | \\.                                             # one escaped character
    | \[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]     # a class of characters
    | (?P<open>\((?!\?)|\(\?P?<)                      # a group that captures
    | (?P<other>\(\?[a-zA-Z-]*:)                      # one that does not
    | \(\?[a-zA-Z-]+\)                               # flags
    | \)(?P<repeat>[*+]|\{(?!1\}|[01],1\})[0-9]+(?:,[0-9]*)?\})?
"""


def _repeats_first_group(regex: str) -> bool:
    """Return whether the first group that captures, or one around it, may be found several times in one match."""
    return any(first and repeats for first, repeats in _groups(regex))


def _groups(regex: str) -> Iterator[tuple[bool, bool]]:
    """Yield for each group whether it is or holds the first one that captures, and whether it repeats."""
    opened: list[bool] = []
    is_found = False
    for token in re.finditer(_PARTS, regex, re.VERBOSE | re.DOTALL):
        if token["open"]:
            # Whatever is open now is around the first group.
            opened = opened if is_found else [True] * len(opened)
            opened.append(not is_found)
            is_found = True
        elif token["other"]:
            opened.append(False)
        elif token[0].startswith(")") and opened:
            yield opened.pop(), bool(token["repeat"])
