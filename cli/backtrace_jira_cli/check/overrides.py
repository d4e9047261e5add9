"""What an integration would really send: a custom field of that name comes before the setting for it.

Product page, "Required Fields": "You can override the content of any of these settings by specifying their
value in the appropriate Backtrace Jira config setting, or by specifying it as a Custom Field".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.settings.integration import ANY_ATTRIBUTE, Integration
from backtrace_jira.tickets.templates import attribute_names, fill_template, template_values

REQUIRED = ("project", "issuetype", "summary", "labels", "description")

# Every fact that a group may have, so that template_values gives all their names.
_COMPLETE = ErrorGroup(
    universe="u",
    project="p",
    fingerprint="f",
    application="a",
    group_url="g",
    callstack=("c",),
    classifiers=("c",),
    occurrences=1,
    hosts=1,
    guids=1,
)
FACTS = frozenset(template_values(_COMPLETE))
"""Names after a $ that every event carries outside its attributes."""


@dataclass(frozen=True, slots=True)
class Template:
    """A setting's text, by where it stands."""

    place: str
    text: str

    @property
    def attributes(self) -> tuple[str, ...]:
        """Return the names after a $."""
        return attribute_names(self.text)

    @property
    def plain(self) -> str:
        """Return the text without any attribute's value."""
        return fill_template(self.text, {}).text.strip()


def required_name(name: str) -> str:
    """Give the id of a required field whatever its case; other fields are as the settings name them."""
    cleaned = name.strip()
    return cleaned.lower() if cleaned.lower() in REQUIRED else cleaned


def overrides(integration: Integration) -> dict[str, Template]:
    """Return the custom fields by name."""
    return {
        required_name(name): Template(f"custom_fields.{name}", text)
        for name, text in integration.custom_fields.items()
    }


def project_of(integration: Integration) -> Template:
    """Return what decides the project."""
    return _chosen(integration, "project", Template("project_key", integration.project_key))


def issue_type_of(integration: Integration) -> Template:
    """Return what decides the issue type."""
    return _chosen(integration, "issuetype", Template("issue_type", integration.issue_type))


def _chosen(integration: Integration, name: str, setting: Template) -> Template:
    """Take the override unless it is empty. The setting itself is plain text: nothing is filled in."""
    override = overrides(integration).get(name)
    if override and (override.attributes or override.plain):
        return override
    return Template(setting.place, setting.text.replace("$", "$$"))


def unknown_attributes(integration: Integration, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Find (name, where it stands) of attributes that Backtrace does not have."""
    values = dict.fromkeys({*known, *FACTS}, "")
    templates = [Template("subject", integration.subject), *overrides(integration).values()]
    for template in templates:
        yield from ((name, template.place) for name in fill_template(template.text, values).unknown)
    for number, action in enumerate(integration.actions):
        if action.attribute not in (ANY_ATTRIBUTE, *values):
            yield action.attribute, f"actions[{number}]"
    for name in integration.display.attribute_list:
        if name not in known:
            yield name, "display.attribute_list"
    fixes = integration.fix_versions
    of_branches = [(each.attribute, f"fix_versions.branches[{n}]") for n, each in enumerate(fixes.branches)]
    for name, place in [(fixes.attribute, "fix_versions.attribute"), *of_branches]:
        if fixes.enabled and name not in known:
            yield name, place
