"""What a link remembers of its ticket and its group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backtrace_jira.states import State, Status


@dataclass(frozen=True, slots=True)
class LastSynced:
    """What ticket and group were when they last agreed. A value equal to that is not a change.

    None is a value that is not known yet: nobody has compared it since the ticket was linked.
    """

    state: State | None = None
    """The group's."""
    assignee: str | None = None
    """The group's: a Backtrace user id, empty for nobody."""
    status: Status | None = None
    """The ticket's."""
    ticket_assignee: str | None = None
    """The ticket's: an accountId or user name, empty for nobody."""
    at: float = 0.0
    """When they were compared (unix seconds); 0 is never."""
    told: tuple[str, ...] = ()
    """A sentence for each thing that was done then."""
    problems: tuple[str, ...] = ()
    """A sentence for each thing that could not be done then."""
    reopen_criteria: tuple[str, ...] = ()
    """Those of the group that this link set, as JSON texts. People and other links may have set more."""
    unread_versions: tuple[str, ...] = ()
    """A sentence for each Fix Version that could not be read."""
    fix_versions: Mapping[str, str] = field(default_factory=dict)
    """The facts of the ticket's Fix Versions, by id."""
    reopens: int | None = None
    """How often Backtrace had reopened the group."""
    regressed: bool = False
    """Whether the ticket was already told that its error has come back."""
