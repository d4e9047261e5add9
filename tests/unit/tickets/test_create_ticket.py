"""The protocol of exactly one ticket, against fakes that keep state."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from backtrace_jira.batches import MOST_FAILURES
from backtrace_jira.errors import (
    Busy,
    CredentialRefused,
    CutOff,
    NotVisible,
    NotYetVisible,
    OutcomeUnknown,
    Parked,
    Refused,
    Throttled,
    Unreachable,
)
from backtrace_jira.links.link import LinkKey, LinkState
from backtrace_jira.outcomes import Decision, Outcome, Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.tickets.context import Context, Timing
from backtrace_jira.tickets.serve_batch import LONGEST_REST, ServeBatch
from tests.builders import group, integration
from tests.fakes.backtrace import FakeBacktraceGroups, FakeBacktraceLinks
from tests.fakes.clock import Clock
from tests.fakes.configuration import FakeConfiguration
from tests.fakes.jira_tickets import FakeJiraTickets
from tests.fakes.links import FakeTicketLinks
from tests.fakes.queues import FakeChangeHints


def one_after_the_other(jobs: Sequence[Callable[[], None]]) -> None:
    for job in jobs:
        job()


@dataclass
class World:
    """One deployment with everything in memory."""

    integrations: list[Integration] = field(default_factory=lambda: [integration()])
    lag: float = 0.0
    clock: Clock = field(default_factory=Clock)
    links: FakeTicketLinks = field(default_factory=FakeTicketLinks)

    def __post_init__(self) -> None:
        self.jira = FakeJiraTickets(self.clock, lag=self.lag)
        self.backtrace = FakeBacktraceLinks(FakeBacktraceGroups(self.clock))
        self.configuration = FakeConfiguration(self.integrations, self.jira, self.backtrace)
        self.timing = Timing()
        self._owners = (f"owner-{number}" for number in itertools.count(1))
        self.use_case = self.new_process()

    def new_process(self, hints: FakeChangeHints | None = None) -> ServeBatch:
        """Return the use case as a cold function has it: nothing remembered."""
        context = Context(
            stage="test",
            configuration=self.configuration,
            links=self.links,
            regression_hints=hints or FakeChangeHints(),
            clock=self.clock,
            sleep=self.clock.advance,
            side_by_side=one_after_the_other,
            new_owner=lambda: next(self._owners),
            timing=self.timing,
        )
        return ServeBatch(context)

    def deliver(self, use_case: ServeBatch | None = None, **changes: Any) -> Outcome:
        (outcome,) = self.serve(use_case, **changes)
        return outcome

    def serve(
        self, use_case: ServeBatch | None = None, *, time_left: float = 60, **changes: Any
    ) -> list[Outcome]:
        (outcomes,) = (use_case or self.use_case).serve_groups([group(**changes)], self.clock() + time_left)
        return outcomes

    def deliver_until_done(self, attempts: int = 30) -> Outcome:
        """Deliver as the queue does: again after the time that was asked for."""
        for _ in range(attempts):
            outcome = self.deliver()
            if outcome.error is None:
                return outcome
            self.clock.advance(getattr(outcome.error, "after", None) or 15)
        raise AssertionError(f"never done: {outcome}")

    @property
    def row(self) -> LinkKey:
        return LinkKey(integration().id, group().fingerprint)

    def assert_one_ticket(self) -> None:
        """One ticket in Jira, a complete row, and Backtrace knows."""
        (only,) = self.jira.issues
        row = self.links.get(self.row)
        assert row is not None
        assert (row.state, row.issue, row.linked_in_backtrace) == (LinkState.COMPLETE, only[0], True)
        assert self.backtrace.tickets_of("my_project", group().fingerprint) == {"jira-bugs": only[0].key}


def test_a_new_group_becomes_a_linked_ticket() -> None:
    world = World()
    outcome = world.deliver()
    assert outcome.decision is Decision.CREATED
    assert outcome.error is None
    assert world.jira.creates == 1
    assert world.jira.finds == 0
    world.assert_one_ticket()


def test_a_known_group_costs_neither_jira_nor_backtrace_a_call() -> None:
    world = World()
    world.deliver()
    before = (world.jira.creates, world.jira.finds, world.backtrace.calls)
    assert world.deliver(occurrences=36).decision is Decision.KNOWN
    assert world.deliver(world.new_process()).decision is Decision.KNOWN
    assert (world.jira.creates, world.jira.finds, world.backtrace.calls) == before


def test_a_project_without_an_integration_is_no_error() -> None:
    world = World(integrations=[])
    outcome = world.deliver()
    assert (outcome.decision, outcome.error) == (Decision.NO_INTEGRATION, None)
    assert "my_universe/my_project" in outcome.detail


def test_each_integration_gets_its_own_ticket_though_one_fails() -> None:
    world = World(integrations=[integration(name="a"), integration(name="b"), integration(name="c")])
    world.jira.fail = [None, Refused("POST /issue: 400, no", status=400, fields={"x": "is required"}), None]
    outcomes = world.serve()
    assert [outcome.decision for outcome in outcomes] == [Decision.CREATED, Decision.REFUSED, Decision.PARKED]
    world.clock.advance(world.timing.parked + 1)
    again = world.serve()
    assert [outcome.decision for outcome in again] == [Decision.KNOWN, Decision.CREATED, Decision.CREATED]
    assert len(world.jira.issues) == 3


def test_a_delivery_beside_a_running_one_waits() -> None:
    world = World()
    seen: list[Outcome] = []
    create = world.jira.create

    def interleaved(draft):  # type: ignore[no-untyped-def]
        seen.append(world.deliver(world.new_process()))
        return create(draft)

    world.jira.create = interleaved  # type: ignore[method-assign]
    world.deliver()
    assert isinstance(seen[0].error, Busy)
    world.assert_one_ticket()


@pytest.mark.parametrize("lag", [0.0, 5.0, 60.0])
@pytest.mark.parametrize("made", [True, False], ids=["issue made", "issue not made"])
def test_an_answer_that_never_came_is_looked_up_before_anything_is_made_again(lag: float, made: bool) -> None:
    world = World(lag=lag)
    (world.jira.fail_after if made else world.jira.fail).append(OutcomeUnknown("reset"))
    first = world.deliver()
    assert isinstance(first.error, OutcomeUnknown)
    last = world.deliver_until_done()
    assert last.decision is (Decision.ADOPTED if made else Decision.CREATED)
    world.assert_one_ticket()


def test_a_second_create_follows_only_enough_lookups_over_enough_time() -> None:
    world = World()
    world.jira.fail = [OutcomeUnknown("reset")]
    began = world.clock()
    world.deliver()
    world.deliver_until_done()
    assert world.jira.finds >= world.timing.lookups
    assert world.jira.issues[0][2] - began >= world.timing.settle


def test_lookups_in_quick_succession_do_not_count() -> None:
    world = World(lag=60)
    world.jira.fail_after = [OutcomeUnknown("reset")]
    world.deliver()
    for _ in range(50):  # twenty duplicates that all come back at once
        assert world.deliver(world.new_process()).error is not None
    assert world.jira.finds == 0
    world.deliver_until_done()
    world.assert_one_ticket()


def test_a_second_unheard_create_starts_the_waiting_anew() -> None:
    world = World(lag=30)
    world.jira.fail = [OutcomeUnknown("reset")]
    world.jira.fail_after = [OutcomeUnknown("reset again")]
    assert world.deliver_until_done().decision is Decision.ADOPTED
    assert world.jira.creates == 2
    world.assert_one_ticket()


def test_a_failing_lookup_never_leads_to_a_create() -> None:
    world = World()
    world.jira.fail_after = [OutcomeUnknown("reset")]
    world.deliver()
    world.jira.fail_find = [Unreachable("down")] * 10
    for _ in range(10):
        world.clock.advance(600)
        assert isinstance(world.deliver().error, Unreachable)
    assert world.jira.creates == 1
    world.clock.advance(600)
    assert world.deliver_until_done().decision is Decision.ADOPTED
    world.assert_one_ticket()


def test_an_account_that_sees_nothing_proves_nothing() -> None:
    world = World(lag=10_000_000)  # the ticket exists, and the account will never see it
    world.jira.fail_after = [OutcomeUnknown("reset")]
    world.jira.browsable = False
    world.deliver()
    for _ in range(5):
        world.clock.advance(100)
        last = world.deliver()
    assert isinstance(last.error, NotVisible)
    assert "Browse Projects" in last.detail
    assert world.jira.creates == 1


def test_a_process_cut_off_in_the_create_is_taken_over_when_its_lease_is_over() -> None:
    world = World()

    class Killed(BaseException):
        pass

    world.jira.fail_after = [Killed()]  # type: ignore[list-item]
    with pytest.raises(Killed):
        world.deliver()
    assert isinstance(world.deliver(world.new_process()).error, Busy)
    assert world.deliver_until_done().decision is Decision.ADOPTED
    world.assert_one_ticket()


def test_a_throttled_create_was_not_executed_and_holds_the_connection_back() -> None:
    world = World()
    world.jira.fail = [Throttled("429", after=40)]
    first = world.deliver()
    assert isinstance(first.error, Throttled)
    assert first.error.after == 40
    other = world.deliver(fingerprint="f" * 64)
    assert isinstance(other.error, Throttled)
    assert other.error.after == pytest.approx(40)
    assert world.jira.creates == 1
    world.clock.advance(41)
    assert world.deliver().decision is Decision.CREATED
    assert world.jira.finds == 0
    world.assert_one_ticket()


def test_a_storm_of_errors_costs_a_broken_configuration_one_call() -> None:
    world = World()
    world.jira.fail = [
        Refused(
            "POST /issue: 400, Team is required", status=400, fields={"customfield_1": "Team is required."}
        )
    ] * 99
    first = world.deliver()
    assert isinstance(first.error, Refused)
    for number in range(50):
        process = world.use_case if number % 2 else world.new_process()
        outcome = world.deliver(process, fingerprint=f"{number:064x}")
        assert isinstance(outcome.error, Parked)
        assert "Team is required" in outcome.detail
    assert world.jira.creates == 1
    row = world.links.get(world.row)
    assert row is not None
    assert row.state is LinkState.RELEASED
    assert row.record is not None
    assert row.record.fields == {"customfield_1": "Team is required."}
    world.jira.fail = []
    world.clock.advance(world.timing.parked + 1)
    assert world.deliver().decision is Decision.CREATED
    world.assert_one_ticket()


def test_parking_is_by_project_and_type_but_a_credential_parks_the_whole_connection() -> None:
    world = World(integrations=[integration(name="a"), integration(name="b", project_key="OPS")])
    world.jira.fail = [Refused("400", status=400)]
    decisions = [o.decision for o in world.serve()]
    assert decisions == [Decision.REFUSED, Decision.CREATED]

    world = World(integrations=[integration(name="a"), integration(name="b", project_key="OPS")])
    world.jira.fail = [CredentialRefused("401", status=401)]
    decisions = [o.decision for o in world.serve()]
    assert decisions == [Decision.REFUSED, Decision.PARKED]
    assert world.jira.creates == 1


def test_backtrace_down_leaves_the_ticket_and_is_caught_up_later() -> None:
    world = World()
    world.backtrace.fail = [Unreachable("down")]
    first = world.deliver()
    assert first.decision is Decision.CREATED
    assert isinstance(first.error, Unreachable)
    assert first.issue is not None
    assert world.deliver().decision is Decision.LINKED
    assert world.jira.creates == 1
    world.assert_one_ticket()


def test_a_bug_while_linking_does_not_hide_the_ticket() -> None:
    world = World()
    world.backtrace.fail = [KeyError("s3cret")]
    outcome = world.deliver()
    assert (outcome.decision, outcome.issue is not None) == (Decision.CREATED, True)
    assert "s3cret" not in outcome.detail
    assert world.deliver().decision is Decision.LINKED
    world.assert_one_ticket()


def test_settings_that_do_not_validate_stop_the_event_before_jira() -> None:
    world = World()
    sentence = "integrations/my_universe/my_project/jira-bugs: subject: is required"
    world.configuration.broken = {("my_universe", "my_project"): sentence}
    outcome = world.deliver()
    assert outcome.decision is Decision.REFUSED
    assert "subject" in outcome.detail
    assert not world.links.rows


def test_a_missing_secret_gives_the_claim_back() -> None:
    world = World()
    world.configuration.missing_secret = True
    assert "secrets/jira/main" in world.deliver().detail
    world.configuration.missing_secret = False
    assert world.deliver().decision is Decision.CREATED
    assert world.jira.finds == 0
    world.assert_one_ticket()


def test_a_bug_while_drafting_gives_the_claim_back_and_tells_no_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    def broken(*_: object, **__: object) -> None:
        raise KeyError("s3cret")

    monkeypatch.setattr("backtrace_jira.tickets.draft.draft_ticket", broken)
    outcome = world.deliver()
    assert outcome.decision is Decision.POSTPONED
    assert "s3cret" not in outcome.detail
    monkeypatch.undo()
    assert world.deliver().decision is Decision.CREATED
    world.assert_one_ticket()


def test_nothing_is_begun_that_cannot_end_in_time() -> None:
    world = World()
    (outcome,) = world.serve(time_left=world.timing.longest_create - 1)
    assert isinstance(outcome.error, Busy)
    assert (
        outcome.error.after is None
    )  # the queue's back-off: at once would use up the receives of a slow day
    assert not world.links.rows


def test_a_ticket_that_somebody_else_recorded_first_stays_and_the_second_is_named() -> None:
    world = World()
    create = world.jira.create

    def overtaken(draft):  # type: ignore[no-untyped-def]
        issue = create(draft)
        world.links.complete(world.row, create(draft), Record(1.5, Decision.CREATED))
        return issue

    world.jira.create = overtaken  # type: ignore[method-assign]
    outcome = world.deliver()
    assert outcome.issue is not None
    assert outcome.issue.key == "BUG-2"
    assert "BUG-1 is a second ticket" in outcome.detail


def test_looking_too_early_says_so() -> None:
    world = World()
    world.jira.fail = [OutcomeUnknown("reset")]
    world.deliver()
    world.clock.advance(world.timing.between_lookups)
    outcome = world.deliver()
    assert isinstance(outcome.error, NotYetVisible)
    assert outcome.error.after == world.timing.between_lookups


def test_a_ticket_at_which_every_process_dies_is_left_to_a_person() -> None:
    """Waiting uses up no lives, so deaths have to: the row counts them, for nothing else survives."""
    world = World()

    class Death(BaseException):
        pass

    def die(*_: object) -> None:
        raise Death

    find = world.jira.find
    world.jira.create = world.jira.find = die  # type: ignore[method-assign, assignment]
    deaths = 0
    for _ in range(50):
        try:
            outcome = world.deliver(world.new_process())
        except Death:
            deaths += 1
            world.clock.advance(world.timing.lease + 1)
        else:
            break
    assert deaths == MOST_FAILURES + 1
    assert isinstance(outcome.error, CutOff)
    # a replay begins anew, and still looks the ticket up before it makes one
    world.jira.find = find  # type: ignore[method-assign]
    del world.jira.create
    world.clock.advance(world.timing.settle)
    assert world.deliver_until_done().decision is Decision.CREATED
    world.assert_one_ticket()


def test_what_was_not_decided_stays_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(ServeBatch, "_run", lambda *_: None)
    outcome = world.deliver()
    assert isinstance(outcome.error, Busy)


def test_a_short_pause_is_waited_for_and_a_long_one_holds_nobody() -> None:
    """Without the rest, a whole queue of messages would go back and come again while Jira asks for five seconds."""
    for asked, rest in ((5.0, LONGEST_REST), (60.0, 0.0)):
        world = World()
        world.jira.fail = [Throttled("429", after=asked)]
        world.deliver()
        # others have booked all that can be booked in the pause
        pace = world.links.server_notes("main").pace
        world.links.replace_pace(
            "main", pace, replace(pace, next=pace.paused_until + 60, written_by="others")
        )
        began = world.clock()
        outcome = world.deliver(fingerprint="b" * 64)
        assert isinstance(outcome.error, Throttled)
        assert world.clock() - began == rest
