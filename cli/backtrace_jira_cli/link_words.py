"""A link in words: times, the last decision, and what ticket and group last agreed on."""

from __future__ import annotations

from datetime import UTC, datetime

from backtrace_jira.links.last_synced import REOPENING, LastSynced
from backtrace_jira.outcomes import Record

NO_ANSWER = "Jira did not answer the create request; the function looks for its ticket"
SHORTEST = 6
"""So many characters of a fingerprint an operator has to give at least."""


def moment(at: float) -> str:
    """Return unix seconds as a time in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(seconds: float) -> str:
    """Return an age in one unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{max(0, int(seconds))} s ago"


def describe_record(record: Record) -> list[tuple[str, str]]:
    """Return a decision as rows of name and text, without empty ones."""
    rows = [("reason", record.reason), ("rule", record.rule)]
    rows += [("Jira's words", text) for text in record.messages]
    rows += [(f"field {name}", text) for name, text in record.fields.items()]
    rows += [("left out", text) for text in record.left_out]
    rows += [("unknown attribute", f"${name}") for name in record.unknown_attributes]
    return [(name, text) for name, text in rows if text]


def describe_synced(synced: LastSynced, now: float) -> list[tuple[str, str]]:
    """Return rows about the last synchronisation: both sides' values, what it did, and what it could not do."""
    status = synced.status
    return [
        ("last brought in step", f"{moment(synced.at)} ({ago(now - synced.at)})" if synced.at else ""),
        ("Backtrace was", str(synced.state or "")),
        ("assigned in Backtrace to", _somebody(synced.assignee)),
        ("Jira was", f"{status.name} (category {status.category})" if status else ""),
        ("assigned in Jira to", _somebody(synced.ticket_assignee)),
        ("seen again", _seen_again(synced)),
        *(("done then", text) for text in synced.told),
        *(("could not be done", text) for text in synced.problems),
    ]


def _seen_again(synced: LastSynced) -> str:
    if not synced.regressed:
        return ""
    refused = REOPENING in synced.refused
    return "yes, but Jira did not let the ticket be reopened" if refused else "yes, and the ticket shows it"


def _somebody(user: str | None) -> str:
    return "" if user is None else user or "nobody"
