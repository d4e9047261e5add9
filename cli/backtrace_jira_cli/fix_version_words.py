"""What the Fix Versions of a link's ticket mean for its group: in an operator's words, and as facts for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from backtrace_jira.fix_versions.criterion import VersionCriterion, version_criteria_of
from backtrace_jira.fix_versions.orders import describe_orders
from backtrace_jira.links.last_synced import LastSynced, NamedVersion, Standing, VersionsSeen
from backtrace_jira.links.link import Link
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.states import State, state_of

NOT_DONE = "not_done"
"""The standing of a ticket whose Fix Versions do not count yet."""
NOT_DONE_YET = "count once the ticket is done"
OWN_TICKET = "own_ticket"
"""What an error past the boundary does with `event: trace`."""

_LOOKS = "the schedule looks at every link in turn, `backtrace-jira links check` at once"

_MEANINGS = {
    Standing.NEVER_REOPENED: "nothing: what was resolved as {resolution} is never reopened "
    "(fix_versions.never_reopened)",
    Standing.NOT_SHOWN: "not known: Jira does not show the field (backtrace-jira check says more); "
    "what stands in Backtrace stays",
    Standing.NO_VERSIONS: "the ticket is done without a Fix Version: no version reopens it",
    Standing.UNREAD: "none of them says anything to Backtrace: no version reopens it",
    Standing.WAITING: "it waits for the release of {waiting} in Jira (fix_versions.when: released); "
    "until then no version reopens it",
    Standing.RESOLVED_UNTIL: "resolved until {boundary}; an error past that {consequence}",
}

_CONSEQUENCES = {
    OnRegression.REOPEN: "reopens the ticket",
    OnRegression.NEW_TICKET: "makes a new ticket",
    OnRegression.COMMENT: "is told in a comment, and the ticket stays done",
    OnRegression.LEAVE: "opens the group in Backtrace, and the ticket stays done (fix_versions.on_regression: leave)",
    OWN_TICKET: "gets a ticket of its own (event: trace)",
}


def describe_fix_versions(link: Link, settings: Integration | None) -> list[tuple[str, str]]:
    """Return rows of name and text; none where the feature is off and has left nothing.

    Args:
        link: as the table has it.
        settings: of its integration as they are now; None if they cannot be read.
    """
    synced = link.synced or LastSynced()
    criteria = version_criteria_of(synced.reopen_criteria)
    written = [("Backtrace was told", " or ".join(map(str, criteria)))] if criteria else []
    written += [("in Backtrace", text) for text in _orders(criteria)]
    if settings is None:
        return written
    if not settings.fix_versions.enabled:
        off = "off (fix_versions.enabled), but what they wrote still stands in Backtrace"
        return [("Fix Versions", off), *written] if written else []
    seen = synced.versions_seen
    if seen is None:
        unseen = NOT_DONE_YET if is_not_done(synced, settings) else _not_looked_at(synced)
        return [("Fix Versions", unseen), *written]
    rows = [("Fix Versions", _names(seen)), ("which means", meaning_of(seen, synced, settings)), *written]
    return rows + [("Fix Version", text) for text in synced.unread_versions]


def fix_versions_json(link: Link, settings: Integration | None) -> dict[str, Any]:
    """Return the same as facts. `standing` is null where they were not looked at."""
    synced = link.synced or LastSynced()
    seen = synced.versions_seen
    enabled = settings.fix_versions.enabled if settings else None
    return {
        "enabled": enabled,
        "standing": _standing(synced, settings),
        "versions": [asdict(version) for version in seen.versions] if seen else [],
        "more_versions": seen.more if seen else 0,
        "resolution": (seen.resolution or None) if seen else None,
        "boundary": (seen.boundary or None) if seen else None,
        "reopen_criteria": [json.loads(text) for text in synced.reopen_criteria],
        "error_past_it": str(consequence_of(settings)) if settings and enabled else None,
        "remarks": [*synced.unread_versions, *_orders(version_criteria_of(synced.reopen_criteria))],
        "meaning": meaning_of(seen, synced, settings) if settings and enabled and seen else None,
    }


def is_not_done(synced: LastSynced, settings: Integration) -> bool:
    """Return whether the ticket was not done when it was last read; false if it never was."""
    known = synced.status
    return known is not None and state_of(known, settings.sync.states) is not State.RESOLVED


def _standing(synced: LastSynced, settings: Integration | None) -> str | None:
    if synced.versions_seen:
        return str(synced.versions_seen.standing)
    if settings and settings.fix_versions.enabled and is_not_done(synced, settings):
        return NOT_DONE
    return None


def consequence_of(settings: Integration) -> str:
    """Return what an error past the boundary does: `on_regression`, or `own_ticket`."""
    return OWN_TICKET if settings.event is EventKind.TRACE else settings.fix_versions.on_regression


def meaning_of(seen: VersionsSeen, synced: LastSynced, settings: Integration) -> str:
    """Return in a sentence what the Fix Versions mean, by the settings as they are now."""
    waiting = " or ".join(each.name for each in seen.versions if not each.released)
    text = _MEANINGS[seen.standing].format(
        resolution=seen.resolution,
        waiting=waiting or "its version",
        boundary=seen.boundary,
        consequence=_consequence(settings),
    )
    if seen.standing is Standing.RESOLVED_UNTIL and not synced.reopen_criteria:
        return f"{text}. It is not in Backtrace: {_why_not_written(synced)}"
    if seen.standing is Standing.RESOLVED_UNTIL and synced.state in (State.OPEN, State.IN_PROGRESS):
        why = ", because an error past it was seen again" if synced.regressed else ""
        return f"{text}. But the group is {synced.state} in Backtrace{why}"
    return text


def _orders(criteria: Iterable[VersionCriterion]) -> list[str]:
    """Return a sentence for each version about which orders differ: nobody knows which one Backtrace has."""
    return [text for each in criteria if (text := describe_orders(each.version.told))]


def _consequence(settings: Integration) -> str:
    words, days = _CONSEQUENCES[consequence_of(settings)], settings.fix_versions.reopen_within_days
    if consequence_of(settings) == OnRegression.REOPEN and days:
        return f"{words}, or makes a new one if it has been done for more than {days} days"
    return words


def _why_not_written(synced: LastSynced) -> str:
    if synced.regressed:
        return "an error past it was seen again"
    if synced.state is State.MUTED:
        return "the group is muted, and stays so"
    if synced.state is not State.RESOLVED:
        return "the group is open there, because somebody opened it"
    return "see what could not be done"


def _not_looked_at(synced: LastSynced) -> str:
    if not synced.at:
        return f"not looked at yet since ticket and group were linked; {_LOOKS}"
    return f"not looked at since fix_versions was enabled, and the ticket was done before that; {_LOOKS}"


def _names(seen: VersionsSeen) -> str:
    names = [_name(each) for each in seen.versions]
    more = [f"and {seen.more} more"] if seen.more else []
    return ", ".join([*names, *more]) or "none"


def _name(version: NamedVersion) -> str:
    return version.name if version.released else f"{version.name} (not released)"
