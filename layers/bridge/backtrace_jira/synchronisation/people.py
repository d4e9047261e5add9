"""People on both sides: the settings say who is the same person, else an e-mail address that both sides have."""

from __future__ import annotations

from backtrace_jira.backtrace.group import BacktraceUser
from backtrace_jira.jira.issue import JiraUser
from backtrace_jira.settings.synchronisation import Sync
from backtrace_jira.synchronisation.ports import BacktraceGroups, JiraIssues


def find_jira_user(user: BacktraceUser, sync: Sync, jira: JiraIssues, project: str) -> str | None:
    """Return the accountId or user name of a Backtrace user; None where nobody is known to be the same."""
    named = next((person.jira for person in sync.people if person.backtrace_id == user.id), None)
    if named or not user.email:
        return named
    return jira.find_user(user.email, project)


def find_backtrace_user(
    user: JiraUser, sync: Sync, groups: BacktraceGroups, project: str
) -> BacktraceUser | None:
    """Return the Backtrace user of a Jira user; None where nobody is known to be the same.

    Backtrace's API lists no users. But each assignment that a group ever had names the user's id.
    """
    for person in sync.people:
        if person.jira.casefold() == user.id.casefold():
            return BacktraceUser(person.backtrace_id)
    # Jira may mask an address ("fred at example dot com"): such a text is nobody's address.
    return groups.find_user(project, user.email) if "@" in user.email else None


def display_name(user: BacktraceUser | None) -> str:
    """Name a person in a sentence that is logged; an e-mail address does not belong there."""
    return (user.username or f"user {user.id}") if user else "nobody"
