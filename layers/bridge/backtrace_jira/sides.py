"""The two sides of a link as they are now, and as they were when they last agreed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backtrace_jira.invariants import changed
from backtrace_jira.model import JSON, Issue
from backtrace_jira.states import State, Status

OWN_WATCHER = "_backtrace"
"""The pseudo-ticket that holds the group's own assignees: always there, always first."""


@dataclass(frozen=True, slots=True)
class JiraUser:
    """A user of Jira: `id` is the accountId (Cloud) or the user name (Data Center); a hidden e-mail is empty."""

    id: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a ticket's changelog: a field went from one id to another at a moment (unix seconds)."""

    field: str
    before: str
    before_name: str
    at: float


@dataclass(frozen=True, slots=True)
class FixVersion:
    """A version of a Jira project. What a text field holds has no id, and nothing says that it is not released."""

    id: str
    name: str
    released: bool = True
    archived: bool = False

    @property
    def facts(self) -> str:
        """Return all that matters of it, in a few characters."""
        digest = hashlib.sha256(self.name.encode("utf-8", "replace")).hexdigest()[:12]
        return f"{digest}{'r' if self.released else ''}{'a' if self.archived else ''}"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A Jira issue as it is now. `changes` are newest last, None where they were not asked for.

    `versions` are by the field's name in the settings; a field that Jira does not have is not among them.
    `resolution` is its id and name, `resolved` when it was set (unix seconds); both may be missing on a ticket that is
    done.
    """

    issue: Issue
    project: str
    status: Status
    assignee: JiraUser | None
    updated: float
    changes: tuple[Change, ...] | None = None
    versions: Mapping[str, tuple[FixVersion, ...]] = field(default_factory=dict)
    resolution: tuple[str, str] = ("", "")
    resolved: float = 0.0

    @property
    def assignee_id(self) -> str:
        """Empty for nobody."""
        return self.assignee.id if self.assignee else ""

    @property
    def done_since(self) -> float:
        """Return when it was resolved, as far as can be told."""
        return self.resolved or self.changed_at("status")

    def changed_at(self, name: str) -> float:
        """Return when a field last changed; the last change of anything where the changelog does not say."""
        return max((change.at for change in self.changes or () if change.field == name), default=self.updated)

    def first_change(self, name: str, since: float) -> Change | None:
        """Return the first change of a field after a moment."""
        return next((each for each in self.changes or () if each.field == name and each.at >= since), None)


@dataclass(frozen=True, slots=True)
class BacktraceUser:
    """A user of Backtrace. `id` names one in a write; an e-mail that is not known is empty."""

    id: int
    username: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A row of Backtrace's table `issues`. `tickets` is its column `ticket`; `modified` is in unix seconds.

    `invariants` are its reopen criteria, None where they cannot be read; `reopens` counts how often one was met.
    """

    project: str
    fingerprint: str
    state: State
    tickets: Sequence[Mapping[str, Any]] = ()
    modified: float = 0.0
    invariants: Sequence[Mapping[str, Any]] | None = ()
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
        """Tell whether the ticket is linked here, under any of its addresses."""
        return any(is_entry_of(entry, watcher, *issues) for entry in self.tickets)


def is_entry_of(entry: Mapping[str, Any], watcher: str, *issues: Issue) -> bool:
    """Tell whether a ticket entry is ours; a person may have linked others under the same integration."""
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
        if is_entry_of(entry, watcher, before, now)
        else dict(entry)
        for entry in tickets
    ]


def without_ticket(tickets: Sequence[Mapping[str, Any]], watcher: str, issue: Issue) -> list[JSON]:
    """Return the column without our entry."""
    return [dict(entry) for entry in tickets if not is_entry_of(entry, watcher, issue)]


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What to write to a group whose ticket is unlinked; None leaves it as it is."""

    state: State | None
    tickets: list[JSON]
    invariants: list[JSON] | None


def after_unlinking(group: Group, watcher: str, issue: Issue, until: Iterable[str]) -> Unlinked | None:
    """Return what to write to a group whose ticket is unlinked; None where it has nothing of it.

    Without tickets and assignees, a group In Progress is Open again (Backtrace's triage page). `until` are the reopen
    criteria that are ours: nobody would ever take them back.
    """
    invariants = changed(group.invariants, until, ())
    if invariants is None and not group.has_ticket(watcher, issue):
        return None
    left = without_ticket(group.tickets, watcher, issue)
    others = any(isinstance(entry, dict) and not _is_own(entry) for entry in left)
    free = group.state is State.IN_PROGRESS and not others and group.assignee is None
    return Unlinked(State.OPEN if free else None, left, invariants)
