"""Settings of one integration: which errors of a Backtrace project become tickets in a Jira project, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from backtrace_jira.settings.base import Name, ParameterName, Settings, Text
from backtrace_jira.settings.expressions import check_regex
from backtrace_jira.settings.fix_versions import FixVersions
from backtrace_jira.settings.synchronisation import Sync


class Display(Settings):
    """The sections of the ticket's body (Common Settings: Display Settings)."""

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
        description="Include hostname in attributes. false: the attribute hostname is left out.",
    )


ANY_ATTRIBUTE = "*"


class ActionKind(StrEnum):
    """The effect of an action on an error group that it matches."""

    SUBMIT = "submit"
    FILTER = "filter"
    MENTION = "mention"


class Action(Settings):
    """One action of the ordered list in Backtrace's Common Settings."""

    action: ActionKind = Field(
        description="submit, filter or mention. The last submit or filter that matches decides. If none matches, the "
        "group is submitted."
    )
    attribute: Text = Field(
        default=ANY_ATTRIBUTE,
        description="Attribute whose values are matched; * for any attribute.",
        examples=["datacenter"],
    )
    regex: Annotated[str, AfterValidator(check_regex)] = Field(
        default=".*",
        description="Regular expression (RE2). The action matches if it is found anywhere in any value of the "
        "attribute.",
        examples=["^nyc$"],
    )
    target: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._@:+-]{1,255}$")] | None
    ) = Field(
        default=None,
        description="The person to mention, as Jira's markup names one: a user name, on Cloud accountid:5b10....",
        examples=["accountid:5b10a2844c20165700ede21g"],
    )

    @model_validator(mode="after")
    def _mention_has_a_target(self) -> Self:
        if (self.action is ActionKind.MENTION) != (self.target is not None):
            raise ValueError("a mention needs a target, and nothing else has one")
        return self


class EventKind(StrEnum):
    """The unit that has a ticket: each error group, or each error (Common Settings: Event)."""

    GROUP = "group"
    TRACE = "trace"


class CustomField(Settings):
    """A custom field that says more than its text."""

    text: str = Field(description="The text, as it stands alone otherwise.", examples=["$release.notes"])
    raw: bool = Field(
        default=False,
        description="true: Jira's markup in the values of attributes is live, in fields of several lines and in "
        "Environment: links, images, panels. Whoever sends errors can write it. Also for a field that Jira shows "
        "without its renderer, where backslashes would be seen.",
    )


def _kind_of_text(value: object) -> str:
    return "[group]" if isinstance(value, dict | CustomField) else "[text]"


FieldText = Annotated[
    Annotated[str, Tag("[text]")] | Annotated[CustomField, Tag("[group]")], Discriminator(_kind_of_text)
]


@dataclass(frozen=True, slots=True)
class DueRule:
    """The rule that makes an event of a group due for a ticket: time since the last due event, or number of events."""

    frequency: int = 0
    """Seconds since the group's last due event; 0: no such limit."""
    threshold: int = 0
    """Events since the group's last due event; 0: no such number."""

    @property
    def lets_all_through(self) -> bool:
        """Return whether every event is due, so that the store need not count them."""
        return self.threshold == 1 or not (self.frequency or self.threshold)


LONGEST_FREQUENCY = 30 * 24 * 3600


class Integration(Settings):
    """The settings by which errors of one Backtrace project become tickets in one Jira project (product page)."""

    universe: Name = Field(description="Backtrace universe.")
    project: Name = Field(description="Backtrace project.")
    name: ParameterName = Field(description="Unique name. Backtrace shows it beside the ticket.")
    connection: ParameterName = Field(description="Name of the connection to use.")
    project_key: Text = Field(description="Project Key: the Jira project.", examples=["BUG"])
    issue_type: Text = Field(default="Bug", description="Issue Type.")
    subject: Text = Field(
        description="Subject: the ticket's Summary. $attribute is replaced by the attribute's value with the highest "
        "count.",
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
    custom_fields: dict[Text, FieldText] = Field(
        default_factory=dict,
        description="Custom Fields: a text for each Jira field. $attribute is replaced as in the subject; commas "
        "separate the values of a field that takes several. In fields that Jira renders, markup of the text is "
        "live, and an attribute's value is shown as it is; `{text: ..., raw: true}` makes a value's markup live, too.",
        examples=[{"customfield_10010": "$version", "labels": "Backtrace,$environment"}],
    )

    display: Display = Field(default=Display(), description="Display settings: what the ticket's body shows.")
    actions: tuple[Action, ...] = Field(
        default=(),
        description="Ordered submit, filter and mention actions. Without any, every error group is submitted.",
    )
    event: EventKind = Field(
        default=EventKind.GROUP,
        description="Event. group: one ticket for each error group. trace: one ticket for each error.",
    )
    frequency: int = Field(
        default=0,
        ge=0,
        le=LONGEST_FREQUENCY,
        description="Frequency: seconds that must pass after a group's ticket before its next error is due. 0: no "
        "limit.",
    )
    threshold: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Threshold: this many events of a group make a ticket due, even before the frequency does. 0: off.",
    )

    sync: Sync = Field(default=Sync(), description="Keeps State and Assignee the same in Backtrace and Jira.")
    fix_versions: FixVersions = Field(
        default=FixVersions(), description="Jira's Fix Versions set Backtrace's Resolved Until (beta)."
    )

    @property
    def id(self) -> str:
        """universe/project/name, the first half of a link's key."""
        return f"{self.universe}/{self.project}/{self.name}"

    @property
    def field_texts(self) -> dict[str, str]:
        """The texts of the custom fields, by field."""
        return {
            name: each.text if isinstance(each, CustomField) else each
            for name, each in self.custom_fields.items()
        }

    def is_raw(self, name: str) -> bool:
        """Return whether markup in attributes' values is live in this custom field."""
        return isinstance(field := self.custom_fields[name], CustomField) and field.raw

    @property
    def follows_tickets(self) -> bool:
        """Return whether the synchronisation gives a ticket's changes to its error groups."""
        return self.sync.jira_to_backtrace or self.fix_versions.enabled

    @property
    def keeps_in_step(self) -> bool:
        """Return whether the synchronisation keeps linked tickets and error groups in step, in either direction."""
        return self.sync.is_on or self.fix_versions.enabled

    @property
    def due_rule(self) -> DueRule:
        """Frequency and threshold."""
        return DueRule(self.frequency, self.threshold)

    @property
    def parking_scope(self) -> str:
        """Project and issue type: what is parked, within the connection, after a refusal by Jira."""
        return f"{self.project_key}/{self.issue_type}"
