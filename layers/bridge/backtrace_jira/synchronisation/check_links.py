"""The round through all links: whatever no hint told of is found here, in a time that can be computed.

Each run looks at the next links, in an order that stays, so those that were not looked at for the longest come first.
Tickets and groups are read a hundred at a time, and compared with what was really agreed on and written. Only what
differs takes a turn. A run costs the same for ten links as for a hundred thousand; more links make the round longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from backtrace_jira.backtrace.group import Group
from backtrace_jira.fix_versions.boundary import version_fields
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.link import Link, LinkState
from backtrace_jira.links.pair import Pair
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.jira_projects import project_of
from backtrace_jira.synchronisation.level import differences, rests
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll import Job, Poll
from backtrace_jira.synchronisation.poll_memory import JiraProject, PollNotes

MOST_TURNS = 20
"""Tickets that a run brings in line itself; the queue gets the others."""

Linked: TypeAlias = tuple[Link, Integration]
Groups: TypeAlias = Mapping[tuple[str, str, str], Group]
"""By universe, project and fingerprint."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One ticket with links that were looked at."""

    connection: str
    issue_id: str
    differences: tuple[str, ...]
    """What a turn has to do, a few words for each; empty if there is nothing to do."""
    project: JiraProject


class CheckLinks:
    """Looks at links, and brings those in line that differ."""

    def __init__(self, poll: Poll) -> None:
        self._poll = poll

    def go_on(
        self, integrations: Iterable[Integration], notes: PollNotes, most: int, deadline: float
    ) -> None:
        """Look at the next links of the round.

        Args:
            integrations: those that can be read and synchronise anything.
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

    def find(self, links: Iterable[Link], integrations: Iterable[Integration]) -> list[Finding]:
        """Look at links; return a finding for each of their tickets that could be read.

        A server that fails is reported, and the links of the others are looked at all the same.
        """
        by_id = {each.id: each for each in integrations}
        by_connection: dict[str, list[Linked]] = {}
        for link in links:
            integration = by_id.get(link.key.integration)
            if integration and link.issue and link.state is LinkState.COMPLETE:
                by_connection.setdefault(integration.connection, []).append((link, integration))
        found: list[Finding] = []
        for connection, linked in by_connection.items():
            look = partial(self._look, connection, linked, found.append)
            self._poll.do_safely(Job(f"links of {connection}", linked[0][1].id, look))
        return found

    def _look(self, connection: str, linked: Sequence[Linked], report: Callable[[Finding], None]) -> None:
        """Compare the links of one Jira site with their tickets and groups."""
        tickets = self._read_tickets(linked)
        groups = self._read_groups(linked)
        now = self._poll.clock()
        for issue_id, those in _by_ticket(linked).items():
            awake = [each for each in those if not rests(each[0], now)]
            ticket = tickets.get(issue_id)
            words = _compare(awake, ticket, groups)
            key = ticket.issue.key if ticket else those[0][0].issue.key  # type: ignore[union-attr]
            report(Finding(connection, issue_id, words, project_of(connection, key)))

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

        def read(universe: str, project: str, fingerprints: Sequence[str]) -> None:
            groups = self._poll.synchronise.backtrace(universe).groups(project, fingerprints)
            found.update({(universe, project, name): group for name, group in groups.items()})

        for (universe, project), fingerprints in wanted.items():
            name = f"groups of {universe}/{project}"
            self._poll.do_safely(Job(name, linked[0][1].id, partial(read, universe, project, fingerprints)))
        return found

    def _bring_in_line(self, finding: Finding, deadline: float, *, is_left: bool) -> None:
        hint = Hint(finding.connection, thorough=True)
        if is_left:
            reason = f"found by the round through all links: {', '.join(finding.differences)}"
            self._poll.leave_to_queue(finding.issue_id, hint, reason)
        else:
            self._poll.bring_in_line(finding.issue_id, hint, deadline)


def _by_ticket(linked: Iterable[Linked]) -> dict[str, list[Linked]]:
    found: dict[str, list[Linked]] = {}
    for link, integration in linked:
        if link.issue:
            found.setdefault(link.issue.id, []).append((link, integration))
    return found


def _compare(linked: Iterable[Linked], ticket: Ticket | None, groups: Groups) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_words(linked, ticket, groups)))


def _words(linked: Iterable[Linked], ticket: Ticket | None, groups: Groups) -> Iterator[str]:
    for link, integration in linked:
        group = groups.get((integration.universe, integration.project, link.key.fingerprint))
        if ticket is None:
            yield "Jira does not show the ticket"
        elif group is not None:
            yield from differences(Pair(link, integration, group), ticket)
