"""State: a group's state and the meaning of its ticket's status are kept the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backtrace_jira.jira.issue import Change, Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import NoteKind, Turn
from backtrace_jira.settings.synchronisation import Sync, SyncedField, WhenMuted
from backtrace_jira.states import State, Status
from backtrace_jira.synchronisation.conflicts import was_changed_back
from backtrace_jira.synchronisation.synced_field import FindBacktraceUser, GroupPlan, Winner
from backtrace_jira.synchronisation.turn_context import TurnContext
from backtrace_jira.synchronisation.workflow import MOST_HOPS, Way


@dataclass(frozen=True, slots=True)
class StateSync:
    """State as a synced field."""

    name: SyncedField = SyncedField.STATE
    changelog_field: str = "status"

    def fill_baseline(self, synced: LastSynced, pair: Pair, ticket: Ticket) -> LastSynced:
        """Take the ticket's status at linking from its changelog, and the group's state as it is.

        A ticket that an integration made is not read when it is made, so its first change tells what it was then.
        """
        status, state = synced.status, synced.state
        if status is None:
            change = ticket.first_change("status", pair.linked_at)
            status = _find_status(change, ticket) if change else ticket.status
        return replace(synced, status=status, state=pair.group.state if state is None else state)

    def ticket_has_news(self, pair: Pair, ticket: Ticket, turn: Turn | None) -> bool:
        """Compare what the statuses mean: a change between two of one meaning is no news."""
        status = pair.synced.status
        if status is None or (turn and turn.may_have_written(NoteKind.STATUS, ticket.status.id)):
            return False
        # What it meant then: other settings may give another meaning to the same status.
        before = pair.synced.meaning or pair.state_of(status)
        differs = before is not pair.state_of(ticket.status)
        was_away = was_changed_back(pair, ticket, self.changelog_field) and not _is_one_step(pair, ticket)
        return differs or was_away

    def group_has_news(self, pair: Pair) -> bool:
        """Compare the group's state with what was last agreed."""
        return pair.synced.state is not None and pair.synced.state is not pair.group.state

    def is_meant_for_jira(self, pair: Pair) -> bool:
        """Leave out a muted group, unless the settings say that muting resolves the ticket."""
        return state_for_ticket(pair.group.state, pair.sync) is not None

    def differs(self, pair: Pair, ticket: Ticket) -> bool:
        """Return whether only one of them is resolved. A new ticket goes with a group In Progress."""
        is_done = pair.state_of(ticket.status) is State.RESOLVED
        return pair.group.state is not State.MUTED and is_done is not (pair.group.state is State.RESOLVED)

    def write_to_jira(self, context: TurnContext, ticket: Ticket, pair: Pair) -> Ticket:
        """Take the ticket through its workflow to the group's state."""
        wanted = state_for_ticket(pair.group.state, pair.sync)
        if wanted is None:
            return ticket
        return walk_workflow(context, ticket, Way(wanted, pair.sync), f"{pair.group.state} in Backtrace")

    def plan_group(
        self,
        plan: GroupPlan,
        pair: Pair,
        ticket: Ticket,
        winner: Winner,  # noqa: ARG002 - a state is the same whoever won
        find_user: FindBacktraceUser,  # noqa: ARG002
    ) -> GroupPlan:
        """Give the group the state that the ticket's status means."""
        return replace(plan, state=state_for_group(pair, ticket))

    def describe(self, plan: GroupPlan, pair: Pair, ticket: Ticket) -> str:
        """Say from which state to which."""
        if plan.state is None:
            return ""
        return f"{ticket.status.name} in Jira: {pair.group.state} → {plan.state} in Backtrace"

    def remember(self, synced: LastSynced, plan: GroupPlan, pair: Pair, ticket: Ticket) -> LastSynced:
        """Remember the ticket's status with its meaning, and the group's state."""
        return replace(
            synced,
            status=ticket.status,
            meaning=pair.state_of(ticket.status),
            state=plan.state or pair.group.state,
        )

    def leave_open(
        self, synced: LastSynced, pair: Pair, ticket: Ticket, *, ticket_side: bool, group_side: bool
    ) -> LastSynced:
        """Remember the status or the state of before."""
        before, refused = pair.synced, dict(synced.refused)
        if ticket_side:
            synced = replace(synced, status=before.status, meaning=before.meaning)
            refused["status"] = ticket.status.id
        if group_side:
            synced, refused["state"] = replace(synced, state=before.state), str(pair.group.state)
        return replace(synced, refused=refused)


def _is_one_step(pair: Pair, ticket: Ticket) -> bool:
    """Return whether the only change since they agreed is a step within a status category: it never was away."""
    since, before = pair.synced.at or pair.linked_at, pair.synced.status
    steps = [change for change in ticket.changes or () if change.field == "status" and change.at > since]
    if len(steps) != 1 or before is None or before.id == ticket.status.id:
        return False
    return before.category == ticket.status.category


def _find_status(change: Change, ticket: Ticket) -> Status:
    """Return the status before a change. One of which Jira knows no category any more is taken for "to do"."""
    if change.before == ticket.status.id:
        return ticket.status
    return Status(change.before, change.before_name, change.before_category or "new")


def state_for_ticket(state: State, sync: Sync) -> State | None:
    """Return the state that a group's state asks of its ticket; None leaves the ticket alone."""
    if state is State.MUTED:
        return State.RESOLVED if sync.muted is WhenMuted.RESOLVE else None
    return state


def state_for_group(pair: Pair, ticket: Ticket) -> State | None:
    """Return the state that the ticket gives to the group; None where the group has it already or keeps its own.

    A muted group stays muted, whatever happens to its ticket, until somebody reopens the ticket.
    """
    state = pair.state_of(ticket.status)
    if pair.group.state is not State.MUTED:
        return None if pair.group.state is state else state
    was_just_muted = pair.synced.state is not State.MUTED
    if was_just_muted and pair.group.modified > ticket.changed_at("status"):
        return None
    before = pair.synced.status
    was_done = before is not None and pair.state_of(before) is State.RESOLVED
    return state if was_done and state is not State.RESOLVED else None


def walk_workflow(context: TurnContext, ticket: Ticket, way: Way, reason: str) -> Ticket:
    """Take a ticket through its workflow, hop by hop; return it where it stands at the end."""
    passed = [ticket]
    failed = f"{reason} could not be carried to Jira"
    with context.refusal_as_problem(failed):
        while len(passed) <= MOST_HOPS and not way.has_arrived(passed[-1].status):
            after = _take_hop(context, way, passed)
            if after is None:
                break
            passed.append(after)
        if way.rank(passed[-1].status) is None:
            context.report_problem(
                f"{failed}: no transition that this account may take leads on from {passed[-1].status.name}"
            )
    # Told even where a later hop was refused: the ticket has moved by then.
    if len(passed) > 1:
        names = " → ".join(each.status.name for each in passed)
        context.tell(f"{reason}: {names} in Jira")
    return passed[-1]


def _take_hop(context: TurnContext, way: Way, passed: Sequence[Ticket]) -> Ticket | None:
    """Take the next transition; None where no way leads on."""
    ticket = passed[-1]
    steps = context.jira.transitions(context.turn.issue_id)
    step = way.next_step(ticket.status, steps, [each.status.id for each in passed])
    if step is None:
        return None
    fields = way.fill_screen(
        step,
        cloud=context.jira.cloud,
        find_user=lambda who: context.jira.find_user(who, ticket.project),
    )
    # Noted before it is taken: else the next holder would take our transition for a person's.
    context.note(NoteKind.STATUS, step.to.id)
    context.jira.transition(context.turn.issue_id, step, fields)
    return replace(ticket, status=step.to)
