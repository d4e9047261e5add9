"""The changes that people make to issues in Jira's own screens."""

from __future__ import annotations

from typing import Any

from local.jira_stand_in.model import Issue, User
from local.jira_stand_in.state import State
from local.jira_stand_in.wire import issue_fields, project_json
from local.jira_stand_in.writing import Writer


class IssueScreens:
    """The part of the stand-in for people who use it. `by` is who does it; the main user if nobody is named."""

    state: State
    main_user: User

    @property
    def issues(self) -> dict[str, Issue]:
        """The stored issues by key, oldest first."""
        with self.state.lock:
            return {issue.key: issue for issue in self.state.live_issues()}

    def read(self, key: str) -> dict[str, Any]:
        """Return an issue's fields as a client would read them now: users and versions in full."""
        with self.state.lock:
            issue = self._issue(key)
            return issue_fields(self.state, issue, issue.fields, None)

    def create_issue(
        self, summary: str, project: str = "BUG", issue_type: str = "Bug", **fields: Any
    ) -> Issue:
        where = {"project": {"key": project}, "issuetype": {"name": issue_type}, "summary": summary}
        with self.state.lock:
            return Writer(self.state, self.main_user).create({"fields": {**where, **fields}})[0]

    def edit_issue(self, key: str, by: str | User | None = None, **fields: Any) -> Issue:
        """Change fields given in wire form, for example labels=["a"] or fixVersions=[{"name": "1.0"}]."""
        with self.state.lock:
            Writer(self.state, self.state.find_user(by or self.main_user)).edit(
                self._issue(key), {"fields": fields}
            )
            return self._issue(key)

    def transition(self, key: str, to: str, by: str | User | None = None, **fields: Any) -> Issue:
        """Move an issue to the status of that name, whatever the workflow allows."""
        with self.state.lock:
            issue = self._issue(key)
            status = issue.project.workflow.status(to)
            step = next(t for t in issue.project.workflow.transitions if t.to == status.id)
            writer = Writer(self.state, self.state.find_user(by or self.main_user))
            writer.change(issue, step.screen, fields, {})
            writer.enter(issue, step)
            return issue

    def assign(self, key: str, user: str | User | None, by: str | User | None = None) -> Issue:
        with self.state.lock:
            issue = self._issue(key)
            issue.fields["assignee"] = {"ref": "user", "id": self.state.find_user(user).key} if user else None
            Writer(self.state, self.state.find_user(by or self.main_user)).finish(issue)
            return issue

    def comment(self, key: str, text: str, by: str | User | None = None) -> None:
        with self.state.lock:
            writer = Writer(self.state, self.state.find_user(by or self.main_user))
            writer.comment(self._issue(key), text)
            writer.finish(self._issue(key))

    def move_issue(self, key: str, project: str) -> Issue:
        """Move an issue to another project: the key changes, the id stays, the old key still leads to it.

        As on Jira's own screen, a version stays where the other project has one of the same name.
        """
        with self.state.lock:
            issue, target = self._issue(key), self.state.projects[project]
            target.last_number += 1
            self.state.moved[issue.key] = issue.id
            issue.key, before, issue.project = f"{target.key}-{target.last_number}", issue.project, target
            names = {version.id: version.name for version in before.versions}
            same = {version.name: version.id for version in target.versions}
            for field in ("fixVersions", "versions"):
                kept = [same.get(names.get(each["id"], "")) for each in issue.fields.get(field) or ()]
                issue.fields[field] = [{"ref": "version", "id": id_} for id_ in kept if id_]
            issue.fields["project"] = project_json(self.state, target)
            Writer(self.state, self.main_user).finish(issue)
            return issue

    def delete_issue(self, key: str) -> None:
        with self.state.lock:
            issue = self._issue(key)
            issue.deleted = True
            self.state.touch(issue)
            self.state.announce("deleted", issue, self.main_user, None)

    def _issue(self, key: str) -> Issue:
        found = self.state.issue(key)
        if found is None:
            raise KeyError(key)
        return found
