"""A ticket and its error group, and what happens on either side, whichever way the functions run."""

from __future__ import annotations

import time
from typing import Any

from backtrace_jira.times import CLOCK_NOISE
from local.demo.both_sides import POLL_BACKTRACE, SYNC, register_webhook
from local.demo.fix_versions import FIX_VERSIONS, POLL_FIX_VERSIONS
from local.sample import new_group
from local.stack import LocalStack

JANE = {"id": 7, "username": "jane", "email": "jane@example.com"}


def prepare(stack: LocalStack) -> None:
    stack.configure(sync=SYNC, fix_versions=FIX_VERSIONS)
    stack.jira.add_user("jane", email="jane@example.com")
    register_webhook(stack, "main")


class Ticket:
    """A new error group with its ticket."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.fingerprint = new_group()["fingerprint"]
        before = set(stack.jira.issues)
        stack.publish(new_group() | {"fingerprint": self.fingerprint})
        stack.settle()
        (self.key,) = set(stack.jira.issues) - before
        stack.jira.webhooks.outbox.clear()

    @property
    def state(self) -> str:
        group = self.stack.backtrace.issue("my_project", self.fingerprint)
        assert group is not None
        return group.state

    @property
    def invariants(self) -> list[dict[str, Any]]:
        group = self.stack.backtrace.issue("my_project", self.fingerprint)
        assert group is not None
        return group.invariants

    @property
    def status(self) -> str:
        return self.stack.jira.issues[self.key].status.name

    def assign_in_backtrace(self) -> None:
        group = self.stack.backtrace.issue("my_project", self.fingerprint)
        assert group is not None
        tickets = [{**entry, "assignees": [JANE]} for entry in group.ticket]
        self.stack.backtrace.seed("my_project", self.fingerprint, ticket=tickets)


def send_all(stack: LocalStack) -> list[int]:
    statuses = stack.jira.webhooks.deliver_all()
    stack.settle()
    return statuses


def both_ways(stack: LocalStack) -> None:
    ticket = Ticket(stack)
    stack.jira.transition(ticket.key, "Done")
    first = stack.jira.webhooks.outbox[0]
    assert send_all(stack) == [200]
    assert ticket.state == "resolved"
    stack.backtrace.seed("my_project", ticket.fingerprint, state="open")
    ticket.assign_in_backtrace()
    stack.tick(POLL_BACKTRACE)
    stack.settle()
    assert ticket.status == "To Do"
    assignee = stack.jira.issues[ticket.key].fields["assignee"]
    assert stack.jira.state.find_user(assignee["id"]).email == "jane@example.com"
    assert set(send_all(stack)) == {200}
    stack.jira.clear_log()
    stack.backtrace.clear_log()
    assert stack.jira.webhooks.deliver(first) == 200
    stack.settle()
    assert stack.jira.requests == stack.backtrace.requests == []
    assert (ticket.state, ticket.status) == ("open", "To Do")
    assert stack.waiting("ApplyJiraChange") == 0
    assert stack.dead_letters("JiraChangesDeadLettersUrl") == []
    assert stack.api.crashes == []


def fix_versions(stack: LocalStack) -> None:
    """Poll twice: for a ticket that is done, and for its version that is renamed. Then the error comes back."""
    ticket = Ticket(stack)
    version = stack.jira.add_version("2.4")
    stack.jira.edit_issue(ticket.key, fixVersions=[{"id": version.id}])
    stack.jira.transition(ticket.key, "Done")
    stack.jira.webhooks.outbox.clear()
    stack.tick(POLL_FIX_VERSIONS)
    assert (ticket.state, ticket.invariants) == ("resolved", [_later("2.4")])
    stack.jira.change_version(version, name="2.6")
    stack.jira.webhooks.outbox.clear()
    stack.tick(POLL_FIX_VERSIONS)
    assert (ticket.state, ticket.invariants) == ("resolved", [_later("2.6")])
    stack.backtrace.receive("my_project", ticket.fingerprint, version="2.5")
    stack.tick(POLL_BACKTRACE)
    assert ticket.status == "Done"
    stack.backtrace.receive("my_project", ticket.fingerprint, version="2.7")
    stack.tick(POLL_BACKTRACE)
    stack.settle()
    assert (ticket.status, ticket.state, ticket.invariants) == ("To Do", "open", [])
    (comment,) = stack.jira.issues[ticket.key].comments
    assert "was seen again in 2.7 (1 error)" in comment["body"]
    stack.jira.webhooks.outbox.clear()


def a_version_webhook(stack: LocalStack) -> None:
    """A version that is released is told of by webhook; an event past the boundary goes through the queue."""
    ticket = Ticket(stack)
    version = stack.jira.add_version("3.4")
    stack.jira.edit_issue(ticket.key, fixVersions=[{"id": version.id}])
    stack.jira.transition(ticket.key, "Done")
    assert set(send_all(stack)) == {200}
    assert ticket.invariants == [_later("3.4")]
    stack.jira.change_version(version, name="3.5")
    assert set(send_all(stack)) == {200}
    assert ticket.invariants == [_later("3.5")]
    row = stack.backtrace.issue("my_project", ticket.fingerprint)
    assert row is not None
    row.invariants, kept = [], row.invariants  # only the event tells of it
    later = time.time() + 2 * CLOCK_NOISE  # only then is it surely after the closing
    stack.backtrace.receive("my_project", ticket.fingerprint, timestamp=later, version="3.6")
    row.invariants = kept
    stack.publish(new_group() | {"fingerprint": ticket.fingerprint, "attributes": {"version": [["3.6", 1]]}})
    stack.settle()
    assert (ticket.status, ticket.state, ticket.invariants) == ("To Do", "open", [])
    assert len(stack.jira.issues[ticket.key].comments) == 1
    assert stack.dead_letters("JiraChangesDeadLettersUrl") == []
    assert stack.api.crashes == []


def _later(version: str) -> dict[str, str]:
    return {"type": "version_gt", "field": "version", "version": f"{version}.0"}
