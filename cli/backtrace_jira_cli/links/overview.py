"""`backtrace-jira links list` and `show`: which error group has which ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backtrace_jira.links.link import Link
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.deployment.stored_settings import choose_integrations
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.link_words import SHORTEST, ago
from backtrace_jira_cli.links.arguments import ISSUE_KEY
from backtrace_jira_cli.links.link_description import as_json, describe_link

SHOWN = 50


class Overview:
    """One run of `links list` or `links show`."""

    def __init__(
        self, integrations: Mapping[str, Integration], table: LinkTable, console: Console, now: float
    ) -> None:
        self._integrations = integrations
        self._table = table
        self._console = console
        self._now = now

    def list_links(self, count: int, integration: str | None) -> None:
        """List links, the last decision first."""
        ids = choose_integrations(integration, self._integrations)
        with self._console.show_rows_read() as progress:
            found = self._table.list_links(ids, count, progress)
        self._console.report |= {"links": [as_json(link) for link in found]}
        if not found:
            self._console.say("Nothing is linked yet.")
            return
        columns = ("fingerprint", "ticket", "state", "in Backtrace", "last decision", "when", "integration")
        self._console.show_table(columns, [self._row(link) for link in found])

    def show(self, group_or_ticket: str, integration: str | None) -> None:
        """Show everything about the links of a group or ticket.

        Raises:
            Stop: there is none.
        """
        found = self.find(group_or_ticket, integration)
        self._console.report |= {"links": [as_json(link) for link in found]}
        if not found:
            raise Stop(
                f"There is no link of {group_or_ticket}. If that ticket has moved, try its former key: a link keeps "
                "the key that the ticket had when it was last read."
            )
        for link in found[:SHOWN]:
            key = link.key
            self._console.say(f"{key.integration}  {key.fingerprint} {key.trace}".rstrip(), "bold")
            self._console.show_table(("about", "what is known"), describe_link(link, self._now))
        if len(found) > SHOWN:
            self._console.say(f"… and {len(found) - SHOWN} more; --json lists them all.")

    def find(self, group_or_ticket: str, integration: str | None) -> Sequence[Link]:
        """Return the rows of a ticket (all its groups), or of the groups that begin like this."""
        ids = choose_integrations(integration, self._integrations)
        if ISSUE_KEY.fullmatch(group_or_ticket):
            named = [
                link for id_ in ids for link in self._table.find_by_issue_key(id_, group_or_ticket.upper())
            ]
            tickets = {(link.key.integration, link.issue.id) for link in named if link.issue}
            return [link for id_, issue_id in tickets for link in self._table.find_by_issue_id(id_, issue_id)]
        if len(group_or_ticket) < SHORTEST:
            raise wrong_usage(f"Give at least the first {SHORTEST} characters of the fingerprint, or a key.")
        return [link for id_ in ids for link in self._table.find_by_fingerprint(id_, group_or_ticket)]

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
