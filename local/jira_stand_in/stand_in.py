"""The stand-in as tests and the demo use it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.http.edge import Edge, Exchange
from local.http.limits import RateLimit
from local.jira_stand_in.app import create_app
from local.jira_stand_in.faults import JiraFaults
from local.jira_stand_in.fields import Field
from local.jira_stand_in.index import Index
from local.jira_stand_in.model import (
    Component,
    Flavour,
    Issue,
    IssueType,
    Project,
    User,
    Validator,
    Version,
    Workflow,
)
from local.jira_stand_in.state import State
from local.jira_stand_in.versions import Versions
from local.jira_stand_in.webhooks import Webhook, Webhooks
from local.jira_stand_in.wire import issue_fields
from local.jira_stand_in.writing import Writer


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send the status line without the server's own Server header: Cloud names AtlassianEdge."""
        self.send_response_only(code, message)
        self.send_header("Date", self.date_time_string())

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the exchanges are kept in the log of the stand-in."""


class JiraStandIn:
    """A Jira on 127.0.0.1 at a free port, started by `start()` or as a context manager.

    It has a project "BUG" with the issue types Bug, Task, Story and Epic, and one user who may do everything
    but administer. `version` matters on Data Center only.
    """

    def __init__(
        self,
        flavour: Flavour = "cloud",
        context_path: str = "",
        clock: Callable[[], float] = time.time,
        version: str = "10.3.0",
    ) -> None:
        self.state = State(flavour, tuple(int(part) for part in version.split(".")), clock)
        self.faults = JiraFaults(self.state)
        self.context_path = context_path.rstrip("/")
        self._sending = threading.Event()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self.webhooks = Webhooks(self.state, self._matches)
        self.state.tell = self.webhooks.hear
        self.versions = Versions(self.state, self.webhooks)
        self._sender: threading.Thread | None = None
        self._edge = Edge(
            create_app(self.state, self.webhooks).wsgi_app,
            self.faults,
            clock=clock,
            lock=self.state.lock,
            context_path=self.context_path,
            other_versions="latest|3" if self.state.cloud else "latest",
        )
        self._main = self.add_user("fred", email="fred@example.com", display_name="Fred F. User")
        self.add_project("BUG", "Bug tracker")

    # Running

    def start(self) -> Self:
        """Listen; the address is known from now on."""
        self._edge.stopping.clear()
        self._server = make_server("127.0.0.1", 0, self._edge, threaded=True, request_handler=_QuietHandler)
        self.state.site_url = f"http://127.0.0.1:{self._server.port}{self.context_path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the server and wake requests that a fault delays."""
        if self._sender:
            self._sending.clear()
            self.webhooks.more.set()
            self._sender.join()
            self._sender = None
        if self._server and self._thread:
            self._edge.stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Where it is, and as whom to sign in

    @property
    def site_url(self) -> str:
        """The base address, with the context path and without a slash at the end."""
        return self.state.site_url

    @property
    def url(self) -> str:
        """The REST address as the product's settings want it, ending in /rest/api/2/."""
        return f"{self.site_url}/rest/api/2/"

    @property
    def user(self) -> str:
        """The login of the main user: the e-mail on Cloud, the user name on Data Center."""
        return self._main.email if self.state.cloud else self._main.name

    @property
    def token(self) -> str:
        """The API token on Cloud, the password on Data Center."""
        return self._main.secret

    @property
    def pat(self) -> str:
        """The personal access token of the main user (Data Center, Bearer)."""
        return self._main.pat

    @property
    def main_user(self) -> User:
        return self._main

    # The request log

    @property
    def requests(self) -> list[Exchange]:
        return list(self._edge.exchanges)

    def count(self, method: str, path: str) -> int:
        """Count the requests of a method whose path matches a regular expression."""
        return sum(1 for e in self.requests if e.method == method and re.search(path, e.path))

    def clear_log(self) -> None:
        self._edge.exchanges.clear()

    # Settings that may change at run time

    @property
    def index_lag(self) -> float:
        """Seconds until the search sees a change; reading by key is always immediate."""
        return self.state.index_lag

    @index_lag.setter
    def index_lag(self, seconds: float) -> None:
        self.state.index_lag = seconds

    @property
    def index_flicker(self) -> bool:
        """Whether an issue vanishes once from the search after it was first returned."""
        return self.state.index_flicker

    @index_flicker.setter
    def index_flicker(self, flicker: bool) -> None:
        self.state.index_flicker = flicker

    def limit_rate(self, limit: int = 100, fill_rate: int = 10, interval: float = 60.0) -> RateLimit:
        """Turn on Data Center's rate limiting, with its headers on every answer."""
        self._edge.rate_limit = RateLimit(limit, fill_rate, interval)
        return self._edge.rate_limit

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
        self._user(user).denied.update(permissions)

    def allow(self, *permissions: str, user: str | User | None = None) -> None:
        self._user(user).denied.difference_update(permissions)

    def _user(self, user: str | User | None) -> User:
        return self._main if user is None else self.state.find_user(user)

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

    def deliver_automatically(self) -> None:
        """Send webhooks as changes happen, until the stand-in stops."""
        self._sending.set()
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()

    def _send(self) -> None:
        while self._sending.is_set():
            self.webhooks.more.wait(1)
            self.webhooks.more.clear()
            self.webhooks.deliver_all()

    def _matches(self, issue: Issue, jql: str) -> bool:
        return any(found.id == issue.id for found, _ in Index(self.state, self._main, lag=0).search(jql))

    # Issues, as a person in Jira's own screens would change them

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
            return Writer(self.state, self._main).create({"fields": {**where, **fields}})[0]

    def edit_issue(self, key: str, by: str | User | None = None, **fields: Any) -> Issue:
        """Change fields given in wire form, for example labels=["a"] or fixVersions=[{"name": "1.0"}]."""
        with self.state.lock:
            Writer(self.state, self._user(by)).edit(self._issue(key), {"fields": fields})
            return self._issue(key)

    def transition(self, key: str, to: str, by: str | User | None = None, **fields: Any) -> Issue:
        """Move an issue to the status of that name, whatever the workflow allows."""
        with self.state.lock:
            issue = self._issue(key)
            status = issue.project.workflow.status(to)
            step = next(t for t in issue.project.workflow.transitions if t.to == status.id)
            writer = Writer(self.state, self._user(by))
            writer.change(issue, step.screen, fields, {})
            writer.enter(issue, step)
            return issue

    def assign(self, key: str, user: str | User | None, by: str | User | None = None) -> Issue:
        with self.state.lock:
            issue = self._issue(key)
            issue.fields["assignee"] = {"ref": "user", "id": self.state.find_user(user).key} if user else None
            Writer(self.state, self._user(by)).finish(issue)
            return issue

    def comment(self, key: str, text: str, by: str | User | None = None) -> None:
        with self.state.lock:
            writer = Writer(self.state, self._user(by))
            writer.comment(self._issue(key), text)
            writer.finish(self._issue(key))

    def move_issue(self, key: str, project: str) -> Issue:
        """Move an issue to another project: the key changes, the id stays, the old key still leads to it."""
        with self.state.lock:
            issue, target = self._issue(key), self.project(project)
            target.last_number += 1
            self.state.moved[issue.key] = issue.id
            issue.key, issue.project = f"{target.key}-{target.last_number}", target
            Writer(self.state, self._main).finish(issue)
            return issue

    def delete_issue(self, key: str) -> None:
        with self.state.lock:
            issue = self._issue(key)
            issue.deleted = True
            self.state.touch(issue)
            self.state.tell("deleted", issue, self._main, None)

    def _issue(self, key: str) -> Issue:
        found = self.state.issue(key)
        if found is None:
            raise KeyError(key)
        return found
