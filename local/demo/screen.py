"""The demo on a terminal: its steps, and the story at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.aws.wire_log import BACKTRACE, JIRA, counted
from local.demo.story import Story, Ticket
from local.stack import LocalStack

WIDTH_WHEN_PIPED = 110
LINES_SHOWN = 12
SHOWN_SERVICES = (
    (JIRA, "Jira requests"),
    (BACKTRACE, "Backtrace requests"),
    ("DynamoDB", "DynamoDB requests"),
    ("SSM", "SSM requests (settings, then kept)"),
    ("SQS", "SQS requests of the function"),
)


def new_console(*, quiet: bool = False) -> Console:
    """Return a console: as wide as the terminal, or a fixed width and no colours into a pipe."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")
    width = None if sys.stdout.isatty() else WIDTH_WHEN_PIPED
    return Console(width=width, quiet=quiet, highlight=False)


class Progress:
    """One line for each step, with the time that it took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._since = time.monotonic()
        self._status = console.status("")

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show steps until the end; a terminal also sees which one is under way."""
        with self._status:
            try:
                yield
            except BaseException:
                self._text = ""
                raise
            finally:
                self.step("")

    def step(self, text: str) -> None:
        """End the step before, begin the next."""
        now = time.monotonic()
        if self._text:
            self._console.print(Text.assemble(f"  {self._text:<66}", (f"{now - self._since:5.1f} s", "dim")))
        self._text, self._since = text, now
        self._status.update(text)


def show(console: Console, story: Story, *, lasts: bool) -> None:
    """Show the ticket, the link, Backtrace's side, and what each delivery cost; `lasts`: the ticket's page stays."""
    if story.ticket:
        _show_ticket(console, story.ticket, lasts=lasts)
    _show_links(console, story)
    _show_calls(console, story)
    if story.changes:
        _show_changes(console, story)
    console.print(Text(f"  Tables: {story.store}"))
    console.print(Text(f"  The function's log: {story.log}"), soft_wrap=True)
    console.print()


def _show_ticket(console: Console, ticket: Ticket, *, lasts: bool) -> None:
    rows = {
        "Key": f"{ticket.key} (id {ticket.id})",
        "Summary": ticket.summary,
        "Project, type": f"{ticket.project}, {ticket.type}",
        "Status": ticket.status,
        "Labels": ", ".join(ticket.labels),
    }
    _show_facts(console, "The ticket in Jira", rows)
    lines = ticket.description.replace("\r", "").splitlines()
    for line in lines[:LINES_SHOWN]:
        console.print(Text(f"    | {line}", style="dim"), no_wrap=True, overflow="ellipsis")
    more = len(lines) - LINES_SHOWN
    if more > 0:
        console.print(Text(f"    | ... {more} more lines", style="dim"))
    until = "" if lasts else "  (until the demo ends; make up stays)"
    console.print(Text.assemble("\n  Its page: ", (ticket.url, "bold"), until), soft_wrap=True)


def _show_links(console: Console, story: Story) -> None:
    row, issue = story.row, story.backtrace
    if row:
        facts = {
            "Integration": row.key.integration,
            "Fingerprint": row.key.fingerprint,
            "State": str(row.state),
            "Ticket": f"{row.issue.key} (id {row.issue.id})" if row.issue else "none",
            "Linked in Backtrace": "yes" if row.linked_in_backtrace else "no",
        }
        if row.record and row.record.reason:
            facts["Decided"] = f"{row.record.decision}: {row.record.reason}"
        _show_facts(console, "The link row in DynamoDB", facts)
    if issue:
        entries = [
            f"{entry.get('short', '')} by {entry['watcher']}" for entry in issue.ticket if entry.get("url")
        ]
        facts = {"State": issue.state, "Ticket": ", ".join(entries) or "none"}
        _show_facts(console, "The error group in Backtrace", facts)


def _show_facts(console: Console, title: str, rows: dict[str, str]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(Text(f"\n{title}", style="bold"))
    console.print(table)


def _show_calls(console: Console, story: Story) -> None:
    first, duplicate = counted(story.first), counted(story.duplicate)
    others = sorted(set(first) | set(duplicate)) if first or duplicate else []
    named = dict(SHOWN_SERVICES)
    services = [name for name, _ in SHOWN_SERVICES] + [name for name in others if name not in named]
    table = Table(padding=(0, 2))
    table.add_column("On the wire")
    table.add_column("first delivery\n(cold start)", justify="right")
    table.add_column("the duplicate", justify="right")
    for service in services:
        counts = first.get(service, 0), duplicate.get(service, 0)
        table.add_row(named.get(service, service), *(str(count) for count in counts))
    console.print()
    console.print(table)


def _show_changes(console: Console, story: Story) -> None:
    table = Table(padding=(0, 2))
    for title in ("On one side", "on the other"):
        table.add_column(title)
    for title in ("Jira requests", "Backtrace requests"):
        table.add_column(title, justify="right")
    for change in story.changes:
        counts = counted(change.calls)
        style = "green" if change.is_right else "bold red"
        table.add_row(
            change.cause,
            Text(change.effect, style=style),
            *(str(counts.get(service, 0)) for service in (JIRA, BACKTRACE)),
        )
    console.print()
    console.print(table)
    for change in story.changes:
        if change.demand:
            console.print(Text(f"Your Jira demands more: {change.demand}", style="yellow"), soft_wrap=True)


def show_end(console: Console, story: Story) -> None:
    """Say in one line how it ended."""
    if story.problems:
        for problem in story.problems:
            console.print(Text(f"Not as it should be: {problem}", style="bold red"), soft_wrap=True)
    elif story.ticket:
        same = "" if any(change.demand for change in story.changes) else " Both sides the same."
        text = f"Two deliveries, one ticket: {story.ticket.key}.{same}"
        console.print(Text(text, style="bold green"))


def show_addresses(console: Console, stack: LocalStack) -> None:
    """Say what is up, and how to ask and to publish more."""
    topic = stack.aws.outputs["ErrorEventsTopicArn"]
    rows = {
        "Jira": stack.jira.site_url,
        "Backtrace": stack.backtrace.url,
        "AWS": stack.aws.endpoint,
        "DynamoDB": stack.aws.dynamodb_endpoint,
        "Topic": topic,
        "Webhooks": f"{stack.webhook_url}/<connection>",
    }
    _show_facts(console, "It stays up until Ctrl-C", rows)
    access = stack.aws.access
    variables = ("AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB")
    explain = " ".join(
        [*(f"{name}={access[name]}" for name in variables), ".venv/bin/backtrace-jira explain --recent"]
    )
    console.print(
        Text.assemble("\n  What was decided (any credentials): ", (explain, "bold")), soft_wrap=True
    )
    # The body as Backtrace sends it, without the envelopes around it that the sample event has.
    body = """jq -c '.Records[0].body | fromjson | .Message' -r events/create_ticket.json"""
    command = f'aws sns publish --endpoint-url {stack.aws.endpoint} --topic-arn {topic} --message "$({body})"'
    console.print(
        Text.assemble("\n  Publish another error group (any credentials): ", (command, "bold")),
        soft_wrap=True,
    )
