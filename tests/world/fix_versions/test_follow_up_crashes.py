"""Let a process die at every change on the way to a ticket that follows another: the world ends as without a death."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from local.jira_stand_in import custom_field
from tests.world.checkpoint import checkpoint
from tests.world.fix_versions.follow_ups import Regression
from tests.world.histories import every_death
from tests.world.sync_world import MakeSyncWorld

Prepare = Callable[[Regression], None]


def nothing(_: Regression) -> None:
    """Let all go well."""


def lose_answer(regression: Regression) -> None:
    """Let Jira make the ticket, and its answer be lost."""
    regression.world.jira.faults.add("POST", r"/issue$", drop_after=True)


def lose_request(regression: Regression) -> None:
    """Let the create never reach Jira."""
    regression.world.jira.faults.add("POST", r"/issue$", drop_before=True)


def refuse(regression: Regression) -> None:
    """Let Jira require what nobody fills."""
    regression.world.jira.add_field(
        custom_field("customfield_4711", "Team", "select", options=("A", "B"), required=True)
    )


ways = pytest.mark.parametrize("prepare", [nothing, lose_answer, lose_request, refuse])


class Deaths:
    """A regression that is begun again and again, from the same moment, with a process that dies elsewhere."""

    def __init__(self, make: MakeSyncWorld, prepare: Prepare) -> None:
        self.regression = Regression(make)
        self.regression.see_error()
        self._prepare = prepare
        self._restore = checkpoint(self.regression.world)
        self.begin_again()
        self.regression.world.wire.calls.clear()
        self.regression.go()
        self.changes = len(self.regression.world.wire.changes)
        self.expected = self.regression.picture()

    def begin_again(self) -> None:
        self._restore()
        self.regression.waiting.clear()
        self.regression.old = next(iter(self.regression.world.jira.issues.values()))
        self._prepare(self.regression)

    def die(self, *cuts: int) -> None:
        """Die at these changes, each time in the process that went on, and let it end."""
        self.begin_again()
        for cut in cuts:
            if self.regression.go_and_die(cut):
                break
            self.regression.revive()
        self.regression.go()
        self.regression.world.clock.advance(600)
        self.regression.go()

    def assert_as_without_deaths(self, *cuts: int) -> None:
        self.die(*cuts)
        assert self.regression.picture() == self.expected, cuts


@ways
def test_a_death_anywhere_ends_in_the_same_world(make_sync_world: MakeSyncWorld, prepare: Prepare) -> None:
    deaths = Deaths(make_sync_world, prepare)
    assert deaths.changes > 12
    if prepare is not refuse:
        deaths.regression.assert_followed()
    for cut in range(deaths.changes):
        deaths.assert_as_without_deaths(cut)


def pairs(changes: int, step: int) -> Iterator[tuple[int, int]]:
    return (
        (first, second) for first in range(0, changes, step) for second in range(first % 3, changes, step + 1)
    )


@ways
def test_two_deaths_in_a_row_end_in_the_same_world(make_sync_world: MakeSyncWorld, prepare: Prepare) -> None:
    deaths = Deaths(make_sync_world, prepare)
    for cuts in pairs(deaths.changes, 7):
        deaths.assert_as_without_deaths(*cuts)


@pytest.mark.long
@every_death
@ways
def test_any_two_deaths_in_a_row_end_in_the_same_world(
    make_sync_world: MakeSyncWorld, prepare: Prepare
) -> None:
    deaths = Deaths(make_sync_world, prepare)
    for first in range(deaths.changes):
        for second in range(deaths.changes):
            deaths.assert_as_without_deaths(first, second)
