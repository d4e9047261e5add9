"""Settings of one integration: one Backtrace project's way into one Jira project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from backtrace_jira.settings.base import Name, ParameterName, Settings, Text
from backtrace_jira.settings.expressions import check_regex
from backtrace_jira.settings.fix_versions import FixVersions
from backtrace_jira.settings.synchronisation import Sync


class Display(Settings):
    """Which sections the ticket's body has (Common Settings: Display Settings)."""

    classifiers: bool = Field(default=True, description="Show the classifiers.")
    callstack: bool = Field(default=True, description="Show the call stack.")
    attributes: bool = Field(default=True, description="Show the attributes.")
    attribute_list: tuple[Text, ...] = Field(
        default=(),
        description="Attribute List: the attributes to show, in this order. Empty: all of them.",
        examples=[["version", "environment"]],
    )
    include_hostname: bool = Field(
        default=True,
        description="Include hostname in attributes. If not, the attribute hostname is left out.",
    )


ANY_ATTRIBUTE = "*"


class ActionKind(StrEnum):
    """What an action does with an event that it matches."""

    SUBMIT = "submit"
    FILTER = "filter"
    MENTION = "mention"


class Action(Settings):
    """One line of the ordered list of Common Settings."""

    action: ActionKind = Field(
        description="submit, filter or mention. The last submit or filter that matches decides; none: submit."
    )
    attribute: Text = Field(
        default=ANY_ATTRIBUTE,
        description="The attribute whose values are matched; * for any.",
        examples=["datacenter"],
    )
    regex: Annotated[str, AfterValidator(check_regex)] = Field(
        default=".*",
        description="Regular expression (RE2), found anywhere in a value. Of several values any may match.",
        examples=["^nyc$"],
    )
    target: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._@:+-]{1,255}$")] | None
    ) = Field(
        default=None,
        description="Whom to mention, as Jira's markup has it: a user name, on Cloud accountid:5b10....",
        examples=["accountid:5b10a2844c20165700ede21g"],
    )

    @model_validator(mode="after")
    def _mention_has_a_target(self) -> Self:
        if (self.action is ActionKind.MENTION) != (self.target is not None):
            raise ValueError("a mention needs a target, and nothing else has one")
        return self


class EventKind(StrEnum):
    """What a ticket is made for (Common Settings: Event)."""

    GROUP = "group"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class DueRule:
    """Which of a group's events are due for a ticket: by the time since the last one that was, or by their number."""

    frequency: int = 0
    """Seconds; 0: none."""
    threshold: int = 0
    """Events; 0: none."""

    @property
    def lets_all_through(self) -> bool:
        """Tell whether every event is due, so that nothing need be counted."""
        return self.threshold == 1 or not (self.frequency or self.threshold)


LONGEST_FREQUENCY = 30 * 24 * 3600


class Integration(Settings):
    """One Backtrace project's way into one Jira project; the settings of the product page."""

    universe: Name = Field(description="Backtrace universe.")
    project: Name = Field(description="Backtrace project.")
    name: ParameterName = Field(description="Unique name; Backtrace shows it beside the ticket.")
    connection: ParameterName = Field(description="Name of the connection to use.")
    project_key: Text = Field(description="Project Key: the Jira project.", examples=["BUG"])
    issue_type: Text = Field(default="Bug", description="Issue Type.")
    subject: Text = Field(
        description="Subject: the ticket's Summary. $attribute stands for the value with the highest count.",
        examples=["$error.message in $application"],
    )
    labels_field: Text = Field(
        default="labels",
        description="Custom Field Mapping - Labels: the field that takes the label Backtrace.",
    )
    description_field: Text = Field(
        default="description",
        description="Custom Field Mapping - Description (Field for Main Body Text).",
    )
    custom_fields: dict[Text, str] = Field(
        default_factory=dict,
        description="Custom Fields: Jira field to text; $attribute is replaced, commas separate array values.",
        examples=[{"customfield_10010": "$version", "labels": "Backtrace,$environment"}],
    )

    display: Display = Field(default=Display(), description="Display settings: what the ticket's body shows.")
    actions: tuple[Action, ...] = Field(
        default=(),
        description="Ordered submit, filter and mention actions. Without any, every error group is submitted.",
    )
    event: EventKind = Field(
        default=EventKind.GROUP,
        description="Event: group makes one ticket for each error group, trace one for each error.",
    )
    frequency: int = Field(
        default=0,
        ge=0,
        le=LONGEST_FREQUENCY,
        description="Frequency: seconds that must pass after a group's ticket before its next error is due. 0: none.",
    )
    threshold: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Threshold: so many events of a group make one due, whatever the frequency says. 0: none.",
    )

    sync: Sync = Field(default=Sync(), description="State and Assignee, kept the same on both sides.")
    fix_versions: FixVersions = Field(
        default=FixVersions(), description="Jira's Fix Versions drive Backtrace's Resolved Until (beta)."
    )

    @property
    def id(self) -> str:
        """universe/project/name: the first half of a link's key."""
        return f"{self.universe}/{self.project}/{self.name}"

    @property
    def follows_tickets(self) -> bool:
        """Tell whether anything of a ticket is carried to its error groups."""
        return self.sync.jira_to_backtrace or self.fix_versions.enabled

    @property
    def keeps_in_step(self) -> bool:
        """Tell whether ticket and error groups have to do with each other once they are linked."""
        return self.sync.is_on or self.fix_versions.enabled

    @property
    def due_rule(self) -> DueRule:
        """Frequency and threshold."""
        return DueRule(self.frequency, self.threshold)

    @property
    def parking_scope(self) -> str:
        """What a refusal by Jira is about, within a connection: project and issue type."""
        return f"{self.project_key}/{self.issue_type}"
