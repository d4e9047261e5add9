"""The things that an administrator sets up in Jira's own screens: users, projects, screens, versions, webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.jira_stand_in.fields import Field
from local.jira_stand_in.model import Component, IssueType, Project, User, Validator, Version, Workflow
from local.jira_stand_in.state import State
from local.jira_stand_in.versions import Versions
from local.jira_stand_in.webhooks import Webhook, Webhooks


class Administration:
    """The administrator's part of the stand-in. Nobody has to log in for it."""

    state: State
    webhooks: Webhooks
    versions: Versions
    main_user: User

    # Users

    def add_user(
        self, name: str, *, email: str | None = None, display_name: str | None = None, **settings: Any
    ) -> User:
        """Add a user; `settings` are further attributes of `User`: email_visibility, time_zone..."""
        number = 10100 + len(self.state.users)
        user = User(
            name=name,
            email=email or f"{name}@example.com",
            display_name=display_name or name.title(),
            account_id=settings.pop("account_id", f"5b10a2844c20165700ede{number}"),
            key=settings.pop("key", f"JIRAUSER{number}"),
            secret=settings.pop("secret", f"secret-of-{name}"),
            pat=settings.pop("pat", f"pat-of-{name}"),
            **settings,
        )
        self.state.users.append(user)
        return user

    def deny(self, *permissions: str, user: str | User | None = None) -> None:
        """Take permissions from a user (the main one by default)."""
        self.state.find_user(user or self.main_user).denied.update(permissions)

    def allow(self, *permissions: str, user: str | User | None = None) -> None:
        self.state.find_user(user or self.main_user).denied.difference_update(permissions)

    # Projects and screens

    def add_project(
        self,
        key: str,
        name: str,
        issue_types: Iterable[str] = ("Bug", "Task", "Story", "Epic"),
        fields: Iterable[Field] = (),
        workflow: Workflow | None = None,
    ) -> Project:
        """Add a project; `fields` (see `custom_field`) are added to the screens of all its issue types."""
        with self.state.lock:
            return self.state.add_project(key, name, issue_types, fields, workflow)

    def project(self, key: str = "BUG") -> Project:
        return self.state.projects[key]

    def add_field(self, field: Field, project: str = "BUG", issue_type: str | None = None) -> None:
        """Put a field on the create and edit screen, replacing the one with its id."""
        for each in self._types(project, issue_type):
            each.screen[field.id] = field

    def change_field(
        self, field_id: str, project: str = "BUG", issue_type: str | None = None, **changes: Any
    ) -> None:
        """Change a field on the screen, for example required=True, name="..." or allowed_values=(...)."""
        for each in self._types(project, issue_type):
            each.screen[field_id] = each.screen[field_id].with_(**changes)

    def remove_field(self, field_id: str, project: str = "BUG", issue_type: str | None = None) -> None:
        """Take a field off the screen; the field itself goes on to exist."""
        self.change_field(field_id, project, issue_type, on_screen=False)

    def hide_field(self, field_id: str, project: str = "BUG", issue_type: str | None = None) -> None:
        """Hide a field in the field configuration: no screen has it, and no answer. Its values stay."""
        self.change_field(field_id, project, issue_type, on_screen=False, hidden=True)

    def require_field(self, field_id: str, project: str = "BUG", issue_type: str | None = None) -> None:
        self.change_field(field_id, project, issue_type, required=True, has_default=False)

    def add_validator(
        self, validator: Validator, project: str = "BUG", issue_type: str | None = None
    ) -> None:
        """Add a workflow validator: it sees the fields and returns a message to refuse them, or None."""
        for each in self._types(project, issue_type):
            each.validators.append(validator)

    def _types(self, project: str, issue_type: str | None) -> list[IssueType]:
        return [t for t in self.project(project).issue_types if issue_type in (None, t.name, t.id)]

    def add_version(self, name: str, project: str = "BUG", **settings: Any) -> Version:
        """Add a version; `settings` are released, archived, release_date, start_date and description."""
        with self.state.lock:
            return self.versions.add(self.project(project), name, **settings)

    def change_version(self, version: Version, **changes: Any) -> None:
        """Release, rename or archive a version; `changes` are those attributes, and `name`."""
        with self.state.lock:
            self.versions.change(version, **changes)

    def delete_version(self, version: Version, move_to: Version | None = None) -> None:
        with self.state.lock:
            self.versions.delete(version, move_to)

    def merge_version(self, version: Version, into: Version) -> None:
        with self.state.lock:
            self.versions.delete(version, into, merged=True)

    def delete_project(self, key: str) -> None:
        """Delete a project with its issues, which Jira tells nobody."""
        with self.state.lock:
            project = self.state.projects.pop(key)
            for issue in self.state.live_issues():
                if issue.project is project:
                    issue.deleted = True
                    self.state.touch(issue)

    def add_component(self, name: str, project: str = "BUG") -> Component:
        component = Component(self.state.next_id(), name)
        self.project(project).components.append(component)
        return component

    # Webhooks

    def add_webhook(
        self,
        url: str,
        *,
        secret: str = "",
        events: Iterable[str] = ("jira:issue_updated", "jira:issue_deleted"),
        jql: str = "",
    ) -> Webhook:
        """Register a webhook as an administrator does; what is due waits in `webhooks.outbox`."""
        hook = Webhook(self.state.next_id(), "by hand", url, tuple(events), jql, secret)
        self.webhooks.hooks.append(hook)
        return hook
