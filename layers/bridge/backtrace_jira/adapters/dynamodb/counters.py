"""Frequency and threshold as conditional writes on a group's item: the two changes that one event may make.

`fired_at` (unix seconds) is when the group's last event was due, `aggregated` the number of events held back since.
`fired_by` and `aggregated_by` name the event of the last change: botocore may repeat a request, and an event must not
be counted twice.
"""

from __future__ import annotations

from typing import TypeAlias

from backtrace_jira.adapters.dynamodb.items import n, s
from backtrace_jira.adapters.dynamodb.table import Values
from backtrace_jira.settings.integration import DueRule

Change: TypeAlias = tuple[str, str, Values]
"""Update expression, condition expression and their values."""


def firing(trace: str, now: float, rule: DueRule) -> Change:
    """Return the change of a due event. It fails unless enough time has passed, or enough events were held back."""
    ways = []
    values = {":now": n(now), ":none": n(0), ":trace": s(trace)}
    if rule.frequency:
        ways.append("attribute_not_exists(fired_at) OR fired_at <= :before")
        values[":before"] = n(now - rule.frequency)
    if rule.threshold:
        ways.append("aggregated >= :enough")
        values[":enough"] = n(rule.threshold - 1)
    return "SET fired_at = :now, fired_by = :trace, aggregated = :none", " OR ".join(ways), values


def holding(trace: str, now: float, rule: DueRule) -> Change:
    """Return the change of an event that is held back. It fails if other events have made this one due meanwhile."""
    ways = [
        "(attribute_not_exists(aggregated) OR aggregated < :enough)",
        "(attribute_not_exists(aggregated_by) OR aggregated_by <> :trace)",
    ]
    values = {":one": n(1), ":trace": s(trace), ":enough": n(rule.threshold - 1)}
    if rule.frequency:
        ways.append("fired_at > :before")
        values[":before"] = n(now - rule.frequency)
    return "SET aggregated_by = :trace ADD aggregated :one", " AND ".join(ways), values
