"""An error event of a group whose ticket is done may tell of a regression; where it does not, it costs nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.errors import Unreachable
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.synchronisation.jira_change import REGRESSION
from tests.builders import group, integration
from tests.fakes.queues import FakeChangeHints
from tests.unit.tickets.test_create_ticket import World

UNTIL_2_4 = '{"field":"version","type":"version_gt","version":"2.4"}'


def linked(*criteria: str, regressed: bool = False, **settings: Any) -> tuple[World, FakeChangeHints]:
    """Return a world whose group has a ticket that waits for these reopen criteria."""
    fixes = {"enabled": True, **settings.pop("fix_versions", {})}
    world = World(integrations=[integration(fix_versions=fixes, **settings)])
    hints = FakeChangeHints()
    world.use_case = world.new_process(hints)
    world.deliver()
    for key, row in world.links.rows.items():
        synced = LastSynced(at=world.clock(), reopen_criteria=criteria, regressed=regressed)
        world.links.rows[key] = replace(row, synced=synced)
    return world, hints


def seen(world: World, *versions: str) -> Outcome:
    attributes = {**group().attributes, "version": [[version, 1] for version in versions]}
    return world.deliver(attributes=attributes)


@pytest.mark.parametrize(
    ("versions", "told"),
    [(("2.5",), True), (("2.3", "2.10"), True), (("2.4",), False), (("x",), False), ((), False)],
)
def test_a_version_past_the_boundary_lets_the_ticket_be_looked_at(
    versions: tuple[str, ...], told: bool
) -> None:
    world, hints = linked(UNTIL_2_4)
    outcome = seen(world, *versions)
    assert outcome.decision is Decision.KNOWN
    assert [(each.connection, each.issue_id, each.event) for each in hints.sent] == (
        [("main", "10001", REGRESSION)] if told else []
    )
    assert ("the synchronisation looks at BUG-1" in outcome.detail) is told


def test_a_storm_of_events_sends_one_hint_for_one_boundary() -> None:
    world, hints = linked(UNTIL_2_4)
    for number in range(50):
        seen(world, "2.5", f"2.6.{number}")
    assert len(hints.sent) == 1


@pytest.mark.parametrize(
    "settings",
    [{"fix_versions": {"enabled": False}}, {"fix_versions": {"on_regression": "leave"}}, {"regressed": True}],
)
def test_settings_and_what_was_told_already_keep_it_quiet(settings: dict[str, Any]) -> None:
    world, hints = linked(UNTIL_2_4, **settings)
    assert seen(world, "2.5").detail == ""
    assert hints.sent == []


def test_without_a_boundary_there_is_nothing_to_tell() -> None:
    world, hints = linked()
    seen(world, "2.5")
    assert hints.sent == []


def test_a_hint_that_cannot_be_sent_brings_the_event_back() -> None:
    class Away(FakeChangeHints):
        def send_regression(self, connection: str, issue_id: str, *, reason: str, occasion: str) -> None:
            raise Unreachable("SQS down")

    world, _ = linked(UNTIL_2_4)
    world.use_case = world.new_process(Away())
    outcome = seen(world, "2.5")
    assert (outcome.decision, isinstance(outcome.error, Unreachable)) == (Decision.KNOWN, True)
    assert "SQS down" in outcome.detail
