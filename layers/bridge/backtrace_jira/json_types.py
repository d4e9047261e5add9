"""Types for JSON, and for the histograms in Backtrace's answers and events."""

from __future__ import annotations

import re
from typing import TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"


Histogram: TypeAlias = tuple[tuple[str, int], ...]
"""(value, count) pairs in payload order, which is not sorted by count."""

_ESCAPE = re.compile(
    rb"\\(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}"
    rb"|(?P<half>u[Dd][89A-Fa-f][0-9A-Fa-f]{2})|.)",
    re.DOTALL,
)


def mend_half_pairs(json_text: bytes) -> bytes:
    """Replace each half of a surrogate pair in a JSON text by U+FFFD.

    A text that was cut in the middle of an emoji ends in one. JSON allows that, but pydantic refuses all of the text
    because of it.
    """
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["half"] else escape[0], json_text)
