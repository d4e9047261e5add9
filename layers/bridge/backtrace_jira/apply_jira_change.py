"""A message that a ticket may have changed: the ticket and its error groups are brought in line."""

from __future__ import annotations

import json
from typing import Any

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.model import Decision, Outcome
from backtrace_jira.synchronise import Hint, Synchronise


class ApplyJiraChange:
    """The use case behind `functions/apply_jira_change`."""

    def __init__(self, synchronise: Synchronise) -> None:
        self._synchronise = synchronise

    def serve(self, body: str, deadline: float) -> list[Outcome]:
        """Serve a message's body; nothing is decided by what it says of the change.

        Args:
            body: JSON with `connection`, `issue_id`, `event` (`look` is the poll's: at both sides) and `fields`.
            deadline: unix seconds at which this process may be ended.
        """
        try:
            issue_id, hint = read_hint(body)
        except InvalidEvent as error:
            return [Outcome(Decision.INVALID, detail=str(error), error=error)]
        nothing = Outcome(Decision.IN_STEP, detail=f"issue {issue_id} has no link that this change concerns")
        return self._synchronise(issue_id, hint, deadline=deadline) or [nothing]


def read_hint(body: str) -> tuple[str, Hint]:
    """Read a message that `receive_webhook` or `poll_backtrace` sent.

    Raises:
        InvalidEvent: somebody else did.
    """
    try:
        raw: Any = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict) or not isinstance(raw.get("issue_id"), str) or not raw["issue_id"].isdigit():
        raise InvalidEvent("not a change of a Jira ticket: issue_id is not the id of an issue")
    fields = raw.get("fields")
    named = fields if isinstance(fields, list) else []
    return raw["issue_id"], Hint(
        connection=str(raw.get("connection") or ""),
        deleted="deleted" in named,
        moved="moved" in named,
        thorough=raw.get("event") == "look",
    )
