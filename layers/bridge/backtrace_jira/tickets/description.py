"""The ticket's body: the main error information in Jira's wiki markup (product page: Field for Main Body Text)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.backtrace.page import link_to_page
from backtrace_jira.jira import wiki
from backtrace_jira.jira.field_values import LONGEST_TEXT
from backtrace_jira.json_types import Histogram
from backtrace_jira.settings.integration import Display

LONGEST_VALUE = 255
LONGEST_LIST = 2_000
LONGEST_LINK = 4_000
"""A longer address is left out: no server has one, and a part of it would lead elsewhere."""
VALUES_SHOWN = 5
MENTIONS = 50
HOSTNAME = "hostname"

_MENTION = re.compile(r"\[(?=\s*~)")


def without_mention(text: str) -> str:
    """Split every mention, even one that two neighbouring values form together."""
    return _MENTION.sub(f"[{wiki.WORD_JOINER}", text)


def describe_group(
    group: ErrorGroup,
    marker: str,
    display: Display | None = None,
    mentions: Sequence[str] = (),
    *,
    address: str = "",
) -> str:
    """Return the main error information in wiki markup, never longer than Jira's limit.

    `address` is the universe's own. The group's page is a link only if it is one of this server.
    """
    display = display or Display()
    start = wiki.document(
        _back_link(group.group_url or "", address),
        # The only mentions in any ticket: the targets come from the settings, never from an error.
        " ".join(f"[~{target}]" for target in mentions[:MENTIONS]),
        wiki.table(_facts(group, marker)),
        _classifiers(group) if display.classifiers else "",
    )
    # Atlassian does not document whether a mention in a preformatted block notifies. A split one does not.
    callstack = without_mention("\n".join(group.callstack if display.callstack else ()))
    stack_title, attributes_title = wiki.heading(3, "Call stack"), wiki.heading(3, "Attributes")
    space = LONGEST_TEXT - wiki.utf16_length(wiki.document(start, stack_title, attributes_title)) - 4
    stack = wiki.noformat(wiki.truncate(callstack, LONGEST_TEXT))
    rows = [[_short(name), _top_values(pairs)] for name, pairs in _shown_attributes(group, display)]
    # The table has a third of the space, and more if the call stack leaves it.
    limit = max(space // 3, space - wiki.utf16_length(stack))
    attributes = wiki.table(rows, header=("Attribute", "Values (count)"), limit=limit) if rows else ""
    stack = wiki.noformat(callstack, limit=space - wiki.utf16_length(attributes))
    return wiki.document(
        start,
        *([stack_title, stack] if stack else []),
        *([attributes_title, attributes] if attributes else []),
    )


def _back_link(page: str, address: str) -> str:
    shown = link_to_page(page, address) if 0 < len(page) <= LONGEST_LINK else ""
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
    """Return unix seconds as a UTC time; a number that is no moment as it came."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
