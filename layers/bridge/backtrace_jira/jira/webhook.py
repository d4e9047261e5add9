"""What arrives from Jira: is it Jira's, and does it concern a linked ticket? Functions over bytes, nothing else.

Nothing heavy is imported here: this is all that the function behind the public address loads.

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
"""Of signing. Atlassian warns that others may come; none is trusted before it is known."""

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
"""Of a changelog, in lower case: Cloud has a fieldId, Server does not, and `Status` and `status` both occur."""

_VERSION_EVENTS = "jira:version_"
"""created, updated, released, unreleased, moved, deleted, merged. Which they are does not matter: all are listed."""

_NO_CHANGE = ("comment", "worklog", "attach", "link")
"""How `issue_event_type_name` begins, after `issue_`, for what changes neither state nor assignee."""


@dataclass(frozen=True, slots=True)
class WebhookHint:
    """That a ticket may have changed, or the versions of a project.

    `fields` are those of state, assignee, versions, moved, deleted that were named. Of the two ids one is empty.
    """

    issue_id: str
    event: str
    fields: tuple[str, ...] = ()
    project_id: str = ""


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Tell whether `X-Hub-Signature: sha256=<hex>` is the HMAC of the body as it came; no secret signs nothing.

    While a secret is being replaced there are several, one a line, and any may have signed.
    """
    method, _, digest = header.strip().partition("=")
    given = digest.strip().lower().encode("utf-8", "replace")
    if method.lower() not in METHODS:
        return False
    wanted = [hmac.new(each.encode(), body, hashlib.sha256).hexdigest() for each in _secrets(secret)]
    return any(hmac.compare_digest(each.encode(), given) for each in wanted)


def is_secret(given: str, secret: str) -> bool:
    """Tell whether this is the secret, in a time that does not depend on how near it is; any line may be it."""
    said = given.encode("utf-8", "replace")
    return any(hmac.compare_digest(each.encode(), said) for each in _secrets(secret))


def _secrets(secret: str) -> list[str]:
    return [line for line in secret.splitlines() if line.strip()]


def read_webhook(body: bytes) -> WebhookHint | None:
    """Return what a webhook may have to do with a linked ticket; None where it has nothing.

    An issue that was just created has no link yet, and comments change neither side. Where a changelog is missing or
    empty, which captured bodies show, the ticket may have changed.

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
    """Return the id, by which a ticket is known when it moves; empty where there is none."""
    return _id(issue, "id")


def _id(raw: Any, name: str) -> str:
    found = raw.get(name) if isinstance(raw, dict) else None
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else ""


def _changed(changelog: Any) -> Iterator[str]:
    """Give what each item of a changelog changed; empty for what does not matter here."""
    items = changelog.get("items") if isinstance(changelog, dict) else None
    for item in items if isinstance(items, list) else ():
        name = (item.get("fieldId") or item.get("field")) if isinstance(item, dict) else None
        yield _FIELDS.get(str(name).lower(), "")
