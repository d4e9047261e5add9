"""Outgoing webhooks: the registrations, the requests that Jira sends, and its repeats.

Bodies as captured (mattermost/mattermost-plugin-jira, server/testdata), headers and retries as Atlassian describes them
for Cloud; Data Center sends once and signs since 10.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from local.jira_stand_in.call import absolute
from local.jira_stand_in.history import History
from local.jira_stand_in.model import Issue, User, Version
from local.jira_stand_in.state import State
from local.jira_stand_in.wire import issue_fields, user_json, version_json

RETRIED = (408, 409, 425, 429)
TIMEOUT = 20
UNREACHABLE = 0


@dataclass
class Webhook:
    """One registration. `jql` is empty for all issues."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    jql: str = ""
    secret: str = ""
    exclude_body: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class Delivery:
    """One request that Jira has to send."""

    url: str
    headers: dict[str, str]
    body: bytes
    event: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Webhooks:
    """The registrations, and the requests that Jira has to send. `matches` says whether an issue is in a JQL filter."""

    state: State
    matches: Callable[[Issue, str], bool]
    hooks: list[Webhook] = field(default_factory=list)
    outbox: list[Delivery] = field(default_factory=list)
    retries: list[Delivery] = field(default_factory=list)
    more: threading.Event = field(default_factory=threading.Event)
    _sending: threading.Event = field(default_factory=threading.Event)
    _sender: threading.Thread | None = None

    @property
    def signs(self) -> bool:
        """Return whether this Jira can sign its webhooks: Cloud, and Data Center since 10."""
        return self.state.cloud or self.state.version >= (10,)

    def announce_change(
        self, issue: Issue, history: History | None, author: User | None, kind: str = ""
    ) -> None:
        """Queue the webhooks of a change. Without a history, `kind` is its `issue_event_type_name`."""
        if history is None and not kind:
            return
        body = self._about(issue, author)
        body["issue_event_type_name"] = kind or self._kind(history)
        if history:
            body["changelog"] = {"id": history.id, "items": list(history.items)}
        self._send("jira:issue_updated", issue, body)

    def announce_creation(self, issue: Issue, author: User | None) -> None:
        body = self._about(issue, author) | {"issue_event_type_name": "issue_created"}
        self._send("jira:issue_created", issue, body)

    def announce_deletion(self, issue: Issue, author: User | None) -> None:
        self._send("jira:issue_deleted", issue, self._about(issue, author))

    def announce_version(self, what: str, version: Version, **more: Any) -> None:
        """Queue the webhooks of a version. No JQL filter applies to them, and their body has no user and no issue."""
        event = f"jira:version_{what}"
        body = {"timestamp": self._now(), "version": version_json(version), **more}
        for hook in self.hooks:
            if hook.enabled and event in hook.events:
                self.outbox.append(self._delivery(hook, event, body))
        self.more.set()

    def announce_comment(self, issue: Issue, author: User | None, comment: dict[str, Any]) -> None:
        """Queue the webhooks of a comment.

        Cloud sends one, with the issue and without a user. Server sends two, the first without the issue.
        """
        if self.state.cloud:
            body = self._about(issue, None) | {"comment": comment}
            self._send("comment_created", issue, body)
            return
        self._send("comment_created", issue, {"timestamp": self._now(), "comment": comment})
        self.announce_change(issue, None, author, "issue_commented")

    def _about(self, issue: Issue, author: User | None) -> dict[str, Any]:
        fields = issue_fields(self.state, issue, issue.fields, None)
        shown = {"id": issue.id, "self": f"/rest/api/2/issue/{issue.id}", "key": issue.key, "fields": fields}
        body: dict[str, Any] = {"timestamp": self._now()}
        if author:
            user = user_json(self.state, author)
            if self.state.cloud:
                user.pop("emailAddress", None)
            body["user"] = user
        return body | {"issue": shown}

    def _now(self) -> int:
        return round(self.state.clock() * 1000)

    def _kind(self, history: History | None) -> str:
        """Name the event: on Cloud a transition is generic, the default Server workflow has names for some."""
        changed = {item["field"]: item for item in history.items} if history else {}
        if "Key" in changed:
            return "issue_moved"
        if "status" in changed and not self.state.cloud and "resolution" in changed:
            return "issue_resolved" if changed["resolution"]["to"] else "issue_reopened"
        if "status" in changed:
            return "issue_generic"
        return "issue_assigned" if "assignee" in changed else "issue_updated"

    def _send(self, event: str, issue: Issue, body: dict[str, Any]) -> None:
        with self.state.lock:
            for hook in self.hooks:
                if hook.enabled and event in hook.events and (not hook.jql or self.matches(issue, hook.jql)):
                    self.outbox.append(self._delivery(hook, event, body))
        self.more.set()

    def _delivery(self, hook: Webhook, event: str, body: dict[str, Any]) -> Delivery:
        said = absolute({"webhookEvent": event, **body}, self.state.site_url)
        raw = b"" if hook.exclude_body else json.dumps(said, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Atlassian Webhook HTTP Client",
        }
        if self.state.cloud:
            headers |= {
                "X-Atlassian-Webhook-Identifier": uuid.uuid4().hex,
                "X-Atlassian-Webhook-Flow": "Primary",
            }
        if hook.secret and self.signs:
            digest = hmac.new(hook.secret.encode(), raw, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={digest}"
        return Delivery(hook.url, headers, raw, event)

    def announce(self, what: str, issue: Issue, author: User | None, detail: Any) -> None:
        """Queue the webhooks of an issue that was created, changed, commented on or deleted."""
        if what == "changed":
            self.announce_change(issue, detail, author)
        elif what == "commented":
            self.announce_comment(issue, author, detail)
        elif what == "created":
            self.announce_creation(issue, author)
        else:
            self.announce_deletion(issue, author)

    # Sending

    def deliver(self, delivery: Delivery) -> int:
        """Send one webhook; return the status, or 0 if no answer came."""
        request = urllib.request.Request(delivery.url, delivery.body, delivery.headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return UNREACHABLE

    def deliver_all(self) -> list[int]:
        """Send all webhooks in order. Cloud keeps those that it will send again; Data Center forgets them."""
        statuses = []
        while self.outbox:
            delivery = self.outbox.pop(0)
            statuses.append(self.deliver(delivery))
            if self.state.cloud and (statuses[-1] in (UNREACHABLE, *RETRIED) or statuses[-1] >= 500):
                tries = int(delivery.headers.get("X-Atlassian-Webhook-Retry", 0)) + 1
                again = {**delivery.headers, "X-Atlassian-Webhook-Retry": str(tries)}
                self.retries.append(replace(delivery, headers=again))
        return statuses

    def start_sending(self) -> None:
        """Send webhooks from a thread as they become due, until `stop_sending`."""
        self._sending.set()
        self._sender = threading.Thread(target=self._send_until_stopped, daemon=True)
        self._sender.start()

    def stop_sending(self) -> None:
        if self._sender:
            self._sending.clear()
            self.more.set()
            self._sender.join()
            self._sender = None

    def _send_until_stopped(self) -> None:
        while self._sending.is_set():
            self.more.wait(1)
            self.more.clear()
            self.deliver_all()
