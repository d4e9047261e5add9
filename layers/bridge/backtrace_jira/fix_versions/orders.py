"""How orders of versions other than ours read what Backtrace is told. Nobody documents which one Backtrace has."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOLD = re.compile(r"(?P<release>[0-9]+(?:\.[0-9]+)*)(?:-(?P<qualifier>[0-9A-Za-z.]+))?")
_SEMVER_NUMBERS = 3
_PYTHON = re.compile(
    r"(?:(?:a|alpha|b|beta|c|rc|pre|preview)\.?[0-9]*)?(?:\.?post\.?[0-9]*)?(?:\.?dev\.?[0-9]*)?",
    re.IGNORECASE,
)
"""Qualifiers that PEP 440 knows."""


def describe_orders(told: str) -> str:
    """Say how orders differ about a version that Backtrace is told; empty if all read it as we do.

    Args:
        told: as in a reopen criterion.
    """
    reasons = list(_differences(told))
    return f"not every order of versions reads {told} alike: {', and '.join(reasons)}" if reasons else ""


def _differences(told: str) -> Iterator[str]:
    found = _TOLD.fullmatch(told)
    if found is None:
        yield "strict semver does not read it"
        return
    release, qualifier = found["release"], found["qualifier"]
    if release.count(".") != _SEMVER_NUMBERS - 1:
        yield "strict semver reads exactly three numbers"
    if not qualifier:
        return
    if qualifier.isdecimal():
        yield f"it is before {release} for semver, and after it for others"
        return
    if not _PYTHON.fullmatch(qualifier):
        yield "PEP 440 does not read it"
    yield f"as plain text it is after {release}"
