"""A row of Backtrace's table `issues`: state, users, and the column that holds its tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backtrace_jira.backtrace.reopen_criteria import plan_column
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import JSON
from backtrace_jira.states import State

OWN_WATCHER = "_backtrace"
"""The pseudo-ticket that holds the group's own assignees: always there, always first."""


@dataclass(frozen=True, slots=True)
class BacktraceUser:
    """A user of Backtrace. `id` names one in a write; an e-mail that is not known is empty."""

    id: int
    username: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A row of Backtrace's table `issues`. `tickets` is its column `ticket`; `modified` is in unix seconds.

    `reopen_criteria` are its column `invariants`, None where it cannot be read; `reopens` counts how often one was met.
    """

    project: str
    fingerprint: str
    state: State
    tickets: Sequence[Mapping[str, Any]] = ()
    modified: float = 0.0
    reopen_criteria: Sequence[Mapping[str, Any]] | None = ()
    reopens: int = 0

    @property
    def assignee(self) -> BacktraceUser | None:
        """Return the first assignee: Jira has one."""
        own = next((entry for entry in self.tickets if entry.get("watcher") == OWN_WATCHER), {})
        users = own.get("assignees")
        first = users[0] if isinstance(users, list) and users else None
        if not isinstance(first, dict) or not isinstance(first.get("id"), int):
            return None
        return BacktraceUser(first["id"], str(first.get("username") or ""), str(first.get("email") or ""))

    @property
    def assignee_id(self) -> str:
        """Empty for nobody."""
        return str(self.assignee.id) if self.assignee else ""

    def has_ticket(self, watcher: str, *issues: Issue) -> bool:
        """Return whether the ticket is linked here, under any of its addresses."""
        return any(is_ticket_entry(entry, watcher, *issues) for entry in self.tickets)


@dataclass(frozen=True, slots=True)
class GroupWrite:
    """What one write makes of a group; None leaves a column as it is.

    `sets_assignee` says that the assignees in `tickets` are others than they were: Backtrace asks for that flag.
    """

    state: State | None = None
    tickets: Sequence[JSON] | None = None
    sets_assignee: bool = False
    reopen_criteria: Sequence[JSON] | None = None


def is_ticket_entry(entry: Mapping[str, Any], watcher: str, *issues: Issue) -> bool:
    """Return whether a ticket entry is ours; a person may have linked others under the same integration."""
    return entry.get("watcher") == watcher and entry.get("url") in [issue.url for issue in issues]


def with_assignee(tickets: Sequence[Mapping[str, Any]], user: BacktraceUser | None) -> list[JSON]:
    """Return the column with this assignee on every entry, as Backtrace's own client writes it."""
    value: list[JSON] = []
    if user:
        known: dict[str, JSON] = {"id": user.id, "username": user.username, "email": user.email}
        value = [{name: one for name, one in known.items() if one != ""}]
    entries = (
        list(tickets) if any(_is_own(entry) for entry in tickets) else [{"watcher": OWN_WATCHER}, *tickets]
    )
    return [{**entry, "assignees": value} for entry in entries]


def _is_own(entry: Mapping[str, Any]) -> bool:
    return entry.get("watcher") == OWN_WATCHER


def with_ticket_as(
    tickets: Sequence[Mapping[str, Any]], watcher: str, before: Issue, now: Issue, state: State
) -> list[JSON]:
    """Return the column with our entry as the ticket is now: key, address and mirrored state."""
    return [
        {**entry, "short": now.key, "url": now.url, "state": state}
        if is_ticket_entry(entry, watcher, before, now)
        else dict(entry)
        for entry in tickets
    ]


def without_ticket(tickets: Sequence[Mapping[str, Any]], watcher: str, issue: Issue) -> list[JSON]:
    """Return the column without our entry."""
    return [dict(entry) for entry in tickets if not is_ticket_entry(entry, watcher, issue)]


def plan_unlinking(
    group: Group, watcher: str, issue: Issue, reopen_criteria: Iterable[str]
) -> GroupWrite | None:
    """Return what to write to a group whose ticket is unlinked; None where it has nothing of it.

    Without tickets and assignees, a group In Progress is Open again (Backtrace's triage page). `reopen_criteria` are
    ours: nobody would ever take them back.
    """
    criteria = plan_column(group.reopen_criteria, reopen_criteria, ())
    if criteria is None and not group.has_ticket(watcher, issue):
        return None
    left = without_ticket(group.tickets, watcher, issue)
    others = any(isinstance(entry, dict) and not _is_own(entry) for entry in left)
    free = group.state is State.IN_PROGRESS and not others and group.assignee is None
    return GroupWrite(State.OPEN if free else None, left, reopen_criteria=criteria)
