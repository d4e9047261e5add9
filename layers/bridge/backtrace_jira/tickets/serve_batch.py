"""A batch of error events: look at all their groups in one request, then make the tickets that are missing.

Most events are of groups that have their ticket: the look finishes them. What must wait (its ticket is being made,
Jira refused it a moment ago, the server is paused or its pace is booked out) goes back as it is, without a write.
What is left is made side by side, so that nobody waits for somebody else's ticket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from backtrace_jira.backtrace.error_group import ErrorGroup, read_error_group
from backtrace_jira.errors import BacktraceJiraError, Busy, InvalidEvent, OverBudget, Throttled
from backtrace_jira.links.link import Link, LinkKey, LinkState
from backtrace_jira.links.parking import parked, universe_server
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.tickets.actions import apply_actions
from backtrace_jira.tickets.context import Case, Context
from backtrace_jira.tickets.create_ticket import CreateTicket
from backtrace_jira.tickets.decisions import UnclaimedDecisions, error_outcome, held_outcome
from backtrace_jira.tickets.follow_up import is_asked_for, ticket_to_follow
from backtrace_jira.tickets.ports import Seen
from backtrace_jira.tickets.possible_regression import report_possible_regression

LONGEST_REST = 1.0
"""Seconds that a batch lasts at least which meets a short pause."""


@dataclass(slots=True)
class _Task:
    """One event in one integration; `outcome` is set when it is decided."""

    case: Case
    outcome: Outcome | None = None

    def fail(self, error: Exception) -> None:
        self.outcome = error_outcome(self.case.group, self.case.integration.id, error)


@dataclass(slots=True)
class _Job:
    """The tasks of one link row, one after the other: of two events, only the first may make the ticket."""

    tasks: list[_Task] = field(default_factory=list)
    calls_jira: bool = True
    """False if the ticket exists and only Backtrace has yet to be told."""
    scope: str = ""
    """The project and issue type that must not be parked; empty if a ticket may exist and is only looked up."""
    follows: str = ""
    """Id of the ticket that the new one is to follow; empty if there is none."""
    at: float = 0.0
    """When its call may be sent (unix seconds)."""

    @property
    def connection(self) -> str:
        return self.tasks[0].case.integration.connection

    def fail(self, error: Exception) -> None:
        for task in self.tasks:
            task.fail(error)


class ServeBatch:
    """The use case behind `functions/create_ticket`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._servers = context.servers
        self._create_ticket = CreateTicket(context)
        self._unclaimed = UnclaimedDecisions(context.links, context.clock)

    def __call__(self, bodies: Sequence[str], deadline: float) -> list[list[Outcome]]:
        """Serve messages; return the outcomes of each, one for each integration.

        Args:
            bodies: error groups as Backtrace sends them.
            deadline: unix seconds at which this process may be ended.
        """
        return self.serve_groups([_read(body) for body in bodies], deadline)

    def serve_groups(
        self, groups: Sequence[ErrorGroup | InvalidEvent], deadline: float
    ) -> list[list[Outcome]]:
        """Serve error groups; an error in the place of one is its outcome."""
        answers = [list(self._answer(group)) for group in groups]
        tasks = [each for answer in answers for each in answer if isinstance(each, _Task)]
        if tasks:
            self._serve(tasks, deadline)
        return [[_outcome(each) for each in answer] for answer in answers]

    # What an event asks for

    def _answer(self, group: ErrorGroup | InvalidEvent) -> Iterator[Outcome | _Task]:
        if isinstance(group, InvalidEvent):
            yield Outcome(Decision.INVALID, detail=str(group), error=group)
            return
        try:
            integrations = self._context.configuration.integrations(group.universe, group.project)
        except BacktraceJiraError as error:
            yield error_outcome(group, "", error)
            return
        if not integrations:
            yield self._unclaimed.record_no_integration(group)
        for integration in integrations:
            if group.is_for(integration.id):
                yield self._task(group, integration)

    def _task(self, group: ErrorGroup, integration: Integration) -> Outcome | _Task:
        try:
            case = Case(group, integration, apply_actions(group, integration.actions))
            if not case.verdict.submit and group.follow_up is None:
                return self._unclaimed.record_filtered(case)
            return _Task(case)
        except Exception as error:
            return error_outcome(group, integration.id, error)

    # All of them

    def _serve(self, tasks: Sequence[_Task], deadline: float) -> None:
        began = self._context.clock()
        try:
            seen = self._look(tasks)
        except Exception as error:
            for task in tasks:
                task.fail(error)
            return
        jobs: dict[LinkKey, _Job] = {}
        for task in tasks:
            row = seen.links.get(task.case.key)
            try:
                follows = ticket_to_follow(task.case.group, row)
                scope = str(task.case.target) if follows or _has_surely_no_ticket(row) else ""
                if not self._finish(task, row, scope, follows):
                    calls_jira = bool(follows) or row is None or not row.is_settled
                    new = _Job([], calls_jira, scope, follows)
                    jobs.setdefault(task.case.key, new).tasks.append(task)
            except Exception as error:
                task.fail(error)
        self._run(self._book_calls(list(jobs.values())), deadline)
        if any(self._is_turned_away(task) for task in tasks):
            self._rest(began)

    def _is_turned_away(self, task: _Task) -> bool:
        """Return whether an event got no call because of a pause that will be over in a moment."""
        if task.outcome is None or not isinstance(task.outcome.error, Throttled):
            return False
        pace = self._servers.notes(task.case.integration.connection).pace
        return pace.is_soon_over(self._context.clock())

    def _rest(self, began: float) -> None:
        """Take no other batch at once: in a short pause, each would only go back and come again."""
        left = began + LONGEST_REST - self._context.clock()
        if left > 0:
            self._context.sleep(left)

    def _look(self, tasks: Sequence[_Task]) -> Seen:
        keys = dict.fromkeys(task.case.key for task in tasks)
        servers = dict.fromkeys(
            server
            for task in tasks
            for server in (
                task.case.integration.connection,
                universe_server(task.case.integration.universe),
            )
        )
        seen = self._context.links.look(list(keys), list(servers))
        for server, notes in seen.servers.items():
            self._servers.learn_notes(server, notes)
        return seen

    def _finish(self, task: _Task, row: Link | None, scope: str, follows: str) -> bool:
        """Decide what the row and the notes decide; return False if a ticket has to be made, looked up or linked.

        Raises:
            Busy: another delivery is making this ticket.
            Parked: Jira refused this group, or the like, a moment ago.
            Throttled: Backtrace, which has yet to be told of the ticket, is paused or away.
        """
        case, now = task.case, self._context.clock()
        if not case.verdict.submit and not is_asked_for(case.group, row):
            task.outcome = self._unclaimed.record_filtered(case)
            return True
        if row and row.issue and row.is_settled and not follows:
            if row.linked_in_backtrace:
                task.outcome = report_possible_regression(
                    self._context.regression_hints, case, row, row.issue
                )
                return True
            self._servers.ensure_tried_once(universe_server(case.integration.universe))
            return False
        if row and row.state is LinkState.HELD:
            task.outcome = held_outcome(case)
            return True
        if row and row.lease_until > now:
            raise Busy("this ticket is being created", after=min(row.lease_until - now, 15))
        if row and row.record and row.record.until > now:
            raise parked(row.record, row.record.until, now)
        self._servers.ensure_not_parked(case.integration.connection, scope)
        return False

    def _book_calls(self, jobs: Sequence[_Job]) -> list[_Job]:
        """Book the calls to Jira, and return what may be done now. A job that gets no time fails: it comes again."""
        booked = [job for job in jobs if not job.calls_jira]
        for connection in dict.fromkeys(job.connection for job in jobs if job.calls_jira):
            wanting = [job for job in jobs if job.calls_jira and job.connection == connection]
            try:
                times = self._servers.book(connection, len(wanting))
            except BacktraceJiraError as error:
                for job in wanting:
                    job.fail(error)
                continue
            for job, time in zip(wanting, times, strict=False):
                job.at = time
                booked.append(job)
            for job in wanting[len(times) :]:
                job.fail(OverBudget(f"not sent: {self._servers.describe(connection)}"))
        return booked

    def _run(self, jobs: Sequence[_Job], deadline: float) -> None:
        """Run the jobs, those of different connections side by side: none waits for another connection's Jira."""
        chains: dict[str, list[_Job]] = {}
        for job in jobs:
            chains.setdefault(job.connection if job.calls_jira else "", []).append(job)
        if chains:
            self._context.side_by_side([self._chain(chain, deadline) for chain in chains.values()])

    def _chain(self, jobs: Sequence[_Job], deadline: float) -> Callable[[], None]:
        """Return what runs one connection's jobs, wave after wave: a wave is as wide as Jira answers well."""

        def run() -> None:
            left = list(jobs)
            while left:
                width = self._servers.width(jobs[0].connection) if jobs[0].calls_jira else len(left)
                wave, left = left[:width], left[width:]
                self._context.side_by_side([self._work(job, deadline) for job in wave])

        return run

    def _work(self, job: _Job, deadline: float) -> Callable[[], None]:
        def work() -> None:
            wait = job.at - self._context.clock()
            if wait > 0:
                self._context.sleep(wait)
            for task in job.tasks:
                self._serve_task(job, task, deadline)

        return work

    def _serve_task(self, job: _Job, task: _Task, deadline: float) -> None:
        """Serve one event. One of the same group that came before it in the batch has made the ticket, or failed."""
        first = job.tasks[0].outcome
        try:
            if job.calls_jira:
                # Before the claim, which would be for nothing: another job may have been refused meanwhile.
                self._servers.ensure_open(job.connection)
                self._servers.ensure_not_parked(job.connection, job.scope)
            if first and first.error:
                raise Busy("an event of the same group, in the same batch, has to come again first")
            if first and first.issue and task.case.integration.event is not EventKind.TRACE:
                task.outcome = task.case.outcome(Decision.KNOWN, first.issue)
            else:
                task.outcome = self._create_ticket(task.case, deadline=deadline, follows=job.follows)
        except Exception as error:
            task.fail(error)


def _has_surely_no_ticket(row: Link | None) -> bool:
    """A ticket that may exist is looked up even where none may be made."""
    return row is None or row.state is LinkState.RELEASED


def _read(body: str) -> ErrorGroup | InvalidEvent:
    try:
        return read_error_group(body)
    except InvalidEvent as error:
        return error


def _outcome(each: Outcome | _Task) -> Outcome:
    if isinstance(each, _Task):
        if each.outcome is None:  # never: but what is not decided must stay in the queue
            each.fail(Busy("this event was not decided on"))
        return cast(Outcome, each.outcome)
    return each
