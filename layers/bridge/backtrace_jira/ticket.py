"""The ticket draft: an error group in the words of one integration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from backtrace_jira import wiki
from backtrace_jira.config import Display, Integration
from backtrace_jira.model import JSON, ErrorGroup, Histogram, TicketDraft
from backtrace_jira.templating import names_in, render, values_of

LABEL = "Backtrace"
PROPERTY = "backtrace-jira"

LONGEST_TEXT = 32_767
"""Of description, text area and comment: "The entered text is too long. It exceeds the allowed limit"."""
LONGEST_SUMMARY = 254
"""The documented limit is 255; some older versions refuse 255 itself."""
LONGEST_LABEL = 255
LONGEST_VALUE = 255
LONGEST_LIST = 2_000
LONGEST_LINK = 4_000
"""A longer one is no address that anybody serves, and a part of it would lead elsewhere."""
VALUES_SHOWN = 5
MENTIONS = 50
HOSTNAME = "hostname"

_MENTION = re.compile(r"\[(?=\s*~)")
_OWN_MENTION = re.compile(r"(\[\s*~[^\]$]*\])")
"""A mention that a template spells out itself, without an attribute in it."""


def draft_ticket(
    group: ErrorGroup, integration: Integration, marker: str, mentions: Sequence[str] = ()
) -> TicketDraft:
    """Fill in the integration's templates for this group; `mentions` are targets of its mention actions."""
    texts = _Texts(values_of(group))
    custom = {name.strip(): text for name, text in integration.custom_fields.items()}
    fields: dict[str, JSON] = {
        "project": {"key": integration.project_key},
        "issuetype": {"name": integration.issue_type},
        "summary": texts.summary(integration.subject) or _plain_summary(group),
        _required_name(integration.labels_field): [LABEL, marker],
        _required_name(integration.description_field): describe(group, marker, integration.display, mentions),
    }
    for name, template in custom.items():
        value = _custom_value(name, template, texts, integration, marker)
        if value:  # "" is refused by every typed field
            fields[_required_name(name)] = value
    properties: dict[str, JSON] = {
        PROPERTY: {"integration": integration.id, "fingerprint": group.fingerprint, "marker": marker}
    }
    return TicketDraft(fields, properties, marker, tuple(dict.fromkeys(texts.unknown)))


class _Texts:
    """Templates of one ticket; collects the names that nothing was known about."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.unknown: list[str] = []

    def one_line(self, template: str) -> str:
        """Fill in a template for a single-line field."""
        return wiki.truncate(wiki.one_line(self._fill(template)), LONGEST_SUMMARY)

    def summary(self, template: str) -> str:
        """Fill in the subject; where none of its attributes is known, what is left would say nothing."""
        named = names_in(template)
        before = len(self.unknown)
        text = self.one_line(template)
        return "" if named and len(self.unknown) - before == len(named) else text

    def plain(self, template: str) -> str:
        """Fill in a template for a field that may or may not render markup."""
        return wiki.truncate(self._mentioning_nobody(template), LONGEST_TEXT).strip()

    def markup(self, template: str, room: int) -> str:
        """Fill in a template that is wiki markup itself; the values are not."""
        return wiki.truncate(self._mentioning_nobody(template, wiki.escape), room).strip()

    def labels(self, template: str) -> list[str]:
        """Fill in a template of labels: commas separate, and blanks are refused by Jira."""
        labels = ("_".join(wiki.clean(part).split()) for part in self._fill(template).split(","))
        return [wiki.truncate(label, LONGEST_LABEL) for label in labels if label]

    def _mentioning_nobody(self, template: str, treat: Callable[[str], str] = str) -> str:
        """Fill in what stands between the template's own mentions; no value makes another one."""
        parts = _OWN_MENTION.split(wiki.clean(template))
        parts[::2] = [_without_mention(self._fill(part, treat)) for part in parts[::2]]
        return "".join(parts)

    def _fill(self, template: str, treat: Callable[[str], str] = str) -> str:
        rendered = render(template, self._values, treat)
        self.unknown += rendered.unknown
        return wiki.clean(rendered.text)


_REQUIRED = ("project", "issuetype", "summary", "labels", "description")


def _required_name(name: str) -> str:
    """Give the id of a required field whatever its case; other fields are as the settings name them."""
    return name.lower() if name.lower() in _REQUIRED else name


def _custom_value(name: str, template: str, texts: _Texts, integration: Integration, marker: str) -> JSON:
    """Give the JSON of one custom field, which may override a required one (product page: Required Fields)."""
    field = _required_name(name)
    labels_field = _required_name(integration.labels_field)
    if field in ("labels", labels_field):
        labels = texts.labels(template)
        ours = [marker] if labels and field == labels_field else []
        return list[JSON](dict.fromkeys([*labels, *ours]))
    if field in ("description", _required_name(integration.description_field)):
        return _overridden_description(texts, template, marker)
    if field == "summary":
        return texts.one_line(template)
    if field in ("project", "issuetype"):
        value = texts.one_line(template)
        by_name = "key" if field == "project" else "name"
        return {"id" if value.isdigit() else by_name: value} if value else None
    return texts.plain(template)


def _overridden_description(texts: _Texts, template: str, marker: str) -> str:
    """Keep the marker in the text, by which the ticket is found where it has no label."""
    reference = wiki.escape(f"Reference: {marker}")
    room = LONGEST_TEXT - wiki.utf16_length(reference) - 2
    text = texts.markup(template, room)
    return wiki.document(text, reference) if text else ""


def _without_mention(text: str) -> str:
    """Split every mention, also one that two neighbouring values make together."""
    return _MENTION.sub(f"[{wiki.WORD_JOINER}", text)


def _plain_summary(group: ErrorGroup) -> str:
    where = group.callstack[0] if group.callstack else group.fingerprint[:12]
    return wiki.truncate(
        wiki.one_line(f"Error in {group.application or group.project}: {where}"), LONGEST_SUMMARY
    )


def describe(
    group: ErrorGroup, marker: str, display: Display | None = None, mentions: Sequence[str] = ()
) -> str:
    """Return the main error information in wiki markup, within Jira's limit whatever the group holds."""
    display = display or Display()
    start = wiki.document(
        _back_link(group),
        # The only mentions in any ticket: the targets come from the settings, never from an error.
        " ".join(f"[~{target}]" for target in mentions[:MENTIONS]),
        wiki.table(_facts(group, marker)),
        _classifiers(group) if display.classifiers else "",
    )
    # Nobody documents whether a mention in a preformatted block notifies; split, it surely does not.
    callstack = _without_mention("\n".join(group.callstack if display.callstack else ()))
    stack_title, attributes_title = wiki.heading(3, "Call stack"), wiki.heading(3, "Attributes")
    room = LONGEST_TEXT - wiki.utf16_length(wiki.document(start, stack_title, attributes_title)) - 4
    stack = wiki.noformat(wiki.truncate(callstack, LONGEST_TEXT))
    rows = [[_short(name), _top_values(pairs)] for name, pairs in _shown_attributes(group, display)]
    # A third of the room is the table's own; it takes more where the call stack leaves it.
    limit = max(room // 3, room - wiki.utf16_length(stack))
    attributes = wiki.table(rows, header=("Attribute", "Values (count)"), limit=limit) if rows else ""
    stack = wiki.noformat(callstack, limit=room - wiki.utf16_length(attributes))
    return wiki.document(
        start,
        *([stack_title, stack] if stack else []),
        *([attributes_title, attributes] if attributes else []),
    )


def _back_link(group: ErrorGroup) -> str:
    """Return the documented anchor text, which other teams' rules look for."""
    url = group.group_url or ""
    shown = wiki.link("View in Backtrace", url) if 0 < len(url) <= LONGEST_LINK else ""
    return shown if wiki.utf16_length(shown) <= LONGEST_LINK else ""


def _facts(group: ErrorGroup, marker: str) -> list[tuple[str, str]]:
    first, last = group.timestamp or (None, None)
    facts = {
        "Project": f"{group.universe}/{group.project}",
        "Application": group.application or "",
        "Fingerprint": group.fingerprint,
        "First seen": _moment(first),
        "Last seen": _moment(last),
        "Occurrences": str(group.occurrences or ""),
        "Hosts": str(group.hosts or ""),
        "GUIDs": str(group.guids or ""),
        "Reference": marker,
    }
    return [(name, _short(value)) for name, value in facts.items() if value]


def _classifiers(group: ErrorGroup) -> str:
    shown = wiki.escape(wiki.truncate(wiki.one_line(", ".join(group.classifiers)), LONGEST_LIST))
    return wiki.document(wiki.heading(3, "Classifiers"), shown) if shown else ""


def _shown_attributes(group: ErrorGroup, display: Display) -> list[tuple[str, Histogram]]:
    """Return the listed attributes in the order of the list, or all of them by name."""
    if not display.attributes:
        return []
    names = dict.fromkeys(display.attribute_list or sorted(group.attributes))
    hidden = set() if display.include_hostname else {HOSTNAME}
    return [
        (name, group.attributes[name]) for name in names if name not in hidden and group.attributes.get(name)
    ]


def _top_values(pairs: Histogram) -> str:
    ranked = sorted(pairs, key=lambda pair: -pair[1])
    shown = [f"{_short(value)} ({count})" for value, count in ranked[:VALUES_SHOWN]]
    more = len(ranked) - VALUES_SHOWN
    return "\n".join([*shown, *([f"{wiki.ELLIPSIS} {more} more"] if more > 0 else [])])


def _short(text: str) -> str:
    return wiki.truncate(wiki.one_line(text[: 4 * LONGEST_VALUE]), LONGEST_VALUE)


def _moment(seconds: float | None) -> str:
    """Give unix seconds as UTC; a number that is no moment is shown as it came."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
