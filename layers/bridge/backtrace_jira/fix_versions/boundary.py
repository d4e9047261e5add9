"""From which version on an error is a regression: a ticket's Fix Versions as reopen criteria of Backtrace.

Backtrace's schema (saucelabs/sauce-docs, advanced/invariants.md): a list of objects, any of which reopens;
`version_gt` and `version_ge` have `field` and `version`, `regular_expression` has `field` and `pattern`, and `and` has
`children`, on one level only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backtrace_jira.backtrace.reopen_criteria import text_of
from backtrace_jira.fix_versions.version import Version, read_version
from backtrace_jira.jira.fields import fold
from backtrace_jira.jira.issue import FixVersion, Ticket
from backtrace_jira.json_types import JSON, Histogram
from backtrace_jira.settings.expressions import compile_regex
from backtrace_jira.settings.fix_versions import (
    AppliesWhen,
    Branch,
    FixVersions,
    SeenIn,
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
    """A sentence for each that may be before or after its release; it counts as the highest that it can mean."""
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
    else:
        criteria = list(_plan_criterion(read, settings))
    doubtful = [fix.doubt for fix in read if fix.version and fix.version.is_doubtful]
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
        release = self.version.release if self.version else ""
        return (
            f"{self.name}: it is not known whether it comes before or after {release}, so it counts as the last of "
            f"{release} (docs/versions.md)"
        )


def _isolate_version(name: str, regex: str) -> str | None:
    if not regex:
        return name
    found = compile_regex(regex).search(name)
    if found is None:
        return None
    return (found[1] or "") if found.re.groups else found[0]


def _plan_criterion(fixes: Iterable[_Fix], settings: FixVersions) -> Iterator[VersionCriterion]:
    """Yield the criterion of the one version that counts, once it does."""
    readable = [(fix.version, fix.fix) for fix in fixes if fix.version]
    if not readable:
        return
    pick = min if settings.several is VersionChoice.LOWEST else max
    version, fix = pick(readable, key=lambda each: each[0].highest)
    if fix.released or settings.when is AppliesWhen.RESOLVED:
        yield VersionCriterion(settings.attribute, settings.seen_in, version, {})


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


@dataclass(frozen=True, slots=True)
class VersionCriterion:
    """One reopen criterion of ours, taken apart. `where` are attributes, with expressions found in their values."""

    attribute: str
    seen_in: SeenIn
    version: Version
    where: Mapping[str, str]

    def to_json(self) -> dict[str, JSON]:
        """Return it as Backtrace is told it, which is less strict where the version is doubtful."""
        told, seen_in = self.version.told, self.seen_in
        if told != self.version.text:
            seen_in = SeenIn.LATER  # the same version cannot be told from the release, which is no regression
        criterion: dict[str, JSON] = {"type": str(seen_in), "field": self.attribute, "version": told}
        if not self.where:
            return criterion
        kinds: list[JSON] = [
            {"type": "regular_expression", "field": name, "pattern": pattern}
            for name, pattern in self.where.items()
        ]
        return {"type": "and", "children": [*kinds, criterion]}

    def past(self, values: Histogram) -> list[tuple[str, int]]:
        """Return the values that are past the boundary in any case, with their counts, latest version first."""
        read = [(read_version(value), value, count) for value, count in values]
        found = [
            (version, value, count) for version, value, count in read if version and self._is_past(version)
        ]
        return [(value, count) for _, value, count in sorted(found, key=lambda each: each[0], reverse=True)]

    def may_be_past(self, attributes: Mapping[str, Histogram]) -> bool:
        """Return whether one of a group's errors may be past it; which values are of one error is not known."""
        kinds = (
            any(compile_regex(pattern).search(value) for value, _ in attributes.get(name, ()))
            for name, pattern in self.where.items()
        )
        return bool(self.past(attributes.get(self.attribute, ()))) and all(kinds)

    def _is_past(self, version: Version) -> bool:
        if self.seen_in is SeenIn.SAME_OR_LATER and version == self.version:
            return True
        return version.is_surely_after(self.version)

    def __str__(self) -> str:
        sign = ">" if self.seen_in is SeenIn.LATER else "≥"
        kinds = "".join(f" where {name} is {pattern}" for name, pattern in self.where.items())
        return f"{self.attribute} {sign} {self.version.text}{kinds}"


def version_criteria_of(reopen_criteria: Iterable[str]) -> list[VersionCriterion]:
    """Take reopen criteria of ours (JSON texts) apart."""
    return [criterion for text in reopen_criteria if (criterion := _read_criterion(json.loads(text)))]


def _read_criterion(criterion: Mapping[str, Any]) -> VersionCriterion | None:
    parts = criterion.get("children", [criterion])
    where = {part["field"]: part["pattern"] for part in parts if part["type"] == "regular_expression"}
    for part in parts:
        version = read_version(part["version"]) if part["type"] in list(SeenIn) else None
        if version:
            return VersionCriterion(part["field"], SeenIn(part["type"]), version, where)
    return None


def digest_sighting(
    criteria: Iterable[VersionCriterion], attributes: Mapping[str, Histogram], last_seen: float
) -> str:
    """Return a digest of the values past these criteria, with their counts.

    An event's histograms count all errors of the group, so an error of a later version changes a count, and so the
    digest. Nobody documents that they do (saucelabs/sauce-docs, workflow-integrations/webhook.md): so the day of the
    last error is part of it, and what was answered on one day is asked again on the next.

    Args:
        criteria: those that an error of the group may have passed.
        attributes: the event's histograms.
        last_seen: unix seconds of the group's last error.
    """
    past = [(str(each), sorted(each.past(attributes.get(each.attribute, ())))) for each in criteria]
    text = json.dumps([past, last_seen // _DAY])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def version_fields(integrations: Iterable[Integration]) -> list[str]:
    """Return the fields that hold Fix Versions, as the settings name them."""
    return sorted({each.fix_versions.field for each in integrations if each.fix_versions.enabled})
