"""Settings of an integration: how linked tickets and error groups are kept in step."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from backtrace_jira.settings.base import Settings, Text
from backtrace_jira.states import State


class SyncedField(StrEnum):
    """A field that is kept the same in Backtrace and Jira."""

    STATE = "state"
    ASSIGNEE = "assignee"


class OnLinking(StrEnum):
    """The side that wins if ticket and group disagree when they are first linked."""

    NONE = "none"
    JIRA = "jira"
    BACKTRACE = "backtrace"


class WhenMuted(StrEnum):
    """The effect of muting a group on its ticket."""

    LEAVE = "leave"
    RESOLVE = "resolve"


class Person(Settings):
    """A person with an account in Backtrace and in Jira."""

    backtrace_id: int = Field(description="The person's user id in Backtrace.", examples=[7])
    jira: Text = Field(
        description="accountId (Cloud) or user name (Data Center).", examples=["5b10a2844c20165700ede21g"]
    )


class Sync(Settings):
    """Keeps State and Assignee the same in Backtrace and Jira. Off unless a direction is switched on."""

    backtrace_to_jira: bool = Field(
        default=False,
        description="Carry changes made in Backtrace to linked tickets (one-way synchronisation).",
    )
    jira_to_backtrace: bool = Field(
        default=False,
        description="Carry changes made in Jira to linked error groups (with the other: two-way). Soon with "
        "`backtrace-jira webhook install`; without it, at the next run of the schedule.",
    )
    fields: tuple[SyncedField, ...] = Field(
        default=(SyncedField.STATE, SyncedField.ASSIGNEE), description="The fields that are kept the same."
    )
    on_linking: OnLinking = Field(
        default=OnLinking.NONE,
        description="Source of truth: which side wins if the sides disagree when a ticket is first linked (on "
        "resolved or not, and on the assignee): jira, backtrace, or none, which leaves both as they are.",
    )
    muted: WhenMuted = Field(
        default=WhenMuted.LEAVE,
        description="What muting a group does to its ticket: leave it alone, or resolve it.",
    )
    states: dict[Text, State] = Field(
        default_factory=dict,
        description="The state that a Jira status means, by its name or id, if its category would say something else.",
        examples=[{"Waiting for customer": "muted"}],
    )
    statuses: dict[State, Text] = Field(
        default_factory=dict,
        description="The Jira status for a state, if several would do. Without it: any status of the right category.",
        examples=[{"resolved": "Closed"}],
    )
    via: dict[State, tuple[Text, ...]] = Field(
        default_factory=dict,
        description="Statuses that a ticket may pass through on the way to a state, in this order. Without them: any "
        "status that is not done.",
        examples=[{"resolved": ["In Progress", "In Review"]}],
    )
    transition_fields: dict[Text, Text] = Field(
        default_factory=dict,
        description="Values for fields of transition screens, by id or name. A field is sent if the screen has it: a "
        "person as an e-mail address, `worklog` as the time spent, `comment` as its text.",
        examples=[{"resolution": "Fixed", "worklog": "1m"}],
    )
    people: tuple[Person, ...] = Field(
        default=(),
        description="Accounts that belong to one person. Others are matched by their exact e-mail address.",
    )

    @model_validator(mode="after")
    def _muted_has_no_status_of_its_own(self) -> Self:
        if State.MUTED in self.statuses or State.MUTED in self.via:
            raise ValueError("muted leads to no status; `muted: resolve` treats it as resolved")
        return self

    @property
    def is_on(self) -> bool:
        """Return whether any field is kept the same, in either direction or at linking."""
        return self.backtrace_to_jira or self.jira_to_backtrace or self.on_linking is not OnLinking.NONE

    def covers(self, field: SyncedField) -> bool:
        """Return whether this field is kept the same."""
        return field in self.fields
