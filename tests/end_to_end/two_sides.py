"""A ticket and its error group, and what happens on either side, whichever way the functions run."""

from __future__ import annotations

from local.demo.both_sides import POLL, SYNC, listen
from local.sample import new_group
from local.stack import LocalStack

JANE = {"id": 7, "username": "jane", "email": "jane@example.com"}


def prepare(stack: LocalStack) -> None:
    stack.configure(sync=SYNC)
    stack.jira.add_user("jane", email="jane@example.com")
    listen(stack, "main")
    for function in stack.functions.values():
        function.restart()


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
    stack.tick(POLL)
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
