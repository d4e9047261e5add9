"""A reopen criterion of ours, taken apart: from which version on, and of which errors.

Backtrace's schema (saucelabs/sauce-docs, advanced/invariants.md): a list of objects, any of which reopens;
`version_gt` and `version_ge` have `field` and `version`, `regular_expression` has `field` and `pattern`, and `and` has
`children`, on one level only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backtrace_jira.fix_versions.line import line_pattern
from backtrace_jira.fix_versions.version import Version, read_version
from backtrace_jira.json_types import JSON, Histogram
from backtrace_jira.settings.expressions import compile_regex
from backtrace_jira.settings.fix_versions import SeenIn

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class VersionCriterion:
    """One reopen criterion of ours. `where` are attributes, with expressions found in their values.

    An expression for the version's own attribute must be found in the same value that is past the version.
    """

    attribute: str
    seen_in: SeenIn
    version: Version
    where: Mapping[str, str]

    @property
    def told(self) -> VersionCriterion:
        """Return the criterion as Backtrace is told it. Whatever is past this one is past that one, too."""
        told = read_version(self.version.told) or self.version
        seen_in = self.seen_in
        if told.highest > self.version.highest:
            seen_in = SeenIn.SAME_OR_LATER  # a SNAPSHOT is told as what it leads up to
        elif told.highest < self.version.highest or told.is_doubtful is not self.version.is_doubtful:
            seen_in = SeenIn.LATER  # the same version cannot be told from its release, which is no regression
        return VersionCriterion(self.attribute, seen_in, told, self.where)

    @property
    def line(self) -> tuple[int, int] | None:
        """Return the line of releases within which it holds; None if it holds for all."""
        return (
            self.version.line if self.where.get(self.attribute) == line_pattern(self.version.line) else None
        )

    def to_json(self) -> dict[str, JSON]:
        """Return it as Backtrace is told it."""
        told = self.told
        criterion: dict[str, JSON] = {
            "type": str(told.seen_in),
            "field": self.attribute,
            "version": self.version.told,
        }
        if not self.where:
            return criterion
        kinds: list[JSON] = [
            {"type": "regular_expression", "field": name, "pattern": pattern}
            for name, pattern in self.where.items()
        ]
        return {"type": "and", "children": [*kinds, criterion]}

    def past(self, values: Histogram) -> list[tuple[str, int]]:
        """Return the values that are past the boundary in any case, with their counts, latest version first."""
        told = self.told
        found = []
        for value, count in values:
            version = read_version(value)
            # What Backtrace is not told is not past either: no hint would be sent for it.
            if version and self._is_past(version) and told._is_past(version) and self._is_within(value):
                found.append((version, value, count))
        return [(value, count) for _, value, count in sorted(found, key=lambda each: each[0], reverse=True)]

    def in_doubt(self, values: Histogram) -> list[str]:
        """Return the values of which nobody knows whether they are past the boundary."""
        past = {value for value, _ in self.past(values)}
        others = [(read_version(value), value) for value, _ in values if value not in past]
        return [
            value
            for version, value in others
            if version and self._is_doubted(version) and self._is_within(value)
        ]

    def may_be_past(self, attributes: Mapping[str, Histogram]) -> bool:
        """Return whether one of a group's errors may be past it; which values are of one error is not known."""
        kinds = (
            any(compile_regex(pattern).search(value) for value, _ in attributes.get(name, ()))
            for name, pattern in self.where.items()
            if name != self.attribute
        )
        return bool(self.past(attributes.get(self.attribute, ()))) and all(kinds)

    def _is_past(self, version: Version) -> bool:
        if self.seen_in is SeenIn.SAME_OR_LATER and version == self.version:
            return True
        return version.is_surely_after(self.version)

    def _is_doubted(self, version: Version) -> bool:
        """Return whether a version may be after this one, and may not."""
        is_sure = version == self.version or self.version.is_surely_after(version)
        return not is_sure and (version.is_doubtful or self.version.is_doubtful)

    def _is_within(self, value: str) -> bool:
        pattern = self.where.get(self.attribute)
        return pattern is None or bool(compile_regex(pattern).search(value))

    def __str__(self) -> str:
        sign = ">" if self.seen_in is SeenIn.LATER else "≥"
        within = f" in {self.line[0]}.{self.line[1]}.x" if self.line else ""
        kinds = "".join(
            f" where {name} is {pattern}"
            for name, pattern in self.where.items()
            if not (within and name == self.attribute)
        )
        return f"{self.attribute} {sign} {self.version.text}{within}{kinds}"


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
    """Return a digest of the values past these criteria, with their counts, and of those in doubt, without.

    An event's histograms count all errors of the group, so an error of a later version changes a count, and so the
    digest. Nobody documents that they do (saucelabs/sauce-docs, workflow-integrations/webhook.md): so the day of the
    last error is part of it, and what was answered on one day is asked again on the next.

    Args:
        criteria: those that an error of the group may have passed.
        attributes: the event's histograms.
        last_seen: unix seconds of the group's last error.
    """
    seen = [(each, attributes.get(each.attribute, ())) for each in criteria]
    past = [(str(each), sorted(each.past(values)), sorted(each.in_doubt(values))) for each, values in seen]
    text = json.dumps([past, last_seen // _DAY])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
