"""Ask for the ticket that is to follow another after a regression.

It is made by the path of every other ticket, from an event that is put together of Backtrace's own aggregates. Until it
is complete, the row keeps the ticket that it has.
"""

from __future__ import annotations

import json
from dataclasses import replace

from backtrace_jira.backtrace.group import GroupWrite
from backtrace_jira.backtrace.reopen_criteria import plan_column
from backtrace_jira.errors import CredentialRefused, Refused
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import FollowUp, Link
from backtrace_jira.links.pair import Pair
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.states import State
from backtrace_jira.synchronisation.level import RETRY
from backtrace_jira.synchronisation.ports import BacktraceGroups, NewEvents, SyncedLinks
from backtrace_jira.synchronisation.to_backtrace import find_noted_criteria
from backtrace_jira.synchronisation.turn_context import TurnContext
from backtrace_jira.times import LEASE


def set_free(context: TurnContext, pair: Pair) -> None:
    """Open a group that is to have a new ticket, and remove the reopen criteria that the old one set."""
    group = pair.group
    ours = [*pair.synced.reopen_criteria, *find_noted_criteria(context.turn, pair)]
    criteria = plan_column(group.reopen_criteria, ours, ())
    state = State.OPEN if group.state is State.RESOLVED else None
    if state or criteria is not None:
        # A refusal must not swallow the new ticket.
        with context.refusal_as_problem(f"Backtrace refused to open {pair.short_name}"):
            context.backtrace(pair).write(group, GroupWrite(state, reopen_criteria=criteria))


def hand_over(context: TurnContext, ticket: Ticket, pair: Pair, sentence: str) -> None:
    """Let a new ticket follow this one. `sentence` says what was seen."""
    now = context.clock()
    follow_up = FollowUp(wanted_at=now, since=ticket.done_since)
    body = _event(context.backtrace(pair), pair.link, pair.integration, follow_up)
    reason = f"{sentence}; a new ticket follows {ticket.issue.key}"
    record = Record(now, Decision.REGRESSED, reason)
    agreed = _agreed(pair, ticket, now)
    # Recorded before the event is sent: `create_ticket` believes the row and not the event, which anybody could have
    # written. A process that dies in between is missed by the next hint about the ticket (`ask_again`).
    # And the event comes last of all: from then on, the group may be another ticket's.
    if context.store.want_follow_up(pair.link.key, ticket.issue, follow_up, agreed, record):
        context.new_events.publish(body, after=0)
    context.tell(reason)


def ask_again(
    groups: BacktraceGroups,
    store: SyncedLinks,
    new_events: NewEvents,
    pair: tuple[Link, Integration],
    now: float,
) -> None:
    """Send the event once more for a link that is handed over, if whoever was to send it is surely dead.

    So, too, if nothing has come of it for long: it may have met settings that did not want it, or be a dead letter
    that nobody replays. Two events make one ticket all the same.
    """
    link, integration = pair
    asked, record = link.follow_up, link.record
    if link.issue is None or asked is None or record is None or link.synced is None:
        return
    is_first = (record.decision, record.at) == (Decision.REGRESSED, asked.wanted_at)
    if now - max(asked.wanted_at, record.at) < (LEASE if is_first else RETRY):
        return  # it is on its way, or `create_ticket` has just had it
    follow_up = replace(asked, wanted_at=now)
    body = _event(groups, link, integration, follow_up)
    if store.want_follow_up(link.key, link.issue, follow_up, link.synced, record):
        new_events.publish(body, after=0)


def _event(groups: BacktraceGroups, link: Link, integration: Integration, follow_up: FollowUp) -> str:
    """Return the event's body, with the mark by which it is known."""
    project, fingerprint = integration.project, link.key.fingerprint
    try:
        body = json.loads(groups.error_event(project, fingerprint, since=follow_up.since, page=link.page))
    except Refused as error:
        if isinstance(error, CredentialRefused):
            raise
        # A ticket that says little is better than none.
        body = {"universe": integration.universe, "project": project, "fingerprint": fingerprint}
        body |= {"group_url": link.page} if link.page else {}
    issue_id = link.issue.id if link.issue else ""
    mark = {"integration": integration.id, "issue_id": issue_id, "generation": link.next_generation}
    return json.dumps({**body, "follow_up": mark})


def _agreed(pair: Pair, ticket: Ticket, now: float) -> LastSynced:
    """Return what ticket and group are now: should Jira refuse the new ticket, none of it is news to the old one."""
    group = pair.group
    return replace(
        pair.synced,
        state=State.OPEN if group.state is State.RESOLVED else group.state,
        assignee=group.assignee_id,
        status=ticket.status,
        ticket_assignee=ticket.assignee_id,
        at=now,
        reopens=group.reopens,
        regressed=True,
    )
