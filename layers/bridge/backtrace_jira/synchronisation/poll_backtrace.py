"""Changes in Backtrace: states, assignees, groups that it reopened. Backtrace has no event for them, so we ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from backtrace_jira.backtrace.group import Group
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.jira_projects import JiraProjects
from backtrace_jira.synchronisation.news import Hint, group_has_news
from backtrace_jira.synchronisation.poll import Job, Poll, group_by
from backtrace_jira.synchronisation.poll_memory import Sweep


class PollBacktrace:
    """The use case behind `functions/poll_backtrace`."""

    def __init__(self, poll: Poll) -> None:
        self._poll = poll

    def __call__(self, *, deadline: float) -> None:
        """Look at every project once; one that fails does not stop the others, and is looked at again.

        Args:
            deadline: unix seconds at which this process may be ended.
        """
        notes = self._poll.memory.notes()
        # A new ticket's project is learned here: when a group is linked, its row in Backtrace changes.
        projects = JiraProjects(self._poll.memory, notes)
        jobs = []
        for (universe, project), those in group_by(self._poll.integrations(), _backtrace_project).items():
            name = f"backtrace {universe}/{project}"
            look = partial(self._look_at_page, those, projects, deadline)
            jobs.append(Job(name, those[0].id, partial(self._poll.sweep, name, deadline, look)))
        self._poll.run("backtrace", jobs, notes, deadline)

    def _look_at_page(
        self, integrations: Sequence[Integration], projects: JiraProjects, deadline: float, sweep: Sweep
    ) -> str:
        """Look at each changed group whose ticket column names one of the integrations."""
        first = integrations[0]
        page = self._poll.synchronise.backtrace(first.universe).changed_groups(
            first.project, sweep.since, sweep.after
        )
        for group in page.groups:
            watchers = {entry.get("watcher") for entry in group.tickets}
            for integration in integrations:
                if integration.name in watchers:
                    self._look_at_group(integration, group, projects, deadline)
        projects.remember()
        return page.next_after

    def _look_at_group(
        self, integration: Integration, group: Group, projects: JiraProjects, deadline: float
    ) -> None:
        for link in self._poll.store.links_of_group(integration.id, group.fingerprint):
            if link.issue is None:
                continue
            projects.meet(integration.connection, link.issue.key)
            if group_has_news(link, integration, group):
                hint = Hint(integration.connection, groups={(group.project, group.fingerprint): group})
                self._poll.bring_in_line(link.issue.id, hint, deadline)


def _backtrace_project(integration: Integration) -> tuple[str, str]:
    return integration.universe, integration.project
