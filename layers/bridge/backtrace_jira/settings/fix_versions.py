"""Settings of an integration: how Jira's Fix Versions resolve error groups in Backtrace."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from backtrace_jira.settings.base import Settings, Text
from backtrace_jira.settings.expressions import check_regex, check_version_regex

Expression = Annotated[str, AfterValidator(check_regex)]
VersionExpression = Annotated[str, AfterValidator(check_version_regex)]


class AppliesWhen(StrEnum):
    """From when on a Fix Version of a resolved ticket counts."""

    RESOLVED = "resolved"
    RELEASED = "released"


class SeenIn(StrEnum):
    """The versions in which an error is a regression. The values are Backtrace's own names of such invariants."""

    LATER = "version_gt"
    SAME_OR_LATER = "version_ge"


class VersionChoice(StrEnum):
    """The choice among several Fix Versions of a ticket."""

    LINES = "lines"
    HIGHEST = "highest"
    LOWEST = "lowest"
    BRANCHES = "branches"


class OnRegression(StrEnum):
    """The action on a ticket whose error is seen again."""

    REOPEN = "reopen"
    NEW_TICKET = "new_ticket"
    COMMENT = "comment"
    LEAVE = "leave"


class Branch(Settings):
    """Fix Versions that count for errors of one kind only (Backtrace: advanced rules)."""

    versions: Expression = Field(
        description="Regular expression (RE2). A Fix Version belongs to this branch if it is found in its name.",
        examples=["^Mobile "],
    )
    attribute: Text = Field(
        description="Backtrace attribute that holds an error's kind.", examples=["environment"]
    )
    values: Expression = Field(
        description="Regular expression. An error is of this kind if it is found in the attribute's value. Backtrace "
        "reads it, too (PCRE).",
        examples=["^production$"],
    )


class FixVersions(Settings):
    """Jira's Fix Versions set Backtrace's Resolved Until. Off unless `enabled` (product page: beta)."""

    enabled: bool = Field(
        default=False,
        description="If a linked ticket is done and has Fix Versions, its error groups are resolved until Backtrace "
        "sees them in a later version.",
    )
    attribute: Text = Field(
        default="version",
        description="Backtrace attribute that holds an error's version.",
        examples=["application.version"],
    )
    field: Text = Field(
        default="fixVersions", description="Jira field that holds the versions with the fix, by id or name."
    )
    regex: VersionExpression = Field(
        default="",
        description="Regular expression (RE2) that finds the version in a Fix Version's name: its first group, or the "
        "whole match without one. The first group must not repeat. Empty: the version is found as docs/versions.md "
        "says, which also has examples.",
        examples=["[0-9]+(?:\\.[0-9]+)+", "Server ([0-9.]+)"],
    )
    when: AppliesWhen = Field(
        default=AppliesWhen.RESOLVED,
        description="When a Fix Version counts. resolved: as soon as the ticket is done. released: only once Jira "
        "lists the version as released.",
    )
    seen_in: SeenIn = Field(
        default=SeenIn.LATER,
        description="version_gt: an error in a later version is a regression. version_ge: also one in the same "
        "version.",
    )
    several: VersionChoice = Field(
        default=VersionChoice.LINES,
        description="Which of several Fix Versions counts. lines: the highest, and within each lower line of releases "
        "(1.5 of 1.5.2) the line's own, for fixes that were carried back. highest: that alone. lowest: that alone. "
        "branches: one for each of `branches`.",
    )
    branches: tuple[Branch, ...] = Field(
        default=(),
        description="The branches, with `several: branches`. Of several versions of one branch, the highest counts.",
    )
    on_regression: OnRegression = Field(
        default=OnRegression.REOPEN,
        description="What happens to the ticket if its error is seen again. reopen: it is reopened and commented on. "
        "new_ticket: a new ticket is linked to it. comment: it is only commented on. leave: nothing.",
    )
    reopen_within_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="With on_regression: reopen, a ticket that has been done for longer than this stays done, and a "
        "new ticket is made instead. 0: no limit.",
    )
    never_reopened: tuple[Text, ...] = Field(
        default=("Won't Do", "Won't Fix", "Duplicate"),
        description="Resolutions, by name or id. No error reopens a ticket that was resolved so, and its Fix "
        "Versions do not count.",
    )
    link_type: Text = Field(
        default="Relates", description="Jira's name of the link between a new ticket and the old one."
    )

    @model_validator(mode="after")
    def _branches_are_named_where_they_are_used(self) -> Self:
        if (self.several is VersionChoice.BRANCHES) != bool(self.branches):
            raise ValueError("several: branches needs branches, and nothing else has any")
        return self
