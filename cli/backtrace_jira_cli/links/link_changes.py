"""One run of `backtrace-jira links add` or `links remove`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.errors import BacktraceJiraError, Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.times import LEASE
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.deployment.stored_settings import StoredSettings, Unusable
from backtrace_jira_cli.exits import Stop


@dataclass(frozen=True, slots=True)
class GroupResult:
    """The result for one error group. `detail` says what was done; `warning` adds what the operator should know."""

    fingerprint: str
    ok: bool
    detail: str
    warning: str = ""


class LinkChanges:
    """Links and unlinks error groups of one integration."""

    def __init__(
        self,
        settings: Integration,
        stored_settings: StoredSettings,
        table: LinkTable,
        console: Console,
        *,
        stage: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._stored_settings = stored_settings
        self._ticket_links = table.ticket_links
        self._synced_links = table.synced_links
        self._console = console
        self._stage = stage
        self._clock = clock
        self._owner = f"links {uuid.uuid4().hex}"

    def add(self, issue_key: str, fingerprints: Sequence[str], *, replace: bool) -> None:
        """Link an existing ticket to error groups.

        Raises:
            Stop: it failed for at least one group.
        """
        with _translate_errors(), self._console.show_progress("asking Jira"):
            ticket = self._jira().ticket(issue_key)
            backtrace = self._backtrace()
        if ticket is None:
            raise Stop(f"{issue_key} does not exist, or the account of this connection may not see it.")
        self._console.report |= {
            "ticket": {"id": ticket.issue.id, "key": ticket.issue.key, "url": ticket.issue.url}
        }
        if self._settings.event is EventKind.TRACE:
            self._console.warn(
                "This integration creates a ticket for each error (event: trace), and will go on doing so."
            )
        self._run_each(
            "linked", fingerprints, lambda one: self._add_one(ticket.issue, one, backtrace, replace=replace)
        )

    def remove(self, links: Sequence[Link]) -> None:
        """Unlink error groups from their tickets.

        Raises:
            Stop: it failed for at least one group.
        """
        with _translate_errors():
            backtrace = self._backtrace()
        by_name = {f"{link.key.fingerprint} {link.key.trace}".strip(): link for link in links}
        self._run_each("unlinked", by_name, lambda name: self._remove_one(by_name[name], backtrace))

    def _run_each(
        self, done: str, names: Sequence[str] | dict[str, Link], do: Callable[[str], GroupResult]
    ) -> None:
        results = []
        for name in names:
            with self._console.show_progress("asking Backtrace"):
                try:
                    one = do(name)
                except BacktraceJiraError as error:
                    one = GroupResult(name, ok=False, detail=_failure(error))
            results.append(one)
            self._console.say(f"{one.fingerprint}: {one.detail}", "green" if one.ok else "yellow")
            if one.warning:
                self._console.warn(f"  {one.warning}")
        self._console.report["groups"] = [
            {
                "fingerprint": one.fingerprint,
                "outcome": done if one.ok else "failed",
                "ok": one.ok,
                "detail": one.detail,
                "warning": one.warning or None,
            }
            for one in results
        ]
        wrong = sum(not one.ok for one in results)
        if wrong:
            raise Stop(f"{wrong} of {len(results)} failed; the lines above say why.")

    def _add_one(
        self, issue: Issue, fingerprint: str, backtrace: BacktraceClient, *, replace: bool
    ) -> GroupResult:
        key = LinkKey(self._settings.id, fingerprint)
        row = self._ticket_links.claim(self._lease(key))
        was = row.issue
        if was and was.id != issue.id:
            if not replace:
                detail = f"it is linked to {was.key} already; --replace links it to {issue.key} instead"
                return GroupResult(fingerprint, ok=False, detail=detail)
            self._unlink(row, was, backtrace, f"replaced by {issue.key} by hand")
            row = self._ticket_links.claim(self._lease(key))
        warning = ""
        # The table comes before Backtrace. If this run is cut off in between, the function links the ticket in
        # Backtrace later. In the other order it would find no ticket in the table, and create a second one.
        if row.issue is None:
            warning = self._complete(row, issue)
        baseline = RestBacktraceLinks(backtrace).link(
            project=self._settings.project, fingerprint=fingerprint, watcher=self._settings.name, issue=issue
        )
        self._ticket_links.mark_linked(key, baseline, issue)
        before = f", no longer to {was.key}" if was and was.id != issue.id else ""
        same = was is not None and was.id == issue.id
        return GroupResult(
            fingerprint, True, f"linked to {issue.key} {'already' if same else ''}".strip() + before, warning
        )

    def _complete(self, row: Link, issue: Issue) -> str:
        """Record the ticket, unless a function may be creating one at this moment: the group would get two."""
        lease = self._lease(row.key)
        mine = row.owner == self._owner and row.state is LinkState.CREATING
        free = mine or row.state is LinkState.HELD
        if not free and (row.lease_until > lease.now or not self._ticket_links.take_over(row, lease)):
            raise Busy("a ticket is being created for this group right now; try again in a minute")
        try:
            record = Record(lease.now, Decision.LINKED, "linked by hand")
            kept = self._ticket_links.complete(row.key, issue, record, generation=row.generation)
        except BacktraceJiraError:
            with suppress(BacktraceJiraError):
                self._ticket_links.release(lease, None)
            raise
        if kept.id != issue.id:
            raise Busy(f"it was linked to {kept.key} a moment ago")
        if free:
            return ""
        marker = row.key.marker(self._stage, row.generation)
        return f"an earlier create got no answer and may have created a ticket: look for the label {marker} in Jira"

    def _remove_one(self, link: Link, backtrace: BacktraceClient) -> GroupResult:
        name = f"{link.key.fingerprint} {link.key.trace}".strip()
        if link.issue is None:
            return GroupResult(name, ok=False, detail="it has no ticket")
        was_linked = self._unlink(link, link.issue, backtrace, "unlinked by hand")
        where = "" if was_linked else "; it was not linked in Backtrace"
        return GroupResult(
            name, True, f"{link.issue.key} is unlinked{where}; the group's next error creates a new ticket"
        )

    def _unlink(self, link: Link, issue: Issue, backtrace: BacktraceClient, why: str) -> bool:
        """Unlink in Backtrace, then in the link table: cut off between them, the link is still there to be removed.

        The turn keeps the polls away from the ticket meanwhile.
        """
        now = self._clock()
        if link.follows and link.lease_until > now:
            raise Busy("a new ticket is being created for this group right now; try again in a minute")
        turn = Turn(self._settings.connection, issue.id, self._owner, now + LEASE)
        held = self._synced_links.take_turn(turn, now=now)
        try:
            was_linked = RestBacktraceGroups(backtrace).unlink(
                project=self._settings.project,
                fingerprint=link.key.fingerprint,
                watcher=self._settings.name,
                issue=issue,
                reopen_criteria=link.synced.reopen_criteria if link.synced else (),
            )
            self._synced_links.unlink(link.key, issue.id, Record(self._clock(), Decision.UNLINKED, why))
        finally:
            self._synced_links.end_turn(held, done=not held.notes)
        return was_linked

    def _lease(self, key: LinkKey) -> Lease:
        now = self._clock()
        return Lease(key, self._owner, now, now + LEASE)

    def _jira(self) -> RestJiraIssues:
        name = self._settings.connection
        return RestJiraIssues(
            JiraClient(
                self._stored_settings.read_connection(name),
                self._stored_settings.read_jira_secret(name),
                timeouts=TIMEOUTS,
            )
        )

    def _backtrace(self) -> BacktraceClient:
        name = self._settings.universe
        return BacktraceClient(
            self._stored_settings.read_universe(name),
            self._stored_settings.read_backtrace_secret(name),
            timeouts=TIMEOUTS,
        )


def _failure(error: BacktraceJiraError) -> str:
    if "AccessDenied" in str(error):
        return f"{error}: these AWS credentials may not write to the link table"
    return str(error)


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise a Stop with one sentence for the operator instead of the clients' errors."""
    try:
        yield
    except Unusable as error:
        raise Stop(f"{error}. {error.remedy}") from None
    except BacktraceJiraError as error:
        raise Stop(str(error)) from None
