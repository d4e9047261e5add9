"""Settings of what Jira's Fix Versions do in Backtrace; part of an integration."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from backtrace_jira.settings.base import Settings, Text
from backtrace_jira.settings.expressions import check_regex

Expression = Annotated[str, AfterValidator(check_regex)]


class AppliesWhen(StrEnum):
    """From when on a Fix Version of a resolved ticket holds."""

    RESOLVED = "resolved"
    RELEASED = "released"


class SeenIn(StrEnum):
    """In which versions an error is a regression; the values are Backtrace's own names of such invariants."""

    LATER = "version_gt"
    SAME_OR_LATER = "version_ge"


class VersionChoice(StrEnum):
    """Which of several Fix Versions holds."""

    HIGHEST = "highest"
    LOWEST = "lowest"
    BRANCHES = "branches"


class OnRegression(StrEnum):
    """What becomes of the ticket when its error is seen again."""

    REOPEN = "reopen"
    NEW_TICKET = "new_ticket"
    COMMENT = "comment"
    LEAVE = "leave"


class Branch(Settings):
    """Fix Versions that hold for errors of one kind only (Backtrace: advanced rules)."""

    versions: Expression = Field(
        description="Regular expression (RE2) found in the names of the Fix Versions that belong to this branch.",
        examples=["^Mobile "],
    )
    attribute: Text = Field(description="Backtrace attribute that tells the kind.", examples=["environment"])
    values: Expression = Field(
        description="Regular expression found in its values; Backtrace reads it, too (PCRE).",
        examples=["^production$"],
    )


class FixVersions(Settings):
    """Jira's Fix Versions drive Backtrace's Resolved Until. Off unless `enabled` (product page: beta)."""

    enabled: bool = Field(
        default=False,
        description="A linked ticket that is done and has Fix Versions resolves its error groups until a later "
        "version is seen.",
    )
    attribute: Text = Field(
        default="version",
        description="Backtrace attribute that holds an error's version.",
        examples=["application.version"],
    )
    field: Text = Field(
        default="fixVersions", description="Jira field that holds the versions with the fix, by id or name."
    )
    regex: Expression = Field(
        default="",
        description="Regular expression (RE2) that isolates the version in a name: its first group, else all of it. "
        "Empty: docs/versions.md says what is read.",
        examples=["[0-9]+(\\.[0-9]+)+"],
    )
    when: AppliesWhen = Field(
        default=AppliesWhen.RESOLVED,
        description="resolved: from when the ticket is done. released: only once the version is released.",
    )
    seen_in: SeenIn = Field(
        default=SeenIn.LATER,
        description="version_gt: an error in a later version is a regression. version_ge: in the same one, too.",
    )
    several: VersionChoice = Field(
        default=VersionChoice.HIGHEST,
        description="Of several Fix Versions, the highest holds, the lowest, or one for each branch (`branches`).",
    )
    branches: tuple[Branch, ...] = Field(
        default=(),
        description="With `several: branches`. Of several versions of one branch the highest holds.",
    )
    on_regression: OnRegression = Field(
        default=OnRegression.REOPEN,
        description="reopen the ticket and comment; new_ticket linked to the old one; only comment; or leave it.",
    )
    reopen_within_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="A ticket that has been done for longer gets a new ticket instead of being reopened. 0: never.",
    )
    never_reopened: tuple[Text, ...] = Field(
        default=("Won't Do", "Won't Fix", "Duplicate"),
        description="Resolutions (names or ids) of tickets that no error reopens; their Fix Versions say nothing.",
    )
    link_type: Text = Field(
        default="Relates", description="Jira's name of the link between a new ticket and the old one."
    )

    @model_validator(mode="after")
    def _branches_are_named_where_they_are_used(self) -> Self:
        if (self.several is VersionChoice.BRANCHES) != bool(self.branches):
            raise ValueError("several: branches needs branches, and nothing else has any")
        return self
