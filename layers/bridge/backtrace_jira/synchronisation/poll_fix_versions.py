"""The poll of Jira: versions of projects, and the reconcile, which finds tickets whose webhooks got lost.

The poll lists the versions of each project and compares them, by id, with the list that it kept. For each version
that is new, gone or changed it looks at the tickets that have it. The link table knows them, so the cost follows the
number of changes, and not the number of links. The new list is kept once all of these tickets were looked at or are
in the queue: a run that dies before begins again, and passes over the tickets that are in line by then.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from backtrace_jira.fix_versions.boundary import version_fields
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.link import Link
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.news import Hint, ticket_has_news
from backtrace_jira.synchronisation.poll import FIRST_LOOK, OVERLAP, Poll, group_by, jira_project
from backtrace_jira.synchronisation.poll_memory import ProjectVersions, Sweep, TicketVersion
from backtrace_jira.synchronisation.ports import SyncedLinks

FEW = 50
"""Tickets that a run looks up one by one. For more, it reads which tickets are linked."""


class PollFixVersions:
    """The use case behind `functions/poll_fix_versions`."""

    def __init__(self, poll: Poll) -> None:
        self._poll = poll

    def __call__(self, *, deadline: float) -> None:
        """Look at every Jira project once; one that fails does not stop the others, and is looked at again.

        Args:
            deadline: unix seconds at which this process may be ended.
        """
        following = [each for each in self._poll.integrations() if each.follows_tickets]
        linked = LinkedIssues(self._poll.store)
        for (connection, project), those in group_by(following, jira_project).items():
            with_fixes = [each for each in those if each.fix_versions.enabled]
            if with_fixes:
                look = partial(self._versions, with_fixes, deadline)
                self._poll.look_at_project(f"versions of {connection}/{project}", with_fixes, look)
            name = f"jira {connection}/{project}"
            self._poll.look_at_project(name, those, partial(self._sweep, those, name, linked, deadline))

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
        for (_, project), those in group_by(following, jira_project).items():
            known = self._poll.store.project_versions(connection, project)
            if known is None or known.project_id in ("", project_id):
                self._versions(those, deadline)
                looked = True
        return looked

    # Versions

    def _versions(self, integrations: Sequence[Integration], deadline: float) -> None:
        connection, project = jira_project(integrations[0])
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

    def _sweep(
        self, integrations: Sequence[Integration], name: str, linked: LinkedIssues, deadline: float
    ) -> None:
        """Look at all tickets that changed since the watermark, page by page, or at as many as there is time for."""
        project, fields = integrations[0].project_key, version_fields(integrations)
        store, clock = self._poll.store, self._poll.clock
        jira = self._poll.synchronise.jira(integrations[0])
        sweep = _begin_sweep(store.sweep(name), clock())
        while True:
            minutes = max(1, math.ceil((clock() - sweep.since) / 60))
            page = jira.changed_tickets(project, minutes, sweep.after, version_fields=fields)
            if page is None:
                # Begin anew in the next run, not in this one: a key that is lost each time must not keep Jira busy.
                store.record_sweep(name, Sweep(sweep.since, clock()))
                return
            self._look_at(page.tickets, integrations, linked, deadline)
            # After the look, never before: a run that dies in between looks at the page again.
            if not page.next_after:
                store.advance_watermark(name, sweep.started - OVERLAP)
                return
            sweep = replace(sweep, after=page.next_after)
            store.record_sweep(name, sweep)
            if self._poll.is_late(deadline):
                return  # the next run goes on

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


def _begin_sweep(sweep: Sweep | None, now: float) -> Sweep:
    """Return the sweep to go on with: the one that an earlier run left, or a new one from the watermark on."""
    if sweep is None:
        return Sweep(now - FIRST_LOOK, now)
    return sweep if sweep.started else replace(sweep, started=now)


def _recent_changes(before: ProjectVersions | None, facts: Mapping[str, str], now: float) -> dict[str, float]:
    """Return the versions to look at, with the moment at which their change was seen.

    They are looked at again for a while: a ticket that was read just before the change may be recorded just after.
    """
    known = before.facts if before else {}
    changed = {id_: now for id_ in known.keys() | facts.keys() if known.get(id_) != facts.get(id_)}
    return {**(before.recent if before else {}), **changed}


def _links_of(links: Iterable[Link], by_id: Mapping[str, Integration]) -> Iterator[Link]:
    return (link for link in links if link.key.integration in by_id)
