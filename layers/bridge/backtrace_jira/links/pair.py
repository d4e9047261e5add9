"""One link with its settings and its group."""

from __future__ import annotations

from dataclasses import dataclass

from backtrace_jira.backtrace.group import Group
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.synchronisation import Sync
from backtrace_jira.states import State, Status, state_of


@dataclass(frozen=True, slots=True)
class Pair:
    """One link with its settings and, once it was read, its group."""

    link: Link
    integration: Integration
    group: Group

    @property
    def sync(self) -> Sync:
        """The integration's settings of the synchronisation."""
        return self.integration.sync

    @property
    def synced(self) -> LastSynced:
        """What the sides last agreed on."""
        return self.link.synced or LastSynced()

    def state_of(self, status: Status) -> State:
        """Return what a Jira status means to this integration."""
        return state_of(status, self.sync.states)
