"""Checks of one create screen: which fields Jira requires there, and whether it would accept what a function sends."""

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
"""A text that is no number, date, user or value of a list. A field refuses it, and the refusal says what it takes."""

_SUBSTITUTE_KINDS = {"labels": "labels", "description": "textarea"}
"""The kind of custom field that a site may use instead of Jira's own labels or description."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result for one custom field. `wrong` fails the check; a `remark` is printed beside it."""

    field: Field | None = None
    wrong: str = ""
    remark: str = ""


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
        """Check required fields, labels and description, and every custom field."""
        yield self._check_required()
        yield self._check_labels_and_description()
        yield self._check_custom_fields()

    def _check_required(self) -> Finding:
        check = CheckName.REQUIRED_FIELDS
        missing = self._schema.missing(self._find_filled())
        if missing:
            names = ", ".join(map(str, missing))
            return failed(
                check,
                f"without a value: {names}",
                "Give each of them a value in custom_fields, or a default in Jira.",
                [self.describe_accepted(field) for field in missing],
            )
        uncertain = list(self._find_uncertain())
        if uncertain:
            return warning(
                check,
                "a required field gets its value from an attribute only",
                "Unless every error has the attribute, add a text that does not change, or a default in Jira.",
                uncertain,
            )
        return ok(check, "every required field has a value or a default")

    def _find_filled(self) -> set[str]:
        """Return the ids of fields that get a value.

        If a name fits several fields, all count as filled: the check of custom fields reports that name.
        """
        filled = {"project", "issuetype", "summary"}
        for name in (*self._mapped().values(), *self._templates):
            template = self._templates.get(name)
            if template and not (template.attributes or template.plain):
                continue
            try:
                filled.add(self._schema.resolve(name).id)
            except InvalidField as error:
                filled |= {field.id for field in self._schema.fields if _is_among(field, error.allowed)}
        return filled | {
            field.id for purpose in self._unmapped() for field in self._find_substitutes(purpose)
        }

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
                yield f"{field}: a group without {names} gets no ticket"

    def describe_accepted(self, field: Field) -> str:
        """Return what a field takes, in the words with which it refuses an impossible text."""
        try:
            to_field_value(field, IMPOSSIBLE, cloud=self._schema.cloud, people=lambda _: None)
        except InvalidField as error:
            return str(error)
        several = ", commas between several" if field.type == "array" else ""
        kind = field.items if field.type == "array" else field.type
        return (
            f"{field} takes {'the name of a ' + kind if kind in ('group', 'version') else 'a text'}{several}"
        )

    def _mapped(self) -> dict[str, str]:
        return {
            "labels": required_name(self._integration.labels_field),
            "description": required_name(self._integration.description_field),
        }

    def _unmapped(self) -> list[str]:
        return [purpose for purpose, name in self._mapped().items() if not self._find_field(name)]

    def _find_substitutes(self, purpose: str) -> list[Field]:
        """Find required fields that this site may use instead of labels or description."""
        return [field for field in self._schema.missing(()) if field.kind == _SUBSTITUTE_KINDS[purpose]]

    def _check_labels_and_description(self) -> Finding:
        check = CheckName.LABELS_AND_DESCRIPTION
        found, wrong, missing, substitutes = [], [], [], []
        for purpose, name in self._mapped().items():
            try:
                field = self._schema.resolve(name)
                to_field_value(field, LABEL, cloud=self._schema.cloud, people=lambda _: None)
                found.append(str(field))
            except InvalidField as error:
                wrong.append(str(error))
                missing.append(purpose)
                substitutes += [
                    f"{field} may be the one for {purpose}_field" for field in self._find_substitutes(purpose)
                ]
        if not wrong:
            return ok(check, f"on the screen: {' and '.join(found)}")
        settings = " and ".join(f"{purpose}_field" for purpose in missing)
        remedy = (
            f"Put the field on the create screen, or set {settings} to the field that this site uses instead."
        )
        return failed(check, "; ".join(wrong), remedy, substitutes)

    def _check_custom_fields(self) -> Finding:
        check = CheckName.CUSTOM_FIELDS
        mapped = self._mapped()
        # The check of labels and description reports a mapped field that is not on the screen.
        judged = [
            self._judge(name, template)
            for name, template in self._templates.items()
            if name not in mapped.values() or self._find_field(name)
        ]
        wrong = [judgement.wrong for judgement in judged if judgement.wrong]
        remarks = [judgement.remark for judgement in judged if judgement.remark]
        if len(wrong) == 1:
            return failed(check, wrong[0], "Correct it in custom_fields.")
        if wrong:
            return failed(
                check, f"Jira would refuse {len(wrong)} of them", "Correct them in custom_fields.", wrong
            )
        if not judged:
            return ok(check, "the settings have none")
        return ok(
            check, f"Jira would accept {len(judged)}, unless an attribute's value does not fit", remarks
        )

    def _judge(self, name: str, template: Template) -> Judgement:
        try:
            field = self._schema.resolve(name)
            if template.attributes:
                return _judge_by_type(field, template)
            if not template.plain:
                return Judgement(field, remark=f"{field}: the text is empty, so the field is left out")
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
    """Judge a text with attributes by the type of its field: the text itself differs from error to error."""
    if not is_fillable(field) or field.allowed == ():
        reason = (
            "takes nothing" if field.allowed is None else "takes values of a list, which Jira leaves empty"
        )
        return Judgement(field, wrong=f"{field} {reason} when a ticket is created")
    names = ", ".join(f"${name}" for name in template.attributes)
    if field.allowed:
        return Judgement(field, remark=f"{field}: depends on {names}, whose values have to be on Jira's list")
    if field.type in ("string", "any") or (field.type == "array" and field.items == "string"):
        return Judgement(field)
    return Judgement(
        field, remark=f"{field}: depends on {names}, whose values have to be of the type {field.type}"
    )


def _in_settings(name: str, error: InvalidField) -> str:
    """Name the setting as well, unless the error does."""
    if isinstance(error, NotOnScreen) or name in str(error) or name in REQUIRED:
        return str(error)
    return f"{name}: {error}"


def _is_among(field: Field, shown: Sequence[str]) -> bool:
    return any(text == str(field) or text.startswith(f"{field.id} (") for text in shown)
