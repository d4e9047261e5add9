"""Check and read a webhook of Jira: did Jira send it, and may it concern a linked ticket? Pure functions over bytes.

The function behind the public address imports this module, so it imports nothing heavy.

Sources: Atlassian's webhook pages (developer.atlassian.com/cloud/jira/platform/webhooks, confluence.atlassian.com/
adminjiraserver/managing-webhooks), and bodies captured from Cloud and Server (mattermost/mattermost-plugin-jira).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backtrace_jira.errors import InvalidEvent

METHODS = ("sha256",)
"""Methods of signing that we check. Atlassian may add others; a webhook signed by one of those is refused."""

_FIELDS = {
    "status": "state",
    "assignee": "assignee",
    "key": "moved",
    "issuekey": "moved",
    "project": "moved",
    "fixversions": "versions",
    "fix version": "versions",
    "fix version/s": "versions",
}
"""Changelog fields in lower case, by id and by name: Server gives no fieldId, and writes `Status` or `status`."""

_VERSION_EVENTS = "jira:version_"
"""Begins created, updated, released, unreleased, moved, deleted and merged. Each leads to the same re-reading."""

_NO_CHANGE = ("comment", "worklog", "attach", "link")
"""Beginnings of `issue_event_type_name`, after `issue_`, of events that change neither state nor assignee."""


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """A hint that a ticket, or the versions of a project, may have changed.

    `fields` are some of state, assignee, versions, moved, deleted. Either `issue_id` or `project_id` is empty.
    """

    issue_id: str
    event: str
    fields: tuple[str, ...] = ()
    project_id: str = ""


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Return whether `X-Hub-Signature: sha256=<hex>` is the HMAC of the body's bytes; without a secret, false.

    While the operator replaces a secret, `secret` holds several, one a line. Any of them may have signed.
    """
    method, _, digest = header.strip().partition("=")
    given = digest.strip().lower().encode("utf-8", "replace")
    if method.lower() not in METHODS:
        return False
    wanted = [hmac.new(each.encode(), body, hashlib.sha256).hexdigest() for each in _secrets(secret)]
    return any(hmac.compare_digest(each.encode(), given) for each in wanted)


def is_secret(given: str, secret: str) -> bool:
    """Return whether `given` is one of the lines of `secret`. The time taken does not show how much of it was right."""
    said = given.encode("utf-8", "replace")
    return any(hmac.compare_digest(each.encode(), said) for each in _secrets(secret))


def _secrets(secret: str) -> list[str]:
    return [line for line in secret.splitlines() if line.strip()]


def read_webhook(body: bytes) -> WebhookHint | None:
    """Return the hint that a webhook gives; None if it cannot concern a linked ticket.

    An issue that was just created has no link yet, and comments change neither side. If the changelog is missing or
    empty, as in some captured bodies, the ticket may have changed.

    Raises:
        InvalidEvent: the body is no JSON object.
    """
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        raise InvalidEvent("the body is no JSON object")
    issue_id, event = _issue_id(raw.get("issue")), raw.get("webhookEvent")
    if isinstance(event, str) and event.startswith(_VERSION_EVENTS):
        project_id = _id(raw.get("version"), "projectId")
        return WebhookHint("", event, ("versions",), project_id) if project_id else None
    if not issue_id:
        return None
    if event == "jira:issue_deleted":
        return WebhookHint(issue_id, event, ("deleted",))
    if event != "jira:issue_updated":
        return None
    changed = list(_changed(raw.get("changelog")))
    if changed:
        fields = tuple(dict.fromkeys(field for field in changed if field))
        return WebhookHint(issue_id, event, fields) if fields else None
    kind = str(raw.get("issue_event_type_name") or "").removeprefix("issue_")
    return None if "comment" in raw or kind.startswith(_NO_CHANGE) else WebhookHint(issue_id, event)


def _issue_id(issue: Any) -> str:
    """Return the issue's id, which stays when the ticket moves to another project; empty if the body has none."""
    return _id(issue, "id")


def _id(raw: Any, name: str) -> str:
    found = raw.get(name) if isinstance(raw, dict) else None
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else ""


def _changed(changelog: Any) -> Iterator[str]:
    """Yield the part of a ticket that each changelog item changed; empty for parts that are not synchronised."""
    items = changelog.get("items") if isinstance(changelog, dict) else None
    for item in items if isinstance(items, list) else ():
        name = (item.get("fieldId") or item.get("field")) if isinstance(item, dict) else None
        yield _FIELDS.get(str(name).lower(), "")
