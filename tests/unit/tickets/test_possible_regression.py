"""An error event of a group whose ticket is done may tell of a regression; where it does not, it costs nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.errors import Unreachable
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Sighting
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.synchronisation.jira_change import REGRESSION
from tests.builders import group, integration
from tests.fakes.queues import FakeChangeHints
from tests.unit.tickets.test_create_ticket import World

AT = 1_502_953_926.0
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


def seen(world: World, *versions: str | tuple[str, int], at: float = AT) -> Outcome:
    """Let an event come in with these versions, once each if no count is given; the last error was seen at `at`."""
    pairs = [list(each) if isinstance(each, tuple) else [each, 1] for each in versions]
    return world.deliver(attributes={**group().attributes, "version": pairs}, timestamp=[AT, at])


def answer(world: World, hints: FakeChangeHints) -> None:
    """Let a turn deal with the last hint, and record that."""
    for key, row in world.links.rows.items():
        assert row.synced
        synced = replace(row.synced, answered=hints.sent[-1].sighting)
        world.links.rows[key] = replace(row, synced=synced)
    hints.occasions.clear()  # minutes later


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


def test_doubt_about_an_errors_version_lets_it_be_looked_at_until_it_was_said() -> None:
    world, hints = linked(UNTIL_2_4)
    seen(world, "2.4-iOS")
    assert len(hints.sent) == 1
    answer(world, hints)
    for count in range(2, 9):
        seen(world, ("2.4-iOS", count), "2.3-iOS")
    assert len(hints.sent) == 1
    for key, row in world.links.rows.items():
        assert row.synced
        synced = replace(row.synced, doubted=("version > 2.4.0",), answered="")
        world.links.rows[key] = replace(row, synced=synced)
    seen(world, "2.4-tvOS", at=AT + 86_400)
    assert len(hints.sent) == 1
    seen(world, "2.4-tvOS", "2.5", at=AT + 86_400)
    assert len(hints.sent) == 2


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


@pytest.mark.parametrize(
    ("versions", "later", "told"),
    [
        (["2.3", "9.0"], 0, False),
        ([("2.3", 7), "9.0", "2.4", "nightly"], 60, False),  # errors of versions that are not past
        (["9.0", "2.3"], 0, False),
        ([("9.0", 2)], 0, True),  # an error of the version that was answered for
        (["9.0", "2.5"], 0, True),
        (["2.5"], 0, True),
        (["9.0"], 24 * 3600, True),  # nobody says that the histogram counts all errors
        (["2.3"], 0, False),  # none is past any more
    ],
)
def test_what_was_answered_is_not_asked_again(
    versions: list[str | tuple[str, int]], later: float, told: bool
) -> None:
    world, hints = linked(UNTIL_2_4)
    seen(world, "2.3", "9.0")
    answer(world, hints)
    outcome = seen(world, *versions, at=AT + later)
    assert (len(hints.sent), outcome.decision) == (1 + told, Decision.KNOWN)
    assert bool(outcome.detail) is told


def test_another_boundary_lets_the_same_event_be_asked_about() -> None:
    world, hints = linked(UNTIL_2_4)
    seen(world, "9.0")
    answer(world, hints)
    for key, row in world.links.rows.items():
        assert row.synced
        criteria = (UNTIL_2_4.replace("2.4", "2.5"),)
        world.links.rows[key] = replace(row, synced=replace(row.synced, reopen_criteria=criteria))
    seen(world, "9.0")
    assert len(hints.sent) == 2


def test_what_was_not_answered_is_asked_again() -> None:
    """The hint got lost: SQS had it, and nothing came of it."""
    world, hints = linked(UNTIL_2_4)
    for _ in range(3):
        seen(world, "9.0")
        hints.occasions.clear()
    assert len(hints.sent) == 3


def test_the_hint_names_its_link() -> None:
    world, hints = linked(UNTIL_2_4)
    seen(world, "9.0")
    (hint,) = hints.sent
    assert (hint.integration, hint.fingerprint) == (world.row.integration, world.row.fingerprint)
    assert len(hint.sighting) == 32


def test_an_event_that_does_not_say_when_is_known_again_too() -> None:
    world, hints = linked(UNTIL_2_4)
    histogram = {"version": [["9.0", 1]]}
    world.deliver(attributes=histogram, timestamp=None)
    answer(world, hints)
    world.deliver(attributes=histogram, timestamp=None)
    assert len(hints.sent) == 1


def test_a_hint_that_cannot_be_sent_brings_the_event_back() -> None:
    class Away(FakeChangeHints):
        def send_regression(
            self, connection: str, issue_id: str, sighting: Sighting, *, reason: str, occasion: str
        ) -> None:
            raise Unreachable("SQS down")

    world, _ = linked(UNTIL_2_4)
    world.use_case = world.new_process(Away())
    outcome = seen(world, "2.5")
    assert (outcome.decision, isinstance(outcome.error, Unreachable)) == (Decision.KNOWN, True)
    assert "SQS down" in outcome.detail
