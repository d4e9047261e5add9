"""The poll of Jira: versions of projects, and the reconcile, which finds tickets whose webhooks got lost.

The poll lists the versions of each project and compares them, by id, with the list that it kept. For each version
that is new, gone or changed it looks at the tickets that have it. The link table knows them, so the cost follows the
number of changes, and not the number of links. The new list is kept once all of these tickets were looked at or are
in the queue: a run that dies before begins again, and passes over the tickets that are in step by then.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from backtrace_jira.errors import CredentialRefused, Refused
from backtrace_jira.fix_versions.boundary import version_fields
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.link import Link
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.check_links import CheckLinks
from backtrace_jira.synchronisation.jira_projects import followed_projects
from backtrace_jira.synchronisation.news import Hint, ticket_has_news
from backtrace_jira.synchronisation.poll import OVERLAP, Job, Poll
from backtrace_jira.synchronisation.poll_memory import JiraProject, ProjectVersions, Sweep, TicketVersion
from backtrace_jira.synchronisation.ports import SyncedLinks
from backtrace_jira.times import LINKS_PER_RUN

FEW = 50
"""Tickets that a run looks up one by one. For more, it reads which tickets are linked."""


class PollFixVersions:
    """The use case behind `functions/poll_fix_versions`."""

    def __init__(self, poll: Poll, *, most_links: int = LINKS_PER_RUN) -> None:
        """Take `most_links`: so many links of the round a run looks at."""
        self._poll = poll
        self._check = CheckLinks(poll)
        self._most_links = most_links

    def __call__(self, *, deadline: float) -> None:
        """Look at every Jira project once, and at the next links of the round. What fails does not stop the others.

        Args:
            deadline: unix seconds at which this process may be ended.
        """
        integrations, notes = self._poll.readable_integrations(), self._poll.memory.notes()
        following = [each for each in integrations if each.follows_tickets]
        linked = LinkedIssues(self._poll.store)
        jobs = [
            Job(name, those[0].id, partial(self._look_at_project, project, those, linked, deadline))
            for project, those in followed_projects(following, notes).items()
            for name in [" ".join(("jira", "/".join(project)))]
        ]
        if integrations:
            go_on = partial(self._check.go_on, integrations, notes, self._most_links, deadline)
            jobs.append(Job("links", integrations[0].id, go_on))
        self._poll.run("jira", jobs, notes, deadline)

    def versions_of(self, connection: str, project_id: str, *, deadline: float) -> bool:
        """Look at a project's versions now; return whether any integration follows them.

        Args:
            connection: the Jira site.
            project_id: Jira's id of the project, which is known once its versions were listed.
            deadline: unix seconds at which this process may be ended.

        Raises:
            BacktraceJiraError: it could not be done.
        """
        following = [
            each
            for each in self._poll.integrations()
            if each.fix_versions.enabled and each.connection == connection
        ]
        looked = False
        for project, those in followed_projects(following, self._poll.memory.notes()).items():
            known = self._poll.store.project_versions(*project)
            known_id = known.project_id if known else ""
            if known_id not in ("", project_id):
                continue
            try:
                self._versions(project, those, deadline)
            except Refused as error:
                # Without an id it is perhaps another project: one that Jira does not show, which the schedule reports.
                if known_id or isinstance(error, CredentialRefused):
                    raise
            looked = True
        return looked

    def _look_at_project(
        self, project: JiraProject, those: Sequence[Integration], linked: LinkedIssues, deadline: float
    ) -> None:
        name = "/".join(project)
        with_fixes = [each for each in those if each.fix_versions.enabled]
        if with_fixes:
            versions = partial(self._versions, project, with_fixes, deadline)
            self._poll.do_safely(Job(f"versions of {name}", with_fixes[0].id, versions))
        look = partial(self._look_at_page, project[1], those, linked, deadline)
        self._poll.sweep(f"jira {name}", deadline, look)

    # Versions

    def _versions(
        self, jira_project: JiraProject, integrations: Sequence[Integration], deadline: float
    ) -> None:
        connection, project = jira_project
        store, now = self._poll.store, self._poll.clock()
        before = store.project_versions(connection, project)
        listed = self._poll.synchronise.jira(integrations[0]).versions(project)
        facts = {each.version.id: each.version.facts for each in listed}
        recent = _recent_changes(before, facts, now)
        versions = self._ticket_versions(connection, before, recent)
        for version in versions:
            if version.facts != facts.get(version.version_id, ""):
                self._look(connection, version, deadline)
        still = {id_: at for id_, at in recent.items() if now - at < OVERLAP}
        project_id = next((each.project_id for each in listed), before.project_id if before else "")
        if before is None or (before.facts, before.recent) != (facts, still):
            store.record_project_versions(connection, project, ProjectVersions(now, facts, still, project_id))

    def _ticket_versions(
        self, connection: str, before: ProjectVersions | None, versions: Iterable[str]
    ) -> Iterator[TicketVersion]:
        """Give the tickets that have one of these versions. On the first run for a project all versions are new."""
        if before is None:
            wanted = set(versions)
            yield from (
                each
                for each in self._poll.store.tickets_with_version(connection)
                if each.version_id in wanted
            )
            return
        for version_id in versions:
            yield from self._poll.store.tickets_with_version(connection, version_id)

    def _look(self, connection: str, version: TicketVersion, deadline: float) -> None:
        if not self._poll.bring_in_line(version.issue_id, Hint(connection, thorough=True), deadline):
            self._poll.store.forget_version(connection, version)  # it is linked no longer

    # Tickets

    def _look_at_page(
        self,
        project: str,
        integrations: Sequence[Integration],
        linked: LinkedIssues,
        deadline: float,
        sweep: Sweep,
    ) -> str | None:
        """Look at a page of the tickets that changed; return the key after which the next one begins."""
        minutes = max(1, math.ceil((self._poll.clock() - sweep.since) / 60))
        jira = self._poll.synchronise.jira(integrations[0])
        fields = version_fields(integrations)
        page = jira.changed_tickets(project, minutes, sweep.after, version_fields=fields)
        if page is None:
            return None
        self._look_at(page.tickets, integrations, linked, deadline)
        return page.next_after

    def _look_at(
        self,
        tickets: Sequence[Ticket],
        integrations: Sequence[Integration],
        linked: LinkedIssues,
        deadline: float,
    ) -> None:
        """Look at each ticket that is linked and differs from what its links remember."""
        by_id = {each.id: each for each in integrations}
        hint = Hint(integrations[0].connection)
        for ticket in linked.filter(tickets):
            links = self._poll.store.links_of_issue(ticket.issue.id)
            if any(
                ticket_has_news(link, by_id[link.key.integration], ticket) for link in _links_of(links, by_id)
            ):
                self._poll.bring_in_line(ticket.issue.id, hint, deadline)


class LinkedIssues:
    """Tells tickets that are linked from those of other people, in one run of the poll.

    Few tickets are looked up one by one. Where there are many, as after a bulk edit, the ids of all linked ones are
    read instead, once: from then on, tickets of other people cost no request. A ticket that is linked and changes after
    they were read is seen by the next sweep, which looks back further than a run can last (`OVERLAP`).
    """

    def __init__(self, store: SyncedLinks) -> None:
        self._store = store
        self._ids: Collection[str] | None = None
        self._tickets = 0

    def filter(self, tickets: Sequence[Ticket]) -> Sequence[Ticket]:
        """Return the tickets that may be linked: at the least those that are."""
        self._tickets += len(tickets)
        if self._tickets <= FEW:
            return tickets
        if self._ids is None:
            self._ids = self._store.linked_issues()
        return [ticket for ticket in tickets if ticket.issue.id in self._ids]


def _recent_changes(before: ProjectVersions | None, facts: Mapping[str, str], now: float) -> dict[str, float]:
    """Return the versions to look at, with the moment at which their change was seen.

    They are looked at again for a while: a ticket that was read just before the change may be recorded just after.
    """
    known = before.facts if before else {}
    changed = {id_: now for id_ in known.keys() | facts.keys() if known.get(id_) != facts.get(id_)}
    return {**(before.recent if before else {}), **changed}


def _links_of(links: Iterable[Link], by_id: Mapping[str, Integration]) -> Iterator[Link]:
    return (link for link in links if link.key.integration in by_id)
