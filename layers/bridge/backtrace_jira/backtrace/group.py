"""A row of Backtrace's table `issues`: state, users, and the column that holds its tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backtrace_jira.backtrace.reopen_criteria import plan_column
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import JSON
from backtrace_jira.states import State

OWN_WATCHER = "_backtrace"
"""The pseudo-ticket that holds the group's own assignees: always there, always first."""


@dataclass(frozen=True, slots=True)
class BacktraceUser:
    """A user of Backtrace. Writes name a user by `id`; an unknown e-mail address is empty."""

    id: int
    username: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A row of Backtrace's table `issues`. `tickets` is its column `ticket`; `modified` is in unix seconds.

    `reopen_criteria` is its column `invariants`, None if that cannot be read. `reopens` says how often one was met,
    `met` which one was the last; None if that is not known.
    """

    project: str
    fingerprint: str
    state: State
    tickets: Sequence[Mapping[str, Any]] = ()
    modified: float = 0.0
    reopen_criteria: Sequence[Mapping[str, Any]] | None = ()
    reopens: int = 0
    met: Mapping[str, Any] | None = None

    @property
    def assignee(self) -> BacktraceUser | None:
        """The group's first assignee; Jira's tickets have one only."""
        own = next((entry for entry in self.tickets if entry.get("watcher") == OWN_WATCHER), {})
        users = own.get("assignees")
        first = users[0] if isinstance(users, list) and users else None
        if not isinstance(first, dict) or not isinstance(first.get("id"), int):
            return None
        return BacktraceUser(first["id"], str(first.get("username") or ""), str(first.get("email") or ""))

    @property
    def assignee_id(self) -> str:
        """The assignee's id as text; empty for nobody."""
        return str(self.assignee.id) if self.assignee else ""

    def once_linked(self, watcher: str, *issues: Issue) -> Group:
        """Return the group as it will be when it has the ticket: linking makes an Open group In Progress."""
        if self.state is not State.OPEN or self.has_ticket(watcher, *issues):
            return self
        return replace(self, state=State.IN_PROGRESS)

    def has_ticket(self, watcher: str, *issues: Issue) -> bool:
        """Return whether the ticket is linked to this group, under any of its addresses."""
        return any(is_ticket_entry(entry, watcher, *issues) for entry in self.tickets)


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some groups of a project, in the order in which they were modified."""

    groups: Sequence[Group]
    next_after: str = ""
    """Place after which the next page begins; empty if this is the last page."""


@dataclass(frozen=True, slots=True)
class GroupWrite:
    """One write to a group; None leaves a column as it is.

    `sets_assignee`: the write changes the assignees in `tickets`. Backtrace's API wants to be told.
    """

    state: State | None = None
    tickets: Sequence[JSON] | None = None
    sets_assignee: bool = False
    reopen_criteria: Sequence[JSON] | None = None


def is_ticket_entry(entry: Mapping[str, Any], watcher: str, *issues: Issue) -> bool:
    """Return whether an entry is this ticket's. A person may have linked other tickets under the same integration."""
    return entry.get("watcher") == watcher and entry.get("url") in [issue.url for issue in issues]


def with_assignee(tickets: Sequence[Mapping[str, Any]], user: BacktraceUser | None) -> list[JSON]:
    """Return the ticket column with this assignee in every entry, as Backtrace's own client writes it."""
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
    """Return the ticket column with our entry brought up to date: key, address and state of the ticket."""
    return [
        {**entry, "short": now.key, "url": now.url, "state": state}
        if is_ticket_entry(entry, watcher, before, now)
        else dict(entry)
        for entry in tickets
    ]


def without_ticket(tickets: Sequence[Mapping[str, Any]], watcher: str, issue: Issue) -> list[JSON]:
    """Return the ticket column without our entry."""
    return [dict(entry) for entry in tickets if not is_ticket_entry(entry, watcher, issue)]


def plan_unlinking(
    group: Group, watcher: str, issue: Issue, reopen_criteria: Iterable[str]
) -> GroupWrite | None:
    """Return the write that takes an unlinked ticket out of its group; None if the group has nothing of it.

    A group In Progress that is left without tickets and assignees becomes Open (Backtrace's triage page). The link's
    own `reopen_criteria` are removed, too: after this, no process knows that they were ours.
    """
    criteria = plan_column(group.reopen_criteria, reopen_criteria, ())
    if criteria is None and not group.has_ticket(watcher, issue):
        return None
    left = without_ticket(group.tickets, watcher, issue)
    others = any(isinstance(entry, dict) and not _is_own(entry) for entry in left)
    free = group.state is State.IN_PROGRESS and not others and group.assignee is None
    return GroupWrite(State.OPEN if free else None, left, reopen_criteria=criteria)
