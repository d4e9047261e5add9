"""Read numbers, moments, issue keys and estimates from a text, as Jira's REST API takes them; None if it holds none."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

INTEGER = re.compile(r"[0-9]{1,15}")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_UNIX_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]+)?")
_PRINTED_MOMENT = re.compile(r"(.{23}[+-][0-9]{2}):([0-9]{2})")
_ISSUE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[1-9][0-9]*")
_DURATION = re.compile(r"[0-9]+|[0-9]+(?:\.[0-9]+)?[wdhm](?:\s*[0-9]+(?:\.[0-9]+)?[wdhm])*")
_DURATION_PART = re.compile(r"[0-9.]+[wdhm]?")


def read_integer(text: str) -> int | None:
    """Read a whole number, such as a sprint's id."""
    return int(text) if INTEGER.fullmatch(text) else None


def read_number(text: str) -> int | float | None:
    """Read a number, which may have a decimal point; a number without a fraction becomes an int."""
    found = float(text) if _NUMBER.fullmatch(text) else math.inf
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 1e15 else found


def read_date(text: str) -> str | None:
    """Read a date, or the date of a moment: 2019-05-11."""
    found = _moment(text)
    return found.date().isoformat() if found else None


def read_moment(text: str) -> str | None:
    """Read a moment, in UTC if it names no zone; return it as Jira prints one: 2019-05-11T10:29:29.908+1100."""
    found = _moment(text)
    if found is None:
        return None
    zoned = found.replace(tzinfo=found.tzinfo or UTC).isoformat(timespec="milliseconds")
    printed = _PRINTED_MOMENT.fullmatch(
        zoned
    )  # None for an offset with seconds, which Jira's form cannot hold
    return printed[1] + printed[2] if printed else None


def _moment(text: str) -> datetime | None:
    """Read ISO 8601, or unix seconds as Backtrace's timestamps are."""
    try:
        if _UNIX_SECONDS.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def read_issue_key(text: str) -> str | None:
    """Read the key of an issue."""
    return text.upper() if _ISSUE_KEY.fullmatch(text) else None


def read_estimates(text: str) -> dict[str, str] | None:
    """Read "2h" or "1d 4h, 2h": the original estimate and the remaining one, of which either may be missing."""
    original, _, remaining = (part.strip() for part in text.partition(","))
    found = {"originalEstimate": original, "remainingEstimate": remaining}
    found = {name: part for name, part in found.items() if part}
    if not all(map(_DURATION.fullmatch, found.values())):
        return None
    return {name: " ".join(_DURATION_PART.findall(part)) for name, part in found.items()}
