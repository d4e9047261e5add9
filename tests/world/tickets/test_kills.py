"""Real processes of the operating system, most of them killed while they make the same tickets.

Each is a fork of this one, wired but not yet connected to anything. It shares with the others what it would share on
Lambda: the table (DynamoDB Local), Jira and Backtrace. It tells each of its calls, so that it can be killed about then,
however fast the machine is.
"""

from __future__ import annotations

import os
import random
import selectors
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from backtrace_jira.links.link import LinkKey
from backtrace_jira.times import LEASE
from tests.builders import sample_body
from tests.world.world import MakeWorld, SharedSession, World

GROUPS = 3
AT_ONCE = 4
WAVES = 4
"""So many times, so many processes begin at once: sixteen for each group."""
LAST_CALL = 12
"""By then, a process that nobody disturbs has made the first ticket, and may be making the others."""
PATIENCE = 60.0
"""Real seconds without a sign of life of any process."""


@dataclass(frozen=True)
class Victim:
    """A process: where it tells its calls, and after how many of them it is killed."""

    pid: int
    told: int
    dies_after: int


def tell_call(to: int, _: str) -> None:
    os.write(to, b".")


def start(world: World, event: dict[str, Any], gate: tuple[int, int], dies_after: int) -> Victim:
    """Fork a process that serves the batch as soon as the other end of the gate is closed."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        return Victim(pid, told, dies_after)
    try:
        world.wire.before = lambda call: tell_call(tell, call)  # type: ignore[method-assign]
        os.close(gate[1])
        os.read(gate[0], 1)
        world.deliver(event)
    finally:
        os._exit(0)  # the rest of the test is not for this process


def kill_in_time(victims: Sequence[Victim]) -> None:
    """Kill each process about when it makes its last call; return when all are dead or done."""
    calls: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        for victim in victims:
            selector.register(victim.told, selectors.EVENT_READ, victim)
        while selector.get_map():
            ready = selector.select(PATIENCE)
            assert ready, "a process hangs"
            for key, _ in ready:
                victim = key.data
                heard = len(os.read(victim.told, 100))
                calls[victim.pid] += heard
                if heard and calls[victim.pid] < victim.dies_after:
                    continue
                selector.unregister(victim.told)
                if heard:
                    os.kill(victim.pid, signal.SIGKILL)


def run_wave(world: World, event: dict[str, Any], moments: Sequence[int]) -> int:
    """Let processes serve the batch at once, and kill each at its moment; return how many did not end before."""
    SharedSession.clients.clear()  # two processes must not speak through one connection
    world.new_process()
    gate = os.pipe()
    victims = [start(world, event, gate, dies_after) for dies_after in moments]
    for end in gate:
        os.close(end)
    try:
        kill_in_time(victims)
    finally:
        killed = 0
        for victim in victims:
            with suppress(ProcessLookupError):
                os.kill(victim.pid, signal.SIGKILL)  # whatever went wrong in here, none stays
            killed += os.WIFSIGNALED(os.waitpid(victim.pid, 0)[1])
            os.close(victim.told)
    return killed


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_sixteen_processes_for_each_group_most_of_them_killed(make_real_world: MakeWorld, seed: int) -> None:
    world, chance = make_real_world(), random.Random(seed)
    fingerprints = [f"{number:064x}" for number in range(GROUPS)]
    event = world.event(*(sample_body() | {"fingerprint": each} for each in fingerprints))
    killed = 0
    for _ in range(WAVES):
        moments = [chance.randint(2, LAST_CALL) for _ in range(AT_ONCE)]
        killed += run_wave(world, event, moments)
        world.clock.advance(LEASE + 1)
    assert killed > AT_ONCE
    world.new_process()
    for _ in range(20):
        if not world.deliver(event):
            break
        world.clock.advance(30)
    world.assert_one_ticket_each(*(LinkKey(world.settings.id, each) for each in fingerprints))
    assert world.dead_letters() == []
