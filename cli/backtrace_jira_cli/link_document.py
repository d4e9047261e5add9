"""A link as a JSON document: `explain`, `links list` and `links show` print the same one.

`KEYS` is what docs/commands.md says of it; a test holds both together.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link
from backtrace_jira.outcomes import NO_INTEGRATION, Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.fix_version_words import fix_versions_json

KEYS = {
    "integration": "universe/project/name; empty for a group whose project has none.",
    "integration_problem": "Why its settings cannot be used; null if they can.",
    "fingerprint": "Of the error group.",
    "trace": "The one error, with `event: trace`; else empty.",
    "state": "creating, uncertain, released, held or complete.",
    "ticket": "`id`, `key` and `url`; null without a ticket.",
    "linked_in_backtrace": "Whether the group in Backtrace has the ticket.",
    "lease_until": "Until when a process has the row, to create a ticket.",
    "record": "The last decision: `at`, `decision`, `reason`, `rule`; Jira's words as `messages`, and by field as "
    "`fields`; `left_out`, `unknown_attributes`; and `until`, before which nothing is sent to Jira for it.",
    "synced": "When ticket and group were last brought in step: `at`; what they were, in Backtrace `state`, `assignee` "
    "and `reopens`, in Jira `status` and `ticket_assignee`; what was `told` and what were `problems`; `regressed` if "
    "the ticket shows that the error was seen again.",
    "fix_versions": "What the ticket's Fix Versions mean, in the keys below.",
    "fix_versions.enabled": "By the settings as they are now; null if they cannot be used.",
    "fix_versions.standing": "not_done (they do not count yet), never_reopened, not_shown (Jira hides the field), "
    "no_versions, unread (none says anything to Backtrace), waiting (for a release) or resolved_until; null if the "
    "ticket was not looked at since the feature was enabled.",
    "fix_versions.versions": "Each with `name` and `released`, ten at the most.",
    "fix_versions.more_versions": "How many are not listed.",
    "fix_versions.resolution": "The ticket's.",
    "fix_versions.boundary": "From which version on an error is a regression, as a text.",
    "fix_versions.reopen_criteria": "What was written to Backtrace, in the words of its API; empty if nothing of ours "
    "stands there.",
    "fix_versions.error_past_it": "What an error past the boundary does: reopen, new_ticket, comment, leave or "
    "own_ticket; null where the feature is off.",
    "fix_versions.remarks": "A sentence for each version that was not read, is in doubt, or is not read alike by every "
    "order of versions.",
    "fix_versions.meaning": "All this in a sentence.",
}
"""What a document holds, by key; a point leads into an inner one."""


def link_document(link: Link, settings: Integration | None, problem: str = "") -> dict[str, Any]:
    """Return a row for machines. Times are unix seconds, and null for none.

    Args:
        link: as the table has it.
        settings: of its integration; None if they cannot be used.
        problem: why they cannot.
    """
    key = link.key
    return {
        "integration": "" if key.integration == NO_INTEGRATION else key.integration,
        "integration_problem": problem or None,
        "fingerprint": key.fingerprint,
        "trace": key.trace,
        "state": str(link.state),
        "ticket": asdict(link.issue) if link.issue else None,
        "linked_in_backtrace": link.linked_in_backtrace,
        "lease_until": link.lease_until or None,
        "record": _record_json(link.record) if link.record else None,
        "synced": _synced_json(link.synced) if link.synced else None,
        "fix_versions": fix_versions_json(link, settings),
    }


def _record_json(record: Record) -> dict[str, Any]:
    return {**asdict(record), "decision": str(record.decision), "until": record.until or None}


def _synced_json(synced: LastSynced) -> dict[str, Any]:
    return {
        "at": synced.at or None,
        "state": synced.state,
        "assignee": synced.assignee,
        "reopens": synced.reopens,
        "status": asdict(synced.status) if synced.status else None,
        "ticket_assignee": synced.ticket_assignee,
        "told": list(synced.told),
        "problems": list(synced.problems),
        "regressed": synced.regressed,
    }
