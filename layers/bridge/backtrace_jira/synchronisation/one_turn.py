"""The order of a turn: one ticket and its groups are brought in step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from backtrace_jira.fix_versions.boundary import boundary_of, version_fields
from backtrace_jira.jira.issue import Issue, Ticket
from backtrace_jira.links.last_synced import REOPENING
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import NoteKind, Turn
from backtrace_jira.synchronisation.conflicts import group_proposes
from backtrace_jira.synchronisation.fields import FIELDS, with_baseline
from backtrace_jira.synchronisation.regressions import (
    Regression,
    find_action,
    find_reopening,
    handle_regressions,
    without_news,
)
from backtrace_jira.synchronisation.to_backtrace import is_linked, leave_unlinked, write_group
from backtrace_jira.synchronisation.to_jira import plan_winners, write_ticket
from backtrace_jira.synchronisation.turn_context import TurnContext
from backtrace_jira.synchronisation.witness import judge_groups, needs_evidence


def bring_in_line(context: TurnContext, ticket: Ticket, pairs: Sequence[Pair]) -> Sequence[Regression]:
    """Give the latest change of a ticket or of one of its groups to all the others; return what came back."""
    pairs = [_with_noted_key(pair, context.turn) for pair in pairs]
    linked = [pair for pair in pairs if is_linked(pair, ticket)]
    for pair in pairs:
        if pair not in linked:
            leave_unlinked(context, pair.with_answer(context.hint.sighting), ticket)

    # The changelog before anything is compared: without it, nobody sees that the ticket was changed and changed back,
    # and a mere comment on the ticket would count as a change that is later than the group's.
    ticket = _with_categories(context, _with_changelog(context, ticket, linked), linked)
    linked = [with_baseline(pair, ticket) for pair in linked]

    # Regressions before conflicts: Backtrace has reopened the group itself. Taken for a person's change, that would
    # move the ticket without a comment, whatever the settings want.
    rulings = judge_groups(context, ticket, linked)
    regressions = [ruling.regression for ruling in rulings if ruling.regression]
    judgements = {ruling.pair.link.key: ruling.judgement for ruling in rulings}
    ticket = handle_regressions(context, ticket, regressions)
    linked = without_news([ruling.pair for ruling in rulings], regressions)

    # The ticket before its groups: they are given what it really has then. Where Jira refuses a group's change, the
    # others never hear of it.
    reopened_for = find_reopening(regressions)
    winners = plan_winners(ticket, linked, context.turn, reopened_for=reopened_for)
    ticket, winners = write_ticket(context, ticket, winners)

    with _versions_recorded(context, ticket, linked, pairs):
        for pair in linked:
            action, judgement = find_action(regressions, pair), judgements[pair.link.key]
            write_group(context, pair, ticket, winners, action, judgement)
    return regressions


def _with_noted_key(pair: Pair, turn: Turn) -> Pair:
    """Return the pair with the key that the last holder of the turn gave to its group's entry, and did not record."""
    whose = [pair.link.key.integration, pair.link.key.fingerprint]
    for text in turn.noted_values(NoteKind.KEY):
        *group, key, url = json.loads(text)
        issue = Issue(turn.issue_id, key, url)
        if group == whose and pair.group.has_ticket(pair.integration.name, issue):
            return replace(pair, link=replace(pair.link, issue=issue))
    return pair


def _with_changelog(context: TurnContext, ticket: Ticket, linked: Sequence[Pair]) -> Ticket:
    """Read the changelog where a group has news, and where the last holder of the turn left notes.

    The ticket may have changed later than the group, and even back to what it was; and only the changelog says when it
    was last closed.
    """
    has_news = any(group_proposes(field, pair, ticket) for field in FIELDS for pair in linked)
    has_news = has_news or any(
        REOPENING in pair.synced.refused or needs_evidence(context, ticket, pair) for pair in linked
    )
    if ticket.changes is not None or not (context.turn.notes or has_news):
        return ticket
    fields = version_fields(pair.integration for pair in linked)
    return context.jira.ticket(context.turn.issue_id, changes=True, version_fields=fields) or ticket


def _with_categories(context: TurnContext, ticket: Ticket, linked: Sequence[Pair]) -> Ticket:
    """Ask Jira what a ticket's status at linking means, where the ticket has changed it before it was first looked at.

    Else a step between two statuses of one meaning would be taken for a change.
    """
    unread = [pair.linked_at for pair in linked if pair.synced.status is None]
    firsts = {change for at in unread if (change := ticket.first_change("status", at))}
    asked = {
        change: replace(change, before_category=context.jira.status_category(change.before))
        for change in firsts
        if change.before != ticket.status.id
    }
    if not asked:
        return ticket
    return replace(ticket, changes=tuple(asked.get(change, change) for change in ticket.changes or ()))


@contextmanager
def _versions_recorded(
    context: TurnContext, ticket: Ticket, linked: Sequence[Pair], pairs: Sequence[Pair]
) -> Iterator[None]:
    """Record which Fix Versions the ticket has, so that a poll that sees one change finds the ticket."""
    boundaries = [boundary_of(ticket, pair.integration) for pair in linked]
    now = {id_: facts for boundary in boundaries for id_, facts in boundary.fix_versions.items()}
    before = {id_: facts for pair in pairs for id_, facts in pair.synced.fix_versions.items()}
    new = {id_: facts for id_, facts in now.items() if id_ not in before}
    connection, issue_id = context.turn.connection, context.turn.issue_id
    # First record new versions: without the record, no poll would find this ticket.
    if new:
        context.store.record_versions(connection, issue_id, new, {})
    yield
    # Record changed ones last: until then the poll must come back. Where it is the poll that came, all of them are
    # written again: the process before may have recorded the link, and died before it came to this line.
    recorded = dict.fromkeys(before, "") if context.hint.thorough else before
    if {**recorded, **new} != now:
        context.store.record_versions(connection, issue_id, now, {**recorded, **new})
