"""Takes an integration's reopen criteria out of its groups in Backtrace, or leaves them there as nobody's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.backtrace.group import GroupWrite
from backtrace_jira.backtrace.reopen_criteria import plan_column
from backtrace_jira.errors import BacktraceJiraError, CredentialRefused
from backtrace_jira.links.link import Link, LinkKey
from backtrace_jira.links.turn import Turn
from backtrace_jira.settings.integration import Integration
from backtrace_jira.times import LEASE
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.deployment.stored_settings import NotKnownYet, StoredSettings, Unusable
from backtrace_jira_cli.exits import Stop

GOES_ON = "Nothing was written to the settings. Running the same command again goes on with the rest."


class CriteriaRemoval:
    """One integration's links, one after the other. What is done with one is recorded in it at once."""

    def __init__(
        self,
        integration: Integration,
        table: LinkTable,
        console: Console,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._integration = integration
        self._store = table.synced_links
        self._console = console
        self._clock = clock
        self._owner = f"configure {uuid.uuid4().hex}"

    def run(self, links: Sequence[Link], settings: StoredSettings | None) -> None:
        """Remove the criteria from Backtrace; with `settings` None they stay there, and are no longer ours.

        Raises:
            Stop: it did not succeed for every group.
        """
        groups = self._groups(settings) if settings else None
        failed: list[str] = []
        with self._console.show_progress("reopen criteria") as show:
            for number, link in enumerate(links, 1):
                try:
                    self._let_go(link.key, groups)
                except CredentialRefused as error:
                    raise Stop(f"{error}. {GOES_ON}") from None
                except BacktraceJiraError as error:
                    failed.append(f"{link.key.fingerprint}: {error}")
                show(f"{number:,} of {len(links):,} groups")
        if failed:
            raise Stop(f"{len(failed)} of {len(links)} groups were left as they are. {failed[0]}. {GOES_ON}")

    def _let_go(self, key: LinkKey, groups: RestBacktraceGroups | None) -> None:
        """Forget a link's criteria, after they were taken out of its group: cut off in between, they are still known.

        The turn keeps the functions away from the ticket meanwhile.
        """
        link = self._store.get(key)
        if link is None or link.issue is None:
            return
        now = self._clock()
        held = self._store.take_turn(
            Turn(self._integration.connection, link.issue.id, self._owner, now + LEASE), now=now
        )
        try:
            link = self._store.get(key)  # as the last holder of the turn has left it
            if link and link.issue and link.synced and link.synced.reopen_criteria:
                if groups:
                    self._take_out(key, link.synced.reopen_criteria, groups)
                self._store.record_synced(
                    key, link.issue, link.issue, replace(link.synced, reopen_criteria=())
                )
        finally:
            self._store.end_turn(held, done=not held.notes)

    def _take_out(self, key: LinkKey, ours: Sequence[str], groups: RestBacktraceGroups) -> None:
        group = groups.group(self._integration.project, key.fingerprint)
        column = plan_column(group.reopen_criteria, ours, ())
        if column is not None:
            groups.write(group, GroupWrite(reopen_criteria=column))

    def _groups(self, settings: StoredSettings) -> RestBacktraceGroups:
        name = self._integration.universe
        try:
            universe, token = settings.read_universe(name), settings.read_backtrace_secret(name)
        except Unusable as error:
            raise Stop(f"{error}. {error.remedy} Or say --reopen-criteria keep.") from None
        except NotKnownYet as error:
            raise Stop(f"{error}. Say --reopen-criteria keep, or read it.") from None
        return RestBacktraceGroups(BacktraceClient(universe, token, timeouts=TIMEOUTS))
