"""The parts that the polls share: watermarks, the deadline, and sending the rest to the queue.

A watermark says up to which moment the poll has looked at all changes. A run looks at the changes since then, and a
little further back, because a change may become visible late. It moves the watermark when it has looked at all of
them. A long span is cut into slices, oldest first: a run that ends early has finished the first ones. Two runs at
once look at the same changes twice, which does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.ports import ChangeHints, SyncConfiguration, SyncedLinks
from backtrace_jira.synchronisation.synchronise import Synchronise
from backtrace_jira.times import LAST_MINUTE

OVERLAP = 300.0
"""Seconds: the clocks of three servers differ, a row may become visible late, Jira's search is minutes behind."""
FIRST_LOOK = 24 * 3600.0
"""Seconds that a first run looks back: a group may have changed before anything was ever polled."""
SLICE = 12 * 3600.0
"""Seconds that are looked at before the watermark moves."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A span of time in unix seconds; `end` is None for now."""

    begin: float
    end: float | None


def slices(begin: float, now: float) -> Iterator[Slice]:
    """Cut what has passed since into slices, oldest first."""
    while now - begin > 2 * SLICE:
        yield Slice(begin, begin + SLICE)
        begin += SLICE
    yield Slice(begin, None)


class Poll:
    """The ports and steps that both polls share."""

    def __init__(
        self,
        *,
        synchronise: Synchronise,
        configuration: SyncConfiguration,
        store: SyncedLinks,
        hints: ChangeHints,
        clock: Callable[[], float],
        report: Callable[[Outcome], None],
    ) -> None:
        self.synchronise = synchronise
        self.configuration = configuration
        self.store = store
        self.clock = clock
        self._hints = hints
        self._report = report

    def integrations(self) -> Sequence[Integration]:
        """Return every integration that synchronises anything; report those that cannot be read."""
        found, faults = self.configuration.all_integrations()
        for fault in faults:
            self._report(Outcome(Decision.from_error(fault), detail=error_text(fault), error=fault))
        return [each for each in found if each.keeps_in_step]

    def look_at_project(
        self, name: str, integrations: Sequence[Integration], look: Callable[[], None]
    ) -> None:
        """Look at one project. A failure is reported and does not stop the others."""
        try:
            look()
        except Exception as error:
            detail = f"{name}: {error_text(error)}; the next run looks again"
            self._report(
                Outcome(
                    Decision.from_error(error), integration=integrations[0].id, detail=detail, error=error
                )
            )

    def since_watermark(self, name: str, deadline: float, look: Callable[[Slice], None]) -> None:
        """Look at all changes since a watermark, slice by slice, and move it after each."""
        started = self.clock()
        watermark = self.store.watermark(name)
        for part in slices(started - FIRST_LOOK if watermark is None else watermark, started):
            look(part)
            # After the look, never before: a run that dies in between looks at the slice again.
            self.store.advance_watermark(name, (started if part.end is None else part.end) - OVERLAP)
            if self.is_late(deadline):
                return  # the next run goes on

    def is_late(self, deadline: float) -> bool:
        """Return whether too little time is left to begin anything."""
        return self.clock() + LAST_MINUTE > deadline

    def bring_in_line(self, issue_id: str, hint: Hint, deadline: float) -> bool:
        """Bring a ticket in line now, or send it to the queue, which tries again and keeps the reason.

        Returns false where no link of ours holds the ticket.
        """
        if self.is_late(deadline):
            self._hints.send(hint.connection, issue_id, reason="the poll ran out of time")
            return True
        outcomes = self.synchronise(issue_id, hint, deadline=deadline)
        for outcome in outcomes:
            self._report(outcome)
            if outcome.error:
                self._hints.send(hint.connection, issue_id, reason=outcome.detail)
        return bool(outcomes)


def jira_project(integration: Integration) -> tuple[str, str]:
    """Return connection and key of the Jira project that an integration makes tickets in."""
    return integration.connection, integration.project_key


def group_by(
    integrations: Iterable[Integration], key: Callable[[Integration], tuple[str, str]]
) -> dict[tuple[str, str], list[Integration]]:
    """Return the integrations by a key, such as the project that they share."""
    found: dict[tuple[str, str], list[Integration]] = {}
    for integration in integrations:
        found.setdefault(key(integration), []).append(integration)
    return found
