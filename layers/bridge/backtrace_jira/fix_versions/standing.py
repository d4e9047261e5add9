"""How a ticket's Fix Versions stand, to be kept with its link and told to people. Does no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from backtrace_jira.fix_versions.boundary import Boundary, is_done, is_final
from backtrace_jira.jira.issue import FixVersion, Ticket
from backtrace_jira.links.last_synced import NamedVersion, Standing, VersionsSeen
from backtrace_jira.settings.fix_versions import AppliesWhen
from backtrace_jira.settings.integration import Integration

MOST_VERSIONS = 10
LONGEST_NAME = 80
"""Characters. A link's row is small; whoever wants more looks at the ticket."""


def see_versions(ticket: Ticket, integration: Integration, boundary: Boundary) -> VersionsSeen | None:
    """Return what is kept of a ticket's Fix Versions; None where the feature is off, and while the ticket is not done.

    Args:
        ticket: as it is now.
        integration: whose settings say how its versions are read.
        boundary: what they come to.
    """
    settings = integration.fix_versions
    if not settings.enabled or not is_done(ticket, integration):
        return None
    versions = ticket.versions.get(settings.field)
    named = tuple(
        NamedVersion(_shorten(each.name), each.released) for each in (versions or ())[:MOST_VERSIONS]
    )
    more = max(0, len(versions or ()) - MOST_VERSIONS)
    return VersionsSeen(
        _stand(ticket, integration, boundary, versions),
        named,
        more,
        resolution=ticket.resolution[1] or ticket.resolution[0],
        boundary=" or ".join(map(str, boundary.criteria)),
    )


def _stand(
    ticket: Ticket, integration: Integration, boundary: Boundary, versions: Sequence[FixVersion] | None
) -> Standing:
    settings = integration.fix_versions
    if is_final(ticket, settings):
        return Standing.NEVER_REOPENED
    if versions is None:
        return Standing.NOT_SHOWN
    if boundary.criteria:
        return Standing.RESOLVED_UNTIL
    if not versions:
        return Standing.NO_VERSIONS
    waits = settings.when is AppliesWhen.RELEASED and len(boundary.unread) < len(versions)
    return Standing.WAITING if waits else Standing.UNREAD


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
