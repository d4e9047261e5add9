"""Find error events that may show a regression. This runs for every event of a known group, so it imports late."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Link
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.tickets.context import Case
from backtrace_jira.tickets.ports import RegressionHints

if TYPE_CHECKING:
    from backtrace_jira.fix_versions.boundary import VersionCriterion


def report_possible_regression(hints: RegressionHints, case: Case, row: Link, issue: Issue) -> Outcome:
    """Send a hint that the error of a linked ticket may have come back, if the event shows it; return the outcome."""
    known = case.outcome(Decision.KNOWN, issue)
    criterion = find_passed_criterion(case, row)
    if criterion is None:
        return known
    reason = f"an error of the group may be past {criterion}"
    occasion = f"{row.synced.reopen_criteria} {row.synced.at}" if row.synced else ""
    try:
        hints.send_regression(case.integration.connection, issue.id, reason=reason, occasion=occasion)
    except BacktraceJiraError as error:
        return replace(known, detail=f"{reason}; {error_text(error)}", error=error)
    return replace(known, detail=f"{reason}; the synchronisation looks at {issue.key}")


def find_passed_criterion(case: Case, row: Link) -> VersionCriterion | None:
    """Return the criterion that an error of the group may have passed, if the row waits for a regression.

    An event lists every version that the group was ever seen in, but not when. So it is only a hint: the
    synchronisation, which receives it, asks Backtrace which versions were seen since the ticket was resolved.
    """
    settings, synced = case.integration.fix_versions, row.synced
    if not settings.enabled or synced is None or not synced.reopen_criteria or synced.regressed:
        return None
    if case.integration.event is EventKind.TRACE or settings.on_regression is OnRegression.LEAVE:
        return None
    from backtrace_jira.fix_versions.boundary import version_criteria_of

    criteria = version_criteria_of(synced.reopen_criteria)
    return next((criterion for criterion in criteria if criterion.may_be_past(case.group.attributes)), None)
