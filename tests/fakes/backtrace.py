"""A Backtrace universe in memory: one for the groups as they are, and on it what tickets are linked with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backtrace_jira.backtrace.group import OWN_WATCHER, BacktraceUser, Group, GroupPage, GroupWrite
from backtrace_jira.errors import Refused
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import Histogram
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.states import State
from tests.fakes.failures import Failures, raise_next

PROJECT = "my_project"


@dataclass(frozen=True)
class Report:
    """An error as it was reported; `at` is in unix seconds."""

    project: str
    fingerprint: str
    at: float
    attributes: Mapping[str, str]


ADDRESS = "https://my_universe.sp.backtrace.io"
"""Where the page of the sample event is."""


class FakeBacktraceGroups:
    """The `BacktraceGroups` port. `seed` and `receive` are the stand-in's: what people do, and what errors come."""

    address = ADDRESS

    def __init__(self, clock: Callable[[], float]) -> None:
        self.rows: dict[tuple[str, str], Group] = {}
        """Groups by project and fingerprint; one that nobody wrote is not among them."""
        self.reports: list[Report] = []
        self.refusals: dict[str, str] = {}
        """Fingerprints that cannot be written, and what Backtrace says."""
        self.page = 500
        """Groups in one page of those that changed."""
        self.failures = Failures()
        self._projects = {PROJECT}
        self._clock = clock

    # What happens in Backtrace

    def add_project(self, name: str) -> None:
        self._projects.add(name)

    def seed(self, project: str, fingerprint: str, **columns: Any) -> Group:
        """Create or change a row, by the names that its columns have in Backtrace."""
        self._projects.add(project)
        row = self._row(project, fingerprint)
        self.rows[project, fingerprint] = Group(
            project,
            fingerprint,
            State(columns.get("state", row.state)),
            columns.get("ticket", row.tickets),
            int(self._clock()),
            columns.get("invariants", row.reopen_criteria),
            columns.get("invariant_reopen_count", row.reopens),
            json.loads(columns["invariant_last_violated"])
            if "invariant_last_violated" in columns
            else row.met,
        )
        return self.rows[project, fingerprint]

    def receive(
        self, project: str, fingerprint: str, *, timestamp: float | None = None, **attributes: str
    ) -> None:
        """Take an error report. A group that it reopens, `seed` has to reopen."""
        at = self._clock() if timestamp is None else timestamp
        self.reports.append(Report(project, fingerprint, at, attributes))

    def refuse(self, fingerprint: str, message: str) -> None:
        """Let writes to one fingerprint be refused."""
        self.refusals[fingerprint] = message

    # The port

    def group(self, project: str, fingerprint: str) -> Group:
        with self.failures.around("group"):
            return self._row(project, fingerprint)

    def groups(self, project: str, fingerprints: Collection[str]) -> Mapping[str, Group]:
        with self.failures.around("groups"):
            return {each: self._row(project, each) for each in fingerprints}

    def changed_groups(self, project: str, since: float, after: str = "") -> GroupPage:
        with self.failures.around("changed_groups"):
            self._ensure_known(project)
            rows = [row for (where, _), row in self.rows.items() if where == project]
            begin, passed = map(int, after.split()) if after else (int(since), 0)
            found = sorted((row for row in rows if row.modified >= begin), key=_changed_at)
            page = found[passed : passed + self.page]
            if len(page) < self.page:
                return GroupPage(page)
            last = int(page[-1].modified)
            return GroupPage(page, f"{last} 0" if last > begin else f"{begin} {passed + self.page}")

    def write(self, group: Group, write: GroupWrite) -> Group | None:
        with self.failures.around("write"):
            if group.fingerprint in self.refusals:
                raise Refused(f"POST /api/issue: {self.refusals[group.fingerprint]}")
            columns = {"state": write.state, "ticket": write.tickets, "invariants": write.reopen_criteria}
            given = {name: value for name, value in columns.items() if value is not None}
            self._ensure_known(group.project)
            return replace(self.seed(group.project, group.fingerprint, **given), modified=0.0)

    def count_values(
        self, project: str, fingerprint: str, attribute: str, *, since: float, where: Mapping[str, str]
    ) -> Histogram:
        with self.failures.around("count_values"):
            reports = self._since(project, fingerprint, since)
            # The expressions of these tests mean themselves.
            chosen = [each for each in reports if all(each.attributes.get(n) == v for n, v in where.items())]
            found = [each.attributes[attribute] for each in chosen if attribute in each.attributes]
            return tuple(Counter(found).items())

    def error_event(self, project: str, fingerprint: str, *, since: float, page: str) -> str:
        with self.failures.around("error_event"):
            reports = self._since(project, fingerprint, since)
            names = {name for report in reports for name in report.attributes}
            body = {
                "universe": "my_universe",
                "project": project,
                "fingerprint": fingerprint,
                "group_url": page,
                "occurrences": len(reports),
                "attributes": {name: _histogram(reports, name) for name in sorted(names)},
            }
            return json.dumps({name: value for name, value in body.items() if value != ""})

    def find_user(self, project: str, email: str) -> BacktraceUser | None:
        with self.failures.around("find_user"):
            rows = [row for (where, _), row in self.rows.items() if where == project]
            users = [user for row in rows for entry in row.tickets for user in entry.get("assignees", ())]
            found = [user for user in users if user.get("email", "").casefold() == email.casefold()]
            if not found:
                return None
            return BacktraceUser(found[0]["id"], found[0].get("username", ""), found[0]["email"])

    def _row(self, project: str, fingerprint: str) -> Group:
        self._ensure_known(project)
        return self.rows.get((project, fingerprint)) or Group(project, fingerprint, State.OPEN)

    def _since(self, project: str, fingerprint: str, since: float) -> list[Report]:
        wanted = (project, fingerprint)
        return [
            report
            for report in self.reports
            if (report.project, report.fingerprint) == wanted and report.at >= int(since)
        ]

    def _ensure_known(self, project: str) -> None:
        if project not in self._projects:
            raise Refused(f"no such project '{project}'")


def _changed_at(row: Group) -> tuple[float, str]:
    return row.modified, row.fingerprint


def _histogram(reports: list[Report], name: str) -> list[list[Any]]:
    values = [report.attributes[name] for report in reports if name in report.attributes]
    return [[value, count] for value, count in Counter(values).items()]


@dataclass
class FakeBacktraceLinks:
    """The `BacktraceLinks` port. `fail` is raised before the effect."""

    groups: FakeBacktraceGroups
    calls: int = 0
    address: str = ADDRESS
    fail: list[Exception | None] = field(default_factory=list)

    def link(
        self, *, project: str, fingerprint: str, watcher: str, issue: Issue, replaced: str = ""
    ) -> LastSynced:
        self.calls += 1
        raise_next(self.fail)
        group = self.groups.group(project, fingerprint)
        state = State.IN_PROGRESS if group.state is State.OPEN else group.state
        gone = (watcher, replaced)
        kept = [
            each for each in group.tickets if not replaced or (each["watcher"], each.get("short")) != gone
        ]
        entries = kept or [{"watcher": OWN_WATCHER}]
        if not group.has_ticket(watcher, issue):
            entries.append({"watcher": watcher, "short": issue.key, "url": issue.url, "state": "open"})
        self.groups.seed(project, fingerprint, state=state, ticket=entries)
        return LastSynced(state=state, assignee=replace(group, tickets=entries).assignee_id)

    def tickets_of(self, project: str, fingerprint: str) -> dict[str, str]:
        """Return the keys of a group's tickets by integration."""
        entries = self.groups.group(project, fingerprint).tickets
        return {entry["watcher"]: entry["short"] for entry in entries if "short" in entry}
