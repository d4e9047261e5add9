"""State and Assignee over the wire: webhooks by HTTP, queues, the schedule."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.aws.dynamodb_local import Engine
from local.jira_stand_in.webhooks import Delivery
from local.stack import LocalStack
from tests.end_to_end.two_sides import a_version_webhook, both_ways, fix_versions, prepare


@pytest.fixture(scope="module")
def here(engine: Engine | None) -> Iterator[LocalStack]:
    """Run the handlers in this process."""
    with LocalStack(dynamodb=engine) as stack:
        prepare(stack)
        yield stack


def test_a_change_in_jira_arrives_in_backtrace_and_the_other_way_round(here: LocalStack) -> None:
    both_ways(here)


def test_fix_versions_are_followed_and_an_error_comes_back(here: LocalStack) -> None:
    fix_versions(here)


def test_a_version_and_an_error_event_are_told_of(here: LocalStack) -> None:
    a_version_webhook(here)


# What comes to a public address


def ask(stack: LocalStack, body: bytes, *, method: str = "POST", path: str = "/main", **headers: str) -> int:
    """Send a request by hand; return its status."""
    address = urlsplit(stack.webhook_url)
    connection = http.client.HTTPConnection(str(address.hostname), int(address.port or 0), timeout=30)
    try:
        connection.request(
            method,
            address.path + path,
            body,
            {name.replace("_", "-"): value for name, value in headers.items()},
        )
        return connection.getresponse().status
    finally:
        connection.close()


def signed(stack: LocalStack, body: bytes) -> dict[str, str]:
    secret = stack.jira.webhooks.hooks[0].secret
    return {"X_Hub_Signature": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


def webhook(**more: Any) -> bytes:
    items = [{"field": "status", "fieldId": "status"}]
    said = {"webhookEvent": "jira:issue_updated", "issue": {"id": "99999"}, "changelog": {"items": items}}
    return json.dumps(said | more).encode()


def test_the_door(here: LocalStack) -> None:
    body = webhook()
    assert ask(here, body) == 401
    assert ask(here, body, **signed(here, body + b" ")) == 401
    assert ask(here, body, **signed(here, body), path="/other") == 401
    assert ask(here, body, **signed(here, body), method="GET") == 404
    assert ask(here, body, **signed(here, body), path="/main/a/b") == 404
    assert ask(here, b"[]", **signed(here, b"[]")) == 400
    assert ask(here, b"\xff\xfe", **signed(here, b"\xff\xfe")) == 400
    large = body + b" " * (9 * 1024 * 1024)
    assert ask(here, large, **signed(here, large)) == 413
    assert here.waiting("ApplyJiraChange") == 0
    assert here.api.crashes == []


def test_a_body_of_thirty_megabytes_is_turned_away_by_the_gateway(here: LocalStack) -> None:
    address = urlsplit(here.webhook_url)
    connection = http.client.HTTPConnection(str(address.hostname), int(address.port or 0), timeout=30)
    connection.putrequest("POST", f"{address.path}/main")
    connection.putheader("Content-Length", str(30 * 1024 * 1024))
    connection.endheaders(b"{")
    assert connection.getresponse().status == 413
    connection.close()


def test_a_webhook_of_an_unlinked_ticket_asks_nobody(here: LocalStack) -> None:
    here.jira.clear_log()
    here.backtrace.clear_log()
    body = webhook()
    assert here.jira.webhooks.deliver(_delivery(here, body)) == 200
    here.settle()
    assert here.jira.requests == here.backtrace.requests == []
    assert here.waiting("ApplyJiraChange") == 0


def _delivery(stack: LocalStack, body: bytes) -> Delivery:
    headers = {name.replace("_", "-"): value for name, value in signed(stack, body).items()}
    return Delivery(stack.jira.webhooks.hooks[0].url, headers, body, "")
