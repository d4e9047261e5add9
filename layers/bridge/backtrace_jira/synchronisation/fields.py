"""The synced fields, in the order in which a ticket gets them."""

from __future__ import annotations

from dataclasses import replace

from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.pair import Pair
from backtrace_jira.synchronisation.assignee import AssigneeSync
from backtrace_jira.synchronisation.state import StateSync
from backtrace_jira.synchronisation.synced_field import FieldSync

STATE = StateSync()
ASSIGNEE = AssigneeSync()
# State first: a transition may set an assignee of its own, and the group's is to have the last word.
FIELDS: tuple[FieldSync, ...] = (STATE, ASSIGNEE)


def with_baseline(pair: Pair, ticket: Ticket) -> Pair:
    """Fill in what ticket and group were at linking, where nobody has looked since."""
    synced = pair.synced
    for field in FIELDS:
        synced = field.fill_baseline(synced, pair, ticket)
    return replace(pair, link=replace(pair.link, synced=synced))
