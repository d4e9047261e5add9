"""A message says that a ticket, or a project's versions, may have changed: bring its error groups in step."""

from __future__ import annotations

from collections.abc import Sequence

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.links.link import LinkKey, Sighting
from backtrace_jira.outcomes import Decision, Outcome, error_text
from backtrace_jira.synchronisation.jira_change import LOOK, REGRESSION, JiraChange
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll_fix_versions import PollFixVersions
from backtrace_jira.synchronisation.synchronise import Synchronise


class ApplyJiraChange:
    """The use case behind `functions/apply_jira_change`."""

    def __init__(self, synchronise: Synchronise, poll: PollFixVersions) -> None:
        self._synchronise = synchronise
        self._poll = poll

    def serve_all(self, bodies: Sequence[str], deadline: float) -> list[list[Outcome]]:
        """Serve the bodies of messages, one after the other."""
        return [self._serve_safely(body, deadline) for body in bodies]

    def _serve_safely(self, body: str, deadline: float) -> list[Outcome]:
        try:
            return self.serve(body, deadline)
        except Exception as error:  # the other messages are served all the same
            return [Outcome(Decision.from_error(error), detail=error_text(error), error=error)]

    def serve(self, body: str, deadline: float) -> list[Outcome]:
        """Serve a message's body: a `JiraChange`.

        Args:
            body: as the queue holds it.
            deadline: unix seconds at which this process may be ended.
        """
        try:
            change = JiraChange.from_json(body)
        except InvalidEvent as error:
            return [Outcome(Decision.INVALID, detail=str(error), error=error)]
        if change.project_id:
            return [self._versions(change.connection, change.project_id, deadline)]
        detail = f"issue {change.issue_id} has no link that this change concerns"
        nothing = Outcome(Decision.IN_STEP, detail=detail)
        return self._synchronise(change.issue_id, _hint(change), deadline=deadline) or [nothing]

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


def _hint(change: JiraChange) -> Hint:
    return Hint(
        connection=change.connection,
        deleted="deleted" in change.fields,
        moved="moved" in change.fields,
        versions_only=change.fields == ("versions",),
        thorough=change.event == LOOK,
        regression=change.event == REGRESSION,
        sighting=_sighting(change),
    )


def _sighting(change: JiraChange) -> Sighting | None:
    key = LinkKey(change.integration, change.fingerprint)
    return (
        Sighting(key, change.sighting) if change.sighting else None
    )  # older versions of this program sent none
