"""From which version on an error is a regression: a ticket's Fix Versions as reopen criteria of Backtrace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backtrace_jira.backtrace.reopen_criteria import text_of
from backtrace_jira.fix_versions.criterion import VersionCriterion
from backtrace_jira.fix_versions.line import line_pattern
from backtrace_jira.fix_versions.orders import describe_orders
from backtrace_jira.fix_versions.version import Version, read_version
from backtrace_jira.jira.fields import fold
from backtrace_jira.jira.issue import FixVersion, Ticket
from backtrace_jira.settings.expressions import compile_regex
from backtrace_jira.settings.fix_versions import (
    AppliesWhen,
    Branch,
    FixVersions,
    VersionChoice,
)
from backtrace_jira.settings.integration import Integration
from backtrace_jira.states import State, state_of

_DAY = 24 * 3600.0
_NOT_SHOWN = (
    "Jira shows no field {} in this ticket: it is hidden there, or does not exist, or several have the name. What was "
    "written to Backtrace before stays (backtrace-jira check)"
)


@dataclass(frozen=True, slots=True)
class Boundary:
    """The result of reading a ticket's Fix Versions."""

    reopen_criteria: tuple[str, ...] | None = ()
    """JSON texts; empty where no version is to be waited for, None where that cannot be told."""
    unread: tuple[str, ...] = ()
    """A sentence for each Fix Version that cannot be read."""
    doubtful: tuple[str, ...] = ()
    """A sentence for each of which Backtrace can be told the release only: one that may be before or after it, which
    counts as the highest that it can mean, and one that is after it."""
    criteria: tuple[VersionCriterion, ...] = ()
    """The reopen criteria with their doubt, of which Backtrace is told nothing."""
    fix_versions: Mapping[str, str] = field(default_factory=dict)
    """The facts of all of them, by id."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what is said once about the Fix Versions."""
        return (*self.unread, *self.doubtful)


def is_done(ticket: Ticket, integration: Integration) -> bool:
    """Return whether a ticket's status means that it is resolved."""
    return state_of(ticket.status, integration.sync.states) is State.RESOLVED


def is_final(ticket: Ticket, settings: FixVersions) -> bool:
    """Return whether a ticket was resolved in a way that no error undoes."""
    resolution = {fold(name) for name in ticket.resolution if name}
    return any(fold(name) in resolution for name in settings.never_reopened)


def boundary_of(ticket: Ticket, integration: Integration) -> Boundary:
    """Return the boundary of a ticket as it is now; none while it is not done."""
    settings = integration.fix_versions
    if not settings.enabled or not is_done(ticket, integration) or is_final(ticket, settings):
        return Boundary()
    versions = ticket.versions.get(settings.field)
    if versions is None:
        return Boundary(None, (_NOT_SHOWN.format(settings.field),))
    fixes = {version.id: version.facts for version in versions if version.id}
    read = [_Fix(version, _isolate_version(version.name, settings.regex)) for version in versions]
    unread = [f"{fix.name}: {fix.problem}" for fix in read if fix.version is None]
    if settings.several is VersionChoice.BRANCHES:
        criteria = list(_plan_branches(read, settings))
        unread += [
            f"{fix.name}: belongs to none of fix_versions.branches" for fix in _without_branch(read, settings)
        ]
    elif settings.several is VersionChoice.LINES:
        criteria = list(_plan_lines(read, settings))
    else:
        criteria = list(_plan_criterion(read, settings))
    doubtful = [doubt for fix in read if (doubt := fix.doubt)]
    texts = dict.fromkeys(text_of(criterion.to_json()) for criterion in criteria)
    return Boundary(tuple(texts), tuple(unread), tuple(doubtful), tuple(criteria), fixes)


@dataclass(frozen=True, slots=True)
class _Fix:
    """A Fix Version and what its name was read as; `text` None is a name in which the expression found nothing."""

    fix: FixVersion
    text: str | None

    @property
    def name(self) -> str:
        return self.fix.name

    @property
    def version(self) -> Version | None:
        return read_version(self.text) if self.text is not None else None

    @property
    def problem(self) -> str:
        if self.text is None:
            return "fix_versions.regex finds nothing in this name, so it says nothing to Backtrace"
        return "cannot be read as a version (docs/versions.md), so it says nothing to Backtrace"

    @property
    def doubt(self) -> str:
        version = self.version
        if version is None:
            return ""
        if version.is_doubtful:
            return (
                f"{self.name}: it is not known whether it comes before or after {version.release}, so it counts as "
                f"the last of {version.release} (docs/versions.md)"
            )
        if version.follows_release:
            return (
                f"{self.name}: semver has nothing after a release, so Backtrace is told {version.told} "
                "(docs/versions.md)"
            )
        return ""


def describe_name(name: str, settings: FixVersions) -> str:
    """Say what a Fix Version of this name does not say to Backtrace; empty if it says all."""
    fix = _Fix(FixVersion("", name), _isolate_version(name, settings.regex))
    if fix.version is None:
        return f"{name}: {fix.problem}"
    orders = describe_orders(fix.version.told)
    return fix.doubt or (f"{name}: {orders}" if orders else "")


def _isolate_version(name: str, regex: str) -> str | None:
    if not regex:
        return name
    found = compile_regex(regex).search(name)
    if found is None:
        return None
    return (found[1] or "") if found.re.groups else found[0]


def _readable(fixes: Iterable[_Fix]) -> list[tuple[_Fix, Version]]:
    return [(fix, version) for fix in fixes if (version := fix.version)]


def _plan_criterion(fixes: Iterable[_Fix], settings: FixVersions) -> Iterator[VersionCriterion]:
    """Yield the criterion of the one version that counts, once it does."""
    readable = _readable(fixes)
    if not readable:
        return
    pick = min if settings.several is VersionChoice.LOWEST else max
    fix, version = pick(readable, key=lambda each: each[1].highest)
    if fix.fix.released or settings.when is AppliesWhen.RESOLVED:
        yield VersionCriterion(settings.attribute, settings.seen_in, version, {})


def _plan_lines(fixes: Sequence[_Fix], settings: FixVersions) -> Iterator[VersionCriterion]:
    """Yield the criterion of the highest version, and one within each lower line of releases that has a version.

    The highest version of a line counts. A day belongs to no line: 2026.11.28 is not a release of 2026.11.
    """
    lines: dict[tuple[int, int], list[_Fix]] = {}
    for fix, version in sorted(_readable(fixes), key=lambda each: each[1].highest, reverse=True):
        lines.setdefault(version.line, []).append(fix)
    highest, *lower = lines.values() if lines else [[]]
    yield from _plan_criterion(highest, settings)
    for own in lower:
        for criterion in _plan_criterion(own, settings):
            if not criterion.version.is_date:
                pattern = line_pattern(criterion.version.line)
                yield replace(criterion, where={settings.attribute: pattern})


def _plan_branches(fixes: Sequence[_Fix], settings: FixVersions) -> Iterator[VersionCriterion]:
    """Yield a criterion for each branch that has a version."""
    for branch in settings.branches:
        own = [fix for fix in fixes if _belongs(fix, branch)]
        for criterion in _plan_criterion(own, settings):
            yield replace(criterion, where={branch.attribute: branch.values})


def _without_branch(fixes: Sequence[_Fix], settings: FixVersions) -> list[_Fix]:
    """Return the versions that could be read and belong to no branch."""
    return [
        fix for fix in fixes if fix.version and not any(_belongs(fix, branch) for branch in settings.branches)
    ]


def _belongs(fix: _Fix, branch: Branch) -> bool:
    return bool(compile_regex(branch.versions).search(fix.name))


def version_fields(integrations: Iterable[Integration]) -> list[str]:
    """Return the fields that hold Fix Versions, as the settings name them."""
    return sorted({each.fix_versions.field for each in integrations if each.fix_versions.enabled})
