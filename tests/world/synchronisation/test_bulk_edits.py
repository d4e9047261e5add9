"""Somebody edits a whole Jira project at once. Requests to Jira and to the link table are counted."""

from __future__ import annotations

import math

import pytest

from backtrace_jira.adapters.jira import client
from backtrace_jira.synchronisation.check_links import CheckLinks
from backtrace_jira.synchronisation.poll import OVERLAP
from backtrace_jira.synchronisation.poll_fix_versions import FEW
from backtrace_jira.synchronisation.poll_memory import Sweep
from local.jira_stand_in.model import Issue
from tests.world.sync_world import PERIOD, MakeSyncWorld, SyncWorld
from tests.world.world import Wire

PAGE = 50
SECONDS_A_PAGE = 5.0
A_RUN = 120.0
PAGES_A_RUN = 7
"""Until less than 90 of a run's seconds are left."""
NAME = "jira main/BUG"
GROUPS = [f"{number:064x}" for number in range(3)]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", PAGE)
    monkeypatch.setattr(
        CheckLinks, "go_on", lambda *_: None
    )  # the round would find by itself what these tests edit


def let_searches_take_time(world: SyncWorld, patch: pytest.MonkeyPatch) -> None:
    before = Wire.before

    def slow(wire: Wire, call: str) -> None:
        before(wire, call)
        if "/search" in call:
            world.clock.advance(SECONDS_A_PAGE)

    patch.setattr(Wire, "before", slow)


def create_issues(world: SyncWorld, number: int) -> list[Issue]:
    return [world.jira.create_issue("somebody else's") for _ in range(number)]


def close(world: SyncWorld, *tickets: Issue) -> None:
    for issue in tickets:
        world.jira.transition(issue.key, "Done")
    world.jira.webhooks.outbox.clear()


def sweep_of(world: SyncWorld) -> Sweep:
    sweep = world.links.sweep(NAME)
    assert sweep is not None
    return sweep


@pytest.mark.parametrize(("flavour", "foreign"), [("cloud", 2_000), ("data-center", 600)])
def test_a_project_that_is_edited_within_one_minute_is_got_through_in_bounded_runs(
    make_sync_world: MakeSyncWorld, flavour: str, foreign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_sync_world(flavour)
    tickets = [world.ticket(GROUPS[0])]
    for group in GROUPS[1:]:
        tickets += [*create_issues(world, foreign // 2), world.ticket(group)]
    world.clock.advance(24 * 3600)
    world.links.advance_watermark(NAME, world.clock() - OVERLAP)
    close(world, *tickets)
    let_searches_take_time(world, monkeypatch)
    began, reached = sweep_of(world).since, ""
    for _ in range(math.ceil(foreign / PAGE / (PAGES_A_RUN - 1))):
        if sweep_of(world).since > began:
            break
        world.clock.advance(PERIOD)
        world.forget_calls()
        world.polling_jira(deadline=world.clock() + A_RUN)
        assert sweep_of(world).after != reached  # a run that ends early has got somewhere
        reached = sweep_of(world).after
        assert world.jira.count("POST", "/search") <= PAGES_A_RUN
        assert world.wire.count("dynamodb Scan") <= 1
        assert world.wire.count("dynamodb Query") <= FEW + 2 * len(GROUPS)
        assert world.wire.count("dynamodb") <= FEW + PAGES_A_RUN + 20 * len(GROUPS)
    assert sweep_of(world).since > began
    world.drain()
    assert [world.of(group).state for group in GROUPS] == ["resolved"] * 3


def test_more_than_a_few_foreign_tickets_cost_no_request_of_their_own(make_sync_world: MakeSyncWorld) -> None:
    world = make_sync_world()
    world.ticket()
    world.poll()
    for foreign in (FEW + 1, 4 * FEW):
        world.clock.advance(3600)
        world.polling_jira(deadline=world.clock() + 300)
        create_issues(world, foreign)
        world.clock.advance(PERIOD)
        world.forget_calls()
        world.polling_jira(deadline=world.clock() + 300)
        queries, searches = world.wire.count("dynamodb Query"), world.jira.count("POST", "/search")
        assert queries <= FEW
        # What the polls remember, the parking notes, the watermark, the index; and how far each page got.
        assert world.wire.count("dynamodb") - queries == 4 + searches


@pytest.mark.parametrize("change", ["deleted", "moved"])
def test_where_a_run_goes_on_may_be_gone(make_sync_world: MakeSyncWorld, change: str) -> None:
    world = make_sync_world()
    world.jira.add_project("OPS", "Operations")
    world.polling_jira(deadline=world.clock() + 300)
    create_issues(world, 4 * PAGE)
    close(world, world.ticket())
    world.clock.advance(3600)
    world.polling_jira(deadline=world.clock() + 60)
    assert sweep_of(world).after == f"BUG-{PAGE}"
    if change == "deleted":
        world.jira.delete_issue(f"BUG-{PAGE}")
    else:
        world.jira.move_issue(f"BUG-{PAGE}", "OPS")
    for _ in range(2):
        assert world.of().state != "resolved"
        world.poll()
    assert world.of().state == "resolved"
