"""The last part of the demo: a Fix Version in Jira, errors before and after it, and what becomes of the ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from backtrace_jira.jira.issue import Issue
from backtrace_jira.settings.integration import Integration
from local.demo.both_sides import POLL, Change
from local.stack import LocalStack

FOLLOW = "PollFixVersions"
FIX_VERSIONS = {"enabled": True}
FIXED, OLDER, LATER, RENAMED = "2.4", "2.3", "2.5", "2.6"


def tell_of_fix_versions(
    stack: LocalStack,
    integration: Integration,
    group: dict[str, Any],
    issue: Issue,
    step: Callable[[str], None],
) -> Iterator[Change]:
    """Fix in one version, let errors of others come in, and rename the version; the ticket is done already."""
    told = _Told(stack, integration, group)
    step(f"Setting Fix Version {FIXED} on the ticket that is done")
    version = stack.jira.add_version(FIXED)
    stack.jira.edit_issue(issue.key, fixVersions=[{"id": version.id}])
    _webhooks(stack)
    yield told.boundary(f"done with Fix Version {FIXED}", FIXED)
    step(f"Letting an error in {OLDER} come in")
    told.error(OLDER)
    state, status, comments = told.state, told.status(issue), told.comments(issue)
    nothing = (state, status, comments) == ("resolved", "Done", 0)
    yield Change(f"an error in {OLDER}", "nothing" if nothing else f"{state}, {status}", nothing, told.calls)
    step(f"Letting an error in {LATER} come in")
    told.error(LATER)
    state, status, comments = told.state, told.status(issue), told.comments(issue)
    then = f"{status}, {comments} comment{'' if comments == 1 else 's'}; {state}"
    yield Change(f"an error in {LATER}", then, (state, status, comments) == ("open", "To Do", 1), told.calls)
    step("Closing the ticket again, and renaming the version")
    stack.jira.transition(issue.key, "Done")
    _webhooks(stack)
    stack.jira.change_version(version, name=RENAMED)
    stack.tick(FOLLOW)
    stack.settle()
    yield told.boundary(f"closed; {FIXED} renamed to {RENAMED}", RENAMED)


class _Told:
    """What can be seen of both sides."""

    def __init__(self, stack: LocalStack, integration: Integration, group: dict[str, Any]) -> None:
        self._stack = stack
        self._integration = integration
        self._group = group

    @property
    def calls(self) -> list[Any]:
        return self._stack.wire.take()

    @property
    def state(self) -> str:
        row = self._row()
        return row.state if row else "unknown"

    def status(self, issue: Issue) -> str:
        return self._stack.jira.issues[issue.key].status.name

    def comments(self, issue: Issue) -> int:
        return len(self._stack.jira.issues[issue.key].comments)

    def boundary(self, what: str, version: str) -> Change:
        """Show the reopen criteria as Backtrace has them."""
        row = self._row()
        found = row.invariants if row else []
        until = [f"{each.get('field')} > {each.get('version')}" for each in found]
        wanted = [{"type": "version_gt", "field": "version", "version": version}]
        right = found == wanted and self.state == "resolved"
        then = f"{self.state} until {' or '.join(until) or 'nothing'}"
        return Change(what, then, right, self.calls)

    def error(self, version: str) -> None:
        """Let Backtrace have an error, tell of it, and let both schedules run."""
        stack, project = self._stack, self._integration.project
        stack.backtrace.receive(project, self._group["fingerprint"], version=version)
        stack.publish({**self._group, "attributes": {**self._group["attributes"], "version": [[version, 1]]}})
        stack.drain()
        stack.settle()
        for function in (POLL, FOLLOW):
            stack.tick(function)
        stack.settle()

    def _row(self) -> Any:
        return self._stack.backtrace.issue(self._integration.project, self._group["fingerprint"])


def _webhooks(stack: LocalStack) -> None:
    stack.jira.webhooks.deliver_all()
    stack.settle()
