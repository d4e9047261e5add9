"""An issue of Jira, the draft that it is created from, and the parts of it that synchronisation reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backtrace_jira.jira.fields import Field
from backtrace_jira.json_types import JSON
from backtrace_jira.states import Status

PROPERTY = "backtrace-jira"
"""The entity property by which a ticket says where it comes from. Nobody sees it in Jira, so nobody edits it."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A Jira issue. The id stays when the issue moves to another project; the key does not."""

    id: str
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Find:
    """An issue that a look-up found. `marker` is what its entity property says; None if it has no such property."""

    issue: Issue
    marker: str | None


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """Everything that one `POST /issue` sends."""

    fields: Mapping[str, JSON]
    properties: Mapping[str, JSON]
    marker: str
    unknown_attributes: tuple[str, ...] = ()
    """Names after a $ for which this group has no attribute. They become empty text, and the outcome reports them."""
    left_out: tuple[str, ...] = ()
    """A sentence for each field of the settings that could not be sent."""

    @property
    def project(self) -> str:
        """Key or id of the ticket's Jira project, from `project_key` or from a custom field that overrides it."""
        chosen = self.fields["project"]
        return str(next(iter(chosen.values()))) if isinstance(chosen, dict) else str(chosen)

    def request_body(self) -> dict[str, JSON]:
        """Return the JSON body of `POST /rest/api/2/issue`."""
        properties: list[JSON] = [{"key": key, "value": value} for key, value in self.properties.items()]
        return {"fields": dict(self.fields), "properties": properties}


@dataclass(frozen=True, slots=True)
class JiraUser:
    """A user of Jira: `id` is the accountId (Cloud) or the user name (Data Center); a hidden e-mail is empty."""

    id: str
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a ticket's changelog: a field went from one id to another at a moment (unix seconds)."""

    field: str
    before: str
    before_name: str
    at: float
    before_category: str = ""
    """Of a status: its category, if Jira was asked for it; no changelog has it."""


@dataclass(frozen=True, slots=True)
class FixVersion:
    """A version of a Jira project. One that was read from a text field has no id and counts as released."""

    id: str
    name: str
    released: bool = True
    archived: bool = False

    @property
    def facts(self) -> str:
        """Name, released and archived in a few characters, to be compared."""
        digest = hashlib.sha256(self.name.encode("utf-8", "replace")).hexdigest()[:12]
        return f"{digest}{'r' if self.released else ''}{'a' if self.archived else ''}"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A Jira issue as it is now. `changes` are newest last, None if they were not asked for.

    `versions` are by the field's name in the settings; fields that Jira does not have, or hides, are left out.
    `resolution` is its id and name, `resolved` when it was set (unix seconds); a ticket that is done may have neither.
    """

    issue: Issue
    project: str
    status: Status
    assignee: JiraUser | None
    updated: float
    changes: tuple[Change, ...] | None = None
    versions: Mapping[str, tuple[FixVersion, ...]] = field(default_factory=dict)
    resolution: tuple[str, str] = ("", "")
    resolved: float = 0.0

    @property
    def assignee_id(self) -> str:
        """Empty for nobody."""
        return self.assignee.id if self.assignee else ""

    @property
    def done_since(self) -> float:
        """Return when the ticket was last closed (unix seconds), given that it is done.

        Its changelog says so. A resolution date may be of an earlier closing, because a workflow need not clear it when
        a ticket is reopened, and may be missing. It counts where the changelog was not read, or has no such change.
        """
        moves = (change.at for change in self.changes or () if change.field == "status")
        return max(moves, default=self.resolved or self.updated)

    def changed_at(self, name: str) -> float:
        """Return when a field last changed (unix seconds); if the changelog has no such change, when the ticket did."""
        return max((change.at for change in self.changes or () if change.field == name), default=self.updated)

    def first_change(self, name: str, since: float) -> Change | None:
        """Return the first change of a field after a moment."""
        return next((each for each in self.changes or () if each.field == name and each.at >= since), None)


@dataclass(frozen=True, slots=True)
class TicketPage:
    """Some tickets of a project, in the order of their keys."""

    tickets: Sequence[Ticket]
    next_after: str = ""
    """Key after which the next page begins; empty if this is the last page."""


ADDED_ON_SCREENS = {"worklog": "timeSpent", "comment": "body"}
"""Fields to which a transition adds something, by what is added. Jira takes them under `update`, not under `fields`."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition that is open to the ticket now, with the fields of its screen."""

    id: str
    name: str
    to: Status
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectVersion:
    """A version as a project lists it."""

    version: FixVersion
    project_id: str
