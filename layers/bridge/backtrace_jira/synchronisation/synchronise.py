"""Brings one ticket and its error groups in step, whichever function noticed that they might not be.

Webhooks, both polls and error events all end here. What they say is a hint: ticket and groups are read as they are
now, compared with what they last agreed on (`LastSynced`), and only what differs is written.

One process at a time has the turn at a ticket, so that two never carry opposite changes across each other. It notes
what it is about to write: if it dies, the next one does not take the write for a person's change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from backtrace_jira.backtrace.group import Group, plan_unlinking
from backtrace_jira.errors import BacktraceJiraError, Busy, InvalidSettings, NeedsAttention
from backtrace_jira.fix_versions.boundary import version_fields
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.guard import guard
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link, LinkKey
from backtrace_jira.links.pair import Pair, pair_up
from backtrace_jira.links.parking import universe_server
from backtrace_jira.links.servers import Servers
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Outcome, Record, error_text
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.news import Hint, hint_concerns, ticket_has_news, was_never_compared
from backtrace_jira.synchronisation.one_turn import bring_in_line
from backtrace_jira.synchronisation.ports import (
    BacktraceGroups,
    JiraIssues,
    NewEvents,
    SyncConfiguration,
    SyncedLinks,
)
from backtrace_jira.synchronisation.turn_context import TurnContext, ensure_time
from backtrace_jira.times import LEASE

Linked: TypeAlias = Sequence[tuple[Link, Integration]]
"""Links of one ticket with their settings."""


class Synchronise:
    """The use case behind every way in."""

    def __init__(
        self,
        *,
        configuration: SyncConfiguration,
        store: SyncedLinks,
        new_events: NewEvents,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        new_owner: Callable[[], str],
    ) -> None:
        self._configuration = configuration
        self._store = store
        self._new_events = new_events
        self._clock = clock
        self._new_owner = new_owner
        self._servers = Servers(store, clock)
        self._sleep = sleep

    def __call__(self, issue_id: str, hint: Hint, *, deadline: float) -> list[Outcome]:
        """Bring a ticket in step; return one outcome for each Jira site that has a linked issue of this id.

        Args:
            issue_id: Jira's id, which stays when the issue moves to another project.
            hint: why the ticket may have changed.
            deadline: unix seconds at which this process may be ended.
        """
        try:
            links = self._links_by_connection(issue_id, hint)
        except BacktraceJiraError as error:
            return [Outcome(Decision.from_error(error), detail=error_text(error), error=error)]
        outcomes = []
        for connection, linked in links.items():
            turn = Turn(connection, issue_id, self._new_owner(), min(deadline, self._clock() + LEASE))
            try:
                outcomes.append(self._look(linked, turn, hint))
            except Exception as error:
                outcomes.append(_outcome(Decision.from_error(error), linked, error_text(error), error))
        return outcomes

    def jira(self, integration: Integration) -> JiraIssues:
        """Book a call to a connection, wait for its time, a few seconds at most, and return the connection's client.

        Raises:
            Throttled, OverBudget, Parked: it may not, for a while.
        """
        self._servers.ensure_not_parked(integration.connection)
        self._sleep(self._servers.admit(integration.connection))
        jira = self._configuration.jira(integration)
        return guard(jira, integration.connection, self._servers, locks_accounts=True)

    def backtrace(self, universe: str) -> BacktraceGroups:
        """Return the client of a universe; `servers` watches its calls."""
        return guard(self._configuration.backtrace(universe), universe_server(universe), self._servers)

    def _links_by_connection(self, issue_id: str, hint: Hint) -> dict[str, list[tuple[Link, Integration]]]:
        """Return the ticket's links by connection: all of a connection's, if the hint concerns one of them.

        Raises:
            InvalidSettings: none of them has settings that can be read.
        """
        found: dict[str, list[tuple[Link, Integration]]] = {}
        unreadable: InvalidSettings | None = None
        for link in self._store.links_of_issue(issue_id):
            try:
                integration = self._configuration.integration(link.key.integration)
            except InvalidSettings as error:
                unreadable = (
                    error  # it must not stop the ticket's other links; the round mends what was missed
                )
                continue
            # While a ticket is made that follows this one, nothing of this one goes to the group.
            if integration is None or not link.is_settled:
                continue
            wanted = integration.keeps_in_step or hint.deleted or hint.moved or link.has_criteria
            if not wanted or hint.connection not in ("", integration.connection):
                continue
            if link.is_handed_over:
                self._ask_again(link, integration)
            else:
                found.setdefault(integration.connection, []).append((link, integration))
        if unreadable and not found:
            raise unreadable
        return {
            name: links for name, links in found.items() if any(hint_concerns(*each, hint) for each in links)
        }

    def _ask_again(self, link: Link, integration: Integration) -> None:
        # Imported here: few tickets are ever followed by another.
        from backtrace_jira.synchronisation.follow_up import ask_again

        groups = self.backtrace(integration.universe)
        ask_again(groups, self._store, self._new_events, (link, integration), self._clock())

    def _look(self, linked: Linked, turn: Turn, hint: Hint) -> Outcome:
        """Read the ticket, and take the turn where the ticket or a group has news."""
        jira = self.jira(linked[0][1])
        # After the wait for the booked call: what it has taken is not there for the requests.
        ensure_time(turn, self._clock())
        # A group's change may be older than a change of the ticket that was taken back: only the changelog tells.
        thorough = hint.thorough or hint.regression or bool(hint.groups)
        needs_changelog = thorough or any(was_never_compared(link) for link, _ in linked)
        fields = version_fields(integration for _, integration in linked)
        ticket = jira.ticket(turn.issue_id, changes=needs_changelog, version_fields=fields)
        if ticket is None:
            return self._unlink_deleted(linked) if hint.deleted else self._note_missing(linked, turn)
        if not thorough and not any(ticket_has_news(*each, ticket) for each in linked):
            return _outcome(Decision.IN_STEP, linked)
        return self._take_turn(self._with_universe(linked), ticket, jira, turn, hint)

    def _with_universe(self, linked: Linked) -> Linked:
        """Return the links without those of a universe whose settings cannot be read, which must not stop the others.

        Raises:
            InvalidSettings: no link is left.
        """
        found = []
        for each in linked:
            try:
                self.backtrace(each[1].universe)
            except InvalidSettings:
                if len(linked) == 1:
                    raise
                continue
            found.append(each)
        return found or self._with_universe(linked[:1])

    def _take_turn(self, linked: Linked, ticket: Ticket, jira: JiraIssues, turn: Turn, hint: Hint) -> Outcome:
        held = self._store.take_turn(turn, now=self._clock())
        done = False
        try:
            # Compared only now that nobody else may write: the links were read before the turn was ours.
            if self._have_changed(linked):
                raise Busy("another invocation has just brought this ticket in step", after=2)
            # Read again: what the poll read of the groups may be older than what the links say by now.
            pairs = self._read_pairs(linked)
            context = TurnContext(
                client_of=self.backtrace,
                store=self._store,
                new_events=self._new_events,
                jira=jira,
                turn=held,
                hint=hint,
                clock=self._clock,
            )
            regressions = bring_in_line(context, ticket, pairs)
            done = True
        except NeedsAttention:
            done = True  # no process will come back to this, so nobody needs the notes
            raise
        finally:
            self._store.end_turn(held, done=done)
        return _turn_outcome(context, linked, regressed=bool(regressions))

    def _have_changed(self, linked: Linked) -> bool:
        """Return whether the links are no longer what the ticket was compared with."""
        now = (
            {link.key: self._store.get(link.key) for link, _ in linked}
            if len(linked) == 1
            else self._rows(linked)
        )
        rows = [(now.get(link.key), link) for link, _ in linked]
        return any(row is None or (row.synced, row.issue) != (link.synced, link.issue) for row, link in rows)

    def _rows(self, linked: Linked) -> dict[LinkKey, Link | None]:
        """Return the links of a ticket as they are now: two requests, however many groups it has."""
        issue = linked[0][0].issue
        return {link.key: link for link in self._store.links_of_issue(issue.id if issue else "")}

    def _read_pairs(self, linked: Linked) -> list[Pair]:
        """Read the groups of a ticket: those of a Backtrace project together, if there are several."""
        wanted: dict[tuple[str, str], list[str]] = {}
        for link, each in linked:
            wanted.setdefault((each.universe, each.project), []).append(link.key.fingerprint)
        read = {
            (universe, project): self.backtrace(universe).groups(project, fingerprints)
            for (universe, project), fingerprints in wanted.items()
            if len(fingerprints) > 1
        }
        found = []
        for link, each in linked:
            group = read.get((each.universe, each.project), {}).get(link.key.fingerprint)
            found.append(pair_up(link, each, group or self._read_group(link, each)))
        return found

    def _read_group(self, link: Link, integration: Integration) -> Group:
        return self.backtrace(integration.universe).group(integration.project, link.key.fingerprint)

    def _unlink_deleted(self, linked: Linked) -> Outcome:
        """Unlink a ticket that Jira said was deleted."""
        for link, integration in linked:
            self._unlink(link, integration)
        return _outcome(
            Decision.UNLINKED,
            linked,
            f"{_key(linked)} was deleted in Jira; the group's next error makes a new one",
        )

    def _note_missing(self, linked: Linked, turn: Turn) -> Outcome:
        """Note on the links that Jira does not show their ticket.

        It need not be deleted: the account may have lost a permission. So nothing is cut, and the round through all
        links asks again.
        """
        problem = f"{_key(linked)} does not exist any more, or this account may not see it"
        held = self._store.take_turn(turn, now=self._clock())
        try:
            for link in () if self._have_changed(linked) else (link for link, _ in linked):
                synced = link.synced or LastSynced()
                if link.issue:
                    refused = {**synced.refused, "ticket": "missing"}
                    noted = replace(synced, problems=(problem,), refused=refused, refused_at=self._clock())
                    self._store.record_synced(link.key, link.issue, link.issue, noted)
        finally:
            self._store.end_turn(held, done=not held.notes)
        return _outcome(Decision.REFUSED, linked, problem)

    def _unlink(self, link: Link, integration: Integration) -> None:
        if link.issue is None:
            return
        groups = self.backtrace(integration.universe)
        group = groups.group(integration.project, link.key.fingerprint)
        ours = link.synced.reopen_criteria if link.synced else ()
        write = plan_unlinking(group, integration.name, link.issue, ours)
        # Backtrace before the store: once the link is cut, nobody would find what is left of it in the group.
        if write:
            groups.write(group, write)
        record = Record(self._clock(), Decision.UNLINKED, f"{link.issue.key} was deleted in Jira")
        self._store.unlink(link.key, link.issue.id, record)


# Outcomes


def _key(linked: Linked) -> str:
    issue = linked[0][0].issue
    return issue.key if issue else "the ticket"


def _outcome(decision: Decision, linked: Linked, detail: str = "", error: Exception | None = None) -> Outcome:
    link = linked[0][0]
    return Outcome(decision, link.key.fingerprint, link.key.integration, link.issue, detail, error=error)


def _turn_outcome(context: TurnContext, linked: Linked, *, regressed: bool) -> Outcome:
    detail = "; ".join(dict.fromkeys([*context.problems, *context.told]))
    if context.problems:
        return _outcome(Decision.REFUSED, linked, detail)
    if regressed:
        return _outcome(Decision.REGRESSED, linked, detail)
    return _outcome(Decision.SYNCED if context.told else Decision.IN_STEP, linked, detail)
