"""What is answered to a webhook decides whether Jira sends it again; on fakes that keep state."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from backtrace_jira.errors import Unreachable
from backtrace_jira.synchronisation.jira_change import JiraChange
from backtrace_jira.synchronisation.receive_webhook import (
    LARGEST,
    WEBHOOK_REMEMBERED,
    Answer,
    ReceiveWebhook,
    Webhook,
)
from tests.fakes.clock import Clock
from tests.fakes.webhooks import FakeJiraChanges, FakeKnownWebhooks, FakeWebhookSecrets

SECRET = "what Jira signs with"
CLOSED = {
    "webhookEvent": "jira:issue_updated",
    "issue": {"id": "10001"},
    "changelog": {"items": [{"fieldId": "status"}]},
}


class Intake:
    """The use case with everything in memory; the connection "main" has a secret."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.known = FakeKnownWebhooks()
        self.changes = FakeJiraChanges()
        self.receive = ReceiveWebhook(
            secrets=FakeWebhookSecrets({"main": SECRET}),
            known=self.known,
            changes=self.changes,
            clock=self.clock,
        )

    def take(
        self,
        raw: dict[str, Any] | bytes | None = None,
        *,
        identifier: str = "",
        secret: str = SECRET,
        **changes: Any,
    ) -> Answer:
        """Let a signed webhook come in, with changes to the request."""
        body = raw if isinstance(raw, bytes) else json.dumps(raw or CLOSED).encode()
        headers = {"x-hub-signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
        headers |= {"x-atlassian-webhook-identifier": identifier} if identifier else {}
        request = {"method": "POST", "connection": "main", "secret": "", "headers": headers, "body": body}
        return self.receive(Webhook(**{**request, **changes}))


def test_a_signed_webhook_is_stored_as_a_hint() -> None:
    intake = Intake()
    assert intake.take().status == 200
    assert list(intake.changes.sent.values()) == [
        JiraChange("main", "10001", event="jira:issue_updated", fields=("state",))
    ]


def test_a_webhook_of_a_version_concerns_its_project() -> None:
    intake = Intake()
    intake.take({"webhookEvent": "jira:version_released", "version": {"projectId": 10000}})
    (change,) = intake.changes.sent.values()
    assert (change.project_id, change.issue_id) == ("10000", "")


@pytest.mark.parametrize(
    ("request_is", "status"),
    [
        ({"method": "GET"}, 405),
        ({"body": None}, 400),
        ({"body": b"x" * (LARGEST + 1)}, 413),
        ({"headers": {}}, 401),
        ({"headers": {"x-hub-signature": "sha256=00"}}, 401),
        ({"headers": {"x-hub-signature": "md5=00"}}, 401),
        ({"headers": {}, "secret": "guessed"}, 401),
        ({"secret": "guessed"}, 401),
        ({"secret": ""} | {"connection": "unknown"}, 401),
        ({"connection": "../main"}, 401),
    ],
)
def test_what_is_not_jira_s_is_refused_and_not_stored(request_is: dict[str, Any], status: int) -> None:
    intake = Intake()
    assert intake.take(**request_is).status == status
    assert intake.changes.sent == {}


def test_a_server_that_cannot_sign_has_the_secret_in_the_path() -> None:
    intake = Intake()
    assert intake.take(headers={}, secret=SECRET).status == 401  # in the signature's place it is none
    body = json.dumps(CLOSED).encode()
    assert intake.receive(Webhook("POST", "main", SECRET, {}, body)).status == 200
    assert len(intake.changes.sent) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"<html>", b"[" * 10_000])
def test_what_is_no_json_object_is_the_sender_s_fault(body: bytes) -> None:
    assert Intake().take(body).status == 400


@pytest.mark.parametrize("identifier", ["", "wh-1"])
def test_a_webhook_that_comes_again_is_stored_once(identifier: str) -> None:
    intake = Intake()
    assert [intake.take(identifier=identifier).decision for _ in range(3)] == [
        "stored",
        "repeated",
        "repeated",
    ]
    intake.clock.advance(WEBHOOK_REMEMBERED + 1)
    assert intake.take(identifier=identifier).decision == "stored"


def test_two_webhooks_of_the_same_body_are_told_apart_by_their_identifiers() -> None:
    intake = Intake()
    assert [intake.take(identifier=name).decision for name in ("wh-1", "wh-2")] == ["stored", "stored"]
    assert len(intake.changes.sent) == 2


def test_what_cannot_be_stored_is_to_be_sent_again() -> None:
    intake = Intake()
    intake.changes.fail = [Unreachable("SQS down")]
    assert intake.take().status == 503
    assert intake.known.until == {}  # else the repetition would be taken for known
    assert intake.take().decision == "stored"


def test_what_is_stored_but_not_remembered_is_stored() -> None:
    intake = Intake()
    intake.known.fail = [Unreachable("DynamoDB down")]
    answer = intake.take()
    assert (answer.status, answer.decision) == (200, "stored")
    assert "DynamoDB down" in answer.detail


@pytest.mark.parametrize(
    "raw",
    [
        {"webhookEvent": "jira:issue_created", "issue": {"id": "10001"}},
        {"webhookEvent": "comment_created", "issue": {"id": "10001"}},
        {**CLOSED, "changelog": {"items": [{"fieldId": "labels"}]}},
    ],
)
def test_what_concerns_no_link_is_taken_and_not_stored(raw: dict[str, Any]) -> None:
    intake = Intake()
    assert intake.take(raw).decision == "ignored"
    assert (intake.changes.sent, intake.known.until) == ({}, {})
