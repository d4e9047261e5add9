"""The stack of template.yaml on one machine: what is published becomes a ticket, or a dead letter with its reason."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backtrace_jira.links.link import LinkState
from backtrace_jira.settings.integration import Integration
from local.aws import dynamodb_local
from local.aws.dynamodb_local import DynamoDBLocal, Engine
from local.aws.dynamodb_package import NotInstalled, verify
from local.aws.wire_log import BACKTRACE, JIRA, counted
from local.sample import new_group
from local.stack import LocalStack

Configured = tuple[LocalStack, Integration]


@pytest.fixture(scope="module")
def stack(engine: Engine | None) -> Iterator[LocalStack]:
    with LocalStack(dynamodb=engine) as running:
        yield running


@pytest.fixture
def configured(stack: LocalStack) -> Configured:
    """Give the stack with one integration of its own, nothing recorded and no fault left."""
    stack.jira.faults.clear()
    stack.backtrace.faults.clear()
    settings = stack.configure()
    stack.wire.take()
    return stack, settings


def test_an_event_becomes_a_ticket_a_row_and_a_link(configured: Configured) -> None:
    stack, settings = configured
    group = new_group()

    stack.publish(group)

    assert stack.drain() == 1
    row = stack.row(settings, group["fingerprint"])
    assert row is not None
    assert row.issue is not None
    assert (row.state, row.linked_in_backtrace) == (LinkState.COMPLETE, True)
    assert row.issue.key in stack.jira.issues
    issue = stack.backtrace.issue("my_project", group["fingerprint"])
    assert issue is not None
    assert issue.state == "in-progress"
    assert [entry.get("short") for entry in issue.ticket] == [None, row.issue.key]
    assert stack.waiting() == 0


def test_duplicates_cost_nothing_at_jira(configured: Configured) -> None:
    stack, _ = configured
    group, before = new_group(), len(stack.jira.issues)

    stack.publish(group)
    stack.drain()
    first = counted(stack.wire.take())
    for _ in range(3):
        stack.publish(group)
    stack.drain()
    again = counted(stack.wire.take())

    assert len(stack.jira.issues) == before + 1
    assert (first[JIRA], first[BACKTRACE]) == (1, 2)
    assert again == {"DynamoDB": 1}  # a batch of three


def test_deliveries_at_once_make_one_ticket(configured: Configured) -> None:
    stack, settings = configured
    group, before = new_group(), len(stack.jira.issues)
    record = {
        "eventSource": "aws:sqs",
        "messageId": "m",
        "receiptHandle": "none",
        "body": json.dumps(group),
        "attributes": {"ApproximateReceiveCount": "1"},
    }

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: stack.function({"Records": [record]}), range(4)))

    assert len(stack.jira.issues) == before + 1
    row = stack.row(settings, group["fingerprint"])
    assert row is not None
    assert row.state is LinkState.COMPLETE


def test_what_jira_throttles_waits_and_comes_back(configured: Configured) -> None:
    stack, settings = configured
    group = new_group()
    stack.jira.faults.rate_limited(retry_after=1, method="POST", path="/issue$")

    stack.publish(group)
    stack.drain()

    assert stack.waiting() == 1
    stack.function.restart()  # the pause is kept by the process
    stack.hasten()
    assert stack.drain() == 1
    row = stack.row(settings, group["fingerprint"])
    assert row is not None
    assert row.state is LinkState.COMPLETE
    assert stack.waiting() == 0


def test_what_is_no_error_group_is_a_dead_letter_with_its_reason(configured: Configured) -> None:
    stack, _ = configured

    stack.publish("no error group")
    stack.drain()

    letter = next(letter for letter in stack.dead_letters() if letter["Body"] == "no error group")
    assert letter["Reason"].startswith("not a Backtrace error group")
    assert stack.waiting() == 0


def test_what_jira_refuses_is_a_dead_letter_with_jiras_reason(configured: Configured) -> None:
    stack, _ = configured
    elsewhere = stack.configure(project_key="NOPE", project="nobodys")
    group = new_group(project="nobodys")

    stack.publish(group)
    stack.drain()

    letters = [letter for letter in stack.dead_letters() if letter.get("Fingerprint") == group["fingerprint"]]
    assert [letter["Integration"] for letter in letters] == [elsewhere.id]
    assert "project" in letters[0]["Reason"]
    assert group["fingerprint"] in letters[0]["Body"]


def test_an_unknown_project_is_done_with_and_costs_nothing(configured: Configured) -> None:
    stack, _ = configured
    before = len(stack.jira.issues)

    stack.publish(new_group(project="nobody"))

    assert stack.drain() == 1
    assert stack.waiting() == 0
    assert len(stack.jira.issues) == before
    assert JIRA not in counted(stack.wire.take())
    assert "no_integration" in stack.log.read_text()


def test_the_function_sees_what_the_template_says(stack: LocalStack) -> None:
    assert stack.environment["LINKS_TABLE"] == stack.aws.outputs["LinksTableName"]
    assert stack.environment["SETTINGS_PREFIX"] == "/backtrace-jira/dev"
    assert stack.environment["ERROR_EVENTS_QUEUE_URL"] == stack.events.queue.queue_url
    assert stack.events.queue.batch_size == 10
    assert stack.events.queue.reports_batch_item_failures
    assert stack.aws.skipped == []
    table = stack.aws.client("dynamodb").describe_table(TableName=stack.environment["LINKS_TABLE"])["Table"]
    assert {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]} == {
        "integration": "HASH",
        "fingerprint": "RANGE",
    }


def test_nothing_of_it_is_left_in_the_environment(stack: LocalStack) -> None:
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert "LINKS_TABLE" not in os.environ


def test_an_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "package.tgz"
    archive.write_bytes(b"something else")

    with pytest.raises(NotInstalled, match="not the file that was pinned"):
        verify(archive)


def test_an_engine_runs_beside_another_and_leaves_nothing(
    engine: Engine | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes to a port too late, because another folder's process has it, does not take that one's answers."""
    if engine is None:
        pytest.skip(str(dynamodb_local.available()))
    taken = urlsplit(engine.url).port or 0
    reserve = dynamodb_local._reserve_port
    offered = iter([(io.StringIO(), taken)])
    monkeypatch.setattr(dynamodb_local, "_reserve_port", lambda: next(offered, None) or reserve())
    other = DynamoDBLocal().launch()
    assert other.port == taken
    pids = [other.pid]
    with other:
        pids.append(other.pid)
        assert other.port != taken
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
