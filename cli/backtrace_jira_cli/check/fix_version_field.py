"""The check of `fix_versions.field`: whether Jira has it, it holds versions, Jira shows it, and people can fill it in.

Jira's screens do not matter to what its API shows, but to people: on no screen, nobody can say which version has the
fix. A field that the field configuration hides is on no screen, and no answer of the API has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import FIX_VERSIONS, NAMES_OF_FIX_VERSIONS, RestJiraIssues, quoted
from backtrace_jira.adapters.jira.metadata import list_fields
from backtrace_jira.jira.fields import Field, FieldSchema, fields_called, list_names
from backtrace_jira.settings.fix_versions import AppliesWhen
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.check.finding import CheckName, Finding, failed, ok, warning
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard

CHECK = CheckName.FIX_VERSIONS
_TEXT = frozenset({"string", "option", "number", "any"})
"""Types of fields, or of the items of a list, whose values are read as texts with versions."""
_CHOOSE = "Write the id of another field as fix_versions.field"


@dataclass(frozen=True, slots=True)
class Sample:
    """The issue of the project that changed last, and what this account sees of it."""

    key: str
    shows_field: bool
    screens: tuple[str, ...]
    """Those for changes, the edit screen or transitions', that have the field."""
    is_editable: bool
    """False if the account may not edit it: its edit screen is not known."""


class FixVersionField:
    """The check of one integration's field."""

    def __init__(
        self,
        integration: Integration,
        schema: FieldSchema | None,
        client: LockoutGuard[JiraClient],
        project: str,
    ) -> None:
        """Take the create screen, None if it is not known, and the key of the project."""
        self._settings = integration.fix_versions
        self._schema = schema
        self._client = client
        self._project = project
        self._where = f"{project} {schema.issue_type}" if schema else project

    def check(self) -> Finding:
        """Ask Jira for its fields, and for the screens of the issue that changed last."""
        name = FIX_VERSIONS if self._is_jiras_own() else self._settings.field
        listed = self._client.ask(list_fields)
        found = fields_called(name, listed)
        if len(found) != 1:
            return self._not_the_one(found, listed)
        field = found[0]
        sample = self._read_sample(field)
        return self._judge_kind(field, listed) or self._judge_screens(field, sample)

    def _is_jiras_own(self) -> bool:
        return self._settings.field.casefold() in NAMES_OF_FIX_VERSIONS

    def _not_the_one(self, found: list[Field], listed: list[Field]) -> Finding:
        name = self._settings.field
        if found:
            ids = ", ".join(field.id for field in found)
            return failed(
                CHECK, f"{len(found)} fields of Jira are called {name}", f"{_CHOOSE}, one of these: {ids}."
            )
        return failed(CHECK, f"Jira shows this account no field {name}", _choose_among(listed))

    def _judge_kind(self, field: Field, listed: list[Field]) -> Finding | None:
        """Return a finding if the field can hold no versions."""
        if holds_versions(field) or kind_of(field) in _TEXT:
            return None
        return failed(
            CHECK,
            f"{field} holds values of the type {kind_of(field)}, and no versions",
            _choose_among(listed),
        )

    def _judge_screens(self, field: Field, sample: Sample | None) -> Finding:
        if sample and not sample.shows_field:
            return failed(
                CHECK,
                f"Jira hides {field} in {sample.key}, so nobody knows its versions",
                f"Show it in the field configuration of {self._project}, or let its context cover {self._where}; or "
                "write another field as fix_versions.field.",
            )
        create = ["the create screen"] if self._is_on_create_screen(field) else []
        changes = list(sample.screens) if sample else []
        if changes or (create and not (sample and sample.is_editable)):
            return self._name_places(field, [*create, *changes])
        return warning(
            CHECK,
            f"{field} is {self._lacking(bool(create), sample)}",
            f"Put it on the edit screen of {self._where}, or on the screen on which people resolve it: without Fix "
            "Versions, a resolved group stays resolved in every later version.",
            self._remarks(field),
        )

    def _lacking(self, on_create: bool, sample: Sample | None) -> str:
        if sample and sample.is_editable:
            but = ", only on the create screen" if on_create else ""
            return f"on no screen on which people change {sample.key}{but}"
        known = "this account may not edit" if sample else "there is no issue to look at"
        what = f"{known} {sample.key}" if sample else known
        return f"not on the create screen of {self._where}; other screens are not known, because {what}"

    def _name_places(self, field: Field, places: list[str]) -> Finding:
        found = f"{field}, on {' and '.join(places)}"
        if holds_versions(field):
            return ok(CHECK, found)
        return warning(
            CHECK,
            f"{found}, is no version field but a {kind_of(field)}",
            "Its text is read, with commas between several versions. Choose a version field if people shall release "
            "and rename versions in Jira.",
            self._remarks(field),
        )

    def _remarks(self, field: Field) -> list[str]:
        if holds_versions(field) or self._settings.when is AppliesWhen.RESOLVED:
            return []
        return ["when: released waits for nothing: a text counts as released"]

    def _is_on_create_screen(self, field: Field) -> bool:
        return self._schema is not None and any(each.id == field.id for each in self._schema.fields)

    def _read_sample(self, field: Field) -> Sample | None:
        """Look at the issue of this project and issue type that changed last; None if there is none."""
        kind = f" AND issuetype = {quoted(self._schema.issue_type_id)}" if self._schema else ""
        jql = f"project = {quoted(self._project)}{kind} ORDER BY updated DESC"
        page = self._client.ask(
            lambda jira: jira.search_page({"jql": jql, "maxResults": 1, "fields": [field.id, "status"]})
        )
        issue: dict[str, Any] = next(iter(page["issues"]), {})
        if not issue:
            return None
        editable = self._read_edit_screen(str(issue["id"]))
        screens = (
            ("the edit screen",) if field.id in editable else self._find_transitions(str(issue["id"]), field)
        )
        return Sample(
            str(issue["key"]), field.id in (issue.get("fields") or {}), tuple(screens), bool(editable)
        )

    def _read_edit_screen(self, issue_id: str) -> frozenset[str]:
        """Return the fields that the account may change: `GET /issue/{id}/editmeta`; none if it may not edit it."""
        path = f"/issue/{quote(issue_id, safe='')}/editmeta"
        meta = self._client.ask(lambda jira: jira.read(path, {}))
        fields = meta.get("fields") if isinstance(meta, dict) else None
        return frozenset(fields) if isinstance(fields, dict) else frozenset()

    def _find_transitions(self, issue_id: str, field: Field) -> Iterator[str]:
        """Yield the screens of transitions, open now, that have the field."""
        for step in self._client.ask(lambda jira: RestJiraIssues(jira).transitions(issue_id)):
            if any(each.id == field.id for each in step.fields):
                yield f"the screen of {step.name}"


def holds_versions(field: Field) -> bool:
    """Return whether it is a version field: Jira then says of each version whether it is released."""
    return kind_of(field) == "version"


def kind_of(field: Field) -> str:
    """Return the type of a field's value, or of the items if it is a list."""
    return field.items if field.type == "array" else field.type


def _choose_among(listed: list[Field]) -> str:
    versions = list_names([str(field) for field in listed if holds_versions(field)])
    return f"{_CHOOSE}. Jira's version fields: {versions}."
