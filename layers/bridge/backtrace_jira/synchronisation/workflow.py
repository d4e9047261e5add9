"""The way through a Jira workflow: which transition comes next, and what its screen is given.

Jira tells the transitions that lead away from where a ticket stands and nothing of those behind them, so a way of
several hops is found while it is walked: never through a status that is done, never twice through the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from backtrace_jira.errors import InvalidField
from backtrace_jira.jira.field_values import FindUser, to_field_value
from backtrace_jira.jira.fields import AllowedValue, Field, fold
from backtrace_jira.jira.issue import ADDED_ON_SCREENS, Transition
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.synchronisation import Sync
from backtrace_jira.states import EXACT, SAME, State, Status, rank_status

MOST_HOPS = 6


RESOLUTIONS = ("Done", "Fixed", "Resolved")
"""Tried in this order where a screen demands a resolution and the settings name none."""


@dataclass(frozen=True, slots=True)
class Way:
    """A ticket's way to the state `wanted`: open, in-progress or resolved."""

    wanted: State
    sync: Sync

    def rank(self, status: Status) -> int | None:
        """Return how well a status stands for the wanted state: EXACT, SAME, NEAR, or None for not at all."""
        return rank_status(status, self.wanted, named=self.sync.states, preferred=self.sync.statuses)

    def has_arrived(self, status: Status) -> bool:
        """Return whether the ticket can stay; a person's choice among statuses of one meaning is respected."""
        return self.rank(status) in (EXACT, SAME)

    def next_step(
        self, now: Status, steps: Sequence[Transition], passed: Collection[str]
    ) -> Transition | None:
        """Return the transition to take; None where no way leads on.

        Args:
            now: where the ticket stands.
            steps: what is open to it.
            passed: ids of the statuses that it has been in on this way.
        """
        here = self.rank(now)
        arriving = [step for step in steps if self.has_arrived(step.to)]
        if arriving:
            return min(arriving, key=lambda step: (bool(_find_missing(step, self)), self.rank(step.to) or 0))
        if here is not None:
            return None  # next best, and nothing better is at hand: no wandering about
        near = [step for step in steps if self.rank(step.to) is not None]
        if near:
            return min(near, key=lambda step: len(_find_missing(step, self)))
        return self._hop(steps, {*passed, now.id})

    def _hop(self, steps: Sequence[Transition], passed: Collection[str]) -> Transition | None:
        """Return a transition to pass through: in the settings' order, else what is in progress first."""
        if len(passed) >= MOST_HOPS:
            return None
        fresh = [step for step in steps if step.to.id not in passed and step.to.category != "done"]
        via = [fold(name) for name in self.sync.via.get(self.wanted, ())]
        if via:
            named = [step for step in fresh if fold(step.to.name) in via]
            return min(named, key=lambda step: via.index(fold(step.to.name)), default=None)
        open_ways = [step for step in fresh if not _find_missing(step, self)]
        return min(open_ways, key=lambda step: step.to.category != "indeterminate", default=None)

    def fill_screen(self, step: Transition, *, cloud: bool, find_user: FindUser) -> dict[str, JSON]:
        """Return what the transition's screen is given: the settings' fields, and a resolution where one is due.

        Raises:
            InvalidField: a setting does not fit, or a field is demanded that nothing is known for.
        """
        filled: dict[str, JSON] = {}
        for field in step.fields:
            text = _find_setting(field, self.sync.transition_fields)
            if field.id == "resolution" and self.wanted is not State.RESOLVED and not field.required:
                filled[field.id] = None  # a reopened ticket has no resolution
            elif text and field.id in ADDED_ON_SCREENS:
                filled[field.id] = {ADDED_ON_SCREENS[field.id]: text}
            elif text:
                filled[field.id] = to_field_value(field, text, cloud=cloud, people=find_user)
            elif field.required and not field.has_default:
                filled[field.id] = _choose_value(field, step)
        return filled


def _find_setting(field: Field, settings: Mapping[str, str]) -> str:
    return next(
        (text for name, text in settings.items() if fold(name) in (fold(field.id), fold(field.name))), ""
    )


def _find_missing(step: Transition, way: Way) -> list[Field]:
    """Return the fields that the screen demands and nothing is known for."""
    return [
        field
        for field in step.fields
        if field.required
        and not field.has_default
        and not _find_setting(field, way.sync.transition_fields)
        and _find_choice(field) is None
    ]


def _find_choice(field: Field) -> AllowedValue | None:
    allowed = field.allowed or ()
    if field.id == "resolution" and allowed:
        by_name = {fold(name): value for value in allowed for name in value.names}
        return next((by_name[fold(name)] for name in RESOLUTIONS if fold(name) in by_name), allowed[0])
    return allowed[0] if len(allowed) == 1 else None


def _choose_value(field: Field, step: Transition) -> JSON:
    value = _find_choice(field)
    if value is None:
        raise InvalidField(
            f"{field}: the screen of transition {step.name} demands it; name it in sync.transition_fields",
            field=field.id,
        )
    chosen: JSON = {"id": value.id} if value.id else {"name": value.shown}
    return [chosen] if field.type == "array" else chosen
