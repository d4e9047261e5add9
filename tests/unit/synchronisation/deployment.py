"""A deployment that synchronises, with everything in memory: one Jira site, one Backtrace universe, one link table."""

from __future__ import annotations

import itertools
from typing import Any

from backtrace_jira.backtrace.group import Group
from backtrace_jira.jira.issue import Issue, Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link, LinkKey
from backtrace_jira.outcomes import Decision, Outcome, Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.states import Status
from backtrace_jira.synchronisation.apply_jira_change import ApplyJiraChange
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll import Poll
from backtrace_jira.synchronisation.poll_backtrace import PollBacktrace
from backtrace_jira.synchronisation.poll_fix_versions import PollFixVersions
from backtrace_jira.synchronisation.synchronise import Synchronise
from tests.builders import integration
from tests.fakes.backtrace import PROJECT, FakeBacktraceGroups, FakeBacktraceLinks
from tests.fakes.clock import Clock
from tests.fakes.configuration import FakeConfiguration
from tests.fakes.jira_issues import DONE, FakeJiraIssues
from tests.fakes.links import FakeTable, FakeTicketLinks
from tests.fakes.poll_memory import FakePollMemory
from tests.fakes.queues import FakeChangeHints, FakeNewEvents
from tests.fakes.synced_links import FakeSyncedLinks

GROUP, OTHER = "a" * 64, "b" * 64
JANE = {"id": 7, "username": "jane", "email": "jane@example.com"}
PERIOD = 300


class Deployment:
    """Both directions are on unless `sync` says otherwise; `settings` are an integration's."""

    def __init__(self, *, cloud: bool = True, more: tuple[Integration, ...] = (), **settings: Any) -> None:
        sync = {"backtrace_to_jira": True, "jira_to_backtrace": True, **settings.pop("sync", {})}
        self.settings = integration(sync=sync, **settings)
        self.clock = Clock()
        self.table = FakeTable()
        self.links = FakeTicketLinks(self.table)
        self.store = FakeSyncedLinks(self.table)
        self.memory = FakePollMemory(self.table)
        self.jira = FakeJiraIssues(self.clock, cloud=cloud)
        self.backtrace = FakeBacktraceGroups(self.clock)
        self.configuration = FakeConfiguration([self.settings, *more], self.jira, self.backtrace)
        self.hints = FakeChangeHints()
        self.events = FakeNewEvents()
        self.reports: list[Outcome] = []
        self._owners = (f"owner-{number}" for number in itertools.count(1))
        self.new_process()

    def new_process(self) -> None:
        """Start cold: nothing is remembered but what the fakes keep."""
        self.synchronise = Synchronise(
            configuration=self.configuration,
            store=self.store,
            new_events=self.events,
            clock=self.clock,
            sleep=self.clock.advance,
            new_owner=lambda: next(self._owners),
        )
        self.schedule = Poll(
            synchronise=self.synchronise,
            configuration=self.configuration,
            store=self.store,
            memory=self.memory,
            hints=self.hints,
            clock=self.clock,
            report=self.reports.append,
        )
        self.poll_backtrace = PollBacktrace(self.schedule)
        self.poll_jira = PollFixVersions(self.schedule)
        self.apply = ApplyJiraChange(self.synchronise, self.poll_jira)

    # Before

    def link(
        self, fingerprint: str = GROUP, issue: Issue | None = None, settings: Integration | None = None
    ) -> Issue:
        """Link a group to a ticket, by default a new one; a minute later nothing else has happened."""
        issue = issue or self.jira.create_issue("it is broken")
        settings = settings or self.settings
        key = LinkKey(settings.id, fingerprint)
        self.links.complete(key, issue, Record(self.clock(), Decision.CREATED))
        linking = FakeBacktraceLinks(self.backtrace)
        baseline = linking.link(
            project=settings.project, fingerprint=fingerprint, watcher=settings.name, issue=issue
        )
        self.links.mark_linked(key, baseline)
        self.clock.advance(60)
        return issue

    def set_assignee(self, person: dict[str, Any] | None, fingerprint: str = GROUP) -> None:
        """Assign a group in Backtrace."""
        assignees = [person] if person else []
        entries = [{**entry, "assignees": assignees} for entry in self.group(fingerprint).tickets]
        self.backtrace.seed(PROJECT, fingerprint, ticket=entries)

    def resolve_with(self, issue: Issue, *names: str) -> None:
        """Close a ticket with released Fix Versions, and let the group follow."""
        versions = [self.jira.add_version(name, released=True) for name in names]
        self.jira.set_fix_versions(issue.id, *versions)
        self.jira.move_to(issue.id, DONE)
        self.hear(issue)
        self.clock.advance(3600)

    # What is done

    def hear(self, issue: Issue, **hint: Any) -> list[Outcome]:
        """Hear of a ticket, as from a webhook."""
        return self.synchronise(issue.id, Hint("main", **hint), deadline=self.clock() + 120)

    def poll(self, *, time: float = 300) -> None:
        """Let a period pass and both schedules run; `time` in seconds is what they have."""
        self.clock.advance(PERIOD)
        self.poll_backtrace(deadline=self.clock() + time)
        self.poll_jira(deadline=self.clock() + time)

    def drain(self) -> list[Outcome]:
        """Serve what waits in the queue, once each."""
        waiting, self.hints.sent = self.hints.sent, []
        deadline = self.clock() + 120
        return [each for change in waiting for each in self.apply.serve(change.to_json(), deadline)]

    # After

    def group(self, fingerprint: str = GROUP) -> Group:
        return self.backtrace.group(PROJECT, fingerprint)

    def state(self, fingerprint: str = GROUP) -> str:
        return str(self.group(fingerprint).state)

    def ticket(self, issue: Issue) -> Ticket:
        return self.jira.tickets[issue.id]

    def status(self, issue: Issue) -> Status:
        return self.ticket(issue).status

    def row(self, fingerprint: str = GROUP) -> Link:
        row = self.store.get(LinkKey(self.settings.id, fingerprint))
        assert row is not None
        return row

    def synced(self, fingerprint: str = GROUP) -> LastSynced:
        synced = self.row(fingerprint).synced
        assert synced is not None
        return synced

    @property
    def writes(self) -> int:
        """How often Jira and Backtrace were written to, linking left out."""
        jira, backtrace = self.jira.failures.calls, self.backtrace.failures.calls
        return jira["transition"] + jira["assign"] + jira["comment"] + backtrace["write"]
