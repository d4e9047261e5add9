"""Fill in the fields of a ticket: an integration's templates with an error group's values, for Jira's create screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.errors import InvalidField, NotOnScreen
from backtrace_jira.jira import wiki
from backtrace_jira.jira.field_values import (
    LONGEST_LINE,
    LONGEST_SUMMARY,
    LONGEST_TEXT,
    FindUser,
    to_field_value,
)
from backtrace_jira.jira.fields import Field, FieldSchema, untyped_field
from backtrace_jira.jira.issue import PROPERTY, TicketDraft
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.integration import Integration
from backtrace_jira.tickets.description import describe_group
from backtrace_jira.tickets.templates import attribute_names, template_values
from backtrace_jira.tickets.texts import Texts

LABEL = "Backtrace"

REQUIRED = ("project", "issuetype", "summary", "labels", "description")
"""Fields that are always filled; each can be overridden (product page: Required Fields)."""


@dataclass(frozen=True, slots=True)
class TicketTarget:
    """Project (key or id) and issue type of a ticket, from the settings or from a custom field that overrides them."""

    project: str
    issue_type: str

    def __str__(self) -> str:
        """Return it as the create screen's name within a connection."""
        return f"{self.project}/{self.issue_type}"


def ticket_target(group: ErrorGroup, integration: Integration) -> TicketTarget:
    """Return the project and issue type of the group's ticket."""
    return _target(Texts(template_values(group)), integration)


def _target(texts: Texts, integration: Integration) -> TicketTarget:
    overridden = {
        name.strip().lower(): texts.one_line(template)
        for name, template in integration.field_texts.items()
        if name.strip().lower() in ("project", "issuetype")
    }
    return TicketTarget(
        overridden.get("project") or integration.project_key,
        overridden.get("issuetype") or integration.issue_type,
    )


def needs_schema(integration: Integration) -> bool:
    """Return whether the integration fills fields whose types only Jira's create screen tells."""
    names = (*integration.custom_fields, integration.labels_field, integration.description_field)
    return any(name.strip().lower() not in REQUIRED for name in names)


def find_no_user(_who: str) -> None:
    """Return None: nobody is looked up."""


def draft_ticket(
    group: ErrorGroup,
    integration: Integration,
    marker: str,
    mentions: Sequence[str] = (),
    *,
    trace: str = "",
    schema: FieldSchema | None = None,
    people: FindUser = find_no_user,
    address: str = "",
) -> TicketDraft:
    """Fill in the integration's templates for this group.

    A value that an optional field does not accept, and a field that is not on the create screen, are left out and told.

    Args:
        group: the error group.
        integration: its settings.
        marker: the label by which a later delivery finds the ticket.
        mentions: targets of the integration's mention actions.
        trace: the one error that the ticket is for, if each error has its own; else empty.
        schema: the create screen; None if it is not known. Fields are then sent under their names in the settings.
        people: finds users for fields that hold users.
        address: the universe's own address; the group's page is a link only if it is one of this server.

    Raises:
        InvalidField: a required field does not accept its text, a name is several fields', or none can hold the marker.
    """
    form = _Form(Texts(template_values(group)), marker, schema, people)
    form.aim(_target(form.texts, integration))
    form.fields["summary"] = form.texts.summary(integration.subject) or _plain_summary(group)
    body = describe_group(group, marker, integration.display, mentions, address=address)
    form.fill_labels(integration.labels_field)
    form.fill_description(integration.description_field, body, _plain_summary(group))
    for name, template in integration.field_texts.items():
        form.fill_custom(name, template, raw=integration.is_raw(name))
    form.ensure_marked(integration)
    unknown = tuple(dict.fromkeys(form.texts.unknown))
    origin = _origin(group, integration, trace, marker)
    return TicketDraft(form.fields, {PROPERTY: origin}, marker, unknown, tuple(form.left_out))


def _origin(group: ErrorGroup, integration: Integration, trace: str, marker: str) -> JSON:
    """Return what the ticket's property says of where the ticket comes from."""
    one_error: dict[str, JSON] = {"trace": trace} if trace else {}
    return {"integration": integration.id, "fingerprint": group.fingerprint, **one_error, "marker": marker}


class _Form:
    """The fields that are filled in so far, and a sentence for each that was left out."""

    def __init__(self, texts: Texts, marker: str, schema: FieldSchema | None, people: FindUser) -> None:
        self.texts = texts
        self.fields: dict[str, JSON] = {}
        self.left_out: list[str] = []
        self._marker = marker
        self._schema = schema
        self._people = people
        self._labels: Field | None = None
        self._description = ""

    def aim(self, target: TicketTarget) -> None:
        """Fill in project and issue type."""
        self.fields["project"] = {"id" if target.project.isdigit() else "key": target.project}
        self.fields["issuetype"] = {"id" if target.issue_type.isdigit() else "name": target.issue_type}

    def fill_labels(self, name: str) -> None:
        """Fill in the label Backtrace and the marker."""
        field = self._resolve(name)
        if field and self._schema is None:
            field = replace(field, type="array", items="string")
        self._labels = field
        if field:
            self._fill(field, lambda: _labelled(field, [LABEL], self._marker))

    def fill_description(self, name: str, body: str, line: str) -> None:
        """Fill in the body, or `line` if the field holds only one line."""
        if field := self._resolve(name):
            self._description = field.id
            self._fill(field, lambda: _described(field, body, line, self._marker))

    def fill_custom(self, name: str, template: str, *, raw: bool) -> None:
        """Fill in a custom field of the settings, which may override a required field.

        `raw` leaves the markup in attributes' values live.
        """
        if field := self._resolve(name):
            fill = self.texts.text if raw else self.texts.markup
            self._fill(field, lambda: self._custom(field, template, fill))

    def ensure_marked(self, integration: Integration) -> None:
        """Make sure that a later delivery can find the ticket.

        Raises:
            InvalidField: no field that Jira's search reads holds the marker.
        """
        # Jira's search for the marker reads labels and texts. Another label field has a JQL name of its own.
        if any(
            self._marker in str(self.fields.get(each, ""))
            for each in ("labels", "description", self._description)
        ):
            return
        raise InvalidField(
            f"{integration.project_key}/{integration.issue_type}: neither labels nor description can be filled; "
            f"map labels_field or description_field to a text field of the create screen "
            f"({'; '.join(self.left_out)})",
            field="labels",
        )

    def _resolve(self, name: str) -> Field | None:
        """Return the field that a setting names; None, and a sentence in `left_out`, if the screen lacks it."""
        required = name.strip().lower()
        if self._schema is None or required in ("project", "issuetype", "summary"):
            return untyped_field(name)
        try:
            return self._schema.resolve(required if required in REQUIRED else name)
        except NotOnScreen as error:
            self.left_out.append(str(error))
            return None

    def _fill(self, field: Field, read: Callable[[], JSON]) -> None:
        """Fill a field, or leave it out if Jira does not require it."""
        try:
            value = read()
        except InvalidField as error:
            if field.required and not field.has_default:
                raise
            self.left_out.append(str(error))
            return
        if value not in (None, "", []):  # every typed field refuses ""
            self.fields[field.id] = value
        elif (
            field.required
            and not field.has_default
            and field.id not in (*self.fields, "project", "issuetype")
        ):
            raise InvalidField(f"{field} is required, and its text is empty for this group", field=field.id)

    def _custom(self, field: Field, template: str, fill: Callable[[str], str]) -> JSON:
        """Return the value of a custom field; `fill` fills in what Jira renders."""
        if field.id in ("project", "issuetype"):
            return None  # `aim` has filled these in
        if field.id == "summary":
            return self.texts.one_line(template)
        if self._labels and field.id == self._labels.id:
            return _labelled(self._labels, self.texts.labels(template), self._marker)
        if field.id == "labels":
            return _labelled(field, self.texts.labels(template), "")
        if field.id in ("description", self._description):
            return self._overridden_description(field, fill(template))
        if not _takes_text(field):
            fill = self.texts.plain
        elif not field.is_rendered:
            fill = self.texts.text
        text = fill(template)
        # Only a Data Center can be without create metadata.
        cloud = self._schema is not None and self._schema.cloud
        return to_field_value(
            field, text, cloud=cloud, people=self._people, attributes=attribute_names(template)
        )

    def _overridden_description(self, field: Field, text: str) -> JSON:
        """Fill in a description of the settings. The marker stays in it, for tickets without labels."""
        reference = wiki.escape(f"Reference: {self._marker}")
        body = wiki.truncate(text, LONGEST_TEXT - wiki.utf16_length(reference) - 2).strip()
        return _described(field, wiki.document(body, reference), text, self._marker) if body else None


def _labelled(field: Field, labels: Sequence[str], marker: str) -> JSON:
    """Return the value of a label field: with the marker, if the field takes free texts."""
    if not labels:
        return None
    if field.type == "array" and field.items in ("string", "") and not field.allowed:
        return list[JSON](dict.fromkeys([*labels, *filter(None, [marker])]))
    shown = [wiki.escape(label) for label in labels] if field.is_rendered else labels
    text = f"{', '.join(shown)} {marker}".strip() if _takes_text(field) else ",".join(labels)
    return to_field_value(field, text, cloud=False, people=find_no_user)


def _described(field: Field, body: str, line: str, marker: str) -> JSON:
    """Return the body for a field of many lines; for a field of one line, `line` with the marker at its end."""
    if field.kind in ("textfield", "url"):
        start = wiki.truncate(wiki.one_line(line), LONGEST_LINE - len(marker) - 1)
        return f"{start} {marker}"
    if _takes_text(field):
        return body
    raise InvalidField(f"{field} takes no text; map description_field to another field", field=field.id)


def _takes_text(field: Field) -> bool:
    return field.type in ("string", "any") and not field.allowed


def _plain_summary(group: ErrorGroup) -> str:
    where = group.callstack[0] if group.callstack else group.fingerprint[:12]
    return wiki.truncate(
        wiki.one_line(f"Error in {group.application or group.project}: {where}"), LONGEST_SUMMARY
    )
