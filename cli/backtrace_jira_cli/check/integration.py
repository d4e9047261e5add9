"""All checks of one integration, in the order of the product page's troubleshooting list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.errors import InvalidField
from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.synchronisation import OnLinking, SyncedField
from backtrace_jira_cli.check import connection
from backtrace_jira_cli.check.backtrace_project import BacktraceProjectChecks
from backtrace_jira_cli.check.connection import ConnectionChecks, Jira
from backtrace_jira_cli.check.create_screen import ScreenChecks
from backtrace_jira_cli.check.finding import (
    CheckName,
    Finding,
    Status,
    failed,
    not_checked,
    ok,
    run_in_order,
    warning,
)
from backtrace_jira_cli.check.fix_version_field import FixVersionField
from backtrace_jira_cli.check.overrides import issue_type_of, project_of
from backtrace_jira_cli.check.version_names import add_version_names
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard

CREATE_SCREEN = (CheckName.REQUIRED_FIELDS, CheckName.LABELS_AND_DESCRIPTION, CheckName.CUSTOM_FIELDS)
SCREENS = (*CREATE_SCREEN, CheckName.FIX_VERSIONS)
TO_CREATE = {"CREATE_ISSUES": "Create Issues", "BROWSE_PROJECTS": "Browse Projects"}
TO_SYNCHRONISE = {
    "TRANSITION_ISSUES": ("Transition Issues", SyncedField.STATE),
    "ASSIGN_ISSUES": ("Assign Issues", SyncedField.ASSIGNEE),
}
FOR_REGRESSIONS = {
    OnRegression.REOPEN: {"TRANSITION_ISSUES": "Transition Issues", "ADD_COMMENTS": "Add Comments"},
    OnRegression.COMMENT: {"ADD_COMMENTS": "Add Comments"},
    OnRegression.NEW_TICKET: {"LINK_ISSUES": "Link Issues"},
    OnRegression.LEAVE: {},
}
"""These three: permissions by their key in Jira's API, with the name that Jira's pages show."""


class IntegrationChecks:
    """One integration, with the shared checks of its connection and of its Backtrace project."""

    def __init__(
        self,
        integration: Integration,
        connection_checks: ConnectionChecks,
        backtrace_checks: BacktraceProjectChecks,
    ) -> None:
        self._integration = integration
        self._connection = connection_checks
        self._backtrace_project = backtrace_checks
        self._project = project_of(integration)
        self._issue_type = issue_type_of(integration)
        self.schema: FieldSchema | None = None

    @property
    def jira(self) -> Jira:
        """Return the site. It exists only after the connection's checks have passed."""
        return self._connection.jira

    @property
    def tickets(self) -> LockoutGuard[JiraClient]:
        """Return the client of the site."""
        return self.jira.tickets

    def findings(self) -> Iterator[Finding]:
        """Run the checks. Those of Backtrace run even if those of Jira fail."""
        yield from run_in_order(
            [
                (connection.CHECKS, self._connection.findings),
                ((CheckName.PROJECT, CheckName.PERMISSION), self._check_project),
                ((CheckName.ISSUE_TYPE,), self._check_issue_type),
                (SCREENS, self._check_screens),
            ]
        )
        yield from self._backtrace_project.findings(self._integration)

    def find_user(self, name: str) -> str | None:
        """Ask Jira for the user that a setting names."""
        return self.tickets.ask(lambda jira: RestJiraTickets(jira).find_user(name, self._project.plain))

    def _check_project(self) -> Iterator[Finding]:
        template, key = self._project, self._project.plain
        if template.attributes:
            yield warning(
                CheckName.PROJECT, f"{template.place} takes it from an attribute: it differs by error"
            )
            yield not_checked(CheckName.PERMISSION, "the project differs by error")
            return
        wanted = (*TO_CREATE, *self._permissions_to_synchronise())
        held = self.tickets.ask(lambda jira: jira.permissions(key, *wanted))
        if held is None:
            yield failed(
                CheckName.PROJECT,
                f"{key} does not exist, or this account may not see it",
                f"Correct {template.place}, or give the account Browse Projects there.",
            )
            yield not_checked(CheckName.PERMISSION, "see project")
            return
        yield ok(CheckName.PROJECT, key)
        yield self._check_permission(key, held)

    def _check_permission(self, key: str, held: frozenset[str]) -> Finding:
        missing = _name_missing(TO_CREATE, held)
        if missing:
            return failed(
                CheckName.PERMISSION,
                f"this account lacks {missing} in {key}",
                f"Give it {missing} in the permission scheme of {key}.",
            )
        missing = _name_missing(self._permissions_to_synchronise(), held)
        if missing:
            return warning(
                CheckName.PERMISSION,
                f"may create issues in {key}, but lacks {missing}: Jira will refuse some changes from Backtrace",
                f"Give it {missing} in the permission scheme of {key}.",
            )
        return ok(CheckName.PERMISSION, f"may create issues in {key}")

    def _permissions_to_synchronise(self) -> dict[str, str]:
        """Return the permissions that changes from Backtrace and regressions need, by key."""
        sync, fixes = self._integration.sync, self._integration.fix_versions
        wanted: dict[str, str] = {}
        if sync.backtrace_to_jira or sync.on_linking is OnLinking.BACKTRACE:
            wanted |= {name: words for name, (words, field) in TO_SYNCHRONISE.items() if sync.covers(field)}
        return wanted | (FOR_REGRESSIONS[fixes.on_regression] if fixes.enabled else {})

    def _check_issue_type(self) -> Iterator[Finding]:
        check, template = CheckName.ISSUE_TYPE, self._issue_type
        if template.attributes:
            yield warning(check, f"{template.place} takes it from an attribute: it differs by error")
            return
        try:
            self.schema = self.tickets.ask(
                lambda jira: RestJiraTickets(jira).field_schema(self._project.plain, template.plain)
            )
        except InvalidField as error:
            about_type = error.field == "issuetype"
            yield failed(check, str(error), _remedy(template.place, about_type))
            return
        if self.schema is None:
            yield warning(
                check,
                "this Jira does not show its create screens; the first ticket will show what they require",
            )
        else:
            yield ok(check, self.schema.issue_type)

    def _check_screens(self) -> Iterator[Finding]:
        if self.schema is None:
            yield from (
                not_checked(name, "the create screen is not known, see issue type") for name in CREATE_SCREEN
            )
        else:
            yield from ScreenChecks(self._integration, self.schema, self.find_user).findings()
        yield self._check_fix_versions()

    def _check_fix_versions(self) -> Finding:
        if not self._integration.fix_versions.enabled:
            return ok(CheckName.FIX_VERSIONS, "off (fix_versions.enabled)")
        key = self._project.plain
        finding = FixVersionField(self._integration, self.schema, self.tickets, key).check()
        if finding.status is not Status.OK:
            return finding
        listed = self.tickets.ask(lambda jira: RestJiraIssues(jira).versions(key))
        names = [each.version.name for each in listed if not each.version.archived]
        return add_version_names(finding, names, self._integration.fix_versions)


def _name_missing(wanted: Mapping[str, str], held: frozenset[str]) -> str:
    return " and ".join(name for permission, name in wanted.items() if permission not in held)


def _remedy(place: str, about_type: bool) -> str:
    if about_type:
        return f"Write one of these as {place}, or add the type to the project's scheme in Jira."
    return "Give the account Create Issues in this project."
