"""Who decides: which side's change is news, whose is the latest, and what the others become. Nothing here does I/O.

A ticket and its groups form one unit. A value that equals what was last synchronised is nobody's news; of several
changes the latest wins, and Jira's in a tie. Linking is a baseline: what the sides were then is no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import ASSIGNEE, STATUS, Turn
from backtrace_jira.settings.synchronisation import Sync, SyncedField, Truth, WhenMuted
from backtrace_jira.states import State, Status


def with_baseline(pair: Pair, ticket: Ticket) -> Pair:
    """Fill in what is not known of the moment of linking, from the ticket's changelog and the group as it is.

    A ticket made by an integration is not read when it is made, so its baseline is found at its first change.
    """
    synced = pair.synced
    since = pair.link.record.at if pair.link.record else 0.0
    status, assignee = synced.status, synced.ticket_assignee
    if status is None:
        change = ticket.first_change("status", since)
        status = _status_before(change.before, change.before_name, ticket) if change else ticket.status
    if assignee is None:
        change = ticket.first_change("assignee", since)
        assignee = change.before if change else ticket.assignee_id
    filled = replace(
        synced,
        status=status,
        ticket_assignee=assignee,
        state=pair.group.state if synced.state is None else synced.state,
        assignee=pair.group.assignee_id if synced.assignee is None else synced.assignee,
    )
    return replace(pair, link=replace(pair.link, synced=filled))


def _status_before(status_id: str, name: str, ticket: Ticket) -> Status:
    """Return a status of the changelog, which has no category: as a new ticket's, it is taken for not begun."""
    known = ticket.status
    return known if known.id == status_id else Status(status_id, name, "new")


@dataclass(frozen=True, slots=True)
class Decided:
    """Who won a field: Jira, one of the groups (`pair`), or nobody (neither)."""

    jira: bool = False
    pair: Pair | None = None


class StateContest:
    """Whose state holds."""

    field = SyncedField.STATE
    changelog_field = "status"

    def __init__(self, ticket: Ticket, turn: Turn | None = None) -> None:
        """Take the ticket as it is, and the turn, where what the one before left undone matters."""
        self._ticket = ticket
        self._turn = turn

    def jira_has_news(self, pair: Pair) -> bool:
        """Tell whether somebody changed the ticket."""
        ticket, turn, status = self._ticket, self._turn, pair.synced.status
        if status is None or (turn and turn.wrote(STATUS, ticket.status.id)):
            return False
        differs = pair.state_of(status) is not pair.state_of(ticket.status)
        return differs or _changed_back(ticket, STATUS, pair)

    def group_has_news(self, pair: Pair) -> bool:
        """Tell whether somebody changed the group."""
        return pair.synced.state is not None and pair.synced.state is not pair.group.state

    def disagree(self, pair: Pair) -> bool:
        """Tell whether the sides cannot be linked as they are. A fresh ticket goes with a group In Progress."""
        resolved = pair.state_of(self._ticket.status) is State.RESOLVED
        return pair.group.state is not State.MUTED and resolved is not (pair.group.state is State.RESOLVED)


class AssigneeContest:
    """Whose assignee holds."""

    field = SyncedField.ASSIGNEE
    changelog_field = "assignee"

    def __init__(self, ticket: Ticket, turn: Turn | None = None) -> None:
        """Take the ticket as it is, and the turn, where what the one before left undone matters."""
        self._ticket = ticket
        self._turn = turn

    def jira_has_news(self, pair: Pair) -> bool:
        """Tell whether somebody assigned the ticket."""
        ticket, turn, synced = self._ticket, self._turn, pair.synced.ticket_assignee
        if synced is None or (turn and turn.wrote(ASSIGNEE, ticket.assignee_id)):
            return False
        return synced != ticket.assignee_id or _changed_back(ticket, ASSIGNEE, pair)

    def group_has_news(self, pair: Pair) -> bool:
        """Tell whether somebody assigned the group."""
        return pair.synced.assignee is not None and pair.synced.assignee != pair.group.assignee_id

    def disagree(self, pair: Pair) -> bool:
        """Tell whether one of them has somebody; who it is on the other side is found out later."""
        return bool(self._ticket.assignee_id or pair.group.assignee_id)


Contest = StateContest | AssigneeContest


def _changed_back(ticket: Ticket, field: str, pair: Pair) -> bool:
    """Tell whether the ticket has its old value again, as far as its changelog was read.

    That may be somebody's last word, after our own push of which nobody knew, or against an older change of a group.
    """
    since = pair.synced.at or (pair.link.record.at if pair.link.record else 0.0)
    return any(change.field == field and change.at > since for change in ticket.changes or ())


def from_jira(contest: Contest, pair: Pair) -> bool:
    """Tell whether the ticket's value is news for this pair, and wanted."""
    if not pair.sync.has(contest.field):
        return False
    if is_fresh(pair) and pair.sync.on_linking is Truth.JIRA and contest.disagree(pair):
        return True
    return pair.sync.jira_to_backtrace and contest.jira_has_news(pair)


def from_group(contest: Contest, pair: Pair) -> bool:
    """Tell whether the group's value is news for the ticket, and wanted. Muting may be the group's own business."""
    if not pair.sync.has(contest.field):
        return False
    if contest.field is SyncedField.STATE and pushed(pair.group.state, pair.sync) is None:
        return False
    if is_fresh(pair) and pair.sync.on_linking is Truth.BACKTRACE and contest.disagree(pair):
        return True
    return pair.sync.backtrace_to_jira and contest.group_has_news(pair)


def follows(contest: Contest, pair: Pair, decided: Decided) -> bool:
    """Tell whether a group takes the ticket's value: it is news to it, or its own change came too early."""
    if decided.pair is not None and decided.pair.link.key == pair.link.key:
        return False
    lost = decided.jira or decided.pair is not None
    return from_jira(contest, pair) or (lost and pair.sync.jira_to_backtrace and from_group(contest, pair))


def is_fresh(pair: Pair) -> bool:
    """Tell whether the sides were never looked at together."""
    return pair.synced.at == 0.0


def decide(contest: Contest, ticket: Ticket, pairs: Sequence[Pair]) -> Decided:
    """Return who wins: the latest, Jira in a tie. Backtrace tells of a row only when it last changed."""
    changed = [pair for pair in pairs if from_group(contest, pair)]
    latest = max(changed, key=lambda pair: pair.group.modified, default=None)
    if not any(from_jira(contest, pair) for pair in pairs):
        return Decided(pair=latest)
    if latest is None or int(ticket.changed_at(contest.changelog_field)) >= int(latest.group.modified):
        return Decided(jira=True)
    return Decided(pair=latest)


def pushed(state: State, sync: Sync) -> State | None:
    """Return the state that a ticket is brought to for a group's; None leaves it alone."""
    if state is State.MUTED:
        return State.RESOLVED if sync.muted is WhenMuted.RESOLVE else None
    return state


def carried(pair: Pair, ticket: Ticket) -> State | None:
    """Return the state that the ticket gives to the group; None where it has it or keeps its own.

    A muted group stays so, whatever its ticket goes through, until that is explicitly reopened.
    """
    state = pair.state_of(ticket.status)
    if pair.group.state is State.MUTED:
        before = pair.synced.status
        just_muted = pair.synced.state is not State.MUTED
        if just_muted and pair.group.modified > ticket.changed_at("status"):
            return None
        reopened = (
            before is not None and pair.state_of(before) is State.RESOLVED and state is not State.RESOLVED
        )
        return state if reopened else None
    return None if pair.group.state is state else state
