"""A new ticket after a regression: nothing swallows it, and until it is complete the group has the one before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import LinkState
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.integration import Action
from backtrace_jira.settings.parameter_names import ParameterNames
from local.jira_stand_in import custom_field
from tests.builders import group, sample_body
from tests.world.fix_versions.follow_ups import Regression
from tests.world.sync_world import PERIOD, PROJECT, MakeSyncWorld
from tests.world.world import PREFIX

flavours = pytest.mark.parametrize("flavour", ["cloud", "data-center"])


@flavours
def test_the_new_ticket_takes_the_place_of_the_old_one(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    regression = Regression(make_sync_world, flavour)
    regression.see_error()
    regression.go()
    regression.assert_followed()
    assert regression.said(regression.old) == []
    assert "2.5" in regression.new.fields["description"]
    world = regression.world
    world.jira.transition(regression.old.key, "To Do")  # of no concern any more
    world.settle()
    assert world.of().state == "in-progress"
    world.jira.transition(regression.new.key, "Done")
    world.settle()
    assert world.of().state == "resolved"


def test_until_it_is_complete_the_group_has_the_old_one(make_sync_world: MakeSyncWorld) -> None:
    regression = Regression(make_sync_world)
    world = regression.world
    regression.see_error()
    regression.ask()
    for _ in range(3):  # and nobody undoes the regression meanwhile
        row = world.row_of()
        assert row.issue is not None
        assert (row.issue.id, row.state) == (regression.old.id, LinkState.COMPLETE)
        assert (world.of().state, world.of().invariants) == ("open", [])
        assert [entry.get("short") for entry in world.of().ticket] == [None, regression.old.key]
        world.jira.edit_issue(regression.old.key, summary="a mere edit")
        world.settle()
    assert (world.status(regression.old), len(world.jira.issues)) == ("Done", 1)
    regression.serve()
    regression.assert_followed()


def test_it_costs_no_more_than_another_new_ticket(make_sync_world: MakeSyncWorld) -> None:
    regression = Regression(make_sync_world)
    regression.see_error()
    regression.ask()
    regression.fetch()
    regression.world.forget_calls()
    regression.serve()
    calls = regression.world.wire.calls
    assert [call for call in calls if call.startswith("dynamodb")] == [
        "dynamodb BatchGetItem",
        *["dynamodb UpdateItem"] * 3,
    ]
    jira = [(each.method, each.path.rpartition("/")[2]) for each in regression.world.jira.requests]
    assert jira == [("POST", "issue"), ("POST", "issueLink")]


# What must not swallow it


@pytest.mark.parametrize(
    "settings",
    [
        {"actions": (Action.model_validate({"action": "filter"}),)},
        {"frequency": 86_400, "threshold": 1_000},
        {"threshold": 1_000},
    ],
    ids=["a filter", "frequency and threshold", "threshold"],
)
def test_no_rule_for_errors_swallows_it(make_sync_world: MakeSyncWorld, settings: dict[str, Any]) -> None:
    regression = Regression(make_sync_world)
    regression.world.configure(**settings)
    regression.world.new_process()
    regression.see_error()
    regression.go()
    regression.assert_followed()


def test_no_size_swallows_it(make_sync_world: MakeSyncWorld) -> None:
    regression = Regression(make_sync_world)
    names = {f"attribute.{number:03}": "none" for number in range(80)}
    regression.world.backtrace.attributes |= names
    for number in range(60):
        long = dict.fromkeys(names, f"{number} ü{'x' * 3000}")
        regression.see_error(**long)
    regression.ask()
    (body,) = regression.fetch()
    assert len(body.encode()) < 200_000
    assert json.loads(body)["occurrences"] == 60
    regression.serve()
    regression.assert_followed()


def test_an_error_that_backtrace_dates_otherwise_does_not_swallow_it(make_sync_world: MakeSyncWorld) -> None:
    """It says that one is past the boundary, but shows no versions; of errors since the closing it knows none, because
    the machine's clock is behind: the whole group is told.
    """
    regression = Regression(make_sync_world)
    del regression.world.backtrace.attributes["version"]
    regression.see_error()
    closed = datetime.fromisoformat(regression.old.fields["resolutiondate"]).timestamp()
    reports = regression.world.backtrace.reports[PROJECT]
    reports[:] = [replace(report, timestamp=int(closed) - 300) for report in reports]
    regression.ask()
    (body,) = regression.fetch()
    assert json.loads(body)["attributes"]["hostname"] == [["h", 1]]
    regression.serve()
    regression.assert_followed()


@pytest.mark.parametrize("path", ["/api/query", "/api/issue"])
def test_a_refusal_by_backtrace_does_not_swallow_it(
    make_sync_world: MakeSyncWorld, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    regression = Regression(make_sync_world)
    regression.see_error()
    if path == "/api/issue":
        regression.world.backtrace.refuse(group().fingerprint, "not now")
    else:
        from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
        from backtrace_jira.errors import Refused

        def refuse(*_: object, **__: object) -> str:
            raise Refused("POST /api/query: no aggregate for you")

        monkeypatch.setattr(RestBacktraceGroups, "error_event", refuse)
    regression.ask()
    regression.world.backtrace.refusals.clear()
    regression.serve()
    assert regression.new.issue_links == [{"type": "Relates", "outward": regression.old.id}]


def test_an_event_that_is_lost_is_made_up_for_by_the_next_of_the_group(
    make_sync_world: MakeSyncWorld,
) -> None:
    regression = Regression(make_sync_world)
    regression.see_error()
    regression.ask()
    regression.fetch().clear()
    assert regression.world.deliver(regression.world.event(sample_body())) == []
    regression.assert_followed()


def test_an_event_that_is_lost_is_sent_again_at_the_next_hint(make_sync_world: MakeSyncWorld) -> None:
    regression = Regression(make_sync_world)
    regression.see_error()
    regression.ask()
    regression.fetch().clear()
    regression.world.jira.edit_issue(regression.old.key, summary="anything")
    regression.go()
    regression.assert_followed()


def trouble_is_mended(regression: Regression) -> None:
    """Let an hour pass in which everything is well again, and nobody replays anything."""
    world = regression.world
    world.configure()
    world.new_process()
    for _ in range(3600 // PERIOD + 2):
        world.poll()
    regression.serve()
    assert regression.new.issue_links == [{"type": "Relates", "outward": regression.old.id}]
    assert world.row_of().issue == Issue(
        regression.new.id, regression.new.key, f"{world.jira.site_url}/browse/{regression.new.key}"
    )


@flavours
@pytest.mark.parametrize("secret", ["wrong", None])
def test_a_credential_that_fails_does_not_swallow_it(
    make_sync_world: MakeSyncWorld, flavour: str, secret: str | None
) -> None:
    regression = Regression(make_sync_world, flavour)
    world, name = regression.world, ParameterNames(PREFIX).jira_secret("main")
    regression.see_error()
    regression.ask()
    world.remove(name)
    if secret:
        world.put(name, secret, secret=True)
    world.new_process()
    regression.serve()
    assert len(world.dead_letters()) == 1
    trouble_is_mended(regression)


def test_settings_that_are_gone_for_a_moment_do_not_swallow_it(make_sync_world: MakeSyncWorld) -> None:
    """The event has waited for Jira before, so the row no longer says that the regression was the last thing."""
    regression = Regression(make_sync_world)
    world = regression.world
    regression.see_error()
    regression.ask()
    world.jira.faults.add("POST", r"/issue$", status=429, headers={"Retry-After": "60"})
    for body in regression.fetch():
        assert world.deliver(world.event(body)) != []
    world.clock.advance(900)
    world.remove(ParameterNames(PREFIX).integration(world.settings))
    world.new_process()
    regression.serve()
    assert world.reports[-1].decision is Decision.NO_INTEGRATION
    trouble_is_mended(regression)


@flavours
def test_a_ticket_that_is_unlinked_while_the_new_one_is_in_doubt_leaves_no_second_one(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    regression = Regression(make_sync_world, flavour)
    world = regression.world
    regression.see_error()
    regression.ask()
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    for body in regression.fetch():
        assert world.deliver(world.event(body)) != []
    world.clock.advance(100)
    assert world.links.unlink(world.key, regression.old.id, Record(world.clock(), Decision.UNLINKED))
    regression.serve()
    row = world.row_of()
    assert row.issue is not None
    assert (row.issue.id, row.generation) == (regression.new.id, 2)


# What Jira refuses


def require_team(regression: Regression) -> None:
    field = custom_field("customfield_4711", "Team", "select", options=("A", "B"), required=True)
    regression.world.jira.add_field(field)


@flavours
def test_a_required_field_that_nobody_fills_is_told_on_the_old_ticket_once(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    regression = Regression(make_sync_world, flavour)
    require_team(regression)
    world = regression.world
    regression.see_error()
    regression.go()
    assert list(world.jira.issues.values()) == [regression.old]
    (comment,) = regression.said(regression.old)
    assert "was seen again, but no new ticket could be created" in comment
    assert ".." not in comment
    assert "Team is required" in comment.replace("\\", "")
    row = world.row_of()
    assert row.issue is not None
    assert row.record is not None
    assert (row.issue.id, row.state, row.record.decision) == (
        regression.old.id,
        LinkState.COMPLETE,
        Decision.REFUSED,
    )
    assert "customfield_4711" in row.record.fields
    assert (world.status(regression.old), world.of().state) == ("Done", "open")
    for _ in range(3):
        world.clock.advance(world.timing.parked + 1)
        regression.replay()
        regression.serve()
        world.poll()
    assert len(regression.said(regression.old)) == 1
    world.clock.advance(world.timing.parked + 1)
    world.configure(custom_fields={"Team": "A"})
    world.new_process()
    regression.replay()
    regression.serve()
    regression.assert_followed()


def test_other_events_of_a_group_whose_new_ticket_was_refused_are_no_dead_letters(
    make_sync_world: MakeSyncWorld,
) -> None:
    regression = Regression(make_sync_world)
    require_team(regression)
    regression.see_error()
    regression.go()
    regression.world.clock.advance(600)
    asked = regression.world.jira.count("POST", "/issue$")
    for _ in range(20):
        assert regression.world.deliver(regression.world.event(sample_body())) == []
    assert len(regression.world.dead_letters()) == 1
    assert regression.world.jira.count("POST", "/issue$") == asked


def test_a_person_may_go_on_with_the_old_ticket_instead(make_sync_world: MakeSyncWorld) -> None:
    regression = Regression(make_sync_world)
    require_team(regression)
    world = regression.world
    regression.see_error()
    regression.go()
    world.jira.transition(regression.old.key, "In Progress")
    world.settle()
    assert world.of().state == "in-progress"
    assert world.row_of().follow_up is None
    world.configure(custom_fields={"Team": "A"})
    world.new_process()
    regression.replay()
    regression.serve()
    assert len(world.jira.issues) == 1
    world.jira.transition(regression.old.key, "Done")
    world.settle()
    assert world.of().state == "resolved"


def test_a_link_that_jira_refuses_is_told_on_the_old_ticket_once(make_sync_world: MakeSyncWorld) -> None:
    regression = Regression(make_sync_world)
    fixes = regression.world.settings.fix_versions.model_copy(update={"link_type": "Follows"})
    regression.world.configure(fix_versions=fixes)
    regression.world.new_process()
    regression.see_error()
    regression.ask()
    regression.world.backtrace.faults.add("POST", "/api/query", times=2, status=500)
    regression.serve()
    regression.world.settle()
    (comment,) = regression.said(regression.old)
    assert f"{regression.new.key} follows this ticket" in comment.replace("\\", "")


# What nobody may forge


@pytest.mark.parametrize("generation", [1, 2, 3])
def test_a_mark_that_the_row_does_not_confirm_opens_no_way_past_a_filter(
    make_sync_world: MakeSyncWorld, generation: int
) -> None:
    regression = Regression(make_sync_world)
    world = regression.world
    world.configure(actions=(Action.model_validate({"action": "filter"}),))
    world.new_process()
    mark = {"integration": world.settings.id, "issue_id": regression.old.id, "generation": generation}
    for fingerprint in (group().fingerprint, "e" * 64):
        body = sample_body() | {"fingerprint": fingerprint, "follow_up": mark}
        assert world.deliver(world.event(body)) == []
    assert list(world.jira.issues.values()) == [regression.old]
    row = world.row_of()
    assert row.issue is not None
    assert (row.issue.id, row.generation) == (regression.old.id, 1)


@pytest.mark.parametrize("mark", [{"integration": 7}, [], "x", {"integration": "u/p/other"}])
def test_a_mark_that_is_none_costs_no_ticket(make_sync_world: MakeSyncWorld, mark: Any) -> None:
    world = make_sync_world()
    assert world.deliver(world.event(sample_body() | {"follow_up": mark})) == []
    assert len(world.jira.issues) == 1
