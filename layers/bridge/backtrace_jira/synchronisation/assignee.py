"""Assignee: whoever has the ticket has the group."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backtrace_jira.backtrace.group import BacktraceUser
from backtrace_jira.jira.issue import JiraUser, Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import NoteKind, Turn
from backtrace_jira.settings.synchronisation import SyncedField
from backtrace_jira.synchronisation.conflicts import was_changed_back
from backtrace_jira.synchronisation.people import display_name
from backtrace_jira.synchronisation.synced_field import FindBacktraceUser, GroupPlan, Winner
from backtrace_jira.synchronisation.turn_context import TurnContext


@dataclass(frozen=True, slots=True)
class AssigneeSync:
    """Assignee as a synced field."""

    name: SyncedField = SyncedField.ASSIGNEE
    changelog_field: str = "assignee"

    def fill_baseline(self, synced: LastSynced, pair: Pair, ticket: Ticket) -> LastSynced:
        """Take the ticket's assignee at linking from its changelog, and the group's as it is."""
        ours, theirs = synced.ticket_assignee, synced.assignee
        if ours is None:
            change = ticket.first_change("assignee", pair.linked_at)
            ours = change.before if change else ticket.assignee_id
        return replace(
            synced,
            ticket_assignee=ours,
            assignee=pair.group.assignee_id if theirs is None else theirs,
        )

    def ticket_has_news(self, pair: Pair, ticket: Ticket, turn: Turn | None) -> bool:
        """Compare the ticket's assignee with what was last agreed."""
        before = pair.synced.ticket_assignee
        if before is None or (turn and turn.may_have_written(NoteKind.ASSIGNEE, ticket.assignee_id)):
            return False
        return before != ticket.assignee_id or was_changed_back(pair, ticket, self.changelog_field)

    def group_has_news(self, pair: Pair) -> bool:
        """Compare the group's assignee with what was last agreed."""
        return pair.synced.assignee is not None and pair.synced.assignee != pair.group.assignee_id

    def is_meant_for_jira(self, pair: Pair) -> bool:  # noqa: ARG002 - every group has this answer
        """Return true: Jira can take any assignee of Backtrace, and no assignee."""
        return True

    def differs(self, pair: Pair, ticket: Ticket) -> bool:
        """Return whether one of them has somebody; whether it is the same person is found out later."""
        return bool(ticket.assignee_id or pair.group.assignee_id)

    def write_to_jira(self, context: TurnContext, ticket: Ticket, pair: Pair) -> Ticket:
        """Assign the ticket to whoever has the group."""
        user = pair.group.assignee
        with context.refusal_as_problem(f"{display_name(user)} could not be assigned in Jira"):
            who = context.find_jira_user(user, pair, ticket) if user else ""
            if who is None:
                context.report_problem(
                    f"nobody in Jira is known to be {display_name(user)} of Backtrace; name both in sync.people"
                )
                return ticket
            if who == ticket.assignee_id:
                return ticket
            # Noted before it is done: else the next holder would take our assignment for a person's.
            context.note(NoteKind.ASSIGNEE, who)
            context.jira.assign(context.turn.issue_id, who or None)
            context.tell(f"assigned in Backtrace: {display_name(user)} in Jira")
            return replace(ticket, assignee=JiraUser(who) if who else None)
        return ticket

    def plan_group(
        self, plan: GroupPlan, pair: Pair, ticket: Ticket, winner: Winner, find_user: FindBacktraceUser
    ) -> GroupPlan:
        """Assign the group to whoever has the ticket."""
        if ticket.assignee is None:
            return replace(plan, sets_assignee=pair.group.assignee is not None)
        user = _find_assignee(ticket.assignee, pair, winner, find_user)
        if user is None:
            name = ticket.assignee.name or ticket.assignee.id
            problem = f"nobody in Backtrace is known to be {name} of Jira; name both in sync.people"
            return replace(plan, problems=(*plan.problems, problem), left=plan.left | {self.name})
        if str(user.id) == pair.group.assignee_id:
            return plan
        return replace(plan, sets_assignee=True, assignee=user)

    def describe(self, plan: GroupPlan, pair: Pair, ticket: Ticket) -> str:  # noqa: ARG002
        """Say to whom it was assigned."""
        return f"assigned in Jira: {display_name(plan.assignee)} in Backtrace" if plan.sets_assignee else ""

    def remember(self, synced: LastSynced, plan: GroupPlan, pair: Pair, ticket: Ticket) -> LastSynced:
        """Remember the ids of both assignees."""
        given = str(plan.assignee.id) if plan.assignee else ""
        return replace(
            synced,
            ticket_assignee=ticket.assignee_id,
            assignee=given if plan.sets_assignee else pair.group.assignee_id,
        )

    def leave_open(
        self, synced: LastSynced, pair: Pair, ticket: Ticket, *, ticket_side: bool, group_side: bool
    ) -> LastSynced:
        """Remember the assignee of before."""
        before, refused = pair.synced, dict(synced.refused)
        if ticket_side:
            synced = replace(synced, ticket_assignee=before.ticket_assignee)
            refused["ticket_assignee"] = ticket.assignee_id
        if group_side:
            synced = replace(synced, assignee=before.assignee)
            refused["assignee"] = pair.group.assignee_id
        return replace(synced, refused=refused)


def _find_assignee(
    user: JiraUser, pair: Pair, winner: Winner, find_user: FindBacktraceUser
) -> BacktraceUser | None:
    if winner.pair and winner.pair.integration.universe == pair.integration.universe:
        return winner.pair.group.assignee  # the ticket has just been assigned to this group's assignee
    return find_user(user, pair)
