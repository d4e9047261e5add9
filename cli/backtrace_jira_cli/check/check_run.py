"""One run of `backtrace-jira check`: integrations one after the other. What several share is checked once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.check import connection
from backtrace_jira_cli.check.backtrace_project import BacktraceProjectChecks
from backtrace_jira_cli.check.connection import ConnectionChecks
from backtrace_jira_cli.check.finding import CheckName, Finding, Status, failed, not_checked
from backtrace_jira_cli.check.integration import SCREENS, IntegrationChecks
from backtrace_jira_cli.check.lines import heading_of, lines_of
from backtrace_jira_cli.check.test_ticket import create_test_ticket
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.lockout_guard import Refusals
from backtrace_jira_cli.deployment.stored_settings import IntegrationPath, StoredSettings, Unusable
from backtrace_jira_cli.exits import Stop, wrong_usage

JIRA_CHECKS = (
    *connection.CHECKS,
    CheckName.PROJECT,
    CheckName.PERMISSION,
    CheckName.ISSUE_TYPE,
    *SCREENS,
)


@dataclass(slots=True)
class CheckReport:
    """The findings about one integration, or about one connection that no integration uses."""

    subject: dict[str, str | None]
    findings: list[Finding] = field(default_factory=list)
    ticket: dict[str, str] | None = None

    @property
    def failed(self) -> list[Finding]:
        """Return the checks that failed."""
        return [finding for finding in self.findings if finding.status is Status.FAILED]

    def as_json(self) -> dict[str, Any]:
        """Return the report for machines."""
        return {
            **self.subject,
            "ok": not self.failed,
            "checks": [finding.as_json() for finding in self.findings],
            "ticket": self.ticket,
        }


class CheckRun:
    """One run of the checks."""

    def __init__(self, stored_settings: StoredSettings, console: Console) -> None:
        self._stored_settings = stored_settings
        self._console = console
        self._refusals: Refusals = {}
        self._connections: dict[str, ConnectionChecks] = {}
        self._backtrace_projects: dict[tuple[str, str], BacktraceProjectChecks] = {}
        self._reports: list[CheckReport] = []
        self._documents: list[dict[str, Any]] = []

    def run(
        self,
        integrations: Sequence[IntegrationPath],
        connections: Iterable[str] = (),
        *,
        with_test_ticket: bool = False,
    ) -> None:
        """Check these integrations, then these connections on their own.

        Raises:
            Stop: a check failed. Every finding has been printed by then.
        """
        self._console.report["integrations"] = self._documents
        for path in integrations:
            self._check_integration(path, with_test_ticket)
        for name in connections:
            report = CheckReport({"integration": None, "connection": name})
            self._say_findings(f"connection {name}", report, self._connection_checks(name).findings())
        self._sum_up()

    def _check_integration(self, path: IntegrationPath, with_test_ticket: bool) -> None:
        try:
            settings = self._stored_settings.read_integration(path)
        except Unusable as error:
            report = CheckReport({"integration": path.id, "connection": None})
            self._say_findings(path.id, report, self._report_unreadable(path, error))
            return
        report = CheckReport({"integration": path.id, "connection": settings.connection})
        checks = IntegrationChecks(
            settings,
            self._connection_checks(settings.connection),
            self._backtrace_checks(settings.universe, settings.project),
        )
        title = f"{path.id} (connection {settings.connection})"
        findings = (
            self._check_and_create_ticket(settings, checks, report) if with_test_ticket else checks.findings()
        )
        self._say_findings(title, report, findings)

    def _check_and_create_ticket(
        self, settings: Integration, checks: IntegrationChecks, report: CheckReport
    ) -> Iterator[Finding]:
        wrong = False
        for finding in checks.findings():
            wrong = wrong or finding.status is Status.FAILED
            yield finding
        if wrong:
            yield not_checked(CheckName.TEST_TICKET, "no ticket was created, because a check failed")
            return
        finding, report.ticket = create_test_ticket(settings, checks.tickets, checks.schema, checks.find_user)
        yield finding

    def _report_unreadable(self, path: IntegrationPath, error: Unusable) -> Iterator[Finding]:
        first, *others = JIRA_CHECKS
        yield failed(first, str(error), error.remedy)
        yield from (not_checked(name, "see endpoint") for name in others)
        yield from self._backtrace_checks(path.universe, path.project).findings(None)

    def _connection_checks(self, name: str) -> ConnectionChecks:
        return self._connections.setdefault(
            name, ConnectionChecks(name, self._stored_settings, self._refusals)
        )

    def _backtrace_checks(self, universe: str, project: str) -> BacktraceProjectChecks:
        checks = BacktraceProjectChecks(universe, project, self._stored_settings, self._refusals)
        return self._backtrace_projects.setdefault((universe, project), checks)

    def _say_findings(self, title: str, report: CheckReport, findings: Iterable[Finding]) -> None:
        """Print each finding as soon as its check has run."""
        self._reports.append(report)
        self._console.say(heading_of(title), "bold")
        with self._console.show_progress("asking Jira and Backtrace"):
            for found in findings:
                finding = found.rewritten(self._stored_settings.hide_secrets)
                report.findings.append(finding)
                for line, style in lines_of(finding, plain=not self._console.can_print("✓✗→")):
                    self._console.say(line, style)
        self._documents.append(report.as_json())

    def _sum_up(self) -> None:
        wrong = [
            f"{finding.check.words} of {report.subject['integration'] or report.subject['connection']}"
            for report in self._reports
            for finding in report.failed
        ]
        if wrong:
            raise Stop(f"{_count_checks(len(wrong))} failed: {', '.join(wrong)}.")


def _count_checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"


def choose_paths(wanted: str | None, known: Sequence[IntegrationPath], place: str) -> list[IntegrationPath]:
    """Return all integrations, or the one with this id or unique name. `place` is where they are stored, for messages.

    Raises:
        Stop: none is stored, none has the name, or several have it.
    """
    if not known:
        raise wrong_usage(
            f"No integration is stored below {place}. Write one with backtrace-jira configure, "
            "or name another deployment with --stage or --region."
        )
    if wanted is None:
        return list(known)
    found = [path for path in known if path.id == wanted] or [path for path in known if path.name == wanted]
    if len(found) == 1:
        return found
    if found:
        ids = ", ".join(path.id for path in found)
        raise wrong_usage(f"Several integrations have this name. Give the whole id of one: {ids}.")
    raise wrong_usage(f"No integration has this name. Stored: {', '.join(path.id for path in known)}.")
