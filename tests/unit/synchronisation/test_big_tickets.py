"""A ticket with hundreds of error groups comes to an end: each invocation goes on where the last one stopped."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.errors import Busy
from backtrace_jira.synchronisation.news import Hint
from tests.fakes.jira_issues import DOING, DONE
from tests.unit.synchronisation.deployment import Deployment

GROUPS = [f"{number:064x}" for number in range(400)]
SECONDS_A_CALL = 0.5
AN_INVOCATION = 60.0


class BigTicket(Deployment):
    """Backtrace needs half a second for each call."""

    def __init__(self) -> None:
        super().__init__(fix_versions={"enabled": True})
        self.issue = self.link(GROUPS[0])
        for fingerprint in GROUPS[1:]:
            self.link(fingerprint, self.issue)
        self.clock.advance(3600)
        for method in ("group", "groups", "write"):
            self._slow(method)

    def _slow(self, name: str) -> None:
        method = getattr(self.backtrace, name)

        def call(*args: Any, **named: Any) -> Any:
            self.clock.advance(SECONDS_A_CALL)
            return method(*args, **named)

        setattr(self.backtrace, name, call)

    @property
    def resolved(self) -> int:
        return sum(str(row.state) == "resolved" for row in self.backtrace.rows.values())

    def invoke(self) -> bool:
        """Let one invocation pass; return whether it came to the end."""
        (outcome,) = self.synchronise(self.issue.id, Hint("main"), deadline=self.clock() + AN_INVOCATION)
        assert outcome.error is None or isinstance(outcome.error, Busy)
        self.clock.advance(20)
        return outcome.error is None


def test_all_groups_follow_a_ticket_in_several_invocations() -> None:
    world = BigTicket()
    world.jira.move_to(world.issue.id, DONE)
    done, before = False, 0
    for _ in range(20):
        done = world.invoke()
        assert world.resolved > before or done  # each invocation gets somewhere
        before = world.resolved
        if done:
            break
    assert (done, world.resolved) == (True, len(GROUPS))
    assert world.backtrace.failures.calls["write"] == len(GROUPS)  # and none is written twice
    assert world.store.turns == {}


def test_a_group_s_change_reaches_all_the_others() -> None:
    world = BigTicket()
    world.jira.move_to(world.issue.id, DOING)
    for _ in range(20):
        if world.invoke():
            break
    world.clock.advance(3600)
    world.backtrace.seed("my_project", GROUPS[-1], state="resolved")
    world.poll()
    for _ in range(20):
        if not world.hints.sent:
            break
        waiting, world.hints.sent = world.hints.sent, []
        for change in waiting:
            for outcome in world.apply.serve(change.to_json(), world.clock() + AN_INVOCATION):
                if outcome.error:
                    world.hints.sent.append(change)
    assert (world.status(world.issue), world.resolved) == (DONE, len(GROUPS))
    assert world.jira.failures.calls["transition"] == 1


@pytest.mark.parametrize("groups", [1, 2, 100])
def test_groups_of_a_ticket_are_read_together(groups: int) -> None:
    world = Deployment()
    issue = world.link(GROUPS[0])
    for fingerprint in GROUPS[1:groups]:
        world.link(fingerprint, issue)
    world.backtrace.failures.calls.clear()
    world.jira.move_to(issue.id, DONE)
    world.hear(issue)
    calls = world.backtrace.failures.calls
    assert (calls["group"], calls["groups"]) == ((1, 0) if groups == 1 else (0, 1))
