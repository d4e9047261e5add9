"""The state of one Jira: who exists, what is configured, which issues are stored."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.fields import READ_ONLY_FIELDS, SYSTEM_FIELDS, Field, system_screen
from local.jira_stand_in.model import Flavour, Issue, IssueType, Project, Snapshot, User, Workflow

# The real list, recorded in sumoheavy/jira-ruby: the keys are stable, the names are localised.
STATUS_CATEGORIES: dict[str, dict[str, Any]] = {
    "undefined": {"id": 1, "key": "undefined", "colorName": "medium-gray", "name": "No Category"},
    "new": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "indeterminate": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
RESOLUTIONS = ("Done", "Won't Do", "Duplicate", "Cannot Reproduce")


class State:
    """Everything the stand-in remembers. Hold `lock` around a change that must be seen whole."""

    def __init__(
        self, flavour: Flavour, version: tuple[int, ...], clock: Callable[[], float] = time.time
    ) -> None:
        self.flavour = flavour
        self.version = version
        self.clock = clock
        self.lock = threading.RLock()
        self.site_url = ""
        self.users: list[User] = []
        self.groups: list[str] = ["jira-users"]
        self.projects: dict[str, Project] = {}
        self.issues: dict[str, Issue] = {}
        self.moved: dict[str, str] = {}
        self.index_lag = 0.0
        self.index_flicker = False
        self.summary_limit = 255
        self.text_limit = 32767
        self.captcha_after: int | None = 3
        self.basic_auth = version < (11,) or flavour == "cloud"
        self.issue_linking = True
        self.versions_page = 50
        """So many versions are on a page, however many are asked for."""
        self.old_createmeta_disabled = False
        self.announce: Callable[[str, Issue, User | None, Any], None] = lambda *_: None
        """Hears of every change: what happened, to which issue, by whom, and its history or comment."""
        self._ids = itertools.count(10000)
        self._type_ids: dict[str, str] = {}

    @property
    def cloud(self) -> bool:
        return self.flavour == "cloud"

    def next_id(self) -> str:
        return str(next(self._ids))

    # Users

    def user(self, identity: str | None) -> User | None:
        """Find a user by the identity the flavour uses on the wire: account id, or login name."""
        for user in self.users:
            if identity is not None and identity == (user.account_id if self.cloud else user.name):
                return user
        return None

    def find_user(self, anything: str | User) -> User:
        """Find a user for the Python API, by name, e-mail, key or account id."""
        if isinstance(anything, User):
            return anything
        return next(u for u in self.users if anything in (u.name, u.email, u.account_id, u.key))

    def identity(self, user: User) -> dict[str, str]:
        return {"accountId": user.account_id} if self.cloud else {"name": user.name}

    # Projects

    def add_project(
        self,
        key: str,
        name: str,
        issue_types: Iterable[str],
        fields: Iterable[Field],
        workflow: Workflow | None,
    ) -> Project:
        extra = {field.id: field for field in fields}
        types = [self._issue_type(type_name, extra) for type_name in issue_types]
        project = Project(self.next_id(), key, name, types, self.users[0], workflow or Workflow.simple())
        self.projects[key] = project
        return project

    def _issue_type(self, name: str, extra: dict[str, Field]) -> IssueType:
        type_id = self._type_ids.setdefault(name, str(10001 + len(self._type_ids)))
        subtask = name.lower() in ("sub-task", "subtask")
        return IssueType(type_id, name, subtask, {**system_screen(subtask, self.cloud), **extra})

    def project(self, id_or_key: str) -> Project | None:
        return next((p for p in self.projects.values() if id_or_key.upper() in (p.key, p.id)), None)

    def visible_project(self, id_or_key: str, user: User | None) -> Project:
        """Return a project or refuse as Jira does; the text is recorded on Cloud."""
        project = self.project(id_or_key)
        if project is None or not self.may(user, "BROWSE_PROJECTS"):
            raise JiraError(404, f"No project could be found with key '{id_or_key}'.")
        return project

    def may(self, user: User | None, permission: str) -> bool:
        return user is not None and user.may(permission)

    def all_fields(self) -> dict[str, Field]:
        """Return every field of this Jira by id, as GET /field lists them."""
        found = {field.id: field for field in (*SYSTEM_FIELDS, *READ_ONLY_FIELDS)}
        for project in self.projects.values():
            for issue_type in project.issue_types:
                found.update(issue_type.screen)
        return found

    # Issues

    def issue(self, id_or_key: str) -> Issue | None:
        """Find an issue by id, by key, or by the key it had before a move."""
        wanted = self.moved.get(id_or_key.upper(), id_or_key)
        by_id = self.issues.get(wanted)
        if by_id is not None:
            return None if by_id.deleted else by_id
        key = wanted.upper()
        return next((i for i in self.issues.values() if i.key == key and not i.deleted), None)

    def visible_issue(self, id_or_key: str, user: User | None) -> Issue:
        """Return an issue or refuse; the Cloud text is recorded, Data Center asks anonymous to log in."""
        issue = self.issue(id_or_key)
        if issue is not None and self.may(user, "BROWSE_PROJECTS"):
            return issue
        if self.cloud:
            raise JiraError(404, "Issue does not exist or you do not have permission to see it.")
        if user is None:
            raise JiraError(
                401, "You do not have the permission to see the specified issue.", "Login Required"
            )
        raise JiraError(404, "Issue Does Not Exist")

    def live_issues(self) -> list[Issue]:
        return [issue for issue in self.issues.values() if not issue.deleted]

    def touch(self, issue: Issue) -> None:
        """Stamp a change and let the search index know of it, after its lag."""
        issue.updated = self.clock()
        snapshot = None if issue.deleted else snapshot_of(issue)
        issue.snapshots.append((issue.updated, snapshot))


def snapshot_of(issue: Issue) -> Snapshot:
    """Return what the search index keeps of an issue."""
    return Snapshot(
        issue.key,
        dict(issue.fields),
        issue.created,
        issue.updated,
        tuple(str(comment["body"]) for comment in issue.comments),
        tuple(link["globalId"] for link in issue.remote_links if link.get("globalId")),
    )
