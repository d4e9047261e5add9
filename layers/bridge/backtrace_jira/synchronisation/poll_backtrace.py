"""Changes in Backtrace: states, assignees, groups that it reopened. Backtrace has no event for them, so we ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from backtrace_jira.backtrace.group import Group
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.news import Hint, group_has_news
from backtrace_jira.synchronisation.poll import Poll, Slice, group_by


class PollBacktrace:
    """The use case behind `functions/poll_backtrace`."""

    def __init__(self, poll: Poll) -> None:
        self._poll = poll

    def __call__(self, *, deadline: float) -> None:
        """Look at every project once; one that fails does not stop the others, and is looked at again.

        Args:
            deadline: unix seconds at which this process may be ended.
        """
        for (universe, project), those in group_by(self._poll.integrations(), _backtrace_project).items():
            name = f"backtrace {universe}/{project}"
            look = partial(self._look_at_changed, those, deadline)
            self._poll.look_at_project(name, those, partial(self._poll.since_watermark, name, deadline, look))

    def _look_at_changed(self, integrations: Sequence[Integration], deadline: float, part: Slice) -> None:
        """Look at each changed group whose ticket column names one of the integrations."""
        first = integrations[0]
        backtrace = self._poll.synchronise.backtrace(first.universe)
        for group in backtrace.changed_groups(first.project, part.begin, part.end):
            watchers = {entry.get("watcher") for entry in group.tickets}
            for integration in integrations:
                if integration.name in watchers:
                    self._look_at_group(integration, group, deadline)

    def _look_at_group(self, integration: Integration, group: Group, deadline: float) -> None:
        for link in self._poll.store.links_of_group(integration.id, group.fingerprint):
            if link.issue and group_has_news(link, integration, group):
                hint = Hint(integration.connection, groups={(group.project, group.fingerprint): group})
                self._poll.bring_in_line(link.issue.id, hint, deadline)


def _backtrace_project(integration: Integration) -> tuple[str, str]:
    return integration.universe, integration.project
