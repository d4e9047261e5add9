"""While the secret of a connection's webhooks is being replaced, none of them is refused."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from backtrace_jira.jira.webhook import is_secret, is_signed
from backtrace_jira.synchronisation.jira_change import JiraChange
from backtrace_jira.synchronisation.receive_webhook import ReceiveWebhook, Webhook

BODY = json.dumps({"webhookEvent": "jira:issue_deleted", "issue": {"id": "10001"}}).encode()


class Secrets:
    """What was read a while ago, and what is stored by now."""

    def __init__(self, kept: str, stored: str) -> None:
        self.kept, self.stored = kept, stored

    def find_secret(self, connection: str) -> str:
        return self.kept

    def find_new_secret(self, connection: str) -> str:
        self.kept = self.stored
        return self.stored


class Store:
    """Remembers identifiers and changes."""

    def __init__(self) -> None:
        self.changes: list[JiraChange] = []

    def has_webhook(self, identifier: str, *, now: float) -> bool:
        return False

    def remember_webhook(self, identifier: str, *, until: float) -> None:
        return None

    def send(self, change: JiraChange, identifier: str) -> None:
        self.changes.append(change)


def signature(secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()


def status(secrets: Secrets, *, signed: str = "", path: str = "") -> tuple[int, int]:
    store = Store()
    receive = ReceiveWebhook(secrets=secrets, known=store, changes=store, clock=lambda: 1000.0)
    headers = {"x-hub-signature": signature(signed)} if signed else {}
    answer = receive(Webhook("POST", "main", path, headers, BODY))
    return answer.status, len(store.changes)


@pytest.mark.parametrize("used", ["new", "old"])
def test_both_are_accepted_signed_or_in_the_path(used: str) -> None:
    both = Secrets("new\nold", "new\nold")
    assert status(both, signed=used) == (200, 1)
    assert status(both, path=used) == (200, 1)


def test_what_does_not_fit_is_compared_with_what_is_stored_by_now() -> None:
    assert status(Secrets("old", "new\nold"), signed="new") == (200, 1)
    assert status(Secrets("old", "new\nold"), path="new") == (200, 1)
    assert status(Secrets("", "new"), signed="new") == (200, 1)


@pytest.mark.parametrize("stored", ["", "new", "new\nold"])
def test_what_was_never_a_secret_is_refused(stored: str) -> None:
    for forged in ("other", "new\nold", "\n"):
        assert status(Secrets(stored, stored), signed=forged) == (401, 0)
        assert status(Secrets(stored, stored), path=forged) == (401, 0)


def test_an_empty_line_is_no_secret() -> None:
    assert not is_secret("", "new\n\n")
    assert not is_signed(BODY, "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest(), "new\n\n")
