"""While the secret of a connection's webhooks is being replaced, none of them is refused."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from backtrace_jira.jira.webhook import is_secret, is_signed
from backtrace_jira.synchronisation.receive_webhook import ReceiveWebhook, Webhook
from tests.fakes.webhooks import FakeJiraChanges, FakeKnownWebhooks, FakeWebhookSecrets

BODY = json.dumps({"webhookEvent": "jira:issue_deleted", "issue": {"id": "10001"}}).encode()


def signature(secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()


def secrets_of(kept: str, stored: str) -> FakeWebhookSecrets:
    """Return what was read a while ago, and what is stored by now."""
    return FakeWebhookSecrets(stored={"main": stored}, kept={"main": kept})


def status(secrets: FakeWebhookSecrets, *, signed: str = "", path: str = "") -> tuple[int, int]:
    known, changes = FakeKnownWebhooks(), FakeJiraChanges()
    receive = ReceiveWebhook(secrets=secrets, known=known, changes=changes, clock=lambda: 1000.0)
    headers = {"x-hub-signature": signature(signed)} if signed else {}
    answer = receive(Webhook("POST", "main", path, headers, BODY))
    return answer.status, len(changes.sent)


@pytest.mark.parametrize("used", ["new", "old"])
def test_both_are_accepted_signed_or_in_the_path(used: str) -> None:
    both = secrets_of("new\nold", "new\nold")
    assert status(both, signed=used) == (200, 1)
    assert status(both, path=used) == (200, 1)


def test_what_does_not_fit_is_compared_with_what_is_stored_by_now() -> None:
    assert status(secrets_of("old", "new\nold"), signed="new") == (200, 1)
    assert status(secrets_of("old", "new\nold"), path="new") == (200, 1)
    assert status(secrets_of("", "new"), signed="new") == (200, 1)


@pytest.mark.parametrize("stored", ["", "new", "new\nold"])
def test_what_was_never_a_secret_is_refused(stored: str) -> None:
    for forged in ("other", "new\nold", "\n"):
        assert status(secrets_of(stored, stored), signed=forged) == (401, 0)
        assert status(secrets_of(stored, stored), path=forged) == (401, 0)


def test_an_empty_line_is_no_secret() -> None:
    assert not is_secret("", "new\n\n")
    assert not is_signed(BODY, "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest(), "new\n\n")
