"""The demo's story: Backtrace publishes one error group twice, and the demo looks at both sides."""

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
from local.demo.both_sides import SYNC, Change, change_each_side, register_webhook, resolve_in_backtrace
from local.demo.fix_versions import FIX_VERSIONS, fix_and_regress
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
    """The ticket, the link and the requests that the demo found. Each of `problems` is a sentence on what is wrong."""

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
        """Return the story as JSON."""
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


def play_story(
    stack: LocalStack, target: Target, group: dict[str, Any], step: Callable[[str], None]
) -> Story:
    """Configure one integration, publish the group and a duplicate of it, and return what both sides then hold."""
    integration = stack.configure(**target.settings, sync=SYNC, fix_versions=FIX_VERSIONS)
    story = Story(integration, group["fingerprint"], stack.store, os.path.relpath(stack.log))
    stack.backtrace.seed(integration.project, story.fingerprint)
    stack.wire.take()
    step("Publishing an error group")
    story.first = _deliver_event(stack, group)
    step("Publishing the same error group again")
    story.duplicate = _deliver_event(stack, group)
    step("Looking at both sides")
    story.row = stack.row(integration, story.fingerprint)
    story.backtrace = stack.backtrace.issue(integration.project, story.fingerprint)
    if story.row and story.row.issue:
        story.ticket = _read_ticket(target, story.row.issue.id)
    story.problems = _find_problems(stack, target, story)
    if not story.problems and story.row and story.row.issue:
        story.changes = list(_make_changes(stack, target, story, group, step))
        wrong = [change for change in story.changes if not change.is_right]
        story.problems += [f"{change.cause}: {change.effect}" for change in wrong]
    return story


def _make_changes(
    stack: LocalStack, target: Target, story: Story, group: dict[str, Any], step: Callable[[str], None]
) -> Iterator[Change]:
    """Make the changes that the target allows: all of them on the stand-in, one on a Jira of the user's own."""
    issue = story.row.issue if story.row else None
    if issue is None:
        return
    stack.wire.take()
    if target.own:
        yield from resolve_in_backtrace(
            stack, story.integration, story.fingerprint, lambda: _status(target, issue), step
        )
        return
    register_webhook(stack, target.connection.name)
    yield from change_each_side(stack, story.integration, story.fingerprint, issue, step)
    yield from fix_and_regress(stack, story.integration, group, issue, step)
    story.ticket = _read_ticket(target, issue.id) or story.ticket
    story.backtrace = stack.backtrace.issue(story.integration.project, story.fingerprint)


def _status(target: Target, issue: Issue) -> str:
    ticket = _read_ticket(target, issue.id)
    return ticket.status if ticket else "unknown"


def _deliver_event(stack: LocalStack, group: dict[str, Any]) -> list[Call]:
    stack.publish(group)
    stack.drain()
    return stack.wire.take()


def _read_ticket(target: Target, issue_id: str) -> Ticket | None:
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


def _find_problems(stack: LocalStack, target: Target, story: Story) -> list[str]:
    if story.row is None or story.row.issue is None:
        return [f"no ticket was made: {_find_reason(stack, story)}"]
    found = []
    tickets = _count_tickets(stack, target, story)
    if tickets != 1:
        found.append(f"{tickets} tickets were made for one error group")
    if story.ticket is None:
        found.append(f"Jira does not show the ticket {story.row.issue.key}")
    again = counted(story.duplicate).get(JIRA, 0) + counted(story.duplicate).get(BACKTRACE, 0)
    if again:
        found.append(f"the duplicate cost {again} calls at Jira and Backtrace")
    if stack.waiting():
        found.append(f"a message is left in the queue: {_find_reason(stack, story)}")
    return found + _find_link_problems(story)


def _count_tickets(stack: LocalStack, target: Target, story: Story) -> int:
    """Count the tickets that Jira created by its answers, or by its search if that finds more.

    The search alone would not do: Jira's index is behind for a while.
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


def _find_link_problems(story: Story) -> list[str]:
    issue, row = story.backtrace, story.row
    url = row.issue.url if row and row.issue else ""
    entries = [entry for entry in issue.ticket if entry.get("url") == url] if issue else []
    found = []
    if len(entries) != 1 or row is None or not row.linked_in_backtrace:
        found.append("the ticket is not linked in Backtrace")
    if issue is None or issue.state != "in-progress":
        found.append("the error group is not In Progress in Backtrace")
    return found


def _find_reason(stack: LocalStack, story: Story) -> str:
    """Return the reason that the integration itself gives: in the dead letter, on the row, or in the log."""
    letters = [letter["Reason"] for letter in stack.dead_letters() if letter.get("Reason")]
    if letters:
        return letters[0]
    if story.row and story.row.record:
        return story.row.record.reason
    if stack.events.crashes:
        return f"the function failed with {type(stack.events.crashes[-1]).__name__}"
    return _find_last_detail(stack) or "nobody says why"


def _find_last_detail(stack: LocalStack) -> str:
    for line in reversed(stack.log.read_text().splitlines() if stack.log.exists() else []):
        try:
            detail = json.loads(line).get("detail")
        except (ValueError, AttributeError):
            continue
        if detail:
            return str(detail)
    return ""
