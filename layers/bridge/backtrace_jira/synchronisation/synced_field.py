"""The shape of a synced field: `state.py` and `assignee.py` have it, `fields.py` lists them.

A third field is a class of this shape in a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from backtrace_jira.backtrace.group import BacktraceUser
from backtrace_jira.jira.issue import JiraUser, Ticket
from backtrace_jira.json_types import JSON
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import Turn
from backtrace_jira.settings.synchronisation import SyncedField
from backtrace_jira.states import State
from backtrace_jira.synchronisation.turn_context import TurnContext

FindBacktraceUser: TypeAlias = Callable[[JiraUser, Pair], BacktraceUser | None]
"""Returns the Backtrace user who is the same person; None where nobody is known to be."""


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The plan for one group: its new values, None where it keeps its own, and the sentences to report."""

    link_criteria: tuple[str, ...]
    """The reopen criteria that are this link's once the plan was carried out, as JSON texts."""
    state: State | None = None
    sets_assignee: bool = False
    assignee: BacktraceUser | None = None
    """With `sets_assignee`: who; None is nobody."""
    reopen_criteria: list[JSON] | None = None
    """The whole column, with those of people and of other links."""
    resolved_until: str = ""
    """A sentence on what the ticket's Fix Versions do."""
    resolves_again: bool = False
    """True if the error of a group that Backtrace has reopened did not come back."""
    problems: tuple[str, ...] = ()
    left: frozenset[SyncedField] = frozenset()
    """Fields of which the group cannot have the ticket's value; a problem says why."""
    doubts: tuple[str, ...] = ()
    """A sentence for each Fix Version that may be before or after its release, where it was not said before."""

    @property
    def changes_group(self) -> bool:
        """Return whether the group gets any new value."""
        return self.state is not None or self.sets_assignee or self.reopen_criteria is not None


@dataclass(frozen=True, slots=True)
class Winner:
    """The holder of a field's value: the ticket, one group (`pair`), or nobody, because nothing changed."""

    field: FieldSync
    is_ticket: bool = False
    pair: Pair | None = None
    is_written: bool = False
    """True if a regression has reopened the ticket for the group, or would have: with `is_refused`, Jira said no."""
    is_refused: bool = False
    """True if Jira did not take the group's value; a problem says why."""


class FieldSync(Protocol):
    """A field that the synchronisation keeps the same on both sides. All methods are pure rules but `write_to_jira`."""

    @property
    def name(self) -> SyncedField:
        """The field's name in the settings."""
        ...

    @property
    def changelog_field(self) -> str:
        """The field's name in the ticket's changelog."""
        ...

    def fill_baseline(self, synced: LastSynced, pair: Pair, ticket: Ticket) -> LastSynced:
        """Return `synced` with what the field was on both sides at linking, where that is not known yet."""
        ...

    def ticket_has_news(self, pair: Pair, ticket: Ticket, turn: Turn | None) -> bool:
        """Return whether somebody changed the ticket. What the last holder of the turn may have written is no news."""
        ...

    def group_has_news(self, pair: Pair) -> bool:
        """Return whether somebody changed the group."""
        ...

    def is_meant_for_jira(self, pair: Pair) -> bool:
        """Return whether the group's value is one that a ticket can be given."""
        ...

    def differs(self, pair: Pair, ticket: Ticket) -> bool:
        """Return whether ticket and group cannot be linked as they are."""
        ...

    def write_to_jira(self, context: TurnContext, ticket: Ticket, pair: Pair) -> Ticket:
        """Give the ticket the group's value; return the ticket as it is then.

        What could not be done is reported as a problem; the round through all links tries it again.
        """
        ...

    def plan_group(
        self, plan: GroupPlan, pair: Pair, ticket: Ticket, winner: Winner, find_user: FindBacktraceUser
    ) -> GroupPlan:
        """Return the plan with the ticket's value for the group."""
        ...

    def describe(self, plan: GroupPlan, pair: Pair, ticket: Ticket) -> str:
        """Say what the plan did to the group; empty where it left the field alone."""
        ...

    def remember(self, synced: LastSynced, plan: GroupPlan, pair: Pair, ticket: Ticket) -> LastSynced:
        """Return `synced` with what the field is on both sides once the plan was carried out."""
        ...

    def leave_open(
        self, synced: LastSynced, pair: Pair, ticket: Ticket, *, ticket_side: bool, group_side: bool
    ) -> LastSynced:
        """Return `synced` with a side's value as it was agreed on before, and the present one among the refused."""
        ...
