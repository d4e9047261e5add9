"""The Backtrace stand-in on the wire: the shapes that the public clients of these endpoints read and write."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.backtrace.tables import first_row
from backtrace_jira.errors import CredentialRefused, OutcomeUnknown, Refused, Throttled
from backtrace_jira.jira.issue import Issue
from backtrace_jira.settings.connection import BacktraceUniverse
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from tests.fakes.clock import Clock

PROJECT = "my_project"
ONE, OTHER = "a" * 64, "b" * 64
TICKET = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000)


@pytest.fixture
def backtrace(clock: Clock) -> Iterator[BacktraceStandIn]:
    with BacktraceStandIn(clock=clock) as stand_in:
        yield stand_in


def post(backtrace: BacktraceStandIn, path: str, body: Any, **changes: str) -> dict[str, Any]:
    settings = {"token": backtrace.token, "universe": backtrace.universe, "project": PROJECT} | changes
    answer = requests.post(
        f"{backtrace.url}/api/{path}",
        params={"universe": settings["universe"], "project": settings["project"]},
        headers={"X-Coroner-Token": settings["token"], "X-Coroner-Location": backtrace.url},
        json=body,
        timeout=10,
    )
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def query(backtrace: BacktraceStandIn, **body: Any) -> dict[str, Any]:
    return post(backtrace, "query", {"table": "issues", **body})


def message(answer: dict[str, Any]) -> str:
    return str(answer["error"]["message"])


def client(backtrace: BacktraceStandIn, token: str | None = None) -> BacktraceClient:
    settings = BacktraceUniverse(universe=backtrace.universe, address=backtrace.url)
    return BacktraceClient(settings, SecretStr(token or backtrace.token))


def link(backtrace: BacktraceStandIn, fingerprint: str = ONE) -> None:
    RestBacktraceLinks(client(backtrace)).link(
        project=PROJECT, fingerprint=fingerprint, watcher="jira-bugs", issue=TICKET
    )


class TestSelect:
    def test_values_come_column_by_column_in_runs(self, backtrace: BacktraceStandIn) -> None:
        for number in range(3):
            backtrace.seed(PROJECT, f"{number}" * 64, state="resolved" if number == 2 else "open")

        response = query(backtrace, select=["state", "fingerprint", "ticket"], limit=10)["response"]

        assert response["encoding"] == "rle"
        assert [column["name"] for column in response["columns_desc"]] == ["state", "fingerprint", "ticket"]
        assert response["values"][0] == ["*", ["open", 2], ["resolved", 1]]
        assert response["values"][1] == ["*", ["0" * 64, 1], ["1" * 64, 1], ["2" * 64, 1]]
        assert response["values"][2] == ["*", [None, 3]]
        assert response["objects"] == [["*", [[1, 2]]]]
        assert response["pagination"] == {"limit": 10, "offset": 0}

    def test_an_empty_answer_has_no_runs(self, backtrace: BacktraceStandIn) -> None:
        response = query(backtrace, select=["state"])["response"]

        assert response["values"] == [["*"]]
        assert first_row(response, ("state",)) == {}

    def test_the_ticket_is_text_inside_the_answer(self, backtrace: BacktraceStandIn) -> None:
        backtrace.seed(PROJECT, ONE, ticket=[{"watcher": "_backtrace"}])

        row = first_row(query(backtrace, select=["state", "ticket"])["response"], ("state", "ticket"))

        assert json.loads(row["ticket"]) == [{"watcher": "_backtrace"}]

    def test_what_was_modified_since_then_in_order(self, backtrace: BacktraceStandIn, clock: Clock) -> None:
        for fingerprint in ("c" * 64, ONE, OTHER):
            backtrace.seed(PROJECT, fingerprint)
            clock.advance(10)

        response = query(
            backtrace,
            filter=[{"last_modified": [["at-least", "1700000010."]]}],
            select=["fingerprint"],
            order=[{"name": "last_modified", "ordering": "descending"}],
        )["response"]

        assert response["values"] == [["*", [OTHER, 1], [ONE, 1]]]

    def test_pages(self, backtrace: BacktraceStandIn) -> None:
        for number in range(5):
            backtrace.seed(PROJECT, f"{number}" * 64)

        response = query(backtrace, select=["id"], limit=2, offset=2)["response"]

        assert response["values"] == [["*", [3, 1], [4, 1]]]

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"select": ["state"], "filter": [{"nope": [["equal", "x"]]}]}, "Filter column not found"),
            ({"select": ["state"], "limit": 0}, "limit must be positive"),
            ({"select": ["state"], "offset": -1}, "offset must be positive"),
            ({"select": ["state"], "set": {"state": "open"}}, "invalid parameter 'set'"),
        ],
    )
    def test_mistakes_are_told_inside_a_200(
        self, backtrace: BacktraceStandIn, body: dict[str, Any], said: str
    ) -> None:
        assert message(query(backtrace, **body)) == said

    @pytest.mark.parametrize("path", ["query", "issue"])
    def test_token_universe_and_project_are_checked(self, backtrace: BacktraceStandIn, path: str) -> None:
        assert message(post(backtrace, path, {}, token="wrong")) == "invalid token"
        assert message(post(backtrace, path, {}, universe="nope")) == "no such universe 'nope'"
        assert message(post(backtrace, path, {}, project="nope")) == "no such project 'nope'"


class TestIssue:
    def test_every_set_replaces_and_nothing_else_changes(self, backtrace: BacktraceStandIn) -> None:
        backtrace.seed(PROJECT, ONE, tags="old", ticket=[{"watcher": "_backtrace"}, {"watcher": "x"}])
        invariant = {"type": "version_gt", "field": "version", "version": "1.0"}

        answer = post(
            backtrace,
            "issue",
            {
                "project": PROJECT,
                "fingerprint": [ONE, OTHER],
                "state": "resolved",
                "tags": {"action": "set", "value": "a b"},
                "ticket": {"action": "set", "value": [{"watcher": "_backtrace"}]},
                "invariants": {"action": "set", "value": [invariant]},
            },
        )

        first, second = answer["results"]
        assert (first["fingerprint"], second["fingerprint"]) == (ONE, OTHER)
        assert (first["state"], first["tags"]) == ("resolved", "a b")
        assert json.loads(first["ticket"]) == [{"watcher": "_backtrace"}]
        assert json.loads(first["invariants"]) == [invariant]
        post(backtrace, "issue", {"project": PROJECT, "fingerprint": [ONE], "state": "open"})
        row = backtrace.issue(PROJECT, ONE)
        assert row is not None
        assert (row.state, row.tags, row.invariants) == ("open", "a b", [invariant])

    def test_linking_changes_no_state_by_itself(self, backtrace: BacktraceStandIn) -> None:
        ticket = {"action": "set", "value": [{"watcher": "jira-bugs", "short": "BUG-1"}]}

        post(backtrace, "issue", {"project": PROJECT, "fingerprint": [ONE], "ticket": ticket})

        row = backtrace.issue(PROJECT, ONE)
        assert row is not None
        assert row.state == "open"

    def test_one_fingerprint_fails_beside_another(self, backtrace: BacktraceStandIn) -> None:
        backtrace.refuse(ONE, "locked")

        answer = post(backtrace, "issue", {"project": PROJECT, "fingerprint": [ONE, OTHER], "state": "muted"})

        assert answer["results"][0] == {"fingerprint": ONE, "error": "locked"}
        assert answer["results"][1]["state"] == "muted"
        assert backtrace.issue(PROJECT, ONE) is None

    def test_a_ticket_needs_a_watcher(self, backtrace: BacktraceStandIn) -> None:
        body = {"fingerprint": [ONE], "ticket": {"action": "set", "value": [{"short": "BUG-1"}]}}

        assert message(post(backtrace, "issue", body)) == "invalid parameter 'ticket.value'"

    def test_a_raw_set_writes_and_null_clears(self, backtrace: BacktraceStandIn) -> None:
        backtrace.seed(PROJECT, ONE, tags="old", ticket=[{"watcher": "_backtrace"}])
        backtrace.seed(PROJECT, OTHER)
        only_one = [{"fingerprint": [["equal", ONE]]}]

        answer = query(backtrace, filter=only_one, set={"state": "resolved", "tags": "a b", "ticket": None})

        assert answer == {"response": {"result": "success"}}
        row, other = backtrace.issue(PROJECT, ONE), backtrace.issue(PROJECT, OTHER)
        assert row is not None
        assert other is not None
        assert (row.state, row.tags, row.ticket) == ("resolved", "a b", [])
        assert other.state == "open"


class TestClient:
    def test_our_client_links_and_makes_in_progress(self, backtrace: BacktraceStandIn) -> None:
        link(backtrace)
        link(backtrace)

        row = backtrace.issue(PROJECT, ONE)
        assert row is not None
        assert row.state == "in-progress"
        assert [entry["watcher"] for entry in row.ticket] == ["_backtrace", "jira-bugs"]
        assert (backtrace.count("/api/query"), backtrace.count("/api/issue")) == (2, 1)

    def test_a_wrong_token_is_refused(self, backtrace: BacktraceStandIn) -> None:
        with pytest.raises(CredentialRefused):
            RestBacktraceLinks(client(backtrace, "wrong")).link(
                project=PROJECT, fingerprint=ONE, watcher="jira-bugs", issue=TICKET
            )

    def test_faults(self, backtrace: BacktraceStandIn) -> None:
        backtrace.faults.add("POST", "/api/query", status=503, headers={"Retry-After": "7"})
        with pytest.raises(Throttled) as throttled:
            link(backtrace)
        assert throttled.value.after == 7
        backtrace.fail("/api/issue", "no such project 'x'")
        with pytest.raises(Refused, match="no such project"):
            link(backtrace)
        backtrace.faults.add("POST", "/api/issue", drop_before=True)
        with pytest.raises(OutcomeUnknown):
            link(backtrace)
        assert backtrace.issue(PROJECT, ONE) is None
        backtrace.faults.add("POST", "/api/issue", drop_after=True)
        with pytest.raises(OutcomeUnknown):
            link(backtrace)
        assert backtrace.issue(PROJECT, ONE) is not None

    def test_writers_at_once_lose_nothing(self, backtrace: BacktraceStandIn) -> None:
        fingerprints = [f"{number:064x}" for number in range(24)]

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda fingerprint: link(backtrace, fingerprint), fingerprints))

        rows = backtrace.projects[PROJECT]
        assert sorted(rows) == fingerprints
        assert sorted(row.id for row in rows.values()) == list(range(1, 25))


def test_a_project_describes_its_attributes(backtrace: BacktraceStandIn) -> None:
    backtrace.attributes["shard"] = "none"
    answer = requests.post(
        f"{backtrace.url}/api/query",
        params={"universe": backtrace.universe, "project": PROJECT, "action": "describe"},
        headers={"X-Coroner-Token": backtrace.token},
        json={"action": "describe"},
        timeout=10,
    )
    described = {each["name"]: each for each in answer.json()["describe"]}
    assert {"name", "description", "format", "custom", "state", "type", "statistics"} <= set(
        described["shard"]
    )
    assert client(backtrace).attributes(PROJECT) == set(described)
    assert "ticket" in {each["name"] for each in query(backtrace, action="describe")["describe"]}


def test_reading_is_tried_without_writing(backtrace: BacktraceStandIn) -> None:
    client(backtrace).ensure_readable(PROJECT)
    assert backtrace.projects[PROJECT] == {}
    with pytest.raises(CredentialRefused):
        client(backtrace, "wrong").ensure_readable(PROJECT)
