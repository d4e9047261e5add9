"""Jira as synchronisation uses it, with an eye on what concerns the whole connection.

A refused credential is not sent again for a while, by any function: every attempt can lock the account. A pause that
Jira asks for is kept by this process. What Backtrace or the store refuse is none of Jira's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from backtrace_jira.errors import CredentialRefused, Throttled
from backtrace_jira.jira.issue import ProjectVersion, Ticket, Transition
from backtrace_jira.json_types import JSON
from backtrace_jira.links.parking import ParkingGuard
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.ports import JiraIssues

PAUSE = 20.0
"""Seconds for a Jira that asked for a pause without saying how long."""


class WatchedJira:
    """A `JiraIssues` around another. What it meets goes into the parking notes."""

    def __init__(
        self, jira: JiraIssues, integration: Integration, parking: ParkingGuard, clock: Callable[[], float]
    ) -> None:
        self._jira = jira
        self._integration = integration
        self._parking = parking
        self._clock = clock

    @property
    def cloud(self) -> bool:
        """Tell Cloud from Data Center."""
        with self._watching():
            return self._jira.cloud

    def ticket(
        self, issue_id: str, *, changes: bool = False, version_fields: Collection[str] = ()
    ) -> Ticket | None:
        """Read an issue."""
        with self._watching():
            return self._jira.ticket(issue_id, changes=changes, version_fields=version_fields)

    def steps(self, issue_id: str) -> Sequence[Transition]:
        """Return the open transitions."""
        with self._watching():
            return self._jira.steps(issue_id)

    def transition(self, issue_id: str, step: Transition, fields: Mapping[str, JSON]) -> None:
        """Take a transition, once."""
        with self._watching():
            self._jira.transition(issue_id, step, fields)

    def assign(self, issue_id: str, user: str | None) -> None:
        """Assign, or to nobody."""
        with self._watching():
            self._jira.assign(issue_id, user)

    def find_user(self, who: str, project: str) -> str | None:
        """Find a user."""
        with self._watching():
            return self._jira.find_user(who, project)

    def comment(self, issue_id: str, text: str) -> None:
        """Write a comment, once."""
        with self._watching():
            self._jira.comment(issue_id, text)

    def comments(self, issue_id: str) -> Sequence[tuple[float, str]]:
        """Return the latest comments."""
        with self._watching():
            return self._jira.comments(issue_id)

    def versions(self, project: str) -> Sequence[ProjectVersion]:
        """Return all versions of a project."""
        with self._watching():
            return self._jira.versions(project)

    def changed_tickets(
        self, project: str, oldest: int, youngest: int, *, version_fields: Collection[str] = ()
    ) -> Iterator[Ticket]:
        """Give the issues that changed lately."""
        with self._watching():
            yield from self._jira.changed_tickets(project, oldest, youngest, version_fields=version_fields)

    @contextmanager
    def _watching(self) -> Iterator[None]:
        try:
            yield
        except Throttled as error:
            self._parking.hold_back(self._integration, error.after or PAUSE)
            raise
        except CredentialRefused as error:
            self._parking.park_refused(self._integration, Record.from_error(error, self._clock()), error)
            raise
