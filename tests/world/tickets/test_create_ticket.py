"""The function as Lambda calls it: environment, event, context, and what it prints."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from backtrace_jira import bootstrap
from backtrace_jira.bootstrap import create_ticket
from backtrace_jira.errors import InvalidEvent
from create_ticket.handler import lambda_handler
from tests.builders import group, sample_body, sample_event
from tests.world.world import MakeWorld, World


class Context:
    """What the handler asks of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def world(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = make_world("cloud")
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "BacktraceJira")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "create_ticket")
    cached = (bootstrap.logger, bootstrap.metrics, create_ticket.deliveries)
    for function in cached:
        function.cache_clear()
    logging.Logger.manager.loggerDict.pop("create_ticket", None)  # it writes to the stdout of the test before
    yield world
    for function in cached:
        function.cache_clear()


def handle(event: dict[str, Any]) -> dict[str, Any]:
    return lambda_handler(event, Context())  # type: ignore[arg-type]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_the_sample_event_becomes_a_ticket_and_says_so(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handle(sample_event()) == {"batchItemFailures": []}
    (ticket,) = world.jira.issues.values()
    assert ticket.fields["summary"] == "Cannot read property 'x' of undefined in my_app.exe"
    told = lines(capsys)
    (decision,) = (line for line in told if line.get("decision") == "created")
    assert decision["integration"] == world.settings.id
    assert decision["fingerprint"] == group().fingerprint
    assert decision["issue_key"] == ticket.key
    assert decision["service"] == "create_ticket"
    (metric,) = (line for line in told if "_aws" in line)
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "BacktraceJira"
    assert metric["Created"] == [1.0]
    assert handle(sample_event()) == {"batchItemFailures": []}
    assert [line["decision"] for line in lines(capsys) if "decision" in line] == ["known"]


def test_an_event_straight_from_sns(world: World) -> None:
    record = {"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": json.dumps(sample_body())}}
    assert handle({"Records": [record]}) == {"batchItemFailures": []}
    assert len(world.jira.issues) == 1


def test_a_direct_event_that_must_wait_is_put_on_the_queue(world: World) -> None:
    world.jira.faults.rate_limited(retry_after=30, path=r"/issue$")
    record = {"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": json.dumps(sample_body())}}
    assert handle({"Records": [record]}) == {"batchItemFailures": []}
    assert world.waiting() == [json.dumps(sample_body())]


def test_an_empty_batch(world: World) -> None:
    assert handle({"Records": []}) == {"batchItemFailures": []}


def test_an_event_of_another_kind_stops_the_invocation_with_a_sentence(world: World) -> None:
    with pytest.raises(InvalidEvent, match="neither SQS nor SNS"):
        handle({"Records": [{"eventSource": "aws:s3"}]})


def test_what_must_wait_is_named_in_the_answer(world: World) -> None:
    world.jira.faults.unavailable(retry_after=5, path=r"/issue$")
    event = world.event(sample_body(), '{"no": "group"}')
    assert handle(event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(world.dead_letters()) == 1


def test_no_secret_is_printed_whatever_goes_wrong(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for fault in ({"drop_after": True}, {"status": 500}, {"status": 400}, {"status": 401}, {"page": True}):
        world.jira.faults.add("POST", r"/issue$", **fault)
        handle(world.event(sample_body() | {"fingerprint": json.dumps(fault).encode().hex()}))
        create_ticket.deliveries.cache_clear()
    world.backtrace.fail("/api/query", "invalid token")
    handle(world.event(sample_body()))
    printed = "".join(capsys.readouterr())
    assert "dead_letter" in printed
    for secret in (world.jira.token, world.backtrace.token, "Authorization", "X-Coroner-Token"):
        assert secret not in printed


def test_each_request_is_logged_without_query_or_credential(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    handle(sample_event())
    requests = [line for line in lines(capsys) if line.get("message") == "request"]
    assert [(line["http_method"], line["http_path"], line["http_status"]) for line in requests] == [
        ("POST", "/rest/api/2/issue", 201),
        ("POST", "/api/query", 200),
        ("POST", "/api/issue", 200),
    ]


def test_the_time_that_is_left_decides_whether_anything_is_begun(world: World) -> None:
    class Hurried(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 5_000

    event = world.event()
    answer = lambda_handler(event, Hurried())  # type: ignore[arg-type]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert world.jira.requests == []


def test_a_function_at_debug_logs_no_answer_of_aws(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG botocore logs answers whole, decrypted parameters among them."""
    caplog.set_level(logging.DEBUG)
    handle(sample_event())
    assert world.jira.token not in caplog.text
    assert logging.getLogger("botocore.parsers").getEffectiveLevel() == logging.INFO
