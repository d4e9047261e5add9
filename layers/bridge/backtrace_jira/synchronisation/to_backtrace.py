"""The ticket's change goes to one group: plan what the group becomes, then write it to Backtrace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from backtrace_jira.backtrace.group import Group, GroupWrite, with_assignee, with_ticket_as
from backtrace_jira.backtrace.reopen_criteria import holds_all, plan_column
from backtrace_jira.errors import Busy
from backtrace_jira.fix_versions.boundary import boundary_of, is_done
from backtrace_jira.fix_versions.judge import Judgement, has_lost_criteria, is_same_boundary, recent_of
from backtrace_jira.fix_versions.resolved_until import plan_resolved_until
from backtrace_jira.fix_versions.standing import see_versions
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.json_types import JSON
from backtrace_jira.links.last_synced import LOST_CRITERIA, LastSynced, Opener
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import NoteKind, Turn
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.synchronisation import SyncedField
from backtrace_jira.states import State
from backtrace_jira.synchronisation.agreement import Result, with_open_values
from backtrace_jira.synchronisation.conflicts import takes_ticket_value
from backtrace_jira.synchronisation.fields import FIELDS
from backtrace_jira.synchronisation.synced_field import FindBacktraceUser, GroupPlan, Winner
from backtrace_jira.synchronisation.turn_context import TurnContext

UNLINKED = "was unlinked in Backtrace and is left alone"
"""In the problem that is reported of a group that somebody has cut off."""

# What is planned


def is_linked(pair: Pair, ticket: Ticket) -> bool:
    """Return whether the link still holds. Somebody may have removed the ticket from the group in Backtrace.

    A group that has not been told of its ticket yet does not count as cut off.
    """
    issues = [issue for issue in (pair.link.issue, ticket.issue) if issue]
    return not pair.link.linked_in_backtrace or pair.group.has_ticket(pair.integration.name, *issues)


def plan_group(
    pair: Pair,
    ticket: Ticket,
    winners: Sequence[Winner],
    turn: Turn,
    find_user: FindBacktraceUser,
    action: OnRegression | None = None,
    judgement: Judgement = Judgement.NOTHING,
) -> GroupPlan:
    """Decide what becomes of a group.

    Args:
        pair: the link and its group.
        ticket: as it is now, after what was written to it.
        winners: whose value of each field holds.
        turn: whose notes say what may be our own doing.
        find_user: finds the Backtrace user of a Jira user.
        action: what the group's regression has just done to the ticket, if there was one.
        judgement: on an error of the group that may have come back.
    """
    plan = GroupPlan(pair.synced.reopen_criteria)
    for winner in winners:
        if takes_ticket_value(pair, ticket, winner, turn):
            plan = winner.field.plan_group(plan, pair, ticket, winner, find_user)
    # Another group's regression may have reopened the ticket meanwhile: then nothing is resolved again.
    judgement = judgement if is_done(ticket, pair.integration) else Judgement.NOTHING
    plan = _plan_reopen_criteria(plan, pair, ticket, turn, action, judgement)
    if plan.assignee and plan.state is None and pair.group.state is State.OPEN:
        plan = replace(plan, state=State.IN_PROGRESS)  # as Backtrace does when somebody is assigned
    return plan


def _plan_reopen_criteria(
    plan: GroupPlan,
    pair: Pair,
    ticket: Ticket,
    turn: Turn,
    action: OnRegression | None,
    judgement: Judgement,
) -> GroupPlan:
    """Add what the ticket's Fix Versions make of the group. What cannot be read, or is in doubt, is said once."""
    handled = action not in (None, OnRegression.LEAVE)
    if handled and (plan.state or pair.group.state) is State.RESOLVED:
        # Its error came back, perhaps before anybody looked at the closing: then the group was never resolved.
        plan = replace(plan, state=State.OPEN if pair.group.state is State.RESOLVED else None)
    if action not in (None, OnRegression.REOPEN):
        return plan  # the ticket stays done although its error came back: the group is not resolved again
    boundary = boundary_of(ticket, pair.integration)
    noted = find_noted_criteria(turn, pair)
    until = plan_resolved_until(pair, ticket, boundary, plan.state, noted, judgement)
    problems = [each for each in boundary.unread if each not in pair.synced.unread_versions]
    if until.problem:
        problems.append(f"{pair.short_name}: {until.problem}")
    if LOST_CRITERIA in pair.synced.refused and has_lost_criteria(pair, ticket, boundary):
        problems.append(
            f"{pair.short_name} has lost its reopen criteria again; they are written once an hour"
        )
    return replace(
        plan,
        state=until.state,
        reopen_criteria=until.reopen_criteria,
        link_criteria=until.link_criteria,
        resolved_until=until.sentence,
        resolves_again=judgement is Judgement.RESOLVE_AGAIN and until.state is State.RESOLVED,
        problems=(*plan.problems, *problems),
        doubts=tuple(each for each in boundary.doubtful if each not in pair.synced.unread_versions),
    )


def find_noted_criteria(turn: Turn, pair: Pair) -> list[str]:
    """Return the reopen criteria that the last holder of the turn may have written to a group, as JSON texts.

    It did not come to the end of its turn, so no link knows them.
    """
    noted: list[str] = []
    for text in turn.noted_values(NoteKind.REOPEN_CRITERIA):
        integration, fingerprint, criteria = json.loads(text)
        if (integration, fingerprint) == (pair.link.key.integration, pair.link.key.fingerprint):
            noted += [each for each in criteria if each not in pair.synced.reopen_criteria]
    return noted


def with_noted_moments(pair: Pair, turn: Turn) -> Pair:
    """Return the pair with the moments at which the last holder of the turn was about to resolve the group again."""
    key = pair.link.key
    noted = [json.loads(text) for text in turn.noted_values(NoteKind.RESOLVED_AGAIN)]
    moments = [at for *whose, at in noted if whose == [key.integration, key.fingerprint]]
    synced = replace(pair.synced, resolved_again=(*pair.synced.resolved_again, *moments))
    return replace(pair, link=replace(pair.link, synced=synced)) if moments else pair


def to_group_write(plan: GroupPlan, pair: Pair, ticket: Ticket) -> GroupWrite:
    """Return the plan as one write. Our entry in the ticket column gets the ticket's key and state of now."""
    before = pair.link.issue or ticket.issue
    mirrored = pair.state_of(ticket.status)
    column: list[JSON] = with_ticket_as(
        pair.group.tickets, pair.integration.name, before, ticket.issue, mirrored
    )
    if plan.sets_assignee:
        column = with_assignee([each for each in column if isinstance(each, dict)], plan.assignee)
    return GroupWrite(plan.state, column, plan.sets_assignee, plan.reopen_criteria)


def remember(plan: GroupPlan, pair: Pair, ticket: Ticket) -> LastSynced:
    """Return what ticket and group are once the plan was carried out."""
    boundary = boundary_of(ticket, pair.integration)
    state = plan.state or pair.group.state
    still_open = is_done(ticket, pair.integration) and state is not State.RESOLVED
    same_boundary = is_same_boundary(plan.link_criteria, pair.synced.reopen_criteria)
    is_open = still_open and state is not State.MUTED
    synced = replace(
        pair.synced,
        reopen_criteria=plan.link_criteria,
        unread_versions=boundary.remarks,
        fix_versions=pair.synced.fix_versions if boundary.reopen_criteria is None else boundary.fix_versions,
        reopens=pair.group.reopens,
        versions_seen=see_versions(ticket, pair.integration, boundary),
        regressed=pair.synced.regressed and still_open and same_boundary,
        opened_by=pair.synced.opened_by if is_open else Opener.NOBODY,
        resolved_again=pair.synced.resolved_again
        if is_done(ticket, pair.integration) and same_boundary
        else (),
    )
    for field in FIELDS:
        synced = field.remember(synced, plan, pair, ticket)
    return synced


# What is done


def write_group(
    context: TurnContext,
    pair: Pair,
    ticket: Ticket,
    winners: Sequence[Winner],
    action: OnRegression | None,
    judgement: Judgement = Judgement.NOTHING,
) -> None:
    """Give one group what is new to it, and record what ticket and group are now."""
    with context.about(pair):
        plan = plan_group(pair, ticket, winners, context.turn, context.find_backtrace_user, action, judgement)
        _follow_plan(context, plan, pair, ticket, winners)


def _follow_plan(
    context: TurnContext, plan: GroupPlan, pair: Pair, ticket: Ticket, winners: Sequence[Winner]
) -> None:
    for problem in plan.problems:
        context.report_problem(problem)
    for doubt in plan.doubts:
        context.tell(doubt)
    key_before = (pair.link.issue or ticket.issue).key
    result = Result(plan)
    if plan.changes_group or key_before != ticket.issue.key:
        result = _carry_out(context, plan, pair, ticket)
    # Recorded last: a process that dies before leaves a difference, and the next one sees it.
    _record(context, result, pair, ticket, winners)


def leave_unlinked(context: TurnContext, pair: Pair, ticket: Ticket) -> None:
    """Record that a group is left alone, because somebody unlinked it in Backtrace."""
    with context.about(pair):
        context.report_problem(f"{pair.short_name} {UNLINKED}")
        _record(context, Result(GroupPlan(pair.synced.reopen_criteria)), pair, ticket, ())


def _carry_out(context: TurnContext, plan: GroupPlan, pair: Pair, ticket: Ticket) -> Result:
    """Write to the group; return what became of the plan: nothing, where Backtrace refused it."""
    key, now = pair.link.key, ticket.issue
    if pair.link.issue and pair.link.issue.key != now.key:
        # Noted before it is written: after a death and another move, the entry would look like somebody else's.
        context.note(NoteKind.KEY, json.dumps([key.integration, key.fingerprint, now.key, now.url]))
    if plan.reopen_criteria is not None:
        # Noted before they are written: else nobody would know that they are ours, and they would never be removed.
        noted = json.dumps([key.integration, key.fingerprint, plan.link_criteria])
        context.note(NoteKind.REOPEN_CRITERIA, noted)
    if plan.resolves_again:
        # Noted before it is done: else nobody would look once more whether the error came back after all.
        moment = json.dumps([key.integration, key.fingerprint, context.clock()])
        context.note(NoteKind.RESOLVED_AGAIN, moment)
    if plan.reopen_criteria is not None:
        # Read again last, after the note's time: the write replaces the whole column, and with it what a person has
        # added to it meanwhile.
        plan, pair = _read_again(context, plan, pair, ticket)
    written = _write(context, plan, pair, ticket)
    if written is None:
        return Result(GroupPlan(pair.synced.reopen_criteria, left=plan.left), is_refused=True)
    for field in FIELDS:
        if sentence := field.describe(plan, pair, ticket):
            context.tell(sentence)
    if plan.resolved_until and written == plan:
        context.tell(plan.resolved_until)
    return Result(written, loses_criteria=written.link_criteria != plan.link_criteria)


def _read_again(context: TurnContext, plan: GroupPlan, pair: Pair, ticket: Ticket) -> tuple[GroupPlan, Pair]:
    """Return plan and pair for the group as it is now: criteria and tickets that people added meanwhile stay.

    Raises:
        Busy: somebody changed its state, its assignee or our entry meanwhile. The turn begins anew, since all rules are
            about what the group is.
    """
    context.ensure_time()
    before = pair.group
    now = replace(pair, group=context.backtrace(pair).group(before.project, before.fingerprint))
    same = (now.group.state, now.group.assignee_id) == (before.state, before.assignee_id)
    if not same or not is_linked(now, ticket) or now.group.reopen_criteria is None:
        raise Busy(f"somebody has just changed {pair.short_name} in Backtrace")
    ours = (*pair.synced.reopen_criteria, *find_noted_criteria(context.turn, pair))
    column = plan_column(now.group.reopen_criteria, ours, plan.link_criteria)
    return replace(plan, reopen_criteria=column), now


def _write(context: TurnContext, plan: GroupPlan, pair: Pair, ticket: Ticket) -> GroupPlan | None:
    """Write to the group; return the plan as it was carried out by Backtrace's answer, None if it was refused."""
    with context.refusal_as_problem(f"Backtrace refused a change of {pair.short_name}"):
        write = to_group_write(plan, pair, ticket)
        context.ensure_time()
        answered = context.backtrace(pair).write(pair.group, write)
        return _as_answered(context, plan, pair, answered)
    return None


def _as_answered(context: TurnContext, plan: GroupPlan, pair: Pair, answered: Group | None) -> GroupPlan:
    """Return what of a plan Backtrace's answer has: only that is recorded as ours, and the rest is reported."""
    if answered is None:
        return plan
    if plan.state is not None and answered.state is not plan.state:
        context.report_problem(
            f"Backtrace left {pair.short_name} {answered.state}, although it took the change"
        )
        plan = replace(plan, state=answered.state, left=plan.left | {SyncedField.STATE})
    column = answered.reopen_criteria
    if plan.reopen_criteria is None or column is None or holds_all(column, plan.link_criteria):
        return plan
    kept = tuple(each for each in plan.link_criteria if holds_all(column, [each]))
    context.report_problem(f"Backtrace did not keep the reopen criteria of {pair.short_name}")
    return replace(plan, link_criteria=kept)


def _record(
    context: TurnContext, result: Result, pair: Pair, ticket: Ticket, winners: Sequence[Winner]
) -> None:
    plan = result.plan
    told, problems = context.said_of(pair)
    now, synced = context.clock(), remember(plan, pair, ticket)
    resolved = plan.resolves_again and plan.state is State.RESOLVED
    moments = (*synced.resolved_again, now) if resolved else synced.resolved_again
    synced = replace(synced, resolved_again=recent_of(moments, now), at=now, told=told, problems=problems)
    synced = with_open_values(synced, pair, ticket, winners, context.turn, result, now)
    before = pair.link.issue or ticket.issue
    # The key that the group's entry in Backtrace has by now: a refused one is still to be written.
    context.store.record_synced(pair.link.key, before, before if result.is_refused else ticket.issue, synced)
