"""What a link remembers of its two sides."""

from __future__ import annotations

from dataclasses import dataclass

from backtrace_jira.states import State, Status


@dataclass(frozen=True, slots=True)
class Synced:
    """What both sides were when they last agreed; None where that is not known yet.

    `assignee` is a Backtrace user id, `ticket_assignee` a Jira user's; both are empty for nobody. `told` says what
    was done last, `problems` what could not be, `at` when (unix seconds).
    """

    state: State | None = None
    assignee: str | None = None
    status: Status | None = None
    ticket_assignee: str | None = None
    at: float = 0.0
    told: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
