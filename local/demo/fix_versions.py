"""The last part of the demo: a Fix Version in Jira, errors before and after it, and what becomes of the ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from backtrace_jira.jira.issue import Issue
from backtrace_jira.settings.integration import Integration
from local.aws.wire_log import Call
from local.demo.both_sides import POLL_BACKTRACE, Change, deliver_webhooks
from local.stack import LocalStack

POLL_FIX_VERSIONS = "PollFixVersions"
FIX_VERSIONS = {"enabled": True}
FIXED, OLDER, LATER, RENAMED = "2.4", "2.3", "2.5", "2.6"


def fix_and_regress(
    stack: LocalStack,
    integration: Integration,
    group: dict[str, Any],
    issue: Issue,
    step: Callable[[str], None],
) -> Iterator[Change]:
    """Give a ticket that is done a Fix Version, let an older and a later error come in, and rename the version."""
    linked = _LinkedGroup(stack, integration, group, issue)
    step(f"Setting Fix Version {FIXED} on the ticket that is done")
    version = stack.jira.add_version(FIXED)
    stack.jira.edit_issue(issue.key, fixVersions=[{"id": version.id}])
    deliver_webhooks(stack)
    yield linked.check_boundary(f"done with Fix Version {FIXED}", FIXED)
    step(f"Letting an error in {OLDER} come in")
    linked.receive_error(OLDER)
    state, status, comments = linked.state, linked.status, linked.comments
    nothing = (state, status, comments) == ("resolved", "Done", 0)
    yield Change(
        f"an error in {OLDER}", "nothing" if nothing else f"{state}, {status}", nothing, linked.take_calls()
    )
    step(f"Letting an error in {LATER} come in")
    linked.receive_error(LATER)
    state, status, comments = linked.state, linked.status, linked.comments
    effect = f"{status}, {comments} comment{'' if comments == 1 else 's'}; {state}"
    yield Change(
        f"an error in {LATER}", effect, (state, status, comments) == ("open", "To Do", 1), linked.take_calls()
    )
    step("Closing the ticket again, and renaming the version")
    stack.jira.transition(issue.key, "Done")
    deliver_webhooks(stack)
    stack.jira.change_version(version, name=RENAMED)
    stack.tick(POLL_FIX_VERSIONS)
    stack.settle()
    yield linked.check_boundary(f"closed; {FIXED} renamed to {RENAMED}", RENAMED)


class _LinkedGroup:
    """One error group as Backtrace has it, and its ticket as Jira has it."""

    def __init__(
        self, stack: LocalStack, integration: Integration, group: dict[str, Any], issue: Issue
    ) -> None:
        self._stack = stack
        self._integration = integration
        self._group = group
        self._issue = issue

    def take_calls(self) -> list[Call]:
        """Return the requests that were sent since the last time."""
        return self._stack.wire.take()

    @property
    def state(self) -> str:
        row = self._row()
        return row.state if row else "unknown"

    @property
    def status(self) -> str:
        return self._stack.jira.issues[self._issue.key].status.name

    @property
    def comments(self) -> int:
        """Return how many comments the ticket has."""
        return len(self._stack.jira.issues[self._issue.key].comments)

    def check_boundary(self, cause: str, version: str) -> Change:
        """Compare the group's reopen criteria in Backtrace with the one that the version stands for."""
        row = self._row()
        found = row.invariants if row else []
        until = [f"{each.get('field')} > {each.get('version')}" for each in found]
        wanted = [{"type": "version_gt", "field": "version", "version": f"{version}.0"}]
        is_right = found == wanted and self.state == "resolved"
        effect = f"{self.state} until {' or '.join(until) or 'nothing'}"
        return Change(cause, effect, is_right, self.take_calls())

    def receive_error(self, version: str) -> None:
        """Let Backtrace receive an error of this version and publish its event, then run both schedules."""
        stack, project = self._stack, self._integration.project
        stack.backtrace.receive(project, self._group["fingerprint"], version=version)
        stack.publish({**self._group, "attributes": {**self._group["attributes"], "version": [[version, 1]]}})
        stack.drain()
        stack.settle()
        for function in (POLL_BACKTRACE, POLL_FIX_VERSIONS):
            stack.tick(function)
        stack.settle()

    def _row(self) -> Any:
        return self._stack.backtrace.issue(self._integration.project, self._group["fingerprint"])
