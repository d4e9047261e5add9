"""Backtrace's issue API for linking tickets: the ticket column of one group."""

from __future__ import annotations

from collections.abc import Sequence

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.tables import merge_ticket
from backtrace_jira.backtrace.group import Group
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import JSON
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.states import State


class RestBacktraceLinks:
    """The `BacktraceLinks` port for one universe."""

    def __init__(self, client: BacktraceClient) -> None:
        self._client = client
        self.address = client.address

    def link(
        self, *, project: str, fingerprint: str, watcher: str, issue: Issue, replaced: str = ""
    ) -> LastSynced:
        """Add the ticket entry and make an Open group In Progress, as Backtrace's own linking does.

        Returns the group's state and assignee after that.
        """
        # Read before the write, because `set` replaces the whole list: without it, other tickets would be lost.
        state, tickets = self._client.read_issue(project, fingerprint)
        entry: dict[str, JSON] = {"watcher": watcher, "short": issue.key, "url": issue.url, "state": "open"}
        kept = [ticket for ticket in tickets if not _is_entry_of(ticket, watcher, replaced)]
        merged = merge_ticket(kept, entry)
        baseline = _baseline(project, fingerprint, "in-progress" if state == "open" else state, merged)
        if merged == tickets and state != "open":
            return baseline
        write: dict[str, JSON] = {
            "project": project,
            "fingerprint": [fingerprint],
            "ticket": {"action": "set", "value": merged},
        }
        if state == "open":
            write["state"] = "in-progress"
        self._client.write_issue(project, write)
        return baseline


def _is_entry_of(ticket: JSON, watcher: str, key: str) -> bool:
    return (
        bool(key)
        and isinstance(ticket, dict)
        and (ticket.get("watcher"), ticket.get("short")) == (watcher, key)
    )


def _baseline(project: str, fingerprint: str, state: str, tickets: Sequence[JSON]) -> LastSynced:
    known = State(state) if state in list(State) else State.OPEN
    entries = [entry for entry in tickets if isinstance(entry, dict)]
    group = Group(project, fingerprint, known, entries)
    return LastSynced(state=group.state, assignee=group.assignee_id)
