"""The texts that an integration sends: a custom field with the name of a required field replaces its setting.

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

# A group that lacks nothing, so that template_values returns every built-in name.
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
BUILT_IN_NAMES = frozenset(template_values(_COMPLETE))
"""Names after a $ that mean a part of every event, not an attribute of the group."""


@dataclass(frozen=True, slots=True)
class Template:
    """A text of the settings, and its place there."""

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
    """Return a required field's id in lower case; any other name as the settings have it."""
    cleaned = name.strip()
    return cleaned.lower() if cleaned.lower() in REQUIRED else cleaned


def overrides(integration: Integration) -> dict[str, Template]:
    """Return the custom fields by name."""
    return {
        required_name(name): Template(f"custom_fields.{name}", text)
        for name, text in integration.field_texts.items()
    }


def project_of(integration: Integration) -> Template:
    """Return the text that names the Jira project."""
    return _choose(integration, "project", Template("project_key", integration.project_key))


def issue_type_of(integration: Integration) -> Template:
    """Return the text that names the issue type."""
    return _choose(integration, "issuetype", Template("issue_type", integration.issue_type))


def _choose(integration: Integration, name: str, setting: Template) -> Template:
    """Return the override, unless it is empty. The setting itself is plain text, so its $ are doubled."""
    override = overrides(integration).get(name)
    if override and (override.attributes or override.plain):
        return override
    return Template(setting.place, setting.text.replace("$", "$$"))


def unknown_attributes(integration: Integration, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield name and place of each attribute that the settings use and Backtrace does not have."""
    values = dict.fromkeys({*known, *BUILT_IN_NAMES}, "")
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
