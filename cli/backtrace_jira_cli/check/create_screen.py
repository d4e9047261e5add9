"""The create screen of one project and issue type: what it demands, and whether it takes what we would send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backtrace_jira.errors import InvalidField, NotOnScreen
from backtrace_jira.jira.field_values import FindUser, is_fillable, to_field_value
from backtrace_jira.jira.fields import Field, FieldSchema
from backtrace_jira.settings.integration import Integration
from backtrace_jira.tickets.fill_fields import LABEL
from backtrace_jira_cli.check.finding import CheckName, Finding, failed, ok, warning
from backtrace_jira_cli.check.overrides import REQUIRED, Template, overrides, required_name

IMPOSSIBLE = "? ?"
"""No number, date, user or value of a list: a field that wants one says what it takes."""

_ALIKE = {"labels": "labels", "description": "textarea"}
"""Kinds of custom fields that take the place of these."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of one custom field."""

    field: Field | None = None
    wrong: str = ""
    note: str = ""


class ScreenChecks:
    """The checks of one integration's create screen."""

    def __init__(self, integration: Integration, schema: FieldSchema, people: FindUser) -> None:
        self._integration = integration
        self._schema = schema
        self._people = people
        self._templates = {
            name: template
            for name, template in overrides(integration).items()
            if name not in ("project", "issuetype")
        }

    def findings(self) -> Iterator[Finding]:
        """Look at required fields, labels and description, and every custom field."""
        yield self._check_required()
        yield self._check_labels_and_description()
        yield self._check_custom_fields()

    # Required fields

    def _check_required(self) -> Finding:
        check = CheckName.REQUIRED_FIELDS
        missing = self._schema.missing(self._find_filled())
        if missing:
            names = ", ".join(map(str, missing))
            return failed(
                check,
                f"without a value: {names}",
                "Give each a value in custom_fields, or a default in Jira.",
                [self.describe_accepted(field) for field in missing],
            )
        uncertain = list(self._find_uncertain())
        if uncertain:
            return warning(
                check,
                "have a value, as long as their attributes have one",
                "Add a text that stays, or a default in Jira, unless every error has the attribute.",
                uncertain,
            )
        return ok(check, "every required field has a value or a default")

    def _find_filled(self) -> set[str]:
        """Return the ids that get a value. A name that is not clear is told once, and not as a missing value too."""
        filled = {"project", "issuetype", "summary"}
        for name in (*self._mapped().values(), *self._templates):
            template = self._templates.get(name)
            if template and not (template.attributes or template.plain):
                continue
            try:
                filled.add(self._schema.resolve(name).id)
            except InvalidField as error:
                filled |= {field.id for field in self._schema.fields if _is_among(field, error.allowed)}
        return filled | {field.id for purpose in self._unmapped() for field in self._find_alike(purpose)}

    def _find_uncertain(self) -> Iterator[str]:
        for name, template in self._templates.items():
            field = self._find_field(name)
            if (
                field
                and field.required
                and not field.has_default
                and template.attributes
                and not template.plain
            ):
                names = ", ".join(f"${each}" for each in template.attributes)
                yield f"{field}: a group without {names} makes no ticket"

    def describe_accepted(self, field: Field) -> str:
        """Say what a field takes, in the words of its refusal."""
        try:
            to_field_value(field, IMPOSSIBLE, cloud=self._schema.cloud, people=lambda _: None)
        except InvalidField as error:
            return str(error)
        several = ", commas between several" if field.type == "array" else ""
        kind = field.items if field.type == "array" else field.type
        return (
            f"{field} takes {'the name of a ' + kind if kind in ('group', 'version') else 'a text'}{several}"
        )

    # Labels and description

    def _mapped(self) -> dict[str, str]:
        return {
            "labels": required_name(self._integration.labels_field),
            "description": required_name(self._integration.description_field),
        }

    def _unmapped(self) -> list[str]:
        return [purpose for purpose, name in self._mapped().items() if not self._find_field(name)]

    def _find_alike(self, purpose: str) -> list[Field]:
        """Find required fields that may be what labels or description are called here."""
        return [field for field in self._schema.missing(()) if field.kind == _ALIKE[purpose]]

    def _check_labels_and_description(self) -> Finding:
        check = CheckName.LABELS_AND_DESCRIPTION
        found, wrong, missing, alike = [], [], [], []
        for purpose, name in self._mapped().items():
            try:
                field = self._schema.resolve(name)
                to_field_value(field, LABEL, cloud=self._schema.cloud, people=lambda _: None)
                found.append(str(field))
            except InvalidField as error:
                wrong.append(str(error))
                missing.append(purpose)
                alike += [
                    f"{purpose}_field may be meant to be {field}" for field in self._find_alike(purpose)
                ]
        if not wrong:
            return ok(check, f"on the screen: {' and '.join(found)}")
        settings = " and ".join(f"{purpose}_field" for purpose in missing)
        remedy = f"Put the field on the create screen, or name the one that takes its place in {settings}."
        return failed(check, "; ".join(wrong), remedy, alike)

    # Custom fields

    def _check_custom_fields(self) -> Finding:
        check = CheckName.CUSTOM_FIELDS
        mapped = self._mapped()
        # A mapped field that is not there is told above.
        judged = [
            self._judge(name, template)
            for name, template in self._templates.items()
            if name not in mapped.values() or self._find_field(name)
        ]
        wrong = [judgement.wrong for judgement in judged if judgement.wrong]
        notes = [judgement.note for judgement in judged if judgement.note]
        if len(wrong) == 1:
            return failed(check, wrong[0], "Mend it in custom_fields.")
        if wrong:
            return failed(check, f"{len(wrong)} would be refused", "Mend them in custom_fields.", wrong)
        if not judged:
            return ok(check, "none are set")
        return ok(
            check, f"{len(judged)} would be accepted, as far as can be said before there is an error", notes
        )

    def _judge(self, name: str, template: Template) -> Judgement:
        try:
            field = self._schema.resolve(name)
            if template.attributes:
                return _judge_by_type(field, template)
            if not template.plain:
                return Judgement(field, note=f"{field}: the text is empty, so the field is left out")
            to_field_value(field, template.plain, cloud=self._schema.cloud, people=self._people)
        except InvalidField as error:
            return Judgement(wrong=_in_settings(name, error))
        return Judgement(field)

    def _find_field(self, name: str) -> Field | None:
        try:
            return self._schema.resolve(name)
        except InvalidField:
            return None


def _judge_by_type(field: Field, template: Template) -> Judgement:
    """Say what can be said of a text that differs from error to error."""
    if not is_fillable(field) or field.allowed == ():
        reason = "takes nothing" if field.allowed is None else "takes values from a list, and Jira lists none"
        return Judgement(field, wrong=f"{field} {reason} when a ticket is created")
    names = ", ".join(f"${name}" for name in template.attributes)
    if field.allowed:
        return Judgement(field, note=f"{field}: depends on {names}, whose values have to be on Jira's list")
    if field.type in ("string", "any") or (field.type == "array" and field.items == "string"):
        return Judgement(field)
    return Judgement(field, note=f"{field}: depends on {names}, whose values have to be a {field.type}")


def _in_settings(name: str, error: InvalidField) -> str:
    """Name the setting too, where the error names the field only."""
    if isinstance(error, NotOnScreen) or name in str(error) or name in REQUIRED:
        return str(error)
    return f"{name}: {error}"


def _is_among(field: Field, shown: Sequence[str]) -> bool:
    return any(text == str(field) or text.startswith(f"{field.id} (") for text in shown)
