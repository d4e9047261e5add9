"""Hints, and the quick look for news: a value of ticket or group other than the last agreed one.

The quick look comes before any process has the turn. `conflicts` decides who wins, once both sides were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backtrace_jira.backtrace.group import Group
from backtrace_jira.fix_versions.boundary import Boundary, boundary_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.last_synced import LastSynced, refused_criteria
from backtrace_jira.links.link import Link, Sighting
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.synchronisation import OnLinking
from backtrace_jira.states import state_of


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint that a ticket may have changed. It is a reason to read both sides, and decides nothing itself."""

    connection: str = ""
    """The Jira site whose ticket it is; empty if the sender does not know it."""
    deleted: bool = False
    moved: bool = False
    versions_only: bool = False
    """Nothing changed but the ticket's Fix Versions."""
    thorough: bool = False
    """Look at ticket and groups, even where the ticket is what its links last agreed with."""
    regression: bool = False
    """An error event may be past the ticket's boundary."""
    sighting: Sighting | None = None
    """What that event lists."""
    groups: Mapping[tuple[str, str], Group] | None = None
    """By Backtrace project and fingerprint: what the poll of Backtrace has just read."""


def hint_concerns(link: Link, integration: Integration, hint: Hint) -> bool:
    """Return whether a hint concerns a link, by the link's settings. A deleted ticket concerns each of its links."""
    if hint.deleted or hint.moved:
        return True
    if hint.groups is not None:
        return group_has_news(link, integration, hint.groups.get((integration.project, link.key.fingerprint)))
    if hint.regression:
        return integration.fix_versions.enabled and _awaits(link, hint.sighting)
    if hint.versions_only:
        return integration.fix_versions.enabled
    if integration.follows_tickets or (integration.keeps_in_step and hint.thorough):
        return True
    if hint.thorough and link.has_criteria:
        return True  # the integration is off, and what it has left in Backtrace is to be removed
    return _compares_at_first_look(link, integration)


def _awaits(link: Link, sighting: Sighting | None) -> bool:
    """Return whether a link waits for a regression, and this sighting is its own and was not dealt with."""
    if link.synced is None or not link.synced.reopen_criteria:
        return False
    return sighting is None or (sighting.key == link.key and sighting.digest != link.synced.answered)


def group_has_news(link: Link, integration: Integration, group: Group | None) -> bool:
    """Return whether a group differs from its link's memory. A value that the settings keep out of Jira is no news."""
    synced = link.synced
    if group is None or not integration.keeps_in_step:
        return False
    if link.is_handed_over:
        return True  # somebody has to see to it that the new ticket is asked for
    if synced is None or synced.state is None or _compares_at_first_look(link, integration):
        return True
    refused = synced.refused
    differs = group.state not in (synced.state, refused.get("state")) or group.assignee_id not in (
        synced.assignee,
        refused.get("assignee"),
    )
    reopened = integration.fix_versions.enabled and (
        group.reopens != synced.reopens or synced.needs_another_look
    )
    return (integration.sync.backtrace_to_jira and differs) or reopened


def was_never_compared(link: Link) -> bool:
    """Return whether the ticket was never read since it was linked."""
    return link.synced is None or link.synced.status is None


def _compares_at_first_look(link: Link, integration: Integration) -> bool:
    return integration.sync.on_linking is not OnLinking.NONE and was_never_compared(link)


def ticket_has_news(link: Link, integration: Integration, ticket: Ticket) -> bool:
    """Return whether a ticket differs from what its link last agreed with. A new key is news, too.

    What the group did not take when it was offered is none: the round through all links offers it again.
    """
    synced = link.synced
    if synced is None or synced.status is None or link.issue is None:
        return True
    named, refused = integration.sync.states, synced.refused
    before = synced.meaning or state_of(synced.status, named)
    has_other_meaning = before is not state_of(ticket.status, named)
    return (
        (has_other_meaning and ticket.status.id != refused.get("status"))
        or ticket.assignee_id not in (synced.ticket_assignee, refused.get("ticket_assignee"))
        or ticket.issue.key not in (link.issue.key, refused.get("key"))
        or _fix_versions_are_news(synced, boundary_of(ticket, integration))
    )


def _fix_versions_are_news(synced: LastSynced, boundary: Boundary) -> bool:
    """Compare a ticket's Fix Versions with those of the link. Where they cannot be read, only that is compared."""
    if boundary.reopen_criteria is None:
        return boundary.remarks != synced.unread_versions
    is_known = boundary.reopen_criteria == synced.reopen_criteria
    is_known = is_known or refused_criteria(boundary.reopen_criteria) == synced.refused.get("until")
    known = (is_known, synced.unread_versions, dict(synced.fix_versions))
    return known != (True, boundary.remarks, dict(boundary.fix_versions))
