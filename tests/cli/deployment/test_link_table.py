"""What a command reads of a table that is too large to be held: pages, the newest of all, how far it has come."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Lease, LinkKey
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.deployment.newest import NewestItems
from backtrace_jira_cli.exits import Stop
from tests.tables import INDEXES_BEFORE, new_table

MANY, PAGE = 60, 20
"""Rows, and how many of an integration's DynamoDB looks at for one page."""


def item(at: float) -> dict[str, Any]:
    return {"decided_at": {"N": repr(at)}}


def test_of_any_number_of_items_so_many_are_held_and_no_more() -> None:
    newest = NewestItems(3)
    assert newest.floor < 0
    for at in (5.0, 1.0, 9.0, 5.0, 7.5, 0.0, 8.0):
        newest.add(item(at))
        assert len(newest.in_order()) <= 3
    assert newest.in_order() == [item(9.0), item(8.0), item(7.5)]
    assert newest.floor == 7.5


@pytest.fixture
def client() -> Any:
    with mock_aws():
        yield boto3.client("dynamodb")


@pytest.fixture
def filled(client: Any) -> LinkTable:
    """Give a table in which two integrations have decisions, those of the second later, and rows without any."""
    name = new_table(client)
    links = DynamoDBTicketLinks(Table(client, name))
    for number in range(MANY):
        key = LinkKey("u/p/n" if number % 2 else "u/p/m", f"{number:016x}")
        decision = Record(1000.0 + number * 7 % MANY, Decision.FILTERED)
        links.record_unclaimed(key, decision, 9000)
    links.claim(Lease(LinkKey("u/p/n", "f" * 16), "a", 5000, 5075))
    links.complete(LinkKey("u/p/n", "e" * 16), Issue("1", "BUG-1", "x"), Record(999.0, Decision.CREATED))
    client.meta.events.register("provide-client-params.dynamodb.Query", _shorten)
    return LinkTable(client, name)


def _shorten(params: dict[str, Any], **_: object) -> None:
    params["Limit"] = PAGE


def test_the_newest_decisions_of_all_integrations_and_pages_are_found(filled: LinkTable) -> None:
    read: list[int] = []
    found = filled.list_recent_decisions(["u/p/n", "u/p/m"], 5, read.append)
    assert [link.record.at for link in found if link.record] == [1059.0, 1058.0, 1057.0, 1056.0, 1055.0]
    assert {link.key.integration for link in found} == {"u/p/n", "u/p/m"}
    assert read == sorted(read)
    assert len(read) > 2
    assert read[-1] == MANY + 2


def test_links_are_found_among_decisions_that_are_newer(filled: LinkTable) -> None:
    (found,) = filled.list_links(["u/p/n", "u/p/m"], 5, lambda _: None)
    assert found.issue == Issue("1", "BUG-1", "x")


def test_dynamodb_sends_nothing_that_would_not_be_shown(filled: LinkTable, client: Any) -> None:
    sent: list[int] = []
    client.meta.events.register("after-call.dynamodb.Query", lambda parsed, **_: sent.append(parsed["Count"]))
    filled.list_recent_decisions(["u/p/n", "u/p/m"], 5, lambda _: None)
    assert sum(sent) < MANY


def test_a_deployment_of_the_release_before_is_read_as_well(client: Any) -> None:
    name = new_table(client, INDEXES_BEFORE)
    links = DynamoDBTicketLinks(Table(client, name))
    key = LinkKey("u/p/n", "a" * 16)
    links.complete(key, Issue("1", "BUG-1", "x"), Record(999.0, Decision.CREATED))
    table = LinkTable(client, name)
    assert [link.key for link in table.list_recent_decisions(["u/p/n"], 5, lambda _: None)] == [key]
    assert [link.key for link in table.find_by_issue_id("u/p/n", "1")] == [key]
    assert table.find_by_issue_id("u/p/other", "1") == []


def test_what_aws_refuses_is_one_sentence(client: Any) -> None:
    with pytest.raises(Stop, match="dynamodb:BatchGetItem"):
        LinkTable(client, "nothing").find_by_issue_id("u/p/n", "1")


def test_at_a_terminal_somebody_sees_how_far_it_has_come(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Console(machine=False).show_rows_read() as show:
        show(4000)
    assert capsys.readouterr().out == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Console(machine=False).show_rows_read() as show:
        show(4000)
    assert "4,000 rows" in capsys.readouterr().out
    with Console(machine=True).show_rows_read() as show:
        show(4000)
    assert capsys.readouterr().out == ""
