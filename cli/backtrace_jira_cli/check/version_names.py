"""The names of a project's versions: whether each says to Backtrace what people mean by it."""

from __future__ import annotations

from collections.abc import Sequence

from backtrace_jira.fix_versions.boundary import describe_name
from backtrace_jira.settings.fix_versions import FixVersions
from backtrace_jira_cli.check.finding import Finding, warning

SHOWN = 10


def add_version_names(finding: Finding, names: Sequence[str], settings: FixVersions) -> Finding:
    """Return a finding about the field, with a warning of names that say less to Backtrace than to people."""
    remarks = [remark for name in names if (remark := describe_name(name, settings))]
    if not remarks:
        return finding
    more = [f"and {len(remarks) - SHOWN} more"] if len(remarks) > SHOWN else []
    return warning(
        finding.check,
        f"{finding.found}; of {len(names)} versions, {len(remarks)} say less to Backtrace than to people",
        "Nothing, if you can live with it; otherwise rename them, or set fix_versions.regex to the part that errors "
        "have (docs/versions.md).",
        [*remarks[:SHOWN], *more],
    )
