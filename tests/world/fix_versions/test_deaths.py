"""Every path of Fix Versions and regressions, cut off at every call that may change something: no difference.

Nothing leaves a dead process. What is compared is the whole world afterwards: tickets, groups, links, what the table
knows of versions, and the queues. The process that goes on after a death may die, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest

from backtrace_jira.links.link import Link
from local.jira_stand_in.model import Version
from tests.builders import group, sample_body
from tests.world.checkpoint import checkpoint
from tests.world.fix_versions.test_fix_versions import OWN, close, fix_in, invariants, only_issue, world_with
from tests.world.histories import every_death
from tests.world.sync_world import EVENTS, PERIOD, PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import Cut

MOST = 120
"""More calls than any path makes."""
MOMENTS = frozenset(("at", "told", "problems", "answered", "updated", "record", "owner", "lease_until"))
"""When ticket and link were last changed or compared, and what was said then."""

Edit = Callable[[SyncWorld], None]


@dataclass(frozen=True)
class Path:
    """What happens to a world in which a ticket and its group are in step, and how functions learn of it."""

    edit: Edit
    fix: str | None = "2.4"
    """The ticket is done and has this Fix Version; None is a ticket that is not done."""
    fixes: dict[str, Any] = field(default_factory=dict)
    webhooks: bool = True
    events: int = 0
    """So many error events tell of it."""


def version(world: SyncWorld) -> Version:
    return world.jira.project().versions[0]


def change(**changes: Any) -> Edit:
    return lambda world: world.jira.change_version(version(world), **changes)


def merge(world: SyncWorld) -> None:
    world.jira.merge_version(version(world), world.jira.add_version("2.6"))


def move(world: SyncWorld) -> None:
    world.jira.add_version("2.4", "OPS")
    world.jira.move_issue(only_issue(world).key, "OPS")


def see(world: SyncWorld) -> None:
    """Let an error past the boundary come in, for which Backtrace reopens the group."""
    world.backtrace.receive(PROJECT, group().fingerprint, version="2.5", hostname="h")


def see_unnoticed(world: SyncWorld) -> None:
    """The same, but Backtrace does not reopen the group: only the event tells."""
    kept = world.of().invariants
    world.of().invariants = []
    see(world)
    world.of().invariants = kept


def set_own(world: SyncWorld) -> None:
    """Set a person's own criterion, and raise the boundary."""
    world.backtrace.seed(PROJECT, group().fingerprint, invariants=[OWN, *invariants(world)])
    raise_boundary(world)


def set_boundary(world: SyncWorld) -> None:
    close(world, "2.4")


def raise_boundary(world: SyncWorld) -> None:
    fix_in(world, version(world), world.jira.add_version("2.5"))


def reopen(world: SyncWorld) -> None:
    world.jira.transition(only_issue(world).key, "To Do")


WHEN_RELEASED = {"when": "released"}
EDITS: dict[str, Path] = {
    "set": Path(set_boundary, fix=None),
    "raised": Path(set_own),
    "removed": Path(fix_in),
    "reopened": Path(reopen),
    "renamed": Path(change(name="2.5")),
    "not readable": Path(change(name="Someday")),
    "released": Path(change(released=True), fixes=WHEN_RELEASED),
    "archived": Path(change(archived=True)),
    "merged": Path(merge),
    "deleted": Path(lambda world: world.jira.delete_version(version(world))),
    "moved": Path(move),
    "ticket deleted": Path(lambda world: world.jira.delete_issue(only_issue(world).key)),
}
BY_POLL = {f"{name}, by poll": replace(path, webhooks=False) for name, path in EDITS.items()}
REGRESSIONS = {
    f"{action}, told by {told}": Path(
        see if told == "backtrace" else see_unnoticed,
        fixes={"on_regression": action},
        events=told == "event",
    )
    for action in ("reopen", "comment", "leave")
    for told in ("backtrace", "event")
}
PATHS = {**EDITS, **BY_POLL, **REGRESSIONS}
PATHS.pop("ticket deleted, by poll")  # a ticket that is only not shown is not deleted
QUICK = ("set", "raised", "renamed, by poll", "ticket deleted", "reopen, told by event")


class Deaths:
    """A world at the beginning of a path, to which it comes back for each death."""

    def __init__(self, make: MakeSyncWorld, path: Path) -> None:
        self.path = path
        self.world = world = world_with(make, fixes=path.fixes)
        world.jira.add_project("OPS", "Operations")
        world.hook.events = (
            *EVENTS,
            *(f"jira:version_{what}" for what in ("released", "updated", "deleted")),
        )
        world.backtrace.receive(PROJECT, group().fingerprint, version="2.3", hostname="h")
        world.clock.advance(60)
        if path.fix:
            close(world, path.fix)
        for _ in range(3):
            world.settle()
        world.clock.advance(3600)
        self.begin_again = checkpoint(world)
        self.events: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Let the path's edit happen again, and nobody know of it yet."""
        self.begin_again()
        self.path.edit(self.world)
        if not self.path.webhooks:
            self.world.jira.webhooks.outbox.clear()
        body = sample_body() | {"attributes": {"version": [["2.3", 1], ["2.5", 1]]}}
        self.events = [body] * self.path.events
        self.world.clock.advance(5)

    def work(self) -> None:
        """Let every function run once."""
        world = self.world
        while self.events:
            assert world.deliver(world.event(self.events[0])) == []
            self.events.pop()
        world.deliver_webhooks()
        while world.apply_batch():
            pass
        world.clock.advance(PERIOD)
        world.polling(deadline=world.clock() + 300)

    def die(self, at: int) -> bool:
        """Let the functions run, and die at a call that may change something; return whether it came to that."""
        world = self.world
        world.wire.calls.clear()
        world.wire.cut_at = at
        is_dead = False
        try:
            self.work()
        except Cut:
            is_dead = True
        world.wire.cut_at = None
        world.new_process()
        world.clock.advance(80)
        world.release_messages()
        return is_dead

    def end(self) -> dict[str, Any]:
        """Let the functions run until nothing is left to do; return the world as it is then."""
        self.work()
        self.world.drain()
        self.world.poll()
        return seen(self.world)


def seen(world: SyncWorld) -> dict[str, Any]:
    """Return all that a path may have changed, without moments."""
    row = world.row_of()
    return {
        "tickets": [
            (
                issue.key,
                issue.deleted,
                _without_moments(issue.fields),
                issue.issue_links,
                [str(comment["body"]) for comment in issue.comments],
            )
            for issue in world.jira.state.issues.values()
        ],
        "groups": [
            (row.state, row.invariants, row.ticket, row.invariant_reopen_count)
            for row in world.backtrace.projects[PROJECT].values()
        ],
        "link": _without_moments(asdict(row))
        | {"synced": row.synced and _without_moments(asdict(row.synced))},
        "versions": _indexed(world, row),
        "waiting": (world.changes_waiting(), world.letters()),
    }


def _indexed(world: SyncWorld, row: Link) -> list[str]:
    """Return which of the ticket's versions the table knows. One that it does not have any more costs a look."""
    known = world.links.tickets_with_version("main")
    return sorted(str(each) for each in known if row.synced and each.version_id in row.synced.fix_versions)


def _without_moments(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in MOMENTS}


def numbers(deaths: Deaths, *before: int) -> Iterator[int]:
    """Give the number of each call at which a process dies, after those of the processes before it."""
    for at in range(MOST):
        deaths.begin()
        if not all(map(deaths.die, before)):
            return
        if not deaths.die(at):
            assert at > 1, "nothing was cut off"
            return
        yield at
    raise AssertionError("never came to the end")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in PATHS]
)
def test_a_process_that_dies_anywhere_makes_no_difference(make_sync_world: MakeSyncWorld, name: str) -> None:
    deaths = Deaths(make_sync_world, PATHS[name])
    deaths.begin()
    whole = deaths.end()
    for at in numbers(deaths):
        assert deaths.end() == whole, at


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else every_death) for name in PATHS]
)
def test_two_deaths_in_a_row_make_no_difference(make_sync_world: MakeSyncWorld, name: str) -> None:
    deaths = Deaths(make_sync_world, PATHS[name])
    deaths.begin()
    whole = deaths.end()
    for first in range(MOST):
        deaths.begin()
        if not deaths.die(first):
            return
        for second in numbers(deaths, first):
            assert deaths.end() == whole, (first, second)
