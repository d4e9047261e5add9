"""A world as it is now, to begin from again: for tests that cut a process off at each of its calls.

Making the same history anew for each cut takes longer than what comes after the cut. All that remembers is copied
(the servers' state, table and queues, the clock), and put back into the same servers, whose addresses stay.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from tests.world.world import World

REGION = "eu-central-1"
OF_JIRA = ("lock", "clock", "announce", "users", "site_url")
"""Stay as they are: how the server runs, and who may sign in."""
OF_WEBHOOKS = ("hooks", "outbox", "retries")
OF_BACKTRACE = ("projects", "reports", "attributes", "refusals")
OF_QUEUES = ("_messages", "_pending_messages", "deleted_messages")
OF_WORLD = ("reports", "told", "answers", "event_handles", "_failed", "_in_hand")


def checkpoint(world: World) -> Callable[[], None]:
    """Return what brings the world back to this moment, in a process that starts cold."""
    places = list(_places(world))
    saved = _copied(world, [getattr(owner, name) for owner, name in places])

    counted = len(world.jira.requests), len(world.backtrace.requests)

    def restore() -> None:
        world.assert_valid_requests()
        world.jira.forget_requests_after(counted[0])
        world.backtrace.forget_requests_after(counted[1])
        for (owner, name), value in zip(places, _copied(world, saved), strict=True):
            setattr(owner, name, value)
        world.wire.cut_at = None
        world.wire.calls.clear()
        world.new_process()

    return restore


def _places(world: World) -> Iterator[tuple[Any, str]]:
    """Give each object that remembers, with the attribute in which it does."""
    yield world.clock, "now"
    yield from ((world.jira.state, name) for name in vars(world.jira.state) if name not in OF_JIRA)
    yield from _present(world.jira.webhooks, OF_WEBHOOKS)
    yield from _present(world.backtrace, OF_BACKTRACE)
    yield from ((faults, "_rules") for faults in (world.jira.faults, world.backtrace.faults))
    yield from _present(world, OF_WORLD)
    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        yield table, "items"
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():
        yield from _present(queue, OF_QUEUES)


def _present(owner: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    return ((owner, name) for name in names if hasattr(owner, name))


def _copied(world: World, values: list[Any]) -> list[Any]:
    """Copy all at once: what two places share, they share afterwards. Servers, users and locks are not copied."""
    stay = (world, world.clock, world.jira, world.jira.state, world.jira.state.lock, world.jira.webhooks)
    users = world.jira.state.users
    memo = {id(each): each for each in (*stay, world.backtrace, world.backtrace.lock, users, *users)}
    return copy.deepcopy(values, memo)
