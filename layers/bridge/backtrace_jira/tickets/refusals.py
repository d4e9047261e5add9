"""Whom a refusal by Jira concerns: one error group alone, or every ticket of the project and issue type.

Jira says what it refuses by field, and by status. Its sentences are in the language of its site, so no word in them
counts.
"""

from __future__ import annotations

from collections.abc import Hashable

from backtrace_jira.errors import Refused
from backtrace_jira.jira.issue import TicketDraft

OF_THE_TARGET = frozenset({"project", "issuetype"})
MOST_IN_A_ROW = 5
"""So many groups refused one after the other, with no ticket made in between: the next ones would be refused, too."""


def concerns_everybody(refusal: Refused, draft: TicketDraft | None) -> bool:
    """Return whether Jira would surely refuse every other ticket of the same project and issue type.

    Args:
        refusal: what Jira said.
        draft: what was sent; None if the refusal came before there was a draft.
    """
    # 403 and 404: a permission, or what the address names. A redirect or a page: not Jira, or not its API.
    if refusal.status not in (0, 400, 413, 422) or OF_THE_TARGET & refusal.fields.keys():
        return True
    if draft is None:  # Jira refused to show the create screen
        return True
    # A field that demands a value and got none, although nothing of this group was left out.
    return bool(refusal.fields) and not draft.left_out and not refusal.fields.keys() & draft.fields.keys()


class RefusedInARow:
    """Counts the groups that were refused one after the other, by scope, as far as this process saw them."""

    def __init__(self) -> None:
        self._refused: dict[Hashable, set[Hashable]] = {}

    def count(self, scope: Hashable, group: Hashable) -> bool:
        """Count a refused group; return whether this process saw so many in a row that the scope has to be parked."""
        groups = self._refused.setdefault(scope, set())
        if len(groups) < MOST_IN_A_ROW:
            groups.add(group)
        return len(groups) >= MOST_IN_A_ROW

    def start_anew(self, scope: Hashable) -> None:
        """Begin to count anew: Jira took a ticket of this scope."""
        self._refused.pop(scope, None)
