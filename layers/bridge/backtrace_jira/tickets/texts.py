"""The texts of one ticket: templates of the settings, filled in with an error group's values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from backtrace_jira.jira import wiki
from backtrace_jira.jira.field_values import LONGEST_LINE, LONGEST_SUMMARY
from backtrace_jira.tickets.description import without_mention
from backtrace_jira.tickets.templates import attribute_names, fill_template

_OWN_MENTION = re.compile(r"(\[\s*~[^\]$]*\])")
"""A mention that the template itself spells out, without an attribute in it."""


class Texts:
    """Fills in the templates of one ticket, and collects the names of attributes that the group lacks."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.unknown: list[str] = []

    def one_line(self, template: str) -> str:
        """Fill in a template for a single-line field."""
        return wiki.truncate(wiki.one_line(self.plain(template)), LONGEST_SUMMARY)

    def summary(self, template: str) -> str:
        """Fill in the subject; empty if the group has none of its attributes, because the rest would say nothing."""
        named = attribute_names(template)
        before = len(self.unknown)
        text = self.one_line(template)
        return "" if named and len(self.unknown) - before == len(named) else text

    def plain(self, template: str, treat: Callable[[str], str] = str) -> str:
        """Fill in a template for a field that holds no free text."""
        rendered = fill_template(template, self._values, treat)
        self.unknown += rendered.unknown
        return wiki.clean(rendered.text)

    def text(self, template: str) -> str:
        """Fill in a text that Jira shows as it is, or whose markup the settings want to be live.

        Mentions that the template itself spells out stay; a mention in a value is split.
        """
        return self._around_mentions(template, self.plain)

    def markup(self, template: str) -> str:
        """Fill in a text that Jira renders. Markup of the template itself stays, a value is shown as it is."""
        return self._around_mentions(template, self._escaped)

    def _around_mentions(self, template: str, fill: Callable[[str], str]) -> str:
        parts = _OWN_MENTION.split(wiki.clean(template))
        parts[::2] = [without_mention(fill(part)) for part in parts[::2]]
        return "".join(parts).strip()

    def _escaped(self, template: str) -> str:
        # Where the template has no markup to keep, the whole is escaped: of two values that stand beside each other
        # ("$host:$port"), each may be harmless and both together a link.
        if wiki.escape(template) == template:
            return wiki.escape(self.plain(template))
        return self.plain(template, wiki.escape)

    def labels(self, template: str) -> list[str]:
        """Fill in a template of labels. Commas separate them; Jira refuses blanks, so these become underscores."""
        labels = ("_".join(part.split()) for part in self.plain(template).split(","))
        return [wiki.truncate(label, LONGEST_LINE) for label in labels if label]
