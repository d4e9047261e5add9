"""Settings of the synchronisation between Backtrace and Jira; part of an integration."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from backtrace_jira.settings.base import Settings, Text
from backtrace_jira.states import State


class SyncedField(StrEnum):
    """What is kept the same on both sides."""

    STATE = "state"
    ASSIGNEE = "assignee"


class OnLinking(StrEnum):
    """Whose value holds when a ticket is linked and the two sides disagree."""

    NONE = "none"
    JIRA = "jira"
    BACKTRACE = "backtrace"


class WhenMuted(StrEnum):
    """What becomes of the ticket when a group is muted."""

    LEAVE = "leave"
    RESOLVE = "resolve"


class Person(Settings):
    """Somebody who is known on both sides."""

    backtrace_id: int = Field(description="The person's user id in Backtrace.", examples=[7])
    jira: Text = Field(
        description="accountId (Cloud) or user name (Data Center).", examples=["5b10a2844c20165700ede21g"]
    )


class Sync(Settings):
    """State and Assignee, kept the same on both sides. Off unless a direction is switched on."""

    backtrace_to_jira: bool = Field(
        default=False,
        description="Carry changes made in Backtrace to linked tickets (one-way synchronisation).",
    )
    jira_to_backtrace: bool = Field(
        default=False,
        description="Carry changes made in Jira to linked error groups (with the other: two-way). "
        "Needs `backtrace-jira webhook install`, or waits for the schedule.",
    )
    fields: tuple[SyncedField, ...] = Field(
        default=(SyncedField.STATE, SyncedField.ASSIGNEE), description="What is synchronised."
    )
    on_linking: OnLinking = Field(
        default=OnLinking.NONE,
        description="Source of truth when a ticket is linked and the sides disagree (resolved or not, and the "
        "assignee): jira, backtrace, or none, which leaves both as they are.",
    )
    muted: WhenMuted = Field(
        default=WhenMuted.LEAVE,
        description="What muting a group does to its ticket: leave it alone, or resolve it.",
    )
    states: dict[Text, State] = Field(
        default_factory=dict,
        description="State by name or id of a Jira status, where its category says something else.",
        examples=[{"Waiting for customer": "muted"}],
    )
    statuses: dict[State, Text] = Field(
        default_factory=dict,
        description="Jira status by state, where several would do. Else any status of the right category.",
        examples=[{"resolved": "Closed"}],
    )
    via: dict[State, tuple[Text, ...]] = Field(
        default_factory=dict,
        description="Statuses that may be passed through on the way to a state, in this order. "
        "Else any that is not done.",
        examples=[{"resolved": ["In Progress", "In Review"]}],
    )
    transition_fields: dict[Text, Text] = Field(
        default_factory=dict,
        description="Fields of transition screens, by id or name. They are sent where a screen has them.",
        examples=[{"resolution": "Fixed"}],
    )
    people: tuple[Person, ...] = Field(
        default=(), description="Who is who. Others are matched by their exact e-mail address."
    )

    @model_validator(mode="after")
    def _muted_has_no_status_of_its_own(self) -> Self:
        if State.MUTED in self.statuses or State.MUTED in self.via:
            raise ValueError("muted leads to no status; `muted: resolve` treats it as resolved")
        return self

    @property
    def is_on(self) -> bool:
        """Tell whether anything is synchronised."""
        return self.backtrace_to_jira or self.jira_to_backtrace or self.on_linking is not OnLinking.NONE

    def covers(self, field: SyncedField) -> bool:
        """Tell whether this field is synchronised."""
        return field in self.fields
