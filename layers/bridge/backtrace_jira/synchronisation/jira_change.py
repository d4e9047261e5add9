"""A message of the queue `jira-changes`: that a ticket, or the versions of a project, may have changed.

Three write it (the webhook's receiver, the polls, an error event past a boundary), `apply_jira_change` reads it. It
is imported by the function behind the public address, so it needs nothing but the standard library.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from backtrace_jira.errors import InvalidEvent

LOOK = "look"
"""Event of a poll: look at both sides, whatever the ticket is."""
REGRESSION = "regression"
"""Event of an error event that may be past the boundary of its ticket."""
_TEXTS = ("reason", "integration", "fingerprint", "sighting")
"""What only some messages have."""


@dataclass(frozen=True, slots=True)
class JiraChange:
    """A change of one ticket (`issue_id`) or of the versions of one project (`project_id`); the other is empty.

    `event` is Jira's own name of what happened, `LOOK` or `REGRESSION`; `fields` are those of state, assignee,
    versions, moved, deleted that Jira named; `reason` is for people. Of an error event, `integration` and
    `fingerprint` name the link, `sighting` is the digest of what it lists. Nothing is decided by what a message says of
    the change: both sides are read.
    """

    connection: str
    issue_id: str = ""
    project_id: str = ""
    event: str = ""
    fields: tuple[str, ...] = ()
    reason: str = ""
    integration: str = ""
    fingerprint: str = ""
    sighting: str = ""

    @property
    def group(self) -> str:
        """Return the message group: SQS keeps the order of the messages of one ticket, or of one project's versions."""
        return f"{self.connection}-{self.issue_id or f'versions-{self.project_id}'}"[:128]

    def to_json(self) -> str:
        """Return the message's body."""
        raw: dict[str, Any] = {
            "connection": self.connection,
            **({"project_id": self.project_id} if self.project_id else {"issue_id": self.issue_id}),
            "event": self.event,
            "fields": list(self.fields),
            **{name: text for name in _TEXTS if (text := getattr(self, name))},
        }
        return json.dumps(raw)

    @classmethod
    def from_json(cls, body: str) -> JiraChange:
        """Read a message's body; what it does not say is empty.

        Raises:
            InvalidEvent: the body is no Jira change, or it is damaged.
        """
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict):
            raise InvalidEvent("not a change of a Jira ticket: no JSON object with an issue_id")
        concerned = "project_id" if "project_id" in raw else "issue_id"
        fields = raw.get("fields")
        return cls(
            connection=str(raw.get("connection") or ""),
            event=str(raw.get("event") or ""),
            fields=tuple(str(each) for each in fields) if isinstance(fields, list) else (),
            **{name: str(raw.get(name) or "") for name in _TEXTS},
            **{concerned: _id_in(raw, concerned)},
        )


def _id_in(raw: dict[str, Any], name: str) -> str:
    found = raw.get(name)
    if not isinstance(found, str) or not found.isdigit():
        raise InvalidEvent(f"not a change of a Jira ticket: {name} is not an id")
    return found
