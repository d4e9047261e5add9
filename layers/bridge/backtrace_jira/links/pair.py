"""A link with its settings and its group."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backtrace_jira.backtrace.group import Group
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link, Sighting
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.synchronisation import Sync
from backtrace_jira.states import State, Status, state_of


@dataclass(frozen=True, slots=True)
class Pair:
    """A link with its settings and with its group as it is now. The ticket is the other half of the pair."""

    link: Link
    integration: Integration
    group: Group

    @property
    def sync(self) -> Sync:
        """The integration's settings of the synchronisation."""
        return self.integration.sync

    @property
    def synced(self) -> LastSynced:
        """The values of ticket and group when they last agreed."""
        return self.link.synced or LastSynced()

    @property
    def linked_at(self) -> float:
        """Return when the ticket was linked (unix seconds); 0 if that is not known."""
        return self.link.record.at if self.link.record else 0.0

    @property
    def is_fresh(self) -> bool:
        """Return whether ticket and group were never compared."""
        return self.synced.at == 0.0

    @property
    def short_name(self) -> str:
        """The group's name in a sentence."""
        return f"error group {self.link.key.fingerprint[:12]}"

    def with_answer(self, sighting: Sighting | None) -> Pair:
        """Return the pair with this sighting dealt with; unchanged if there is none, or it is another link's."""
        if sighting is None or sighting.key != self.link.key:
            return self
        return replace(self, link=replace(self.link, synced=replace(self.synced, answered=sighting.digest)))

    def state_of(self, status: Status) -> State:
        """Return the state that a Jira status means in this integration."""
        return state_of(status, self.sync.states)


def pair_up(link: Link, integration: Integration, group: Group) -> Pair:
    """Return a link's pair, with the group as it will be once it has been told of its ticket.

    Else our own linking would be taken for a person's change later.
    """
    if link.issue and not link.linked_in_backtrace:
        group = group.once_linked(integration.name, link.issue)
    return Pair(link, integration, group)
