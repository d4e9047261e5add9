"""A message that a ticket may have changed: the ticket and its error groups are brought in line."""

from __future__ import annotations

import json
from typing import Any

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll_fix_versions import PollFixVersions
from backtrace_jira.synchronisation.synchronise import Synchronise


class ApplyJiraChange:
    """The use case behind `functions/apply_jira_change`."""

    def __init__(self, synchronise: Synchronise, poll: PollFixVersions) -> None:
        self._synchronise = synchronise
        self._poll = poll

    def serve(self, body: str, deadline: float) -> list[Outcome]:
        """Serve a message's body; nothing is decided by what it says of the change.

        Args:
            body: JSON with `connection`, `issue_id`, `event` (`look` is the poll's: at both sides; `regression` is an
                error event's) and `fields`; or with `connection` and `project_id`, whose versions have changed.
            deadline: unix seconds at which this process may be ended.
        """
        try:
            raw = _read(body)
            if "project_id" in raw:
                return [self._versions(str(raw.get("connection")), _number(raw, "project_id"), deadline)]
            issue_id, hint = read_hint(body)
        except InvalidEvent as error:
            return [Outcome(Decision.INVALID, detail=str(error), error=error)]
        nothing = Outcome(Decision.IN_STEP, detail=f"issue {issue_id} has no link that this change concerns")
        return self._synchronise(issue_id, hint, deadline=deadline) or [nothing]

    def _versions(self, connection: str, project_id: str, deadline: float) -> Outcome:
        """Look at a project's versions earlier than the schedule would."""
        try:
            looked = self._poll.versions_of(connection, project_id, deadline=deadline)
        except Exception as error:
            return Outcome(
                Decision.from_error(error),
                detail=f"versions of {connection}: {error_text(error)}",
                error=error,
            )
        what = "were looked at" if looked else "are of no concern"
        return Outcome(Decision.IN_STEP, detail=f"versions of Jira project {project_id} {what}")


def read_hint(body: str) -> tuple[str, Hint]:
    """Read a message that `receive_webhook` or `poll_backtrace` sent.

    Raises:
        InvalidEvent: somebody else did.
    """
    raw = _read(body)
    issue_id = _number(raw, "issue_id")
    fields = raw.get("fields")
    named = fields if isinstance(fields, list) else []
    return issue_id, Hint(
        connection=str(raw.get("connection") or ""),
        deleted="deleted" in named,
        moved="moved" in named,
        versions_only=named == ["versions"],
        thorough=raw.get("event") == "look",
        regression=raw.get("event") == "regression",
    )


def _read(body: str) -> dict[str, Any]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        raise InvalidEvent("not a change of a Jira ticket: no JSON object with an issue_id")
    return raw


def _number(raw: dict[str, Any], name: str) -> str:
    """Return an id of Jira's."""
    found = raw.get(name)
    if not isinstance(found, str) or not found.isdigit():
        raise InvalidEvent(f"not a change of a Jira ticket: {name} is not an id")
    return found
