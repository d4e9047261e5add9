"""Who is who on the other side: as the settings say, else by the same e-mail address."""

from __future__ import annotations

from backtrace_jira.backtrace.group import BacktraceUser
from backtrace_jira.jira.issue import JiraUser
from backtrace_jira.settings.synchronisation import Sync
from backtrace_jira.synchronisation.ports import BacktraceGroups, JiraIssues


def in_jira(user: BacktraceUser, sync: Sync, jira: JiraIssues, project: str) -> str | None:
    """Return the accountId or user name of a Backtrace user; None where nobody is known to be the same."""
    known = next((person.jira for person in sync.people if person.backtrace_id == user.id), None)
    if known or not user.email:
        return known
    return jira.find_user(user.email, project)


def in_backtrace(user: JiraUser, sync: Sync, groups: BacktraceGroups, project: str) -> BacktraceUser | None:
    """Return the Backtrace user of a Jira user; None where nobody is known to be the same.

    Backtrace's API lists no users, but every assignment that its groups ever had tells one's id.
    """
    for person in sync.people:
        if person.jira.casefold() == user.id.casefold():
            return BacktraceUser(person.backtrace_id)
    # A masked address ("fred at example dot com") is nobody's.
    return groups.find_user(project, user.email) if "@" in user.email else None
