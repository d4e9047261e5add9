"""The round through all links: whatever no hint told of is found here, in a time that can be computed.

Each run looks at the next links, in an order that stays, so those that were not looked at for the longest come first.
Tickets and groups are read a hundred at a time, and compared with what was really agreed on and written. Only what
differs takes a turn. A run costs the same for ten links as for a hundred thousand; more links make the round longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from backtrace_jira.backtrace.group import Group
from backtrace_jira.fix_versions.boundary import version_fields
from backtrace_jira.jira.issue import Issue, Ticket
from backtrace_jira.links.link import Link
from backtrace_jira.links.pair import pair_up
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.jira_projects import project_of
from backtrace_jira.synchronisation.level import differences, rests
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll import Poll
from backtrace_jira.synchronisation.poll_memory import JiraProject, PollNotes

MOST_TURNS = 20
"""Tickets that a run brings in step itself; the queue gets the others."""

Linked: TypeAlias = tuple[Link, Integration]
Groups: TypeAlias = Mapping[tuple[str, str, str], Group]
"""By universe, project and fingerprint."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One ticket with links that were looked at."""

    connection: str
    issue_id: str
    issue_key: str
    differences: tuple[str, ...]
    """What a turn has to do, a few words for each; empty if there is nothing to do."""

    @property
    def project(self) -> JiraProject:
        """Return the Jira project that the ticket is in."""
        return project_of(self.connection, self.issue_key)


class CheckLinks:
    """Looks at links, and brings those in step that differ."""

    def __init__(self, poll: Poll) -> None:
        self._poll = poll

    def go_on(
        self, integrations: Iterable[Integration], notes: PollNotes, most: int, deadline: float
    ) -> None:
        """Look at the next links of the round.

        Args:
            integrations: those that can be read, also if they synchronise nothing.
            notes: how far the round has got.
            most: so many links.
            deadline: unix seconds at which this process may be ended.
        """
        page = self._poll.memory.links_after(notes.after, most)
        findings = self.find(page.links, integrations)
        differing = [each for each in findings if each.differences]
        for number, finding in enumerate(differing):
            self._bring_in_line(finding, deadline, is_left=number >= MOST_TURNS)
        # After the look, never before: a run that dies in between looks at these links again.
        seen = {each.project for each in findings}
        self._poll.memory.advance_round(notes, page.next_after, now=self._poll.clock(), seen=seen)

    def find(
        self, links: Iterable[Link], integrations: Iterable[Integration], *, is_urgent: bool = False
    ) -> list[Finding]:
        """Look at links; return a finding for each of their tickets that could be read.

        A server that fails is reported, and the links of the others are looked at all the same.

        Args:
            links: any.
            integrations: those whose links are looked at.
            is_urgent: also look at links of which something was refused a short time ago.
        """
        by_id = {each.id: each for each in integrations}
        by_connection: dict[str, list[Linked]] = {}
        for link in links:
            integration = by_id.get(link.key.integration)
            # Where an integration is off, only what it has left in Backtrace is looked after.
            if integration and link.is_settled and (integration.keeps_in_step or link.has_criteria):
                by_connection.setdefault(integration.connection, []).append((link, integration))
        found: list[Finding] = []
        for connection, linked in by_connection.items():
            look = partial(self._look, connection, linked, is_urgent=is_urgent)
            found += self._poll.find_safely(f"links of {connection}", linked[0][1].id, look) or []
        return found

    def _look(self, connection: str, linked: Sequence[Linked], *, is_urgent: bool) -> list[Finding]:
        """Compare the links of one Jira site with their tickets and groups."""
        tickets, groups, now = self._read_tickets(linked), self._read_groups(linked), self._poll.clock()
        found = []
        for issue, those in _by_ticket(linked).items():
            ticket = tickets.get(issue.id)
            awake = [each for each in those if is_urgent or not rests(each[0], now)]
            words = tuple(dict.fromkeys(_words(awake, ticket, groups)))
            found.append(Finding(connection, issue.id, (ticket.issue if ticket else issue).key, words))
        return found

    def _read_tickets(self, linked: Sequence[Linked]) -> dict[str, Ticket]:
        ids = dict.fromkeys(link.issue.id for link, _ in linked if link.issue)
        fields = version_fields(integration for _, integration in linked)
        jira = self._poll.synchronise.jira(linked[0][1])
        return {each.issue.id: each for each in jira.tickets_by_id(ids, version_fields=fields)}

    def _read_groups(self, linked: Sequence[Linked]) -> dict[tuple[str, str, str], Group]:
        wanted: dict[tuple[str, str], list[str]] = {}
        for link, each in linked:
            wanted.setdefault((each.universe, each.project), []).append(link.key.fingerprint)
        found: dict[tuple[str, str, str], Group] = {}
        for (universe, project), fingerprints in wanted.items():
            read = partial(self._read_some, universe, project, fingerprints)
            groups = self._poll.find_safely(f"groups of {universe}/{project}", linked[0][1].id, read) or {}
            found |= {(universe, project, name): group for name, group in groups.items()}
        return found

    def _read_some(self, universe: str, project: str, fingerprints: Sequence[str]) -> Mapping[str, Group]:
        return self._poll.synchronise.backtrace(universe).groups(project, fingerprints)

    def _bring_in_line(self, finding: Finding, deadline: float, *, is_left: bool) -> None:
        hint = Hint(finding.connection, thorough=True)
        if is_left:
            reason = f"found by the round through all links: {', '.join(finding.differences)}"
            self._poll.leave_to_queue(finding.issue_id, hint, reason)
        else:
            self._poll.bring_in_line(finding.issue_id, hint, deadline)


def _by_ticket(linked: Iterable[Linked]) -> dict[Issue, list[Linked]]:
    """Return the links by ticket: those of one have its id, and may have different keys."""
    found: dict[str, tuple[Issue, list[Linked]]] = {}
    for link, integration in linked:
        if link.issue:
            found.setdefault(link.issue.id, (link.issue, []))[1].append((link, integration))
    return dict(found.values())


def _words(linked: Iterable[Linked], ticket: Ticket | None, groups: Groups) -> Iterator[str]:
    for link, integration in linked:
        group = groups.get((integration.universe, integration.project, link.key.fingerprint))
        if link.is_handed_over:
            yield "the ticket that follows is not made yet"  # it is asked for again, if its event was lost
        elif ticket is None:
            yield "Jira does not show the ticket"
        elif group is not None:
            yield from differences(pair_up(link, integration, group), ticket)
