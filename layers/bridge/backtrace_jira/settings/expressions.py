"""Regular expressions of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2


def compile_regex(regex: str) -> re2._Regexp[str]:
    """Compile with RE2, which needs time in proportion to the text, whatever the expression.

    Imported where there is an expression only. It has no look-around and no back-references.
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
    """Accept what RE2 takes; nothing is an expression, too."""
    if regex:
        compile_regex(regex)
    return regex
