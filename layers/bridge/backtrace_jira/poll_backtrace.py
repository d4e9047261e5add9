"""What nobody told of: changes in Backtrace, which has no event for them, and in Jira, whose webhooks get lost.

Each Backtrace project and each Jira project has a watermark, up to which all changes were looked at. A run looks at
what changed since, with an overlap for what became visible late, and moves the watermark when it came to the end.
A long time is gone through in slices, oldest first, so that a run which is cut off has got somewhere. Two runs at
once look at the same twice, which does no harm. What cannot be done now is left to the queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from backtrace_jira.config import Integration
from backtrace_jira.decisions import decision_on, explain
from backtrace_jira.model import Link, Outcome
from backtrace_jira.sides import Group
from backtrace_jira.sync_ports import ChangeHints, SyncConfiguration, SyncStore
from backtrace_jira.synchronise import Hint, Synchronise, any_news, is_news

OVERLAP = 300.0
"""Seconds: the clocks of three servers differ, a row may become visible late, Jira's search is minutes behind."""
FIRST_LOOK = 24 * 3600.0
"""How far a first run looks back, in seconds: a group may have changed before anything was ever polled."""
SLICE = 12 * 3600.0
"""Seconds that are looked at before the watermark moves."""
LAST_MINUTE = 90.0
"""Seconds before the deadline after which what is left goes to the queue."""


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


class PollBacktrace:
    """The use case behind `functions/poll_backtrace`."""

    def __init__(
        self,
        *,
        synchronise: Synchronise,
        configuration: SyncConfiguration,
        store: SyncStore,
        hints: ChangeHints,
        clock: Callable[[], float],
        report: Callable[[Outcome], None],
    ) -> None:
        self._synchronise = synchronise
        self._configuration = configuration
        self._store = store
        self._hints = hints
        self._clock = clock
        self._report = report

    def __call__(self, *, deadline: float) -> None:
        """Look at every project once; one that fails does not stop the others, and is looked at again.

        Args:
            deadline: unix seconds at which this process may be ended.
        """
        found, faults = self._configuration.all_integrations()
        for fault in faults:
            self._report(Outcome(decision_on(fault), detail=explain(fault), error=fault))
        integrations = [each for each in found if each.sync.on]
        for (universe, project), those in _by(integrations, _backtrace_project).items():
            self._run(f"backtrace {universe}/{project}", those, deadline, self._backtrace)
        from_jira = [each for each in integrations if each.sync.jira_to_backtrace]
        for (connection, key), those in _by(from_jira, _jira_project).items():
            self._run(f"jira {connection}/{key}", those, deadline, self._jira)

    def _run(
        self,
        name: str,
        integrations: Sequence[Integration],
        deadline: float,
        look: Callable[[Sequence[Integration], Slice, float], None],
    ) -> None:
        """Look at all that changed since a watermark, and move it."""
        started = self._clock()
        try:
            watermark = self._store.watermark(name)
            for part in slices(started - FIRST_LOOK if watermark is None else watermark, started):
                look(integrations, part, deadline)
                self._store.advance(name, (started if part.end is None else part.end) - OVERLAP)
                if self._clock() + LAST_MINUTE > deadline:
                    return  # the next run goes on
        except Exception as error:
            detail = f"{name}: {explain(error)}; the next run looks again"
            self._report(
                Outcome(decision_on(error), integration=integrations[0].id, detail=detail, error=error)
            )

    def _backtrace(self, integrations: Sequence[Integration], part: Slice, deadline: float) -> None:
        """Look at the groups that changed, as far as they have a ticket of one of the integrations."""
        first = integrations[0]
        side = self._configuration.backtrace(first.universe)
        for group in side.changed(first.project, part.begin, part.end):
            watchers = {entry.get("watcher") for entry in group.tickets}
            for integration in integrations:
                if integration.name in watchers:
                    self._group(integration, group, deadline)

    def _group(self, integration: Integration, group: Group, deadline: float) -> None:
        for link in self._store.links_of_group(integration.id, group.fingerprint):
            if link.issue and any_news(link, integration, group):
                hint = Hint(integration.connection, groups={(group.project, group.fingerprint): group})
                self._bring_in_line(link.issue.id, hint, deadline)

    def _jira(self, integrations: Sequence[Integration], part: Slice, deadline: float) -> None:
        """Look at the tickets that changed, as far as they are linked and not what their links know."""
        connection, project = _jira_project(integrations[0])
        now = self._clock()
        oldest = max(1, math.ceil((now - part.begin) / 60))
        youngest = 0 if part.end is None else math.floor((now - part.end) / 60)
        by_id = {each.id: each for each in integrations}
        for ticket in self._synchronise.jira(integrations[0]).changed(project, oldest, youngest):
            links = self._store.links_of_issue(ticket.issue.id)
            if any(is_news(link, by_id[link.key.integration], ticket) for link in _known(links, by_id)):
                self._bring_in_line(ticket.issue.id, Hint(connection), deadline)

    def _bring_in_line(self, issue_id: str, hint: Hint, deadline: float) -> None:
        """Do it now, or leave it to the queue: what fails is tried again there, and kept with its reason."""
        if self._clock() + LAST_MINUTE > deadline:
            self._hints.send(hint.connection, issue_id, reason="the poll ran out of time")
            return
        for outcome in self._synchronise(issue_id, hint, deadline=deadline):
            self._report(outcome)
            if outcome.error:
                self._hints.send(hint.connection, issue_id, reason=outcome.detail)


def _backtrace_project(integration: Integration) -> tuple[str, str]:
    return integration.universe, integration.project


def _jira_project(integration: Integration) -> tuple[str, str]:
    return integration.connection, integration.project_key


def _by(
    integrations: Iterable[Integration], key: Callable[[Integration], tuple[str, str]]
) -> dict[tuple[str, str], list[Integration]]:
    found: dict[tuple[str, str], list[Integration]] = {}
    for integration in integrations:
        found.setdefault(key(integration), []).append(integration)
    return found


def _known(links: Iterable[Link], by_id: Mapping[str, Integration]) -> Iterator[Link]:
    return (link for link in links if link.key.integration in by_id)
