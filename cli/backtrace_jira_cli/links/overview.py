"""`backtrace-jira links list` and `show`: which error group has which ticket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backtrace_jira.links.link import Link
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.known_integrations import KnownIntegrations
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.link_document import link_document
from backtrace_jira_cli.link_words import SHORTEST, ago
from backtrace_jira_cli.links.arguments import ISSUE_KEY
from backtrace_jira_cli.links.link_description import describe_link

SHOWN = 50


class Overview:
    """One run of `links list` or `links show`."""

    def __init__(self, known: KnownIntegrations, table: LinkTable, console: Console, now: float) -> None:
        self._known = known
        self._table = table
        self._console = console
        self._now = now

    def list_links(
        self, count: int, integration: str | None, *, everywhere: bool, only_problems: bool = False
    ) -> None:
        """List links, the last decision first; `everywhere` reads the whole table, whatever the settings know."""
        ids = self._known.choose(integration)
        with self._console.show_rows_read() as progress:
            found = (
                self._table.list_all_links(count, progress, only_problems=only_problems)
                if everywhere
                else self._table.list_links(ids, count, progress, only_problems=only_problems)
            )
        self._console.report |= {"links": [self._json(link) for link in found]}
        if not found:
            self._console.say("No link has a problem." if only_problems else "Nothing is linked yet.")
            return
        columns = ("fingerprint", "ticket", "state", "in Backtrace", "last decision", "when", "integration")
        self._console.show_table(columns, [self._row(link) for link in found])
        for name in dict.fromkeys(link.key.integration for link in found):
            if problem := self._known.problem(name):
                self._console.warn(f"{name}: {problem}")

    def show(self, group_or_ticket: str, integration: str | None, *, everywhere: bool) -> None:
        """Show everything about the links of a group or ticket.

        Raises:
            Stop: there is none.
        """
        found = (
            self._find_everywhere(group_or_ticket) if everywhere else self.find(group_or_ticket, integration)
        )
        self._console.report |= {"links": [self._json(link) for link in found]}
        if not found:
            raise _no_link(group_or_ticket, " If its integration is no longer in the settings, add --all.")
        for link in found[:SHOWN]:
            key, settings = link.key, self._known.settings(link.key.integration)
            self._console.say(f"{key.integration}  {key.fingerprint} {key.trace}".rstrip(), "bold")
            problem = self._known.problem(key.integration)
            rows = [("integration", problem)] if problem else []
            rows += describe_link(link, settings, self._now)
            self._console.show_table(("about", "what is known"), rows)
        if len(found) > SHOWN:
            self._console.say(f"… and {len(found) - SHOWN} more; --json lists them all.")

    def find_linked(self, issue_key: str, integration: str | None) -> Sequence[Link]:
        """Return the rows of a ticket.

        Raises:
            Stop: there is none.
        """
        found = self.find(issue_key, integration)
        if not found:
            raise _no_link(issue_key)
        return found

    def find(self, group_or_ticket: str, integration: str | None) -> Sequence[Link]:
        """Return the rows of a ticket (all its groups), or of the groups that begin like this."""
        ids = self._known.choose(integration)
        if ISSUE_KEY.fullmatch(group_or_ticket):
            named = [
                link for id_ in ids for link in self._table.find_by_issue_key(id_, group_or_ticket.upper())
            ]
            tickets = {(link.key.integration, link.issue.id) for link in named if link.issue}
            return [link for id_, issue_id in tickets for link in self._table.find_by_issue_id(id_, issue_id)]
        _ensure_long_enough(group_or_ticket)
        return [link for id_ in ids for link in self._table.find_by_fingerprint(id_, group_or_ticket)]

    def _find_everywhere(self, group_or_ticket: str) -> Sequence[Link]:
        with self._console.show_rows_read() as progress:
            if ISSUE_KEY.fullmatch(group_or_ticket):
                return self._table.find_anywhere(progress, issue_key=group_or_ticket.upper())
            _ensure_long_enough(group_or_ticket)
            return self._table.find_anywhere(progress, beginning=group_or_ticket)

    def _json(self, link: Link) -> dict[str, Any]:
        name = link.key.integration
        return link_document(link, self._known.settings(name), self._known.problem(name))

    def _row(self, link: Link) -> Sequence[str]:
        record = link.record
        return (
            link.key.fingerprint[:16],
            link.issue.key if link.issue else "-",
            str(link.state),
            ("yes" if link.linked_in_backtrace else "not yet") if link.issue else "-",
            str(record.decision) if record else "-",
            ago(self._now - record.at) if record else "-",
            link.key.integration,
        )


def _ensure_long_enough(beginning: str) -> None:
    if len(beginning) < SHORTEST:
        raise wrong_usage(f"Give at least the first {SHORTEST} characters of the fingerprint, or a key.")


def _no_link(group_or_ticket: str, more: str = "") -> Stop:
    """Return what to raise where nothing is linked, with what else may have become of a ticket's link."""
    text = f"There is no link of {group_or_ticket}."
    if ISSUE_KEY.fullmatch(group_or_ticket):
        text += (
            " If that ticket has moved, try its former key: a link keeps the key that the ticket had when it was "
            "last read. If a new ticket followed it after a regression, that one has the link: Jira links the two."
        )
    return Stop(text + more)
