"""Carries the latest change of a ticket or one of its groups to all the others, and records what they are then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from backtrace_jira.backtrace.group import BacktraceUser, GroupWrite, with_assignee, with_ticket_as
from backtrace_jira.backtrace.reopen_criteria import changed
from backtrace_jira.errors import CredentialRefused, InvalidField, Refused
from backtrace_jira.fix_versions.boundary import Boundary, boundary_of, is_done, rules_of, version_fields
from backtrace_jira.fix_versions.resolved_until import Until, resolved_until
from backtrace_jira.jira.issue import JiraUser, Ticket
from backtrace_jira.json_types import JSON
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import ASSIGNEE, STATUS, UNTIL, Turn, note
from backtrace_jira.outcomes import error_text
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.states import State
from backtrace_jira.synchronisation import people
from backtrace_jira.synchronisation.conflicts import (
    AssigneeContest,
    Decided,
    StateContest,
    carried,
    decide,
    follows,
    from_group,
    pushed,
    with_baseline,
)
from backtrace_jira.synchronisation.ports import JiraIssues, NewEvents, SyncConfiguration, SyncedLinks
from backtrace_jira.synchronisation.regressions import Regression, Regressions, as_known
from backtrace_jira.synchronisation.workflow import MOST_HOPS, Way


@dataclass(frozen=True, slots=True)
class _Write:
    """What a group becomes; nothing where it stays as it is. `user` None with `assigned` is nobody."""

    state: State | None = None
    assigned: bool = False
    user: BacktraceUser | None = None
    invariants: list[JSON] | None = None


class Carrying:
    """One ticket's turn. `told` says what was done, `problems` what could not be, in sentences."""

    def __init__(
        self,
        configuration: SyncConfiguration,
        store: SyncedLinks,
        new_events: NewEvents,
        jira: JiraIssues,
        turn: Turn,
        clock: Callable[[], float],
        ensure_time: Callable[[Turn], None],
        *,
        heard: bool = False,
        thorough: bool = False,
    ) -> None:
        """Take what it works with; `heard`: an error event tells of a regression. `thorough`: a poll asks."""
        self._heard = heard
        self._thorough = thorough
        self._configuration = configuration
        self._store = store
        self._jira = jira
        self._turn = turn
        self._clock = clock
        self._ensure_time = ensure_time
        self.told: list[str] = []
        self.problems: list[str] = []
        self.regressed: list[Regression] = []
        self._regressions = Regressions(
            configuration,
            store,
            new_events,
            jira,
            turn,
            clock,
            note=self._note_text,
            told=self.told,
            problems=self.problems,
        )

    def __call__(self, ticket: Ticket, pairs: Sequence[Pair]) -> None:
        """Bring a ticket and its groups in line."""
        linked = [pair for pair in pairs if _is_linked(pair, ticket)]
        for pair in pairs:
            if pair not in linked:
                self.problems.append(f"{_short(pair)} was unlinked in Backtrace and is left alone")
                as_it_is = Until(None, pair.synced.reopen_criteria)
                self._record(pair, ticket, _Write(), as_it_is, _boundary(pair, ticket))
        ticket = self._with_times(ticket, linked)
        linked = [with_baseline(pair, ticket) for pair in linked]
        found = [self._regressions.of(pair, ticket, heard=self._heard) for pair in linked]
        self.regressed = [regression for regression in found if regression]
        ticket, linked = self._regress(ticket, linked)
        state = self._reopened() or decide(StateContest(ticket, self._turn), ticket, linked)
        assignee = decide(AssigneeContest(ticket, self._turn), ticket, linked)
        if state.pair and not self._reopened():
            ticket = self._push_state(ticket, state.pair)
        if assignee.pair:
            ticket = self._push_assignee(ticket, assignee.pair)
        with self._following(ticket, linked, pairs):
            for pair in linked:
                self._carry(pair, ticket, state, assignee)

    @contextmanager
    def _following(self, ticket: Ticket, linked: Sequence[Pair], pairs: Sequence[Pair]) -> Iterator[None]:
        """Record which versions the ticket has, so that a change of theirs finds it.

        New ones before anything else is recorded, for else nothing would find it; what changed of the others after,
        for until then the poll has to come back. One that was told by the poll leaves nothing as it was: whoever
        looked before may have died between the two.
        """
        now = {id_: facts for pair in linked for id_, facts in _boundary(pair, ticket).fixes.items()}
        before = {id_: facts for pair in pairs for id_, facts in pair.synced.fix_versions.items()}
        new = {id_: facts for id_, facts in now.items() if id_ not in before}
        connection, issue_id = self._turn.connection, self._turn.issue_id
        if new:
            self._store.record_versions(connection, issue_id, new, {})
        yield
        known = dict.fromkeys(before, "") if self._thorough else before
        if {**known, **new} != now:
            self._store.record_versions(connection, issue_id, now, {**known, **new})

    def _with_times(self, ticket: Ticket, pairs: Sequence[Pair]) -> Ticket:
        """Read the changelog where a group has news, and after a turn that was cut off.

        The ticket may have changed later than the group, and even back to what it was.
        """
        contests = (StateContest(ticket), AssigneeContest(ticket))
        needed = self._turn.notes or any(from_group(contest, pair) for contest in contests for pair in pairs)
        if ticket.changes is not None or not needed:
            return ticket
        fields = version_fields(pair.integration for pair in pairs)
        return self._jira.ticket(self._turn.issue_id, changes=True, version_fields=fields) or ticket

    # Regressions

    def _regress(self, ticket: Ticket, linked: list[Pair]) -> tuple[Ticket, list[Pair]]:
        """Tell the ticket what was seen again; return it as it is then, and the groups that are left to it."""
        for regression in self.regressed:
            self._ensure_time(self._turn)
            self._regressions.begin(regression)
            if regression.action is OnRegression.NEW_TICKET:
                self._set_free(regression.pair)
                self._regressions.hand_over(ticket, regression)
        reopened = self._reopened()
        if reopened and reopened.pair:
            ticket = self._walk(ticket, Way(State.OPEN, reopened.pair.sync), "a regression")
        for regression in self.regressed:
            if regression.action in (OnRegression.REOPEN, OnRegression.COMMENT):
                self._ensure_time(self._turn)
                self._regressions.comment(ticket, regression)
            if regression.action is not OnRegression.NEW_TICKET:
                self.told.append(regression.sentence(rules_of(regression.pair.synced.reopen_criteria)))
        known = {each.pair.link.key: each.action for each in self.regressed}
        return ticket, [
            as_known(pair) if pair.link.key in known else pair
            for pair in linked
            if known.get(pair.link.key) is not OnRegression.NEW_TICKET
        ]

    def _reopened(self) -> Decided | None:
        """Return the group for whose sake the ticket is reopened."""
        pairs = (each.pair for each in self.regressed if each.action is OnRegression.REOPEN)
        first = next(pairs, None)
        return Decided(pair=first) if first else None

    def _set_free(self, pair: Pair) -> None:
        """Open a group that is to have a new ticket, and take back what the old one made of it."""
        group, ours = pair.group, [*pair.synced.reopen_criteria, *self._noted_invariants(pair)]
        column = changed(group.reopen_criteria, ours, ())
        state = State.OPEN if group.state is State.RESOLVED else None
        if state or column is not None:
            side = self._configuration.backtrace(pair.integration.universe)
            side.write(group, GroupWrite(state, reopen_criteria=column))

    def _action_of(self, pair: Pair) -> OnRegression | None:
        found = (each.action for each in self.regressed if each.pair.link.key == pair.link.key)
        return next(found, None)

    # Backtrace → Jira

    def _push_state(self, ticket: Ticket, pair: Pair) -> Ticket:
        """Return the ticket as it is after that; a definite no is recorded and not tried again."""
        wanted = pushed(pair.group.state, pair.sync)
        if wanted is None:
            return ticket
        return self._walk(ticket, Way(wanted, pair.sync), f"{pair.group.state} in Backtrace")

    def _walk(self, ticket: Ticket, way: Way, why: str) -> Ticket:
        """Take a ticket through its workflow."""
        passed = [ticket]
        try:
            while len(passed) <= MOST_HOPS and not way.arrived(passed[-1].status):
                after = self._hop(way, passed)
                if after is None:
                    break
                passed.append(after)
        except (Refused, InvalidField) as error:
            if isinstance(error, CredentialRefused):
                raise
            self.problems.append(f"{why} could not be carried to Jira: {error_text(error)}")
        else:
            if way.fit(passed[-1].status) is None:
                self.problems.append(
                    f"{why} could not be carried to Jira: no transition that this account "
                    f"may take leads on from {passed[-1].status.name}"
                )
        if len(passed) > 1:
            names = " → ".join(each.status.name for each in passed)
            self.told.append(f"{why}: {names} in Jira")
        return passed[-1]

    def _hop(self, way: Way, passed: Sequence[Ticket]) -> Ticket | None:
        """Take the next transition; None where no way leads on."""
        ticket = passed[-1]
        steps = self._jira.steps(self._turn.issue_id)
        step = way.next_step(ticket.status, steps, [each.status.id for each in passed])
        if step is None:
            return None
        fields = way.screen(
            step, cloud=self._jira.cloud, people=lambda who: self._jira.find_user(who, ticket.project)
        )
        self._note(STATUS, step.to.id)
        self._jira.transition(self._turn.issue_id, step, fields)
        return replace(ticket, status=step.to)

    def _push_assignee(self, ticket: Ticket, pair: Pair) -> Ticket:
        """Return the ticket as it is after that; a definite no is recorded and not tried again."""
        user = pair.group.assignee
        try:
            who = people.in_jira(user, pair.sync, self._jira, ticket.project) if user else ""
            if who is None:
                self.problems.append(
                    f"nobody in Jira is known to be {_called(user)} of Backtrace; name both in sync.people"
                )
                return ticket
            if who == ticket.assignee_id:
                return ticket
            self._note(ASSIGNEE, who)
            self._jira.assign(self._turn.issue_id, who or None)
        except Refused as error:
            if isinstance(error, CredentialRefused):
                raise
            self.problems.append(f"{_called(user)} could not be assigned in Jira: {error_text(error)}")
            return ticket
        self.told.append(f"assigned in Backtrace: {_called(user)} in Jira")
        return replace(ticket, assignee=JiraUser(who) if who else None)

    # Jira → Backtrace

    def _carry(self, pair: Pair, ticket: Ticket, state: Decided, assignee: Decided) -> None:
        """Write to one group what is news to it, and record what both sides are now."""
        write = self._assigned(pair, ticket, assignee)
        write = replace(write, state=self._state(pair, ticket, state))
        boundary = _boundary(pair, ticket)
        until = self._until(pair, ticket, boundary, write.state)
        write = replace(write, state=until.state, invariants=until.invariants)
        if write.user and write.state is None and pair.group.state is State.OPEN:
            write = replace(write, state=State.IN_PROGRESS)  # as Backtrace does when somebody is assigned
        before = pair.link.issue or ticket.issue
        if write != _Write() or before.key != ticket.issue.key:
            if write.invariants is not None:
                self._note(
                    UNTIL, json.dumps([pair.link.key.integration, pair.link.key.fingerprint, until.ours])
                )
            written = self._write(pair, ticket, write)
            if written == write and until.told:
                self.told.append(until.told)
            until = until if written == write else replace(until, ours=pair.synced.reopen_criteria)
            write = written
        self._record(pair, ticket, write, until, boundary)

    def _until(self, pair: Pair, ticket: Ticket, boundary: Boundary, state: State | None) -> Until:
        """Return what the ticket's Fix Versions make of the group, and tell once which say nothing."""
        action = self._action_of(pair)
        if (
            action
            and action is not OnRegression.LEAVE
            and state is None
            and pair.group.state is State.RESOLVED
        ):
            state = State.OPEN
        if action and action is not OnRegression.REOPEN:
            return Until(state, pair.synced.reopen_criteria)
        until = resolved_until(pair, ticket, boundary, state, self._noted_invariants(pair))
        unread = [each for each in boundary.unread if each not in pair.synced.unread_versions]
        self.problems += [*unread, *([f"{_short(pair)}: {until.problem}"] if until.problem else [])]
        return until

    def _noted_invariants(self, pair: Pair) -> list[str]:
        """Return the invariants that the turn before may have written to a group, without coming to its end."""
        noted: list[str] = []
        for text in self._turn.said(UNTIL):
            integration, fingerprint, invariants = json.loads(text)
            if (integration, fingerprint) == (pair.link.key.integration, pair.link.key.fingerprint):
                noted += [each for each in invariants if each not in pair.synced.reopen_criteria]
        return noted

    def _state(self, pair: Pair, ticket: Ticket, decided: Decided) -> State | None:
        contest = StateContest(ticket, self._turn_for(decided))
        return carried(pair, ticket) if follows(contest, pair, decided) else None

    def _assigned(self, pair: Pair, ticket: Ticket, decided: Decided) -> _Write:
        if not follows(AssigneeContest(ticket, self._turn_for(decided)), pair, decided):
            return _Write()
        if ticket.assignee is None:
            return _Write(assigned=pair.group.assignee is not None)
        user = self._in_backtrace(ticket.assignee, pair, decided)
        if user is None:
            self.problems.append(
                f"nobody in Backtrace is known to be {ticket.assignee.name or ticket.assignee.id} of Jira; "
                "name both in sync.people"
            )
            return _Write()
        return _Write(assigned=True, user=user) if str(user.id) != pair.group.assignee_id else _Write()

    def _turn_for(self, decided: Decided) -> Turn | None:
        """Return whose doing does not count: what the ticket is because of one group is news to the others."""
        return None if decided.pair else self._turn

    def _in_backtrace(self, user: JiraUser, pair: Pair, decided: Decided) -> BacktraceUser | None:
        if decided.pair and decided.pair.integration.universe == pair.integration.universe:
            return decided.pair.group.assignee  # it is from there that the ticket was just assigned
        side = self._configuration.backtrace(pair.integration.universe)
        return people.in_backtrace(user, pair.sync, side, pair.integration.project)

    def _write(self, pair: Pair, ticket: Ticket, write: _Write) -> _Write:
        """Write to the group; return what was written. Our entry in it mirrors the ticket's key and state."""
        side = self._configuration.backtrace(pair.integration.universe)
        before = pair.link.issue or ticket.issue
        mirrored = pair.state_of(ticket.status)
        column: list[JSON] = with_ticket_as(
            pair.group.tickets, pair.integration.name, before, ticket.issue, mirrored
        )
        if write.assigned:
            column = with_assignee([each for each in column if isinstance(each, dict)], write.user)
        try:
            self._ensure_time(self._turn)
            side.write(pair.group, GroupWrite(write.state, column, write.assigned, write.invariants))
        except Refused as error:
            if isinstance(error, CredentialRefused):
                raise
            self.problems.append(f"Backtrace refused a change of {_short(pair)}: {error_text(error)}")
            return _Write()
        if write.state is not None:
            self.told.append(f"{ticket.status.name} in Jira: {pair.group.state} → {write.state} in Backtrace")
        if write.assigned:
            self.told.append(f"assigned in Jira: {_called(write.user)} in Backtrace")
        return write

    def _note(self, field: str, value: str) -> None:
        """Note what comes next, if there is time for it."""
        self._note_text(note(field, value))

    def _note_text(self, text: str) -> None:
        self._ensure_time(self._turn)
        self._store.add_note(self._turn, text)

    def _record(self, pair: Pair, ticket: Ticket, write: _Write, until: Until, boundary: Boundary) -> None:
        """Record what both sides are now, so that nothing of it is news again."""
        state = write.state or pair.group.state
        stands = is_done(ticket, pair.integration) and state is not State.RESOLVED
        synced = replace(
            pair.synced,
            reopen_criteria=until.ours,
            unread_versions=boundary.unread,
            fix_versions=pair.synced.fix_versions if boundary.reopen_criteria is None else boundary.fixes,
            reopens=pair.group.reopens,
            regressed=pair.synced.regressed and stands and until.ours == pair.synced.reopen_criteria,
            state=state,
            assignee=(str(write.user.id) if write.user else "") if write.assigned else pair.group.assignee_id,
            status=ticket.status,
            ticket_assignee=ticket.assignee_id,
            at=self._clock(),
            told=tuple(dict.fromkeys(self.told)),
            problems=tuple(dict.fromkeys(self.problems)),
        )
        self._store.record_synced(pair.link.key, pair.link.issue or ticket.issue, ticket.issue, synced)


def _boundary(pair: Pair, ticket: Ticket) -> Boundary:
    return boundary_of(ticket, pair.integration)


def _is_linked(pair: Pair, ticket: Ticket) -> bool:
    """Tell whether nobody has cut the link in Backtrace. One that was not told of its ticket yet has not been cut."""
    issues = [issue for issue in (pair.link.issue, ticket.issue) if issue]
    return not pair.link.linked_in_backtrace or pair.group.has_ticket(pair.integration.name, *issues)


def _short(pair: Pair) -> str:
    return f"error group {pair.link.key.fingerprint[:12]}"


def _called(user: BacktraceUser | None) -> str:
    """Name a person; an e-mail address is nobody's business in a log."""
    return (user.username or f"user {user.id}") if user else "nobody"
