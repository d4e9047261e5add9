"""The Backtrace client against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.backtrace.tables import first_row, merge_ticket
from backtrace_jira.adapters.http import Timeouts
from backtrace_jira.errors import (
    BacktraceJiraError,
    CredentialRefused,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unreachable,
)
from backtrace_jira.jira.issue import Issue
from backtrace_jira.settings.connection import BacktraceUniverse
from local.backtrace_stand_in.stand_in import BacktraceStandIn

FINGERPRINT = "8910551e27a339e5"
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
ENTRY = {"watcher": "jira-bugs", "short": "BUG-1", "url": ISSUE.url, "state": "open"}
OWN = {"watcher": "_backtrace"}


@pytest.fixture
def backtrace() -> Iterator[BacktraceStandIn]:
    with BacktraceStandIn() as stand_in:
        yield stand_in


def client_of(backtrace: BacktraceStandIn, token: str | None = None) -> RestBacktraceLinks:
    universe = BacktraceUniverse(universe=backtrace.universe, address=backtrace.url)
    secret = SecretStr(token or backtrace.token)
    return RestBacktraceLinks(
        BacktraceClient(universe, secret, timeouts=Timeouts(connect=1, read=0.3, total=0.5))
    )


def link(backtrace: BacktraceStandIn, **changes: Any) -> None:
    arguments: dict[str, Any] = {
        "project": "my_project",
        "fingerprint": FINGERPRINT,
        "watcher": "jira-bugs",
        "issue": ISSUE,
    }
    client_of(backtrace).link(**(arguments | changes))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "in-progress"),
        ("open", "in-progress"),
        ("in-progress", "in-progress"),
        ("resolved", "resolved"),
        ("muted", "muted"),
    ],
)
def test_linking_makes_only_an_open_group_in_progress(
    backtrace: BacktraceStandIn, before: str | None, after: str
) -> None:
    if before:
        backtrace.seed("my_project", FINGERPRINT, state=before)
    link(backtrace)
    issue = backtrace.issue("my_project", FINGERPRINT)
    assert issue is not None
    assert issue.state == after
    assert issue.ticket == [OWN, ENTRY]


def test_linking_twice_writes_once(backtrace: BacktraceStandIn) -> None:
    link(backtrace)
    link(backtrace)
    assert backtrace.count("/api/issue") == 1


def test_the_token_goes_into_headers_and_the_location_with_it(backtrace: BacktraceStandIn) -> None:
    link(backtrace)
    sent = backtrace.requests[0]
    assert {name.lower(): value for name, value in sent.headers.items()}[
        "x-coroner-location"
    ] == backtrace.url
    assert backtrace.token not in str(sent.query)


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 500}, OutcomeUnknown),
        ({"status": 500, "body": {"error": {"message": "internal: try again"}}}, OutcomeUnknown),
        ({"status": 200, "body": {"error": "unexpected token in query"}}, Refused),
        ({"status": 503}, Throttled),
        ({"status": 429, "headers": {"Retry-After": "9"}}, Throttled),
        ({"status": 403, "body": "<html>"}, CredentialRefused),
        ({"status": 302, "headers": {"Location": "/login"}}, Refused),
        ({"status": 404, "body": "<html>"}, Refused),
        ({"status": 200, "body": "<html>"}, OutcomeUnknown),
        ({"status": 200, "body": []}, OutcomeUnknown),
        ({"status": 200, "body": {"error": {"message": "invalid token", "code": 1}}}, CredentialRefused),
        ({"status": 200, "body": {"error": {"message": "no such project 'x'"}}}, Refused),
        ({"status": 200, "body": {"error": "odd"}}, Refused),
        ({"status": 200, "body": {"results": []}}, OutcomeUnknown),
        ({"drop_before": True}, OutcomeUnknown),
        ({"drop_after": True}, OutcomeUnknown),
        ({"truncate": True}, OutcomeUnknown),
        ({"delay": 0.6}, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("path", ["/api/query", "/api/issue"])
def test_what_each_answer_means(
    backtrace: BacktraceStandIn, path: str, fault: dict[str, Any], meaning: type[Exception]
) -> None:
    backtrace.faults.add("POST", path, **fault)
    with pytest.raises(BacktraceJiraError) as caught:
        link(backtrace)
    assert type(caught.value) is meaning
    assert backtrace.token not in str(caught.value)


def test_a_date_to_come_back_at_is_read_by_the_clock(backtrace: BacktraceStandIn) -> None:
    backtrace.faults.add(
        "POST", "/api/query", status=503, headers={"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"}
    )
    universe = BacktraceUniverse(universe=backtrace.universe, address=backtrace.url)
    client = RestBacktraceLinks(
        BacktraceClient(universe, SecretStr(backtrace.token), clock=lambda: 1_800_000_000.0)
    )
    with pytest.raises(Throttled) as caught:
        client.link(project="my_project", fingerprint=FINGERPRINT, watcher="w", issue=ISSUE)
    assert caught.value.after == pytest.approx(60)


@pytest.mark.parametrize("column", ["https://jira.example/browse/BUG-9", "{}", "7"])
def test_a_ticket_column_that_is_no_list_is_refused_and_left_alone(
    backtrace: BacktraceStandIn, column: str
) -> None:
    body = {"response": {"values": [["*", ["open", 1]], ["*", [column, 1]]]}}
    backtrace.faults.add("POST", "/api/query", status=200, body=body)
    with pytest.raises(Refused, match="ticket column"):
        link(backtrace)
    assert backtrace.count("/api/issue") == 0


def test_a_failure_of_the_fingerprint_inside_a_200_is_a_refusal(backtrace: BacktraceStandIn) -> None:
    backtrace.refuse(FINGERPRINT, "why this one failed")
    with pytest.raises(Refused, match="why this one failed"):
        link(backtrace)


def test_a_backtrace_that_is_not_there_was_not_reached(backtrace: BacktraceStandIn) -> None:
    client = client_of(backtrace)
    backtrace.stop()
    with pytest.raises(Unreachable):
        client.link(project="my_project", fingerprint=FINGERPRINT, watcher="w", issue=ISSUE)


def test_a_ticket_that_a_person_linked_under_the_same_integration_stays() -> None:
    others: list[Any] = [
        {"watcher": "jira-bugs", "short": "BUG-0", "url": "https://jira.example/browse/BUG-0"}
    ]
    tickets: list[Any] = [OWN, *others]
    assert merge_ticket(tickets, dict(ENTRY)) == [OWN, *others, ENTRY]


@given(
    st.lists(
        st.fixed_dictionaries(
            {"watcher": st.sampled_from(["_backtrace", "jira-bugs", "github"])},
            optional={"url": st.sampled_from([ISSUE.url, "https://x.example/1"]), "assignees": st.just([])},
        ),
        max_size=6,
    )
)
def test_merging_keeps_everything_and_adds_ours_once(tickets: list[Any]) -> None:
    merged = merge_ticket(tickets, dict(ENTRY))
    assert merged[0]["watcher"] == "_backtrace"  # type: ignore[index, call-overload]
    assert sum(t["watcher"] == "_backtrace" for t in merged) == 1  # type: ignore[index, call-overload]
    assert [t for t in tickets if t["watcher"] != "_backtrace"] == [
        t for t in merged[1:] if t != ENTRY or t in tickets
    ]
    assert any(t.get("url") == ISSUE.url and t["watcher"] == "jira-bugs" for t in merged)  # type: ignore[index, union-attr, call-overload]
    assert merge_ticket(merged, dict(ENTRY)) == merged


@pytest.mark.parametrize(
    ("response", "row"),
    [
        ({}, {}),
        ({"values": []}, {}),
        ({"values": [["*", ["open", 1]], ["*", ["[]", 1]]]}, {"state": "open", "ticket": "[]"}),
        ({"values": [["*", [None, 1]], ["*", ["[]", 1]]]}, {"state": "", "ticket": "[]"}),
        (
            {
                "columns_desc": [{"name": "ticket"}, {"name": "state"}],
                "values": [["*", ["[]", 1]], ["*", ["open", 1]]],
            },
            {"state": "open", "ticket": "[]"},
        ),
        ({"values": [["*"], ["*"]]}, {}),
    ],
)
def test_the_first_row_of_a_run_length_encoded_select(response: dict[str, Any], row: dict[str, str]) -> None:
    assert first_row(response, ("state", "ticket")) == row
