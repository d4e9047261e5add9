"""What the demo does and what it finds: publish, publish again, look at both sides."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from backtrace_jira.adapters.http import Http
from backtrace_jira.adapters.jira.client import JiraClient, auth_of
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Link, LinkKey
from backtrace_jira.settings.integration import Integration
from local.aws.wire_log import BACKTRACE, JIRA, Call, counted
from local.backtrace_stand_in.stand_in import Issue as BacktraceIssue
from local.demo.both_sides import SYNC, Change, listen, tell_of_another, tell_of_the_stand_in
from local.demo.fix_versions import FIX_VERSIONS, tell_of_fix_versions
from local.demo.target import Target
from local.stack import LocalStack

SHOWN = "summary,issuetype,project,status,labels,description"


@dataclass(frozen=True)
class Ticket:
    """The ticket as Jira shows it."""

    id: str
    key: str
    url: str
    project: str
    type: str
    status: str
    summary: str
    labels: list[str]
    description: str


@dataclass
class Story:
    """What happened. `problems` are sentences; none means that all is as it should be."""

    integration: Integration
    fingerprint: str
    store: str
    log: str
    first: list[Call] = field(default_factory=list)
    duplicate: list[Call] = field(default_factory=list)
    ticket: Ticket | None = None
    row: Link | None = None
    backtrace: BacktraceIssue | None = None
    changes: list[Change] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        row, issue = self.row, self.row.issue if self.row else None
        return {
            "ok": not self.problems,
            "problems": self.problems,
            "integration": self.integration.id,
            "fingerprint": self.fingerprint,
            "ticket": vars(self.ticket) if self.ticket else None,
            "link": row
            and {
                "state": row.state,
                "issue_id": issue.id if issue else None,
                "issue_key": issue.key if issue else None,
                "linked_in_backtrace": row.linked_in_backtrace,
            },
            "backtrace": self.backtrace and {"state": self.backtrace.state, "ticket": self.backtrace.ticket},
            "calls": {"first": counted(self.first), "duplicate": counted(self.duplicate)},
            "both_sides": [change.document() for change in self.changes],
            "store": self.store,
            "log": self.log,
        }


def tell(stack: LocalStack, target: Target, group: dict[str, Any], step: Callable[[str], None]) -> Story:
    """Configure one integration, publish the group and a duplicate of it, and collect what became of them."""
    integration = stack.configure(**target.settings, sync=SYNC, fix_versions=FIX_VERSIONS)
    story = Story(integration, group["fingerprint"], stack.store, os.path.relpath(stack.log))
    stack.backtrace.seed(integration.project, story.fingerprint)
    stack.wire.take()
    step("Publishing an error group")
    story.first = _deliver(stack, group)
    step("Publishing the same error group again")
    story.duplicate = _deliver(stack, group)
    step("Looking at both sides")
    story.row = stack.row(integration, story.fingerprint)
    story.backtrace = stack.backtrace.issue(integration.project, story.fingerprint)
    if story.row and story.row.issue:
        story.ticket = _read(target, story.row.issue.id)
    story.problems = list(_problems(stack, target, story))
    if not story.problems and story.row and story.row.issue:
        story.changes = list(_changes(stack, target, story, group, step))
        wrong = [change for change in story.changes if not change.right]
        story.problems += [f"{change.what}: {change.then}" for change in wrong]
    return story


def _changes(
    stack: LocalStack, target: Target, story: Story, group: dict[str, Any], step: Callable[[str], None]
) -> Iterator[Change]:
    """Change one side after the other; what the stand-in can do, a Jira of somebody's own need not be able to."""
    issue = story.row.issue if story.row else None
    if issue is None:
        return
    stack.wire.take()
    if target.own:
        yield from tell_of_another(
            stack, story.integration, story.fingerprint, lambda: _status(target, issue), step
        )
        return
    listen(stack, target.connection.name)
    yield from tell_of_the_stand_in(stack, story.integration, story.fingerprint, issue, step)
    yield from tell_of_fix_versions(stack, story.integration, group, issue, step)
    story.ticket = _read(target, issue.id) or story.ticket
    story.backtrace = stack.backtrace.issue(story.integration.project, story.fingerprint)


def _status(target: Target, issue: Issue) -> str:
    ticket = _read(target, issue.id)
    return ticket.status if ticket else "unknown"


def _deliver(stack: LocalStack, group: dict[str, Any]) -> list[Call]:
    stack.publish(group)
    stack.drain()
    return stack.wire.take()


def _read(target: Target, issue_id: str) -> Ticket | None:
    """Read the ticket back from Jira."""
    connection = target.connection
    http = Http(auth_of(connection, SecretStr(target.secret)))
    try:
        answer = http.send("GET", f"{connection.jira_api}/issue/{issue_id}", params={"fields": SHOWN})
    except BacktraceJiraError:
        return None
    found = answer.json()
    if answer.status != 200 or not isinstance(found, dict):
        return None
    fields = found["fields"]
    return Ticket(
        id=found["id"],
        key=found["key"],
        url=connection.browse(found["key"]),
        project=fields["project"]["key"],
        type=fields["issuetype"]["name"],
        status=fields["status"]["name"],
        summary=fields["summary"],
        labels=fields.get("labels") or [],
        description=fields.get("description") or "",
    )


def _problems(stack: LocalStack, target: Target, story: Story) -> list[str]:
    if story.row is None or story.row.issue is None:
        return [f"no ticket was made: {_reason(stack, story)}"]
    found = []
    tickets = _tickets(stack, target, story)
    if tickets != 1:
        found.append(f"{tickets} tickets were made for one error group")
    if story.ticket is None:
        found.append(f"Jira does not show the ticket {story.row.issue.key}")
    again = counted(story.duplicate).get(JIRA, 0) + counted(story.duplicate).get(BACKTRACE, 0)
    if again:
        found.append(f"the duplicate cost {again} calls at Jira and Backtrace")
    if stack.waiting():
        found.append(f"a message is left in the queue: {_reason(stack, story)}")
    return found + _unlinked(story)


def _tickets(stack: LocalStack, target: Target, story: Story) -> int:
    """Count the tickets: those that a create was answered with, or more where a search finds more.

    The search alone would not do, since Jira's index is behind for a while.
    """
    created = [
        call
        for call in story.first + story.duplicate
        if call.service == JIRA and call.operation.endswith("/issue") and call.status == 201
    ]
    marker = LinkKey(story.integration.id, story.fingerprint).marker(stack.environment["STAGE"])
    try:
        found = len(RestJiraTickets(JiraClient(target.connection, SecretStr(target.secret))).find(marker))
    except BacktraceJiraError:
        found = 0
    return max(len(created), found)


def _unlinked(story: Story) -> list[str]:
    issue, row = story.backtrace, story.row
    url = row.issue.url if row and row.issue else ""
    entries = [entry for entry in issue.ticket if entry.get("url") == url] if issue else []
    found = []
    if len(entries) != 1 or row is None or not row.linked_in_backtrace:
        found.append("the ticket is not linked in Backtrace")
    if issue is None or issue.state != "in-progress":
        found.append("the error group is not In Progress in Backtrace")
    return found


def _reason(stack: LocalStack, story: Story) -> str:
    """Say why, as the system itself says it: in the dead letter, on the row, in the log."""
    letters = [letter["Reason"] for letter in stack.dead_letters() if letter.get("Reason")]
    if letters:
        return letters[0]
    if story.row and story.row.record:
        return story.row.record.reason
    if stack.events.crashes:
        return f"the function failed with {type(stack.events.crashes[-1]).__name__}"
    return _last_detail(stack) or "nobody says why"


def _last_detail(stack: LocalStack) -> str:
    for line in reversed(stack.log.read_text().splitlines() if stack.log.exists() else []):
        try:
            detail = json.loads(line).get("detail")
        except (ValueError, AttributeError):
            continue
        if detail:
            return str(detail)
    return ""
