"""The parts that the polls share: the order of projects, sweeps, the deadline, and sending the rest to the queue.

A watermark says up to which moment the poll has looked at all changes. A sweep looks at all that changed since then,
and a little further back, because a change may become visible late. It goes page by page, and a run that ends early
leaves the place to the next. At the end the watermark moves. Two runs at once look at the same changes twice, which
does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from backtrace_jira.errors import NeedsAttention
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll_memory import PollNotes, Sweep
from backtrace_jira.synchronisation.ports import ChangeHints, PollMemory, SyncConfiguration, SyncedLinks
from backtrace_jira.synchronisation.synchronise import Synchronise
from backtrace_jira.times import LAST_MINUTE

T = TypeVar("T")

OVERLAP = 300.0
"""Seconds: the clocks of three servers differ, a row may become visible late, Jira's search is minutes behind.

What changed before the first sweep of a project is found by the round through all links.
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A part of a run that may fail by itself, such as one project. `integration` is named in the log."""

    name: str
    integration: str
    do: Callable[[], None]


class Poll:
    """The ports and steps that both polls share."""

    def __init__(
        self,
        *,
        synchronise: Synchronise,
        configuration: SyncConfiguration,
        store: SyncedLinks,
        memory: PollMemory,
        hints: ChangeHints,
        clock: Callable[[], float],
        report: Callable[[Outcome], None],
    ) -> None:
        self.synchronise = synchronise
        self.configuration = configuration
        self.store = store
        self.memory = memory
        self.clock = clock
        self._hints = hints
        self._report = report

    def integrations(self) -> Sequence[Integration]:
        """Return every integration that synchronises anything."""
        return [each for each in self.readable_integrations() if each.keeps_in_step]

    def readable_integrations(self) -> Sequence[Integration]:
        """Return every integration, also those that synchronise nothing; report those that cannot be read."""
        found, faults = self.configuration.all_integrations()
        for fault in faults:
            self._report(Outcome(Decision.from_error(fault), detail=error_text(fault), error=fault))
        return found

    def run(self, schedule: str, jobs: Sequence[Job], notes: PollNotes, deadline: float) -> None:
        """Do all jobs for which there is time, beginning with the one for which the last run had none.

        In a fixed order, a job that takes all the time would do so in each run, and the next would never begin.
        """
        first = notes.first.get(schedule, "")
        begin = next((place for place, job in enumerate(jobs) if job.name == first), 0)
        starved = ""
        for place, job in enumerate((*jobs[begin:], *jobs[:begin])):
            if place and self.is_late(deadline):
                starved = job.name
                break
            self.do_safely(job)
        if starved != first:
            self.memory.begin_with(schedule, starved)

    def do_safely(self, job: Job) -> None:
        """Do a job. A failure is reported and does not stop the others."""
        self.find_safely(job.name, job.integration, job.do)

    def find_safely(self, name: str, integration: str, find: Callable[[], T]) -> T | None:
        """Return what a server gives; None after a failure, which is reported and does not stop the others."""
        try:
            return find()
        except Exception as error:
            detail = f"{name}: {error_text(error)}; it is looked at again"
            self._report(
                Outcome(Decision.from_error(error), integration=integration, detail=detail, error=error)
            )
            return None

    def sweep(self, name: str, deadline: float, look_at_page: Callable[[Sweep], str | None]) -> None:
        """Look at all that changed since a watermark, or at as many pages as there is time for.

        Args:
            name: of the watermark.
            deadline: unix seconds at which this process may be ended.
            look_at_page: looks at the page after `Sweep.after`, and returns the place after which the next one begins;
                empty for no more, None if nobody can tell where to go on.
        """
        sweep = self._begin_sweep(name)
        while True:
            after = look_at_page(sweep)
            if after is None:
                # Begin anew in the next run, not in this one: a place that is lost each time must not keep the server
                # busy.
                self.store.record_sweep(name, Sweep(sweep.since, self.clock()))
                return
            # After the look, never before: a run that dies in between looks at the page again.
            if not after:
                self.store.advance_watermark(name, sweep.started - OVERLAP)
                return
            sweep = replace(sweep, after=after)
            self.store.record_sweep(name, sweep)
            if self.is_late(deadline):
                return  # the next run goes on

    def _begin_sweep(self, name: str) -> Sweep:
        """Return the sweep to go on with: the one that an earlier run left, or a new one from the watermark on."""
        sweep, now = self.store.sweep(name), self.clock()
        if sweep is None:
            return Sweep(now - OVERLAP, now)
        return sweep if sweep.started else replace(sweep, started=now)

    def is_late(self, deadline: float) -> bool:
        """Return whether too little time is left to begin anything."""
        return self.clock() + LAST_MINUTE > deadline

    def bring_in_line(self, issue_id: str, hint: Hint, deadline: float) -> bool:
        """Bring a ticket in step now, or send it to the queue, which tries again and keeps the reason.

        A definite no is not sent: the round through all links tries again.

        Returns false where no link of ours holds the ticket.
        """
        if self.is_late(deadline):
            self.leave_to_queue(issue_id, hint, "the poll ran out of time")
            return True
        outcomes = self.synchronise(issue_id, hint, deadline=deadline)
        for outcome in outcomes:
            self._report(outcome)
            if outcome.error and not isinstance(outcome.error, NeedsAttention):
                self.leave_to_queue(issue_id, hint, outcome.detail)
        return bool(outcomes)

    def leave_to_queue(self, issue_id: str, hint: Hint, reason: str) -> None:
        """Let `apply_jira_change` look at a ticket soon."""
        self._hints.send(hint.connection, issue_id, reason=reason)


def group_by(
    integrations: Iterable[Integration], key: Callable[[Integration], tuple[str, str]]
) -> Mapping[tuple[str, str], list[Integration]]:
    """Return the integrations by a key, such as the project that they share."""
    found: dict[tuple[str, str], list[Integration]] = {}
    for integration in integrations:
        found.setdefault(key(integration), []).append(integration)
    return found
