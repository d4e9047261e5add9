"""A line of releases: all versions of the same major and minor number, as 1.5.2 and 1.5.3.

Backtrace's criteria compare no parts of a version. So a line is told as an expression that finds its numbers in the
text of the version attribute. Our own judge asks the same expression; it is of the kind that both RE2 and PCRE read.
"""

from __future__ import annotations

from functools import cache

_BEFORE = r"^(?:.*@)?[^0-9@]*"
"""The name of a package, and words without a number. Behind others (`win32-1.5.3`) no line is found."""
_BEHIND = r"(?:[^0-9@][^@]*)?$"


@cache
def line_pattern(line: tuple[int, int]) -> str:
    """Return an expression that is found in texts of a line's versions, and in no other that can be read."""
    major, minor = line
    if minor:
        return rf"{_BEFORE}0*{major}[._]0*{minor}{_BEHIND}"
    # 1, 1-rc1, 1+45 and 1.0.2 are of line 1.0; 1.1, 1-09-30 and the 3 of 3d are not.
    alone = r"(?:[\s._~-][^0-9._@-][^@]*|[^0-9A-Za-z._@-][^@]*)?$"
    return rf"{_BEFORE}0*{major}(?:[._]0+{_BEHIND}|{alone})"
