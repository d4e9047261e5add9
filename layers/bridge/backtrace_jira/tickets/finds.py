"""Which of the issues that a look-up found is the ticket of this row.

Labels and texts are copied and edited by people, so they only find. The entity property decides: our account wrote it
with the create, and nobody sees it in Jira.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backtrace_jira.errors import Ambiguous
from backtrace_jira.jira.issue import Find, Issue
from backtrace_jira.links.link import LinkKey


def choose_ours(key: LinkKey, marker: str, found: Sequence[Find], made: Iterable[Find] = ()) -> Issue | None:
    """Return the ticket that a create without an answer made; None if there is none among these.

    Args:
        key: of the link row.
        marker: of the row's present generation.
        found: the issues that carry it as a label or in a text.
        made: the issues that our account created when this ticket may have been; without them, only the property
            counts. With them, a ticket without a property is ours, too, if it carries the marker: a Jira may not have
            kept what the create sent.

    Raises:
        Ambiguous: there are several.
    """
    unmarked = {each.issue.id for each in found if each.marker is None}
    without_property = [each for each in made if each.marker is None and each.issue.id in unmarked]
    with_property = [each for each in (*found, *made) if each.marker == marker]
    ours = {each.issue.id: each.issue for each in with_property or without_property}
    if len(ours) > 1:
        raise Ambiguous(_describe(key, sorted(issue.key for issue in ours.values())))
    return next(iter(ours.values()), None)


def _describe(key: LinkKey, keys: Sequence[str]) -> str:
    return (
        f"a create was cut off, and {' and '.join(keys)} may each be its ticket; delete all but one and replay, or "
        f"choose: backtrace-jira links add {keys[0]} {key.fingerprint} --integration {key.integration}"
    )
