"""The finding of one check, and the order in which checks depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira_cli.deployment.remedies import explain_error


class CheckName(StrEnum):
    """The checks, in the order of the product page's troubleshooting list. Machines rely on the names."""

    ENDPOINT = "endpoint"
    REACHABLE = "reachable"
    CREDENTIAL = "credential"
    CREDENTIAL_KIND = "credential_kind"
    SERVER = "server"
    PROJECT = "project"
    PERMISSION = "permission"
    ISSUE_TYPE = "issue_type"
    REQUIRED_FIELDS = "required_fields"
    LABELS_AND_DESCRIPTION = "labels_and_description"
    CUSTOM_FIELDS = "custom_fields"
    FIX_VERSIONS = "fix_versions"
    ATTRIBUTES = "attributes"
    BACKTRACE = "backtrace"
    TEST_TICKET = "test_ticket"

    @property
    def words(self) -> str:
        """Return the name for people."""
        return self.value.replace("_", " ")


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, but the operator should know about it."""
    FAILED = "failed"
    NOT_CHECKED = "not_checked"
    """A check that it depends on failed, or a secret is not known yet."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was found and, unless all is well, what to do. Each of `details` is a further line."""

    check: CheckName
    status: Status
    found: str
    remedy: str = ""
    details: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether checks that depend on this one cannot run."""
        return self.status in (Status.FAILED, Status.NOT_CHECKED)

    def rewritten(self, rewrite: Callable[[str], str]) -> Finding:
        """Return the finding with each of its texts rewritten by a function."""
        return replace(
            self,
            found=rewrite(self.found),
            remedy=rewrite(self.remedy),
            details=tuple(map(rewrite, self.details)),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the finding for machines."""
        return {
            "check": str(self.check),
            "status": str(self.status),
            "found": self.found,
            "remedy": self.remedy or None,
            "details": list(self.details),
        }


def ok(check: CheckName, found: str, details: Sequence[str] = ()) -> Finding:
    """Return the finding of a check that passed."""
    return Finding(check, Status.OK, found, details=tuple(details))


def warning(check: CheckName, found: str, remedy: str = "", details: Sequence[str] = ()) -> Finding:
    """Return the finding of a check that passed with something that the operator should know."""
    return Finding(check, Status.WARNING, found, remedy, tuple(details))


def failed(check: CheckName, found: str, remedy: str, details: Sequence[str] = ()) -> Finding:
    """Return the finding of a check that failed, with what to do about it."""
    return Finding(check, Status.FAILED, found, remedy, tuple(details))


def not_checked(check: CheckName, why: str) -> Finding:
    """Return the finding of a check that did not run, with the reason."""
    return Finding(check, Status.NOT_CHECKED, f"not checked: {why}")


Step: TypeAlias = tuple[Sequence[CheckName], Callable[[], Iterable[Finding]]]
"""Names of checks, in order, and the function that runs them and returns their findings."""


def run_in_order(steps: Sequence[Step]) -> Iterator[Finding]:
    """Run steps, each of which needs those before it. After a failure, the rest say only which check to see."""
    blocked_by = ""
    for names, run in steps:
        if blocked_by:
            yield from (not_checked(name, f"see {blocked_by}") for name in names)
            continue
        stopping: list[Finding] = []
        for finding in _run_step(names, run):
            yield finding
            if finding.stops:
                stopping.append(finding)
        # A step may leave out a check because a later one of the same step failed: name the one that failed.
        stopping.sort(key=lambda finding: finding.status is not Status.FAILED)
        blocked_by = stopping[0].check.words if stopping else ""


def _run_step(names: Sequence[CheckName], run: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield a finding for each name, even if the step raises an error half-way."""
    left = list(names)
    try:
        for finding in run():
            left.remove(finding.check)
            yield finding
    except BacktraceJiraError as error:
        yield failed(left[0], *explain_error(error))
        yield from (not_checked(name, f"see {left[0].words}") for name in left[1:])
