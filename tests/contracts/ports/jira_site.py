"""What people do in the Jira stand-in, in the words of the fake, so that one contract can drive both."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.jira import client
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.jira.issue import FixVersion, Issue, JiraUser
from backtrace_jira.settings.connection import Connection
from backtrace_jira.states import Status
from local.jira_stand_in import JiraStandIn


def client_of(jira: JiraStandIn) -> JiraClient:
    """Return the client of the stand-in's main user."""
    settings = {"name": "main", "jira_api": jira.url, "email": jira.user}
    return JiraClient(Connection.model_validate(settings), SecretStr(jira.token), clock=jira.state.clock)


class StandInSite:
    """The stand-in with the fake's verbs; an issue is known by its id."""

    def __init__(self, jira: JiraStandIn) -> None:
        self.jira = jira

    def add_user(self, name: str, *, email: str) -> JiraUser:
        user = self.jira.add_user(name, email=email)
        return JiraUser(user.account_id if self.jira.state.cloud else name, user.display_name, email)

    def create_issue(self, summary: str) -> Issue:
        issue = self.jira.create_issue(summary)
        return Issue(issue.id, issue.key, f"{self.jira.site_url}/browse/{issue.key}")

    def move_to(self, issue_id: str, to: Status) -> None:
        self.jira.transition(self._key(issue_id), to.name)

    def delete_issue(self, issue_id: str) -> None:
        self.jira.delete_issue(self._key(issue_id))

    def move_issue(self, issue_id: str, project: str) -> None:
        self.jira.add_project(project, "Operations")
        self.jira.move_issue(self._key(issue_id), project)

    def set_page(self, size: int, patch: pytest.MonkeyPatch) -> None:
        """Let a search return so many issues at once."""
        patch.setattr(client, "PAGE", size)

    def assign_to(self, issue_id: str, user: JiraUser | None) -> None:
        name = next((each.name for each in self.jira.state.users if user and each.email == user.email), None)
        self.jira.assign(self._key(issue_id), name)

    def add_version(self, name: str, *, released: bool = False) -> FixVersion:
        return FixVersion(self.jira.add_version(name, released=released).id, name, released)

    def change_version(self, version: FixVersion, *, released: bool) -> None:
        known = next(each for each in self.jira.project().versions if each.id == version.id)
        self.jira.change_version(known, released=released)

    def set_fix_versions(self, issue_id: str, *versions: FixVersion) -> None:
        self.jira.edit_issue(self._key(issue_id), fixVersions=[{"id": each.id} for each in versions])

    def hide_fix_versions(self) -> None:
        self.jira.hide_field("fixVersions")

    def deny(self, permission: str) -> None:
        self.jira.deny(permission)

    def _key(self, issue_id: str) -> str:
        return self.jira.state.issues[issue_id].key
