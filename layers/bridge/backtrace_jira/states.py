"""A Jira status and a Backtrace state: what each means on the other side.

Keys of status categories are the same on every Jira; names are the team's own, in its own language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """State of an error group, as Backtrace's issue API spells it."""

    OPEN = "open"
    IN_PROGRESS = "in-progress"
    RESOLVED = "resolved"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Status:
    """A status of a Jira workflow; `category` is the key of its status category."""

    id: str
    name: str
    category: str


_BY_CATEGORY = {"undefined": State.OPEN, "new": State.OPEN, "done": State.RESOLVED}


def state_of(status: Status, named: Mapping[str, State]) -> State:
    """Return what a status means in Backtrace: as the settings name it (by name or id), else by its category.

    A category that nobody knows is not done.
    """
    for name, state in named.items():
        if name == status.id or name.casefold() == status.name.casefold():
            return state
    return _BY_CATEGORY.get(status.category, State.IN_PROGRESS)


EXACT, SAME, NEAR = range(3)
"""How well a status stands for a state: it is the one that the settings name, it means the state, or it is what
comes next to it where a workflow has no such status."""


def rank_status(
    status: Status, wanted: State, *, named: Mapping[str, State], preferred: Mapping[State, str]
) -> int | None:
    """Tell how well a status stands for a state; None is not at all.

    Args:
        status: to look at.
        wanted: open, in-progress or resolved.
        named: states by status name (settings).
        preferred: the status by state (settings).
    """
    if preferred.get(wanted, "").casefold() in (status.name.casefold(), status.id):
        return EXACT
    means = state_of(status, named)
    if means is wanted:
        return SAME
    return NEAR if {means, wanted} == {State.OPEN, State.IN_PROGRESS} else None
