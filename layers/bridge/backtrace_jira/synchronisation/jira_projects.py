"""The Jira projects in which tickets of ours are: where integrations make them, and where people have moved them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.poll_memory import JiraProject, PollNotes
from backtrace_jira.synchronisation.ports import PollMemory


class JiraProjects:
    """Learns projects from the tickets that a run meets, and writes down those that were not known."""

    def __init__(self, memory: PollMemory, notes: PollNotes) -> None:
        self._memory = memory
        self._known = notes.projects
        self._met: set[JiraProject] = set()

    def meet(self, connection: str, issue_key: str) -> None:
        """Take note of a ticket."""
        self._met.add(project_of(connection, issue_key))

    def remember(self) -> None:
        """Write down what is new: no request if nothing is."""
        new = self._met - self._known
        if new:
            self._memory.learn_projects(new)
            self._known |= new


def project_of(connection: str, issue_key: str) -> JiraProject:
    """Return the project of a ticket: its key says which, `BUG-42` is in BUG."""
    return connection, issue_key.rpartition("-")[0]


def followed_projects(
    following: Iterable[Integration], notes: PollNotes
) -> dict[JiraProject, Sequence[Integration]]:
    """Return the projects to ask Jira about, each with all integrations of its connection.

    The settings name the project of new tickets only. Any integration may have a ticket in any project of its site.
    """
    by_connection: dict[str, list[Integration]] = {}
    for each in following:
        by_connection.setdefault(each.connection, []).append(each)
    configured = [(each.connection, each.project_key) for those in by_connection.values() for each in those]
    met = sorted(project for project in notes.projects if project[0] in by_connection)
    return {project: by_connection[project[0]] for project in dict.fromkeys((*configured, *met))}
