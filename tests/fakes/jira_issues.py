"""A Jira site in memory, as synchronisation sees it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from backtrace_jira.errors import OutcomeUnknown, Refused
from backtrace_jira.jira.issue import (
    Change,
    FixVersion,
    Issue,
    JiraUser,
    ProjectVersion,
    Ticket,
    TicketPage,
    Transition,
)
from backtrace_jira.json_types import JSON
from backtrace_jira.states import Status
from tests.fakes.failures import Failures

TODO, DOING, DONE = (
    Status("10000", "To Do", "new"),
    Status("3", "In Progress", "indeterminate"),
    Status("10001", "Done", "done"),
)
ANY_TO_ANY = (
    Transition("11", "To Do", TODO),
    Transition("21", "In Progress", DOING),
    Transition("31", "Done", DONE),
)
RESOLUTION = ("10000", "Done")
NOBODY = JiraUser("")


class FakeJiraIssues:
    """The `JiraIssues` port on a site with one project, BUG. What people do there has the stand-in's names."""

    def __init__(self, clock: Callable[[], float], *, cloud: bool = True) -> None:
        self.tickets: dict[str, Ticket] = {}
        """By id, with their whole changelogs and all their versions."""
        self.workflow: Mapping[str, Sequence[Transition]] = {}
        """Transitions by id of the status that they lead away from; empty: from any to any other."""
        self.people: list[JiraUser] = []
        self.denied: set[str] = set()
        """Permissions that our account does not have."""
        self.project_versions: list[FixVersion] = []
        self.hides_fix_versions = False
        self.written: dict[str, list[tuple[float, str]]] = {}
        """Comments by ticket, oldest first."""
        self.screens: list[Mapping[str, JSON]] = []
        """What the screens of the transitions that we took were given."""
        self.page = 100
        """Tickets that one search returns."""
        self.failures = Failures()
        self._cloud = cloud
        self._clock = clock
        self._numbers = itertools.count(1)

    # What people do

    def add_user(self, name: str, *, email: str) -> JiraUser:
        user = JiraUser(f"account-of-{name}" if self._cloud else name, name.title(), email)
        self.people.append(user)
        return user

    def add_version(self, name: str, *, released: bool = False) -> FixVersion:
        version = FixVersion(str(20_000 + len(self.project_versions)), name, released)
        self.project_versions.append(version)
        return version

    def change_version(self, version: FixVersion, *, released: bool) -> None:
        changed = replace(version, released=released)
        known = self.project_versions
        self.project_versions = [changed if each.id == version.id else each for each in known]
        for ticket in self.tickets.values():
            fixes = tuple(changed if each.id == version.id else each for each in _fixes(ticket))
            self.tickets[ticket.issue.id] = replace(ticket, versions={"fixVersions": fixes})

    def create_issue(self, summary: str) -> Issue:
        number = next(self._numbers)
        issue = Issue(str(10_000 + number), f"BUG-{number}", f"https://jira.example/browse/BUG-{number}")
        versions: dict[str, tuple[FixVersion, ...]] = {"fixVersions": ()}
        self.tickets[issue.id] = Ticket(issue, "BUG", TODO, None, self._clock(), (), versions)
        return issue

    def move_to(self, issue_id: str, to: Status) -> None:
        """Move a ticket to a status, whatever the workflow allows."""
        ticket, now = self.tickets[issue_id], self._clock()
        done = to.category == "done"
        self._change(
            ticket,
            Change("status", ticket.status.id, ticket.status.name, now),
            status=to,
            resolution=RESOLUTION if done else ("", ""),
            resolved=now if done else 0.0,
        )

    def delete_issue(self, issue_id: str) -> None:
        del self.tickets[issue_id]

    def move_issue(self, issue_id: str, project: str) -> None:
        """Move a ticket to another project, where it has another key."""
        ticket, key = self.tickets[issue_id], f"{project}-{next(self._numbers)}"
        issue = Issue(issue_id, key, f"https://jira.example/browse/{key}")
        self.tickets[issue_id] = replace(ticket, issue=issue, project=project, updated=self._clock())

    def set_page(self, size: int, patch: pytest.MonkeyPatch) -> None:
        """Let a search return so many tickets at once."""
        patch.setattr(self, "page", size)

    def assign_to(self, issue_id: str, user: JiraUser | None) -> None:
        ticket = self.tickets[issue_id]
        before = ticket.assignee or NOBODY
        self._change(ticket, Change("assignee", before.id, before.name, self._clock()), assignee=user)

    def set_fix_versions(self, issue_id: str, *versions: FixVersion) -> None:
        ticket = self.tickets[issue_id]
        self._change(ticket, Change("fixversions", "", "", self._clock()), versions={"fixVersions": versions})

    def hide_fix_versions(self) -> None:
        """Hide the field in the field configuration: its values stay, and no answer has them."""
        self.hides_fix_versions = True

    def _change(self, ticket: Ticket, change: Change, **values: object) -> None:
        changes = (*(ticket.changes or ()), change)
        changed = replace(ticket, changes=changes, updated=change.at, **values)  # type: ignore[arg-type]
        self.tickets[ticket.issue.id] = changed

    def deny(self, permission: str) -> None:
        """Take a permission from our account."""
        self.denied.add(permission)

    # The port

    @property
    def cloud(self) -> bool:
        return self._cloud

    def ticket(
        self, issue_id: str, *, changes: bool = False, version_fields: Collection[str] = ()
    ) -> Ticket | None:
        with self.failures.around("ticket"):
            ticket = self.tickets.get(issue_id)
            return ticket and self._shown(ticket, version_fields, changes=changes)

    def tickets_by_id(
        self, issue_ids: Collection[str], *, version_fields: Collection[str] = ()
    ) -> Sequence[Ticket]:
        with self.failures.around("tickets_by_id"):
            found = [self.tickets[each] for each in issue_ids if each in self.tickets]
            return [self._shown(each, version_fields, changes=False) for each in found]

    def transitions(self, issue_id: str) -> Sequence[Transition]:
        with self.failures.around("transitions"):
            return self._transitions(issue_id)

    def _transitions(self, issue_id: str) -> Sequence[Transition]:
        ticket = self._existing(issue_id)
        if "TRANSITION_ISSUES" in self.denied:
            return []
        anywhere = [step for step in ANY_TO_ANY if step.to != ticket.status]
        return self.workflow.get(ticket.status.id, ()) if self.workflow else anywhere

    def transition(self, issue_id: str, step: Transition, fields: Mapping[str, JSON]) -> None:
        with self.failures.around("transition"):
            open_steps = {each.id: each for each in self._transitions(issue_id)}
            if "TRANSITION_ISSUES" in self.denied:
                raise Refused("400, this account may not transition", status=400)
            if step.id not in open_steps:  # Data Center answers 500, which says nothing
                unknown = OutcomeUnknown("500, without a usable answer")
                raise Refused("400, this transition is not open", status=400) if self.cloud else unknown
            missing = {field.id for field in step.fields if field.required} - fields.keys()
            if missing:
                raise Refused("400", status=400, fields=dict.fromkeys(missing, "is required"))
            self.screens.append(fields)
            self.move_to(issue_id, open_steps[step.id].to)

    def assign(self, issue_id: str, user: str | None) -> None:
        with self.failures.around("assign"):
            self._existing(issue_id)
            if "ASSIGN_ISSUES" in self.denied:
                raise Refused("403, this account may not assign", status=403)
            known = {person.id: person for person in self.people}
            if user and user not in known:
                raise Refused("400, there is no such user", status=400)
            self.assign_to(issue_id, known[user] if user else None)

    def find_user(self, who: str, project: str) -> str | None:
        with self.failures.around("find_user"):
            found = [user.id for user in self.people if who.casefold() in (user.email, user.name.casefold())]
            return found[0] if len(found) == 1 else None

    def comment(self, issue_id: str, text: str) -> None:
        with self.failures.around("comment"):
            self._existing(issue_id)
            self.written.setdefault(issue_id, []).append((self._clock(), text))

    def comments(self, issue_id: str) -> Sequence[tuple[float, str]]:
        with self.failures.around("comments"):
            self._existing(issue_id)
            return self.written.get(issue_id, [])[::-1]

    def status_category(self, status_id: str) -> str:
        with self.failures.around("status_category"):
            known = [
                *(step.to for step in ANY_TO_ANY),
                *(s.to for steps in self.workflow.values() for s in steps),
            ]
            return next((each.category for each in known if each.id == status_id), "")

    def versions(self, project: str) -> Sequence[ProjectVersion]:
        with self.failures.around("versions"):
            if project != "BUG":
                raise Refused(f"404, there is no project {project}", status=404)
            return [ProjectVersion(version, "10000") for version in self.project_versions]

    def changed_tickets(
        self, project: str, minutes: int, after: str = "", *, version_fields: Collection[str] = ()
    ) -> TicketPage | None:
        with self.failures.around("changed_tickets"):
            if after and after not in {each.issue.key for each in self.tickets.values()}:
                return None
            begin = self._clock() - minutes * 60
            found = [
                each for each in self.tickets.values() if each.project == project and each.updated >= begin
            ]
            found = sorted((each for each in found if _number(each.issue.key) > _number(after)), key=_place)
            page = [self._shown(each, version_fields, changes=False) for each in found[: self.page]]
            return TicketPage(page, page[-1].issue.key if len(found) > len(page) else "")

    def _existing(self, issue_id: str) -> Ticket:
        if issue_id not in self.tickets:
            raise Refused("404, there is no such issue", status=404)
        return self.tickets[issue_id]

    def _shown(self, ticket: Ticket, version_fields: Collection[str], *, changes: bool) -> Ticket:
        """Return a ticket with what was asked for, and no more."""
        asked = set() if self.hides_fix_versions else set(version_fields)
        versions = {name: found for name, found in ticket.versions.items() if name in asked}
        return replace(ticket, versions=versions, changes=ticket.changes if changes else None)


def _number(key: str) -> int:
    return int(key.rpartition("-")[2] or 0)


def _place(ticket: Ticket) -> int:
    return _number(ticket.issue.key)


def _fixes(ticket: Ticket) -> tuple[FixVersion, ...]:
    return ticket.versions["fixVersions"]
