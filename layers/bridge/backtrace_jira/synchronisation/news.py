"""What was heard of a ticket, and whether a ticket or a group differs from what the link last agreed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backtrace_jira.backtrace.group import Group
from backtrace_jira.fix_versions.boundary import Boundary, boundary_of
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.synchronisation import Truth
from backtrace_jira.states import state_of


@dataclass(frozen=True, slots=True)
class Hint:
    """What was heard of a ticket: `versions_only` is that nothing changed but its Fix Versions.

    `groups` were just read, by Backtrace project and fingerprint, where it is Backtrace that told. `thorough` asks to
    look at both sides, whatever the ticket is; `regression` is that an error event came that may be past the ticket's
    boundary.
    """

    connection: str = ""
    deleted: bool = False
    moved: bool = False
    versions_only: bool = False
    thorough: bool = False
    regression: bool = False
    groups: Mapping[tuple[str, str], Group] | None = None


def hint_concerns(link: Link, integration: Integration, hint: Hint) -> bool:
    """Tell whether the settings want a link looked at for what was heard; a deleted ticket concerns any."""
    if hint.deleted or hint.moved:
        return True
    if hint.groups is not None:
        return group_has_news(link, integration, hint.groups.get((integration.project, link.key.fingerprint)))
    if hint.regression:
        return (
            integration.fix_versions.enabled and link.synced is not None and bool(link.synced.reopen_criteria)
        )
    if hint.versions_only:
        return integration.fix_versions.enabled
    if integration.follows_tickets or (integration.follows and hint.thorough):
        return True
    return _links_by_truth(link, integration)


def group_has_news(link: Link, integration: Integration, group: Group | None) -> bool:
    """Tell whether a group is not what its ticket last agreed with; what is not wanted in Jira is no news."""
    synced = link.synced
    if group is None or not integration.follows:
        return False
    if synced is None or synced.state is None or _links_by_truth(link, integration):
        return True
    differs = (synced.state, synced.assignee) != (group.state, group.assignee_id)
    reopened = integration.fix_versions.enabled and group.reopens != synced.reopens
    return (integration.sync.backtrace_to_jira and differs) or reopened


def was_never_compared(link: Link) -> bool:
    """Tell whether the ticket was never read since it was linked."""
    return link.synced is None or link.synced.status is None


def _links_by_truth(link: Link, integration: Integration) -> bool:
    return integration.sync.on_linking is not Truth.NONE and was_never_compared(link)


def ticket_has_news(link: Link, integration: Integration, ticket: Ticket) -> bool:
    """Tell whether a ticket is not what the link last agreed with; its key may have changed, too."""
    synced = link.synced
    if synced is None or synced.status is None or link.issue is None:
        return True
    named = integration.sync.states
    return (
        state_of(synced.status, named) is not state_of(ticket.status, named)
        or synced.ticket_assignee != ticket.assignee_id
        or link.issue.key != ticket.issue.key
        or _fix_versions_are_news(synced, boundary_of(ticket, integration))
    )


def _fix_versions_are_news(synced: LastSynced, boundary: Boundary) -> bool:
    """Tell whether a ticket's Fix Versions are not what the link knows; where they cannot be told, nothing is."""
    if boundary.reopen_criteria is None:
        return boundary.unread != synced.unread_versions
    known = (synced.reopen_criteria, synced.unread_versions, dict(synced.fix_versions))
    return known != (boundary.reopen_criteria, boundary.unread, dict(boundary.fixes))
