"""Jira's statuses and Backtrace's states, and how each is translated into the other.

Every Jira site has the same status categories. A status has a name that the team gave it, in its own language.
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
    """Return the state that a status means: as the settings say (by name or id), else by its category.

    An unknown category means in progress.
    """
    for name, state in named.items():
        if name == status.id or name.casefold() == status.name.casefold():
            return state
    return _BY_CATEGORY.get(status.category, State.IN_PROGRESS)


EXACT, SAME, NEAR = range(3)
"""The ranks of a status for a state. EXACT: the settings name it. SAME: it means the state. NEAR: it is the next
best, for workflows without such a status."""


def rank_status(
    status: Status, wanted: State, *, named: Mapping[str, State], preferred: Mapping[State, str]
) -> int | None:
    """Return how well a status stands for a state: EXACT, SAME, NEAR, or None for not at all.

    Args:
        status: a status of the ticket's workflow.
        wanted: open, in-progress or resolved.
        named: the setting `states`, by status.
        preferred: the setting `statuses`, by state.
    """
    if preferred.get(wanted, "").casefold() in (status.name.casefold(), status.id):
        return EXACT
    means = state_of(status, named)
    if means is wanted:
        return SAME
    return NEAR if {means, wanted} == {State.OPEN, State.IN_PROGRESS} else None
