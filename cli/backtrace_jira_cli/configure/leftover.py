"""The answers to what becomes of our reopen criteria when Fix Versions are switched off."""

from enum import StrEnum


class Leftover(StrEnum):
    """What becomes of them."""

    KEEP = "keep"
    REMOVE = "remove"
