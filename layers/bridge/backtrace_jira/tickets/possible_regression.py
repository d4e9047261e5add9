"""Find error events that may show a regression. This runs for every event of a known group, so it imports late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Link, Sighting
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.tickets.context import Case
from backtrace_jira.tickets.ports import RegressionHints

if TYPE_CHECKING:
    from backtrace_jira.fix_versions.criterion import VersionCriterion


def report_possible_regression(hints: RegressionHints, case: Case, row: Link, issue: Issue) -> Outcome:
    """Send a hint that the error of a linked ticket may have come back, if the event shows it; return the outcome."""
    known, synced = case.outcome(Decision.KNOWN, issue), row.synced
    criteria = find_passed_criteria(case, row)
    if not criteria or synced is None:
        return known
    sighting = _sighting(case, row, criteria)
    if sighting.digest == synced.answered:
        return known
    reason = f"an error of the group may be past {criteria[0]}"
    occasion = f"{synced.reopen_criteria} {synced.at}"
    try:
        hints.send_regression(
            case.integration.connection, issue.id, sighting, reason=reason, occasion=occasion
        )
    except BacktraceJiraError as error:
        return replace(known, detail=f"{reason}; {error_text(error)}", error=error)
    return replace(known, detail=f"{reason}; the synchronisation looks at {issue.key}")


def find_passed_criteria(case: Case, row: Link) -> list[VersionCriterion]:
    """Return the criteria that an error of the group may have passed, if the row waits for a regression.

    Doubt about an error's version counts, too, until a turn has said it.

    An event lists every version that the group was ever seen in, but not when. So it is only a hint: the
    synchronisation, which receives it, asks Backtrace which versions were seen since the ticket was resolved.
    """
    settings, synced = case.integration.fix_versions, row.synced
    if not settings.enabled or synced is None or not synced.reopen_criteria or synced.regressed:
        return []
    if case.integration.event is EventKind.TRACE or settings.on_regression is OnRegression.LEAVE:
        return []
    from backtrace_jira.fix_versions.criterion import version_criteria_of

    criteria = version_criteria_of(synced.reopen_criteria)
    attributes, said = case.group.attributes, synced.doubted
    return [
        criterion
        for criterion in criteria
        if criterion.may_be_past(attributes)
        or (str(criterion.told) not in said and criterion.in_doubt(attributes.get(criterion.attribute, ())))
    ]


def _sighting(case: Case, row: Link, criteria: Iterable[VersionCriterion]) -> Sighting:
    from backtrace_jira.fix_versions.criterion import digest_sighting

    group = case.group
    last_seen = group.timestamp[1] if group.timestamp else 0.0
    return Sighting(row.key, digest_sighting(criteria, group.attributes, last_seen))
