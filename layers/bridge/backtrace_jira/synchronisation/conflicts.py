"""The conflict rules: when ticket and groups differ, they decide whose value holds. Nothing here does I/O.

A ticket and its groups form one unit. A value equal to the last agreed one is not a change. Of several changes the
latest wins; in a tie, Jira's. The state at linking is the starting point and no change.
"""

from __future__ import annotations

from collections.abc import Sequence

from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import Turn
from backtrace_jira.settings.synchronisation import OnLinking
from backtrace_jira.synchronisation.synced_field import FieldSync, Winner


def was_changed_back(pair: Pair, ticket: Ticket, changelog_field: str) -> bool:
    """Return whether a ticket that has its old value changed all the same, as far as its changelog was read.

    Somebody may have undone a write of ours that was never recorded. Or the ticket changed twice, the second time
    later than the group.
    """
    since = pair.synced.at or pair.linked_at
    return any(change.field == changelog_field and change.at > since for change in ticket.changes or ())


def ticket_proposes(field: FieldSync, pair: Pair, ticket: Ticket, turn: Turn | None) -> bool:
    """Return whether the ticket's value is new to this group, and the settings want it there."""
    if not pair.sync.covers(field.name):
        return False
    if pair.is_fresh and pair.sync.on_linking is OnLinking.JIRA and field.differs(pair, ticket):
        return True
    return pair.sync.jira_to_backtrace and field.ticket_has_news(pair, ticket, turn)


def group_proposes(field: FieldSync, pair: Pair, ticket: Ticket) -> bool:
    """Return whether the group's value is new to the ticket, and the settings want it there."""
    if not pair.sync.covers(field.name) or not field.is_meant_for_jira(pair):
        return False
    if pair.is_fresh and pair.sync.on_linking is OnLinking.BACKTRACE and field.differs(pair, ticket):
        return True
    return pair.sync.backtrace_to_jira and field.group_has_news(pair)


def decide_winner(field: FieldSync, ticket: Ticket, pairs: Sequence[Pair], turn: Turn) -> Winner:
    """Return whose value holds: the latest change's, Jira's in a tie.

    Backtrace says only when a group last changed, not which of its columns, and in whole seconds.
    """
    changed = [pair for pair in pairs if group_proposes(field, pair, ticket)]
    latest = max(changed, key=lambda pair: pair.group.modified, default=None)
    if not any(ticket_proposes(field, pair, ticket, turn) for pair in pairs):
        return Winner(field, pair=latest)
    if latest is None or int(ticket.changed_at(field.changelog_field)) >= int(latest.group.modified):
        return Winner(field, is_ticket=True)
    return Winner(field, pair=latest)


def takes_ticket_value(pair: Pair, ticket: Ticket, winner: Winner, turn: Turn) -> bool:
    """Return whether a group takes the ticket's value: it is new to it, or its own change lost against a later one."""
    if winner.pair is not None and winner.pair.link.key == pair.link.key:
        return False
    # A ticket that has just got one group's value is news to the others, although it was us who wrote it.
    last_holder = None if winner.pair else turn
    if ticket_proposes(winner.field, pair, ticket, last_holder):
        return True
    somebody_won = winner.is_ticket or winner.pair is not None
    return somebody_won and pair.sync.jira_to_backtrace and group_proposes(winner.field, pair, ticket)
