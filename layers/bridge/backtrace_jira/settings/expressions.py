"""Regular expressions of the settings."""

from __future__ import annotations

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
