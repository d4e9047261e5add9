"""The function behind the public address: what it answers, what it stores, what it imports."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import botocore.session
import pytest
from botocore.exceptions import EndpointConnectionError

from backtrace_jira import bootstrap
from backtrace_jira.bootstrap import aws, receive_webhook
from backtrace_jira.errors import Unreachable
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.jira_change import JiraChange
from backtrace_jira.synchronisation.receive_webhook import LARGEST, ReceiveWebhook, Webhook
from receive_webhook.handler import lambda_handler
from tests.builders import ROOT
from tests.world.sync_world import SECRET, MakeSyncWorld, SyncWorld, http_event
from tests.world.world import PREFIX

BODY = json.dumps(
    {
        "timestamp": 1550286940507,
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_generic",
        "issue": {"id": "10001", "key": "BUG-1", "fields": {"summary": "Grüße"}},
        "changelog": {"id": "1", "items": [{"field": "status", "fieldId": "status", "from": "1", "to": "3"}]},
    },
    ensure_ascii=False,
).encode()


def signed(body: bytes = BODY, identifier: str = "w1", secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature": f"sha256={digest}"}
    return headers | ({"X-Atlassian-Webhook-Identifier": identifier} if identifier else {})


@pytest.fixture
def world(make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncWorld]:
    world = make_sync_world()
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "BacktraceJira")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "receive_webhook")
    cached = (bootstrap.logger, bootstrap.metrics, receive_webhook.intake)
    for function in cached:
        function.cache_clear()
    logging.Logger.manager.loggerDict.pop("receive_webhook", None)
    yield world
    for function in cached:
        function.cache_clear()


def post(body: bytes = BODY, headers: dict[str, str] | None = None, path: str = "main", **more: Any) -> int:
    event = http_event(body, signed(body) if headers is None else headers, path, **more)
    answer = lambda_handler(event, None)  # type: ignore[arg-type]
    assert json.loads(answer["body"]).keys() == {"decision"}
    return int(answer["statusCode"])


def test_a_signed_webhook_is_stored_as_a_hint(world: SyncWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert post() == 200
    assert world.changes_waiting() == [
        {"connection": "main", "issue_id": "10001", "event": "jira:issue_updated", "fields": ["state"]}
    ]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (line,) = (each for each in told if each.get("decision"))
    assert (line["decision"], line["connection"], line["issue_id"]) == ("stored", "main", "10001")
    assert any(each.get("WebhookStored") == [1.0] for each in told)
    assert "Grüße" not in str(told)
    assert SECRET not in str(told)


def test_the_sample_event_is_one(world: SyncWorld) -> None:
    event = json.loads((ROOT / "events/receive_webhook.json").read_text())
    world.put(ParameterNames(PREFIX).webhook_secret("main"), "the secret of the sample event", secret=True)
    assert lambda_handler(event, None)["statusCode"] == 200  # type: ignore[arg-type]
    assert len(world.changes_waiting()) == 1


def test_base64_is_decoded_before_the_signature_is_looked_at(world: SyncWorld) -> None:
    assert post(encoded=True) == 200
    assert len(world.changes_waiting()) == 1


def test_a_server_that_cannot_sign_has_the_secret_in_the_path(world: SyncWorld) -> None:
    assert post(headers={}, path=f"main/{SECRET}") == 200
    assert len(world.changes_waiting()) == 1


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({}, "main"),
        ({"X-Hub-Signature": "sha1=00"}, "main"),
        (signed(secret="another"), "main"),
        (signed(BODY + b" "), "main"),
        (signed(), "other"),
        (signed(), "no such connection!"),
        (signed(), ""),
        ({}, "main/wrong"),
        ({}, "main/"),
        (signed(secret="another"), f"main/{SECRET}"),
        (signed(), "main/wrong"),
    ],
)
def test_what_is_not_jira_s_is_refused(world: SyncWorld, headers: dict[str, str], path: str) -> None:
    assert post(headers=headers, path=path) == 401
    assert world.changes_waiting() == []


def test_a_connection_without_a_secret_refuses_and_says_what_is_missing(
    world: SyncWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.remove(ParameterNames(PREFIX).webhook_secret("main"))
    assert post() == 401
    assert "webhook install" in capsys.readouterr().out
    world.put(ParameterNames(PREFIX).webhook_secret("main"), " ", secret=True)
    receive_webhook.intake.cache_clear()
    assert post(headers=signed(secret="")) == 401
    assert post(headers=signed(secret=" ")) == 401


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"\xff\xfe", b"[" * 50_000])
def test_what_is_no_json_object_is_told_so(world: SyncWorld, body: bytes) -> None:
    assert post(body) == 400
    assert world.changes_waiting() == []


def test_no_base64(world: SyncWorld) -> None:
    event = http_event(BODY, signed()) | {"body": "?", "isBase64Encoded": True}
    assert lambda_handler(event, None)["statusCode"] == 400  # type: ignore[arg-type]


def test_another_method(world: SyncWorld) -> None:
    assert post(method="GET") == 405


def test_too_much(world: SyncWorld) -> None:
    body = BODY + b" " * (30 * 1024 * 1024)
    assert post(body) == 413
    assert post(BODY + b" " * (LARGEST - len(BODY))) == 200


def test_what_concerns_no_link_is_taken_and_not_stored(world: SyncWorld) -> None:
    body = BODY.replace(b'"status"', b'"labels"')
    assert post(body) == 200
    assert world.changes_waiting() == []


def test_a_webhook_that_comes_again_is_stored_once(world: SyncWorld) -> None:
    assert [post(), post(), post(BODY + b" ", signed(BODY + b" "))] == [200, 200, 200]
    assert len(world.changes_waiting()) == 1


def test_an_old_body_is_known_again_after_sqs_has_forgotten_it(world: SyncWorld) -> None:
    assert post() == 200
    world._aws.sqs.purge_queue(QueueUrl=world.changes)
    receive_webhook.intake.cache_clear()
    with patch("moto.sqs.models.DEDUPLICATION_TIME_IN_SECONDS", 0):
        assert post() == 200
    assert world.changes_waiting() == []


@pytest.mark.parametrize("identifier", ["", "\x00", "x" * 300])
def test_without_an_identifier_the_body_is_known_again(world: SyncWorld, identifier: str) -> None:
    assert [post(headers=signed(identifier=identifier)) for _ in range(2)] == [200, 200]
    other = BODY.replace(b"10001", b"10002")
    assert post(other, signed(other, identifier)) == 200
    assert len(world.changes_waiting()) == 2


def test_an_identifier_belongs_to_its_connection(world: SyncWorld) -> None:
    world.put(ParameterNames(PREFIX).webhook_secret("second"), SECRET, secret=True)
    assert [post(), post(path="second")] == [200, 200]
    assert {each["connection"] for each in world.changes_waiting()} == {"main", "second"}


@pytest.mark.parametrize("service", ["sqs", "dynamodb", "ssm"])
def test_what_cannot_be_stored_is_to_be_sent_again(world: SyncWorld, service: str) -> None:
    def down(*_: Any, **__: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://aws.example")

    with patch.object(aws, "new_session", _broken(service, down)):
        receive_webhook.intake.cache_clear()
        assert post() == 503
    receive_webhook.intake.cache_clear()
    assert world.changes_waiting() == []
    assert post() == 200
    assert len(world.changes_waiting()) == 1


def _broken(service: str, fail: Any) -> Any:
    def new_session() -> botocore.session.Session:
        session = botocore.session.get_session()
        create = session.create_client

        def create_client(name: str, **more: Any) -> Any:
            made = create(name, **more)
            if name == service:
                made._make_api_call = fail  # type: ignore[attr-defined]
            return made

        session.create_client = create_client  # type: ignore[method-assign, assignment]
        return session

    return new_session


class Known:
    """Forgets everything, and fails to remember if told so."""

    def __init__(self, *, fails: bool = False) -> None:
        self.seen: set[str] = set()
        self.fails = fails

    def has_webhook(self, identifier: str, *, now: float) -> bool:
        return identifier in self.seen

    def remember_webhook(self, identifier: str, *, until: float) -> None:
        if self.fails:
            raise Unreachable("DynamoDB put_item")
        self.seen.add(identifier)


class Changes:
    """A queue as a list."""

    def __init__(self) -> None:
        self.sent: list[JiraChange] = []

    def send(self, change: JiraChange, identifier: str) -> None:
        self.sent.append(change)


class Secrets:
    """One secret for all."""

    def find_secret(self, connection: str) -> str:
        return SECRET

    find_new_secret = find_secret


def intake(changes: Changes, known: Known) -> ReceiveWebhook:
    return ReceiveWebhook(secrets=Secrets(), known=known, changes=changes, clock=lambda: 0.0)


def test_what_is_stored_but_not_remembered_is_stored() -> None:
    changes = Changes()
    headers = {name.lower(): value for name, value in signed().items()}
    answer = intake(changes, Known(fails=True))(Webhook("POST", "main", "", headers, BODY))
    assert answer.status == 200
    assert len(changes.sent) == 1


def test_ten_thousand_bodies_never_a_500_and_never_a_2xx_for_what_was_not_stored() -> None:
    """Mutations of a real body, signed or not: whatever they are, the answer says what became of them."""
    source = random.Random(7)
    changes, known = Changes(), Known()
    serve = intake(changes, known)
    statuses = set()
    for number in range(10_000):
        body = bytearray(BODY)
        for _ in range(source.randint(0, 6)):
            at = source.randrange(len(body))
            kind = source.randrange(3)
            if kind == 0:
                body[at] = source.randrange(256)
            elif kind == 1:
                del body[at : at + source.randint(1, 40)]
            else:
                body[at:at] = source.choice([b"{", b"]", b'"', b"null", b"\xff", b"[]", b"1e999"])
        raw = bytes(body)
        headers = {name.lower(): value for name, value in signed(raw, str(number)).items()}
        if source.random() < 0.1:
            headers.pop("x-hub-signature")
        before = len(changes.sent)
        answer = serve(Webhook("POST", "main", "", headers, raw))
        statuses.add(answer.status)
        stored = len(changes.sent) - before
        assert answer.status in (200, 400, 401)
        assert stored == (answer.decision == "stored")
        assert answer.status != 200 or answer.decision in ("stored", "ignored")
    assert statuses == {200, 400, 401}


def test_nothing_is_imported_that_the_path_does_not_use() -> None:
    heavy = (
        "pydantic",
        "requests",
        "re2",
        "backtrace_jira.adapters.http",
        "backtrace_jira.settings.integration",
        "backtrace_jira.tickets",
        "aws_lambda_powertools.utilities.parameters",
    )
    program = (
        f"import sys, receive_webhook.handler; print([name for name in {heavy!r} if name in sys.modules])"
    )
    paths = os.pathsep.join([str(ROOT / "functions"), str(ROOT / "layers/bridge")])
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(ROOT),
    )
    assert ran.stdout.strip() == "[]"
