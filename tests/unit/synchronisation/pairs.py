"""Tickets, groups and links as values: what a row of a table says, the rest is a sample."""

from __future__ import annotations

from typing import Any

from backtrace_jira.backtrace.group import OWN_WATCHER, Group
from backtrace_jira.jira.issue import Change, FixVersion, Issue, JiraUser, Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link, LinkKey, LinkState
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State, Status
from tests.builders import integration

TODO, DOING, REVIEW, DONE = (
    Status("1", "To Do", "new"),
    Status("2", "In Progress", "indeterminate"),
    Status("3", "In Review", "indeterminate"),
    Status("4", "Done", "done"),
)
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
LINKED_AT, SYNCED_AT = 1000.0, 2000.0
BOTH_WAYS = {"backtrace_to_jira": True, "jira_to_backtrace": True}


def ticket(
    status: Status = DOING,
    assignee: str = "",
    *,
    at: float = 0.0,
    versions: tuple[str, ...] | None = (),
    changes: tuple[Change, ...] | None = None,
    **more: Any,
) -> Ticket:
    """A ticket whose status and assignee changed at `at`; 0 is that its changelog says nothing of it."""
    changed = tuple(Change(field, "", "", at) for field in ("status", "assignee")) if at else ()
    fix_versions = tuple(
        FixVersion(str(n), name.strip("*"), released="*" not in name) for n, name in enumerate(versions or ())
    )
    return Ticket(
        more.pop("issue", ISSUE),
        "BUG",
        status,
        JiraUser(assignee, assignee.title(), f"{assignee}@example.com") if assignee else None,
        more.pop("updated", SYNCED_AT + 50),
        changed if changes is None else changes,
        {} if versions is None else {"fixVersions": fix_versions},
        **more,
    )


def group(
    state: State = State.IN_PROGRESS,
    assignee: int = 0,
    *,
    modified: float = 0.0,
    fingerprint: str = "a" * 64,
    **more: Any,
) -> Group:
    """A group with its ticket."""
    users = [{"id": assignee, "username": f"user{assignee}"}] if assignee else []
    tickets = [
        {"watcher": OWN_WATCHER, "assignees": users},
        {"watcher": "jira-bugs", "short": "BUG-1", "url": ISSUE.url, "assignees": users},
    ]
    return Group("my_project", fingerprint, state, more.pop("tickets", tickets), modified, **more)


def pair(
    its_group: Group | None = None,
    synced: LastSynced | None = None,
    *,
    sync: dict[str, Any] | None = None,
    page: str = "",
    **settings: Any,
) -> Pair:
    """A link whose sides agreed on In Progress and nobody, unless a row says otherwise."""
    its_group = its_group or group()
    its_settings = integration(sync=BOTH_WAYS if sync is None else sync, **settings)
    return Pair(
        Link(
            LinkKey(its_settings.id, its_group.fingerprint),
            LinkState.COMPLETE,
            issue=ISSUE,
            linked_in_backtrace=True,
            record=Record(LINKED_AT, Decision.CREATED),
            synced=agreed() if synced is None else synced,
            page=page,
        ),
        its_settings,
        its_group,
    )


def agreed(state: State | None = State.IN_PROGRESS, status: Status | None = DOING, **more: Any) -> LastSynced:
    """What both sides were when they last agreed."""
    return LastSynced(
        state=state,
        assignee=more.pop("assignee", ""),
        status=status,
        ticket_assignee=more.pop("ticket_assignee", ""),
        at=more.pop("at", SYNCED_AT),
        **more,
    )


def turn(*notes: str) -> Turn:
    """A turn, with what the last holder noted."""
    return Turn("main", ISSUE.id, "me", 9_999_999_999.0, notes)
