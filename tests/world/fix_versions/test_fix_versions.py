"""Fix Versions of a linked ticket become Resolved Until in Backtrace, and every change of them is followed."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from backtrace_jira.fix_versions.line import line_pattern
from backtrace_jira.outcomes import Decision
from backtrace_jira.settings.parameter_names import ParameterNames
from local.jira_stand_in.model import Issue, Version
from tests.builders import group
from tests.world.checkpoint import checkpoint
from tests.world.sync_world import EVENTS, PERIOD, PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import PREFIX, Cut

FIXES = {"enabled": True}
ONE_WAY = {"backtrace_to_jira": False, "jira_to_backtrace": False}
OWN = {"type": "timestamp_gt", "timestamp": 1_704_067_200}
"""A reopen criterion that a person set in Backtrace."""


def later(version: str, kind: str = "version_gt", field: str = "version") -> dict[str, str]:
    """Return a criterion as Backtrace is told it: with three numbers."""
    return {"type": kind, "field": field, "version": version + ".0" * (2 - version.count("."))}


def within(line: tuple[int, int], version: str) -> dict[str, Any]:
    """Return a criterion that holds within one line of releases."""
    kind = {"type": "regular_expression", "field": "version", "pattern": line_pattern(line)}
    return {"type": "and", "children": [kind, later(version)]}


def world_with(
    make: MakeSyncWorld, flavour: str = "cloud", fixes: dict[str, Any] | None = None, **settings: Any
) -> SyncWorld:
    world = make(flavour, fix_versions={**FIXES, **(fixes or {})}, **settings)
    world.ticket()
    return world


def only_issue(world: SyncWorld) -> Issue:
    (issue,) = world.jira.issues.values()
    return issue


def fix_in(world: SyncWorld, *versions: Version) -> None:
    issue = only_issue(world)
    world.jira.edit_issue(issue.key, fixVersions=[{"id": version.id} for version in versions])


def close(world: SyncWorld, *names: str, **settings: Any) -> list[Version]:
    """Close the ticket with new versions of these names."""
    versions = [world.jira.add_version(name, **settings) for name in names]
    fix_in(world, *versions)
    world.jira.transition(only_issue(world).key, "Done")
    return versions


def invariants(world: SyncWorld) -> list[dict[str, Any]]:
    return world.of().invariants


flavours = pytest.mark.parametrize("flavour", ["cloud", "data-center"])


# On resolve


@flavours
@pytest.mark.parametrize("told_by", ["webhook", "schedule"])
def test_a_ticket_done_with_a_fix_version_resolves_its_group_until_a_later_one(
    make_sync_world: MakeSyncWorld, flavour: str, told_by: str
) -> None:
    world = world_with(make_sync_world, flavour)
    close(world, "2.4")
    if told_by == "webhook":
        world.deliver_webhooks()
        world.drain()
    else:
        world.jira.webhooks.outbox.clear()
        world.poll()
    assert world.of().state == "resolved"
    assert invariants(world) == [later("2.4")]


def test_it_needs_no_synchronisation_of_states(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world, sync=ONE_WAY)
    close(world, "2.4")
    world.settle()
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4")])
    world.jira.transition(only_issue(world).key, "To Do")
    world.settle()
    assert (world.of().state, invariants(world)) == ("open", [])


def test_nothing_of_it_happens_unless_it_is_enabled(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world, fixes={"enabled": False})
    close(world, "2.4")
    world.settle()
    assert (world.of().state, invariants(world)) == ("resolved", [])
    assert world.jira.count("GET", "/version") == 0


def test_one_write_and_no_repetition(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "2.4")
    world.forget_calls()
    world.settle()
    assert world.calls["backtrace writes"] == 1
    world.settle()
    world.poll()
    assert world.calls["backtrace writes"] == 1


@pytest.mark.parametrize(
    ("fixes", "names", "expected"),
    [
        ({"seen_in": "version_ge"}, ["2.4"], [later("2.4", "version_ge")]),
        ({"attribute": "application.version"}, ["2.4"], [later("2.4", field="application.version")]),
        ({}, ["2.4", "2.10", "1.9"], [later("2.10"), within((2, 4), "2.4"), within((1, 9), "1.9")]),
        ({"several": "highest"}, ["2.4", "2.10", "1.9"], [later("2.10")]),
        ({"several": "lowest"}, ["2.4", "2.10", "1.9"], [later("1.9")]),
        ({}, ["Mobile 2.4.1 (hotfix)"], [later("2.4.1")]),
        ({"regex": "([0-9.]+) *$"}, ["Mobile 3 release 2.4.1"], [later("2.4.1")]),
        ({"regex": "[0-9]+\\.[0-9]+"}, ["Mobile 2.4.1 (hotfix)"], [later("2.4")]),
        ({}, ["app@2.4.0-rc.1+build.7"], [later("2.4.0-rc.1")]),
        ({}, ["Next", "2.4"], [later("2.4")]),
        ({}, ["Next"], []),
        ({"regex": "v([0-9.]+)"}, ["2.4"], []),
        ({}, [], []),
    ],
)  # fmt: skip
def test_settings_say_what_the_boundary_is(
    make_sync_world: MakeSyncWorld, fixes: dict[str, Any], names: list[str], expected: list[dict[str, Any]]
) -> None:
    world = world_with(make_sync_world, fixes=fixes)
    close(world, *names)
    world.settle()
    assert invariants(world) == expected
    assert world.of().state == "resolved"


BRANCHES = [
    {"versions": "^Mobile", "attribute": "environment", "values": "^mobile$"},
    {"versions": "^Server", "attribute": "environment", "values": "^server"},
]


def test_each_branch_has_a_rule_of_its_own(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world, fixes={"several": "branches", "branches": BRANCHES})
    close(world, "Mobile 2.4", "Mobile 2.5", "Server 7.1", "Desktop 3.0")
    world.settle()
    kinds = [("^mobile$", "2.5"), ("^server", "7.1")]
    assert invariants(world) == [
        {
            "type": "and",
            "children": [
                {"type": "regular_expression", "field": "environment", "pattern": values},
                later(version),
            ],
        }
        for values, version in kinds
    ]
    assert any("Desktop 3.0: belongs to none" in outcome.detail for outcome in world.told)


def test_what_says_nothing_is_reported_once(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "Next")
    for _ in range(3):
        world.settle()
    world.jira.edit_issue(only_issue(world).key, summary="touched")
    world.settle()
    told = [outcome for outcome in world.told if "Next: cannot be read as a version" in outcome.detail]
    assert [outcome.decision for outcome in told] == [Decision.REFUSED]
    assert world.row_of().synced.unread_versions  # type: ignore[union-attr]


def test_a_persons_own_criteria_stay(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    same = later("2.4")
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[OWN, same])
    (version,) = close(world, "2.4")
    world.settle()
    assert invariants(world) == [OWN, same, later("2.4")]
    world.jira.change_version(version, name="2.6")
    world.poll()
    assert invariants(world) == [OWN, same, later("2.6")]
    world.jira.transition(only_issue(world).key, "In Progress")
    world.settle()
    assert invariants(world) == [OWN, same]


def test_criteria_that_cannot_be_read_are_not_written_over(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    world.backtrace.seed(PROJECT, group().fingerprint, invariants="soon")
    close(world, "2.4")
    world.settle()
    assert invariants(world) == cast("Any", "soon")
    assert any("reopen criteria cannot be read" in outcome.detail for outcome in world.told)


def test_a_muted_group_stays_muted_without_criteria(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    world.set_state("muted")
    close(world, "2.4")
    world.settle()
    assert (world.of().state, invariants(world)) == ("muted", [])


@flavours
def test_another_field_by_its_name(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    from local.jira_stand_in.fields import custom_field

    world = make_sync_world(flavour, fix_versions={**FIXES, "field": "Fixed in"})
    world.jira.add_field(custom_field("customfield_10200", "Fixed in"))
    world.ticket()
    issue = only_issue(world)
    world.jira.edit_issue(issue.key, customfield_10200="2.4, 2.4.5")
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert invariants(world) == [later("2.4.5")]
    world.jira.edit_issue(issue.key, customfield_10200="2.6")
    world.poll()
    assert invariants(world) == [later("2.6")]


def test_a_field_that_does_not_exist_is_said_and_changes_nothing(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    close(world, "2.4")
    world.settle()
    world.configure(fix_versions=world.settings.fix_versions.model_copy(update={"field": "Nowhere"}))
    world.new_process()
    world.jira.edit_issue(only_issue(world).key, summary="touched")
    world.poll()
    assert invariants(world) == [later("2.4")]
    assert any("Jira shows no field Nowhere" in outcome.detail for outcome in world.told)


@flavours
def test_a_field_that_jira_stops_showing_takes_nothing_back(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    world = world_with(make_sync_world, flavour)
    close(world, "2.4")
    world.settle()
    world.jira.hide_field("fixVersions")
    world.jira.edit_issue(only_issue(world).key, summary="touched")
    for _ in range(3):
        world.settle()
        world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4")])
    said = [outcome for outcome in world.told if "Jira shows no field fixVersions" in outcome.detail]
    assert len(said) == 1
    world.jira.change_field("fixVersions", hidden=False, on_screen=True)
    fix_in(world, world.jira.add_version("2.5"))
    world.settle()
    assert invariants(world) == [later("2.5")]


@pytest.mark.parametrize("resolution", ["Won't Do", "Duplicate"])
def test_a_ticket_that_was_not_fixed_has_no_boundary(make_sync_world: MakeSyncWorld, resolution: str) -> None:
    world = world_with(make_sync_world)
    done = next(step for step in world.jira.project().workflow.transitions if step.name == "Done")
    done.sets_resolution = resolution
    close(world, "2.4")
    world.settle()
    assert (world.of().state, invariants(world)) == ("resolved", [])


def test_all_groups_of_a_ticket_have_the_boundary(make_sync_world: MakeSyncWorld) -> None:
    world = world_with(make_sync_world)
    other = "b" * 64
    world.link(other, only_issue(world))
    close(world, "2.4")
    world.settle()
    assert [world.of(each).invariants for each in (None, other)] == [[later("2.4")]] * 2


# The nine ways a version or ticket can change


def resolved(make: MakeSyncWorld, flavour: str, **fixes: Any) -> tuple[SyncWorld, Version]:
    world = world_with(make, flavour, fixes=fixes)
    (version,) = close(world, "2.4", released=fixes.get("when") != "released")
    world.settle()
    world.poll()
    world.poll()
    world.told.clear()
    world.forget_calls()
    return world, version


@flavours
def test_released(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour, when="released")
    assert (world.of().state, invariants(world)) == ("resolved", [])
    world.jira.change_version(version, released=True)
    world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4")])


@flavours
def test_unreleased(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour, when="released")
    world.jira.change_version(version, released=True)
    world.poll()
    world.jira.change_version(version, released=False)
    world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [])


@flavours
def test_release_does_not_matter_when_resolved_does(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.change_version(version, released=False)
    world.poll()
    assert invariants(world) == [later("2.4")]


@flavours
def test_renamed(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.change_version(version, name="2.4.1")
    world.poll()
    assert invariants(world) == [later("2.4.1")]


@flavours
def test_renamed_to_what_cannot_be_read(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.change_version(version, name="Someday")
    world.poll()
    assert invariants(world) == []
    assert any("Someday: cannot be read" in outcome.detail for outcome in world.told)


@flavours
def test_archived(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.change_version(version, archived=True)
    world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4")])


@flavours
def test_deleted(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.delete_version(version)
    world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [])


@flavours
def test_deleted_and_swapped(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.delete_version(version, world.jira.add_version("3.0"))
    world.poll()
    assert invariants(world) == [later("3.0")]


@flavours
def test_merged(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    into = world.jira.add_version("2.5")
    world.jira.merge_version(version, into)
    world.poll()
    assert invariants(world) == [later("2.5")]
    world.jira.change_version(into, name="2.6")
    world.poll()
    assert invariants(world) == [later("2.6")]


@flavours
def test_added_to_the_ticket(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    fix_in(world, version, world.jira.add_version("2.4.5"))
    world.settle()
    assert invariants(world) == [later("2.4.5")]


@flavours
def test_removed_from_the_ticket(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, _ = resolved(make_sync_world, flavour)
    fix_in(world)
    world.settle()
    assert (world.of().state, invariants(world)) == ("resolved", [])


@flavours
def test_the_ticket_reopened(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    world.jira.transition(only_issue(world).key, "In Progress")
    world.settle()
    assert (world.of().state, invariants(world)) == ("in-progress", [])
    world.forget_calls()
    world.jira.change_version(version, name="9.9")
    world.poll()
    assert (world.of().state, invariants(world)) == ("in-progress", [])
    assert world.calls["jira reads"] == 0  # nobody waits for that version any more


# Webhooks of versions


@flavours
@pytest.mark.parametrize("change", ["renamed", "released", "deleted", "merged"])
def test_a_webhook_of_a_version_makes_us_look_earlier(
    make_sync_world: MakeSyncWorld, flavour: str, change: str
) -> None:
    events = tuple(
        f"jira:version_{name}" for name in ("released", "unreleased", "updated", "deleted", "merged")
    )
    world, version = resolved(make_sync_world, flavour)
    other = world.jira.add_version("2.9")
    world.hook.events = (*EVENTS, *events)
    if change == "renamed":
        world.jira.change_version(version, name="2.5")
    elif change == "released":
        world.jira.change_version(version, released=False)
    elif change == "deleted":
        world.jira.delete_version(version)
    else:
        world.jira.merge_version(version, other)
    assert world.jira.webhooks.outbox
    assert set(world.deliver_webhooks()) == {200}
    world.drain()
    expected = {
        "renamed": [later("2.5")],
        "released": [later("2.4")],
        "deleted": [],
        "merged": [later("2.9")],
    }
    assert invariants(world) == expected[change]


def test_a_webhook_is_none_of_a_project_that_jira_does_not_show(make_sync_world: MakeSyncWorld) -> None:
    world, version = resolved(make_sync_world, "cloud")
    world.add_integration(name="aaa", project_key="AAA", fix_versions=FIXES)
    world.new_process()
    world.hook.events = (*EVENTS, "jira:version_updated")
    world.jira.change_version(version, name="2.5")
    assert set(world.deliver_webhooks()) == {200}
    world.drain()
    assert (invariants(world), world.letters()) == ([later("2.5")], [])


def test_a_webhook_of_a_project_that_nobody_follows_costs_jira_nothing(
    make_sync_world: MakeSyncWorld,
) -> None:
    world, _ = resolved(make_sync_world, "cloud")
    world.jira.add_project("OPS", "Operations")
    world.hook.events = ("jira:version_created",)
    world.jira.add_version("1.0", project="OPS")
    world.forget_calls()
    world.deliver_webhooks()
    world.drain()
    assert world.calls["jira"] == 0


# The poll


def test_a_quiet_poll_asks_jira_three_times(make_sync_world: MakeSyncWorld) -> None:
    world, _ = resolved(make_sync_world, "cloud")
    world.clock.advance(PERIOD)
    world.wire.calls.clear()
    world.forget_calls()
    world.polling_jira(deadline=world.clock() + 300)
    assert world.calls["jira"] == 3  # versions, changed tickets, and the links of the round
    assert (world.calls["backtrace"], world.calls["backtrace writes"]) == (1, 0)


@pytest.mark.parametrize("change", ["renamed", "released"])
def test_a_poll_that_dies_anywhere_is_repeated_without_harm(
    make_sync_world: MakeSyncWorld, change: str
) -> None:
    when = "released" if change == "released" else "resolved"
    world, version = resolved(make_sync_world, "cloud", when=when)
    begin_again = checkpoint(world)
    for cut in range(60):
        begin_again()
        version = world.jira.state.projects["BUG"].versions[-1]
        world.backtrace.seed(PROJECT, group().fingerprint, invariants=[OWN, *invariants(world)])
        world.jira.change_version(version, **({"name": "2.5"} if change == "renamed" else {"released": True}))
        world.clock.advance(PERIOD)
        world.wire.calls.clear()
        world.wire.cut_at = cut
        try:
            world.polling_jira(deadline=world.clock() + 300)
        except Cut:
            done = False
        else:
            done = True
        world.wire.cut_at = None
        world.new_process()
        world.clock.advance(80)
        world.poll()
        world.poll()
        assert invariants(world) == [OWN, later("2.5" if change == "renamed" else "2.4")], cut
        assert world.backtrace.count("/api/issue") <= 2
        if done:
            assert cut > 5
            return
    raise AssertionError("never came to the end")


def test_a_change_between_reading_a_ticket_and_recording_it_is_found(make_sync_world: MakeSyncWorld) -> None:
    """The version is renamed, and a poll runs, while another process has read the ticket and not yet recorded it."""
    world = world_with(make_sync_world)
    (version,) = close(world, "2.4")
    world.poll()
    assert invariants(world) == [later("2.4")]
    issue = only_issue(world)
    stale = world.links.tickets_with_version("main", version.id)
    world.jira.change_version(version, name="2.5")
    world.poll()
    assert invariants(world) == [later("2.5")]
    # ... and now the other records what it had read
    row = world.row_of()
    assert row.issue
    assert row.synced
    from dataclasses import replace

    old = replace(
        row.synced,
        reopen_criteria=(json.dumps(later("2.4"), sort_keys=True, separators=(",", ":")),),
        fix_versions={version.id: stale[0].facts},
    )
    world.links.record_synced(row.key, row.issue, row.issue, old)
    world.links.record_versions("main", issue.id, {version.id: stale[0].facts}, {})
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[later("2.4")])
    world.poll()
    assert invariants(world) == [later("2.5")]


def test_two_polls_at_once_do_no_harm(make_sync_world: MakeSyncWorld) -> None:
    world, version = resolved(make_sync_world, "cloud")
    begin_again = checkpoint(world)
    for cut in range(40):
        begin_again()
        version = world.jira.state.projects["BUG"].versions[-1]
        world.jira.change_version(version, name="2.5")
        world.clock.advance(PERIOD)
        world.wire.calls.clear()
        other = world.polling_jira
        world.new_process()
        ran: list[bool] = []

        def meanwhile(other: Any = other, world: SyncWorld = world, ran: list[bool] = ran) -> None:
            ran.append(True)
            other(deadline=world.clock() + 300)

        world.wire.interrupt_at, world.wire.interrupt = cut, meanwhile
        world.polling_jira(deadline=world.clock() + 300)
        world.wire.interrupt_at = None
        world.drain()
        world.poll()
        assert invariants(world) == [later("2.5")], cut
        if not ran:
            assert cut > 5
            return
    raise AssertionError("never came to the end")


@flavours
def test_a_version_list_over_several_pages(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, version = resolved(make_sync_world, flavour)
    for number in range(120):
        world.jira.add_version(f"0.{number}")
    world.jira.state.versions_page = 25
    world.poll()
    world.jira.change_version(version, name="2.5")
    world.forget_calls()
    world.poll()
    assert world.jira.count("GET", "/version$") == 5
    assert invariants(world) == [later("2.5")]
    last = world.jira.project().versions[-1]
    fix_in(world, last)
    world.settle()
    world.jira.change_version(last, name="7.0")
    world.poll()
    assert invariants(world) == [later("7.0")]


def test_a_project_that_was_deleted_leaves_everything_and_is_said(make_sync_world: MakeSyncWorld) -> None:
    world, _ = resolved(make_sync_world, "cloud")
    world.jira.delete_project("BUG")
    world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [later("2.4")])
    assert any(
        outcome.decision is Decision.REFUSED and "versions of main/BUG" in outcome.detail
        for outcome in world.told
    )


@pytest.mark.parametrize("path", ["/version$", "/issue/[0-9]+$", "/search"])
def test_a_429_in_the_middle_leaves_no_gap(make_sync_world: MakeSyncWorld, path: str) -> None:
    world, version = resolved(make_sync_world, "cloud")
    world.jira.change_version(version, name="2.5")
    world.jira.faults.rate_limited(30, path=path)
    world.poll()
    world.poll()
    assert invariants(world) == [later("2.5")]


def test_a_backtrace_that_is_away_leaves_no_gap(make_sync_world: MakeSyncWorld) -> None:
    world, version = resolved(make_sync_world, "cloud")
    world.jira.change_version(version, name="2.5")
    world.backtrace.faults.add("POST", "/api/", 3, status=503)
    world.poll()
    world.poll()
    assert invariants(world) == [later("2.5")]


def test_a_deleted_ticket_takes_its_boundary_along(make_sync_world: MakeSyncWorld) -> None:
    """Nobody would ever take it back, and it would reopen the group under the next ticket's, too."""
    world, _ = resolved(make_sync_world, "cloud")
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[OWN, *invariants(world)])
    world.jira.delete_issue(only_issue(world).key)
    world.settle()
    assert invariants(world) == [OWN]


def test_a_group_that_was_unlinked_in_backtrace_is_left_alone(make_sync_world: MakeSyncWorld) -> None:
    world, version = resolved(make_sync_world, "cloud")
    world.backtrace.seed(PROJECT, group().fingerprint, ticket=[{"watcher": "_backtrace"}])
    world.jira.change_version(version, name="2.5")
    world.poll()
    assert invariants(world) == [later("2.4")]
    assert any("was unlinked in Backtrace" in outcome.detail for outcome in world.told)


def test_two_integrations_keep_their_own_boundaries_of_a_group(make_sync_world: MakeSyncWorld) -> None:
    world = make_sync_world(fix_versions=FIXES)
    other = world.settings.model_copy(update={"name": "second", "project_key": "OPS"})
    world.jira.add_project("OPS", "Operations")
    world.put(ParameterNames(PREFIX).integration(other), other.model_dump_json())
    world.new_process()
    assert world.deliver(world.event()) == []
    bug, ops = world.jira.issues["BUG-1"], world.jira.issues["OPS-1"]
    version = {key: world.jira.add_version("2.4", project=key) for key in ("BUG", "OPS")}
    for issue in (bug, ops):
        world.clock.advance(60)
        world.jira.edit_issue(issue.key, fixVersions=[{"id": version[issue.project.key].id}])
        world.jira.transition(issue.key, "Done")
        world.settle()
    assert invariants(world) == [later("2.4"), later("2.4")]
    world.jira.change_version(version["OPS"], name="2.6")
    world.poll()
    assert invariants(world) == [later("2.4"), later("2.6")]


def test_a_ticket_that_is_linked_no_longer_is_forgotten(make_sync_world: MakeSyncWorld) -> None:
    world, version = resolved(make_sync_world, "cloud")
    world.jira.delete_issue(only_issue(world).key)
    world.settle()
    world.jira.change_version(version, name="2.5")
    world.poll()
    assert world.links.tickets_with_version("main") == []


@flavours
def test_what_an_integration_has_left_that_was_switched_off_is_removed_by_the_round(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    world = world_with(make_sync_world, flavour, sync=ONE_WAY)
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[OWN])
    close(world, "2.4")
    world.settle()
    assert invariants(world) == [OWN, later("2.4.0")]
    world.configure(fix_versions=world.settings.fix_versions.model_copy(update={"enabled": False}))
    world.new_process()
    world.poll()
    assert (world.of().state, invariants(world)) == ("resolved", [OWN])
    assert not world.row_of().has_criteria
    world.forget_calls()
    world.poll()
    assert (world.calls["jira"], world.calls["backtrace"]) == (0, 0)


# What people see


@flavours
@pytest.mark.parametrize(
    ("names", "standing"), [([], "no_versions"), (["Next"], "unread"), (["2.4"], "resolved_until")]
)
def test_a_ticket_closed_before_it_was_enabled_is_found_by_the_round(
    make_sync_world: MakeSyncWorld, flavour: str, names: list[str], standing: str
) -> None:
    world = world_with(make_sync_world, flavour, fixes={"enabled": False})
    close(world, *names)
    world.settle()
    assert seen(world) is None
    world.configure(fix_versions=world.settings.fix_versions.model_copy(update={"enabled": True}))
    world.new_process()
    world.poll()
    world.drain()
    assert seen(world) == (standing, names)
    world.forget_calls()
    world.poll()
    assert (world.calls["jira reads"], world.calls["backtrace writes"]) == (0, 0)  # in step, and looked at


def seen(world: SyncWorld) -> tuple[str, list[str]] | None:
    synced = world.row_of().synced
    found = synced.versions_seen if synced else None
    return (str(found.standing), [each.name for each in found.versions]) if found else None
