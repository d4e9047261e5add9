"""A finding as text: one line, and one more for each detail."""

from __future__ import annotations

from collections.abc import Iterator

from backtrace_jira_cli.check.finding import CheckName, Finding, Status

_MARKS = {Status.OK: "✓", Status.WARNING: "!", Status.FAILED: "✗", Status.NOT_CHECKED: "-"}
_PLAIN_MARKS = {Status.OK: "ok", Status.WARNING: "warn", Status.FAILED: "FAIL", Status.NOT_CHECKED: "--"}
_STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red", Status.NOT_CHECKED: "dim"}
_WIDTH = max(len(name.words) for name in CheckName)


def heading_of(title: str) -> str:
    """Return the line above the checks of one integration."""
    return _printable(title)


def lines_of(finding: Finding, *, plain: bool) -> Iterator[tuple[str, str]]:
    """Yield lines with their styles. `plain` is for an output that cannot take the marks."""
    marks = _PLAIN_MARKS if plain else _MARKS
    mark = marks[finding.status].ljust(max(map(len, marks.values())))
    arrow = "->" if plain else "→"
    remedy = f" {arrow} {finding.remedy}" if finding.remedy else ""
    text = _printable(f"{finding.check.words.ljust(_WIDTH)}  {finding.found}{remedy}")
    yield f"  {mark} {text}", _STYLES[finding.status]
    for detail in finding.details:
        yield _printable(f"      {'-' if plain else '·'} {detail}"), _STYLES[finding.status]


def _printable(text: str) -> str:
    """Replace characters that could steer a terminal: servers sent some of this text."""
    return "".join(char if char.isprintable() else "?" for char in text)
