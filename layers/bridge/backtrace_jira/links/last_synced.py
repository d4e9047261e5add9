"""What a link remembers of its two sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backtrace_jira.states import State, Status


@dataclass(frozen=True, slots=True)
class LastSynced:
    """What both sides were when they last agreed; None where that is not known yet.

    `assignee` is a Backtrace user id, `ticket_assignee` a Jira user's; both are empty for nobody. `told` says what
    was done last, `problems` what could not be, `at` when (unix seconds).

    `until` are the reopen criteria in Backtrace that are ours (JSON texts), `unread` says which Fix Versions could not
    be read, `fixes` are the ids of those the ticket has, with what was known of them. `reopens` is how often Backtrace
    had reopened the group by then, `regressed` says that the ticket has been told of its error's return.
    """

    state: State | None = None
    assignee: str | None = None
    status: Status | None = None
    ticket_assignee: str | None = None
    at: float = 0.0
    told: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    reopen_criteria: tuple[str, ...] = ()
    unread_versions: tuple[str, ...] = ()
    fix_versions: Mapping[str, str] = field(default_factory=dict)
    reopens: int | None = None
    regressed: bool = False
