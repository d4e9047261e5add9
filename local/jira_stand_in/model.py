"""The data of a Jira: users, workflows, projects, issues. Plain values, no wire format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from local.jira_stand_in.fields import Field

Flavour = Literal["cloud", "data-center"]
Validator = Callable[[dict[str, Any]], str | None]

PERMISSIONS = (
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ASSIGN_ISSUES", "ASSIGNABLE_USER",
    "TRANSITION_ISSUES", "RESOLVE_ISSUES", "CLOSE_ISSUES", "LINK_ISSUES", "ADD_COMMENTS", "DELETE_ISSUES",
    "MODIFY_REPORTER", "SCHEDULE_ISSUES", "CREATE_ATTACHMENTS", "USER_PICKER", "ADMINISTER",
)  # fmt: skip
GLOBAL_PERMISSIONS = frozenset({"USER_PICKER", "ADMINISTER"})


@dataclass
class User:
    """An account. `name` is the login name (Data Center), `account_id` the Cloud identity."""

    name: str
    email: str
    display_name: str
    account_id: str
    key: str
    secret: str
    pat: str
    active: bool = True
    email_visibility: Literal["public", "masked", "hidden"] = "public"
    time_zone: str = "Etc/UTC"
    denied: set[str] = field(default_factory=lambda: {"ADMINISTER"})
    failures: int = 0

    def may(self, permission: str) -> bool:
        return self.active and permission not in self.denied


@dataclass(frozen=True)
class Status:
    """A workflow status; `category` is the stable key new, indeterminate, done or undefined."""

    id: str
    name: str
    category: str


@dataclass
class Transition:
    """A workflow step. `sources` None means from every other status."""

    id: str
    name: str
    to: str
    sources: tuple[str, ...] | None = None
    screen: dict[str, Field] = field(default_factory=dict)
    sets_resolution: str | None = None


@dataclass
class Workflow:
    """The statuses of a project, the first being the initial one, and the steps between them."""

    statuses: list[Status]
    transitions: list[Transition]

    @classmethod
    def simple(cls) -> Workflow:
        """Return To Do, In Progress and Done, each reachable from the others."""
        return cls(
            [
                Status("10000", "To Do", "new"),
                Status("3", "In Progress", "indeterminate"),
                Status("10001", "Done", "done"),
            ],
            [
                Transition("11", "To Do", "10000"),
                Transition("21", "In Progress", "3"),
                Transition("31", "Done", "10001", sets_resolution="Done"),
            ],
        )

    def status(self, id_or_name: str) -> Status:
        return next(s for s in self.statuses if id_or_name in (s.id, s.name))

    def available(self, status_id: str) -> list[Transition]:
        """Return the steps that lead away from a status."""
        return [
            t
            for t in self.transitions
            if (t.sources is None and t.to != status_id) or (t.sources is not None and status_id in t.sources)
        ]


@dataclass
class Version:
    """A project version; dates are plain ISO dates, absent when unset."""

    id: str
    name: str
    project_id: str
    description: str | None = None
    released: bool = False
    archived: bool = False
    start_date: str | None = None
    release_date: str | None = None


@dataclass
class Component:
    """A project component."""

    id: str
    name: str
    description: str | None = None


@dataclass
class IssueType:
    """An issue type within one project, with its create (and edit) screen."""

    id: str
    name: str
    subtask: bool = False
    screen: dict[str, Field] = field(default_factory=dict)
    validators: list[Validator] = field(default_factory=list)

    @property
    def edit_screen(self) -> dict[str, Field]:
        """Return the fields as the edit screen shows them."""
        return {name: each.with_(on_screen=each.on_edit_screen) for name, each in self.screen.items()}


@dataclass
class Project:
    """A project with its issue types, versions, components and workflow."""

    id: str
    key: str
    name: str
    issue_types: list[IssueType]
    lead: User
    workflow: Workflow
    versions: list[Version] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    allow_unassigned: bool = True
    last_number: int = 0

    def issue_type(self, id_or_name: str) -> IssueType | None:
        return next((t for t in self.issue_types if id_or_name in (t.id, t.name)), None)


@dataclass
class Issue:
    """A stored issue. `fields` has wire-like values; users and versions are shown live from the state."""

    id: str
    key: str
    project: Project
    type: IssueType
    fields: dict[str, Any]
    created: float
    updated: float
    properties: dict[str, Any] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    remote_links: list[dict[str, Any]] = field(default_factory=list)
    issue_links: list[dict[str, str]] = field(default_factory=list)
    worklogs: list[str] = field(default_factory=list)
    deleted: bool = False
    snapshots: list[tuple[float, Snapshot | None]] = field(default_factory=list)
    search_hits: int = 0
    histories: list[Any] = field(default_factory=list)
    tracked: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        return self.project.workflow.status(self.fields["status"]["id"])


@dataclass(frozen=True)
class Snapshot:
    """An issue as the search index saw it at one moment."""

    key: str
    fields: dict[str, Any]
    created: float
    updated: float
    comments: tuple[str, ...]
    global_ids: tuple[str, ...]
