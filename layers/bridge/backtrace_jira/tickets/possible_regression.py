"""Does an error event tell of a regression? Asked of every event of a known group, so nothing is loaded in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtrace_jira.links.link import Link
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.tickets.decisions import Case

if TYPE_CHECKING:
    from backtrace_jira.fix_versions.boundary import Rule


def find_passed_rule(case: Case, link: Link) -> Rule | None:
    """Return the rule that an error of the group may have passed, if the link waits for that.

    An event tells what versions a group's errors have, however old they are: whether one came after the ticket was
    done is asked of Backtrace by whoever looks at the ticket.
    """
    settings, synced = case.integration.fix_versions, link.synced
    if not settings.enabled or synced is None or not synced.reopen_criteria or synced.regressed:
        return None
    if case.integration.event is EventKind.TRACE or settings.on_regression is OnRegression.LEAVE:
        return None
    from backtrace_jira.fix_versions.boundary import rules_of

    rules = rules_of(synced.reopen_criteria)
    return next((rule for rule in rules if rule.may_be_past(case.group.attributes)), None)
