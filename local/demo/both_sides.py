"""The second part of the demo: somebody changes one side, and the integration changes the other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from backtrace_jira.jira.issue import Issue
from backtrace_jira.settings.integration import Integration
from local.aws.wire_log import BACKTRACE, JIRA, Call, counted
from local.jira_stand_in.webhooks import Delivery
from local.stack import LocalStack

POLL_BACKTRACE = "PollBacktrace"
EVENTS = ("jira:issue_updated", "jira:issue_deleted", "jira:version_updated", "jira:version_released")
PERSON = 7
"""The user id in Backtrace of the person whom the demo assigns."""


@dataclass(frozen=True)
class Change:
    """Somebody's change on one side, the state of the other side after it, and the requests that it took."""

    cause: str
    effect: str
    is_right: bool
    calls: list[Call] = field(default_factory=list)
    demand: str = ""
    """What the workflow of a Jira of the user's own demands before the other side can follow, in a sentence."""

    def document(self) -> dict[str, Any]:
        """Return the change as JSON."""
        found = {"what": self.cause, "then": self.effect, "ok": self.is_right, "calls": counted(self.calls)}
        return found | ({"demand": self.demand} if self.demand else {})


SYNC = {"backtrace_to_jira": True, "jira_to_backtrace": True}


def register_webhook(stack: LocalStack, connection: str) -> None:
    """Register the webhook with the Jira stand-in, as `backtrace-jira webhook install` does with a real Jira."""
    secret = secrets.token_urlsafe(32)
    stack.put_secret(stack.names.webhook_secret(connection), secret)
    stack.jira.add_webhook(f"{stack.webhook_url}/{connection}", secret=secret, events=EVENTS)


def change_each_side(
    stack: LocalStack, integration: Integration, fingerprint: str, issue: Issue, step: Callable[[str], None]
) -> Iterator[Change]:
    """Close the ticket in Jira, assign the group in Backtrace, and send the first webhook again."""
    stack.jira.webhooks.outbox.clear()
    step("Closing the ticket in Jira, which sends a webhook")
    stack.jira.transition(issue.key, "Done")
    sent = deliver_webhooks(stack)
    state = _state(stack, integration, fingerprint)
    yield Change("closed in Jira", f"{state} in Backtrace", state == "resolved", stack.wire.take())
    step("Assigning the error group in Backtrace, which the schedule finds")
    _assign(stack, integration, fingerprint)
    stack.tick(POLL_BACKTRACE)
    stack.settle()
    assigned = stack.jira.issues[issue.key].fields.get("assignee")
    name = stack.jira.main_user.display_name
    yield Change(
        "assigned in Backtrace",
        f"assigned to {name} in Jira" if assigned else "nobody in Jira",
        bool(assigned),
        stack.wire.take(),
    )
    step("Sending the first webhook again")
    for delivery in sent:
        stack.jira.webhooks.deliver(delivery)
    stack.settle()
    calls = stack.wire.take()
    asked = sum(counted(calls).get(service, 0) for service in (JIRA, BACKTRACE))
    yield Change("the webhook again", "nothing" if not asked else f"{asked} calls", not asked, calls)


def resolve_in_backtrace(
    stack: LocalStack,
    integration: Integration,
    fingerprint: str,
    status: Callable[[], str],
    step: Callable[[str], None],
) -> Iterator[Change]:
    """Resolve the group in Backtrace, and read what the ticket's status is then.

    A Jira of the user's own cannot send webhooks to this machine, so this is the only change that the demo makes there.
    Its workflow may demand what only its team knows. That is told, and is no fault of the demo's.
    """
    step("Resolving the error group in Backtrace")
    before = status()
    stack.backtrace.seed(integration.project, fingerprint, state="resolved")
    stack.tick(POLL_BACKTRACE)
    stack.settle()
    after = status()
    row = stack.row(integration, fingerprint)
    demand = "; ".join(row.synced.problems) if row and row.synced else ""
    is_right = after != before or bool(demand)
    yield Change("resolved in Backtrace", f"{after} in Jira", is_right, stack.wire.take(), demand)


def deliver_webhooks(stack: LocalStack) -> list[Delivery]:
    """Let Jira send its webhooks over HTTP and the functions serve the queue; return the webhooks."""
    sent = list(stack.jira.webhooks.outbox)
    stack.jira.webhooks.deliver_all()
    stack.settle()
    return sent


def _state(stack: LocalStack, integration: Integration, fingerprint: str) -> str:
    group = stack.backtrace.issue(integration.project, fingerprint)
    return group.state if group else "unknown"


def _assign(stack: LocalStack, integration: Integration, fingerprint: str) -> None:
    group = stack.backtrace.issue(integration.project, fingerprint)
    person = {"id": PERSON, "username": "fred", "email": stack.jira.main_user.email}
    tickets = [{**entry, "assignees": [person]} for entry in group.ticket] if group else []
    stack.backtrace.seed(integration.project, fingerprint, ticket=tickets)
