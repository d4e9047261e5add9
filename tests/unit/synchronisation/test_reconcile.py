"""The reconcile after a bulk edit: it gets through any number of tickets, in runs that end in time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from backtrace_jira.errors import Throttled, Unreachable
from backtrace_jira.jira.issue import Issue
from backtrace_jira.outcomes import Decision
from backtrace_jira.synchronisation.poll_fix_versions import FEW
from backtrace_jira.synchronisation.poll_memory import LinkPage, Sweep
from tests.fakes.jira_issues import DONE, TODO
from tests.unit.synchronisation.deployment import PERIOD, Deployment

NAME = "jira main/BUG"
SECONDS_A_PAGE = 10.0
A_RUN = 300.0
PAGES_A_RUN = 22
"""Until too little of a run is left to begin anything: 210 seconds, and the page that was begun before."""


class BulkEdit(Deployment):
    """Somebody edits a whole project within one second, and no webhook comes in. Jira needs ten seconds for a page."""

    def __init__(self, tickets: int, *, linked: tuple[int, ...] = (), page: int = 100) -> None:
        super().__init__()
        self.memory.links_after = lambda *_: LinkPage([])  # type: ignore[method-assign]  # it would find all by itself
        self.linked: dict[str, Issue] = {}
        for number in range(tickets):
            if number in linked:
                fingerprint = f"{number:064x}"
                self.linked[fingerprint] = self.link(fingerprint)
            else:
                self.jira.create_issue("somebody else's")
        self.clock.advance(24 * 3600)
        self.jira.page = 10 * tickets
        self.poll()
        self.jira.page = page
        for issue_id in self.jira.tickets:
            self.jira.move_to(issue_id, DONE)
        self.watch(self.jira, "changed_tickets", lambda: self.clock.advance(SECONDS_A_PAGE))
        self.asked: dict[str, int] = {}
        for method in ("linked_issues", "links_of_issue", "record_sweep", "advance_watermark"):
            self.watch(self.store, method, lambda: None)

    def watch(self, port: Any, name: str, then: Callable[[], object]) -> None:
        """Count the calls of a port's method."""
        method = getattr(port, name)

        def call(*args: Any, **named: Any) -> Any:
            self.asked[name] = self.asked.get(name, 0) + 1
            then()
            return method(*args, **named)

        setattr(port, name, call)

    def run(self) -> dict[str, int]:
        """Let one run of the schedule pass; return what it asked for."""
        self.clock.advance(PERIOD)
        self.asked.clear()
        self.poll_jira(deadline=self.clock() + A_RUN)
        return dict(self.asked)

    @property
    def sweep(self) -> Sweep:
        sweep = self.store.sweep(NAME)
        assert sweep is not None
        return sweep


@pytest.mark.parametrize(("tickets", "runs"), [(2_000, 1), (10_000, 5), (20_000, 10)])
def test_any_number_of_tickets_is_got_through_in_bounded_runs(tickets: int, runs: int) -> None:
    world = BulkEdit(tickets, linked=(0, tickets // 2, tickets - 1))
    began, needed, reached = world.sweep.since, 0, 0
    while world.sweep.since == began and needed < runs:
        asked = world.run()
        needed += 1
        assert asked["changed_tickets"] <= PAGES_A_RUN
        assert asked["linked_issues"] == 1
        assert asked.get("links_of_issue", 0) <= 2 * 3  # for tickets that are linked, and for no other
        assert asked.get("record_sweep", 0) + asked.get("advance_watermark", 0) == asked["changed_tickets"]
        if world.sweep.since == began:
            number = int(world.sweep.after.removeprefix("BUG-"))
            assert number - reached == 100 * PAGES_A_RUN
            reached = number
    assert (needed, world.sweep.since > began) == (runs, True)
    assert {world.state(fingerprint) for fingerprint in world.linked} == {"resolved"}


def test_what_changes_during_a_sweep_is_seen_by_the_next() -> None:
    """The first ticket changes after its page was looked at."""
    world = BulkEdit(5_000, linked=(0,))
    ((fingerprint, ours),) = world.linked.items()
    world.run()
    assert world.state(fingerprint) == "resolved"
    world.jira.move_to(ours.id, TODO)
    for _ in range(2):
        assert world.sweep.after
        world.run()
        assert world.state(fingerprint) == "resolved"
    assert not world.sweep.after
    world.run()
    assert world.state(fingerprint) == "open"


def test_a_jira_that_throttles_in_the_middle_takes_back_no_page() -> None:
    world = BulkEdit(1_000, linked=(999,))
    for page in range(1, 10):
        world.jira.failures.before["changed_tickets"] = [None, Throttled("429", after=40)]
        world.run()
        assert world.sweep.after == f"BUG-{100 * page}"
        assert world.reports[-1].decision is Decision.POSTPONED
    world.run()
    assert {world.state(fingerprint) for fingerprint in world.linked} == {"resolved"}


def test_a_page_at_which_the_table_failed_is_looked_at_again() -> None:
    world = BulkEdit(150, linked=(99, 149))
    failing = iter([Unreachable("DynamoDB is away")])
    listed = world.store.linked_issues

    def fail() -> Collection[str]:
        for error in failing:
            raise error
        return listed()

    world.store.linked_issues = fail  # type: ignore[method-assign]
    world.run()
    assert world.sweep.after == ""
    world.run()
    assert {world.state(fingerprint) for fingerprint in world.linked} == {"resolved"}


def test_a_ticket_that_is_deleted_where_the_next_run_begins_costs_a_new_sweep_and_no_ticket() -> None:
    world = BulkEdit(5_000, linked=(4_999,))
    began = world.sweep.since
    world.run()
    key = world.sweep.after
    (deleted,) = (issue_id for issue_id, each in world.jira.tickets.items() if each.issue.key == key)
    world.jira.delete_issue(deleted)
    assert world.run()["changed_tickets"] == 1
    assert (world.sweep.since, world.sweep.after) == (began, "")
    for _ in range(3):
        world.run()
    assert world.sweep.since > began
    assert {world.state(fingerprint) for fingerprint in world.linked} == {"resolved"}


def test_a_few_tickets_are_looked_up_one_by_one() -> None:
    world = BulkEdit(FEW)
    asked = world.run()
    assert (asked["links_of_issue"], asked.get("linked_issues", 0)) == (FEW, 0)


def test_two_runs_at_once_end_where_the_work_is_done() -> None:
    """One begins and finishes while the other waits for a page."""
    world = BulkEdit(1_000, linked=(500,))
    turned = world.jira.changed_tickets
    other = iter([True])

    def interrupted(*args: Any, **named: Any) -> Any:
        if args[2] and next(other, False):
            world.poll_jira(deadline=world.clock() + A_RUN)
            assert world.sweep.since > before
        return turned(*args, **named)

    world.jira.changed_tickets = interrupted  # type: ignore[method-assign]
    before = world.sweep.since
    world.run()
    assert world.sweep.after == ""
    assert before < world.sweep.since <= world.clock() - 300
    assert world.state(f"{500:064x}") == "resolved"
