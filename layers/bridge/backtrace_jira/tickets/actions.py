"""The ordered actions of Backtrace's Common Settings: which groups become tickets, and whom the tickets mention.

"With more than one submit/filter action, the last successful match on the list (top down) takes effect"; by
default everything is submitted (saucelabs/sauce-docs, workflow-integrations/common-settings.md). Backtrace's
server finds an expression anywhere in a value, so do we. Any value of an attribute may match.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.settings.expressions import compile_regex
from backtrace_jira.settings.integration import ANY_ATTRIBUTE, Action, ActionKind
from backtrace_jira.tickets.templates import template_values

LONGEST_VALUE = 10_000
"""Characters of a value that are matched: RE2 takes time in proportion to them, whatever the expression."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of the actions for one group."""

    submit: bool = True
    reason: str = ""
    """The action that decided, with its number in the settings; empty if none matched."""
    mentions: tuple[str, ...] = ()


def apply_actions(group: ErrorGroup, actions: Sequence[Action]) -> Verdict:
    """Apply the actions from the top down."""
    submit, reason = True, ""
    mentions: list[str] = []
    for number, action in enumerate(actions, start=1):
        if not _matches(action, group):
            continue
        if action.target is not None:
            mentions.append(action.target)
            continue
        submit = action.action is ActionKind.SUBMIT
        reason = f"action {number}: {action.action} where {action.attribute} matches {action.regex}"
    return Verdict(submit, reason, tuple(dict.fromkeys(mentions)))


def _matches(action: Action, group: ErrorGroup) -> bool:
    expression = compile_regex(action.regex)
    return any(expression.search(value[:LONGEST_VALUE]) for value in _values(action.attribute, group))


def _values(attribute: str, group: ErrorGroup) -> Iterable[str]:
    """Yield every value that the attribute has in the group, rare ones included."""
    if attribute == ANY_ATTRIBUTE:
        yield from template_values(group).values()
        for histogram in group.attributes.values():
            yield from (value for value, count in histogram if count > 0)
    elif pairs := group.attributes.get(attribute):
        yield from (value for value, count in pairs if count > 0)
    elif attribute in (facts := template_values(group)):
        yield facts[attribute]
