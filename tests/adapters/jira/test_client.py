"""The Jira client against the stand-in, both flavours: what each answer means for a create."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.http import Timeouts
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.errors import (
    BacktraceJiraError,
    CredentialRefused,
    InvalidSettings,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unreachable,
)
from backtrace_jira.jira.issue import TicketDraft
from backtrace_jira.settings.connection import Connection
from backtrace_jira.tickets.fill_fields import draft_ticket
from local.jira_stand_in import JiraStandIn
from tests.builders import group, integration
from tests.contracts.openapi import assert_valid

NOW = 1_800_000_000.0
QUICK = Timeouts(connect=2, read=0.4, total=0.8)


@pytest.fixture(params=["cloud", "data-center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraStandIn]:
    flavour: Literal["cloud", "data-center"] = request.param
    with JiraStandIn(flavour, context_path="" if flavour == "cloud" else "/jira") as stand_in:
        yield stand_in
        assert_valid(stand_in.requests, flavour)


def client_of(jira: JiraStandIn, **changes: Any) -> JiraClient:
    settings: dict[str, Any] = {"name": "main", "jira_api": jira.url, "email": jira.user}
    connection = Connection.model_validate(settings | changes)
    return JiraClient(connection, SecretStr(jira.token), timeouts=QUICK, clock=lambda: NOW)


def tickets_of(jira: JiraStandIn, **changes: Any) -> RestJiraTickets:
    return RestJiraTickets(client_of(jira, **changes))


def draft(marker: str = "bt-0123456789abcdef01234567", **changes: Any) -> TicketDraft:
    return draft_ticket(group(), integration(**changes), marker)


def refusal_of(jira: JiraStandIn, **changes: Any) -> BacktraceJiraError:
    with pytest.raises(BacktraceJiraError) as caught:
        tickets_of(jira).create(draft(**changes))
    return caught.value


def test_a_create_is_one_request_and_gives_id_key_and_page(jira: JiraStandIn) -> None:
    issue = tickets_of(jira).create(draft())
    (stored,) = jira.issues.values()
    assert (issue.id, issue.key) == (stored.id, stored.key)
    assert issue.url == f"{jira.site_url}/browse/{stored.key}"
    assert [(e.method, e.status) for e in jira.requests] == [("POST", 201)]
    assert stored.fields["labels"] == ["Backtrace", "bt-0123456789abcdef01234567"]
    assert stored.properties["backtrace-jira"]["fingerprint"] == group().fingerprint


def test_a_personal_access_token_is_a_bearer() -> None:
    with JiraStandIn("data-center") as jira:
        connection = Connection(name="main", jira_api=jira.url, credential="personal_access_token")
        assert RestJiraTickets(JiraClient(connection, SecretStr(jira.pat))).create(draft()).key == "BUG-1"


def test_credentials_outside_latin_1_reach_jira(jira: JiraStandIn) -> None:
    jira.add_user("jürgen", email="jürgen@example.com", secret="pä߀wört")
    connection = Connection(
        name="main", jira_api=jira.url, email="jürgen@example.com" if jira.state.cloud else "jürgen"
    )
    assert RestJiraTickets(JiraClient(connection, SecretStr("pä߀wört"))).create(draft()).id


@pytest.mark.parametrize(
    ("fault", "meaning", "after"),
    [
        ({"status": 429, "headers": {"Retry-After": "17"}}, Throttled, 17),
        ({"status": 429, "headers": {"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"}}, Throttled, 60),
        ({"status": 429, "headers": {"X-RateLimit-Reset": "2027-01-15T08:02Z"}}, Throttled, 120),
        ({"status": 429, "headers": {"Retry-After": "0"}}, Throttled, 1),
        ({"status": 429, "headers": {"Retry-After": "9" * 400}}, Throttled, 3600),
        ({"status": 429, "headers": {"Retry-After": f"Mon, 1 Jan {'9' * 30} 00:00:00 GMT"}}, Throttled, None),
        ({"status": 429}, Throttled, None),
        ({"status": 503, "headers": {"Retry-After": "5"}}, Throttled, 5),
        ({"status": 503}, OutcomeUnknown, None),
        ({"status": 500, "body": {"errorMessages": ["Internal server error"]}}, OutcomeUnknown, None),
        ({"status": 502, "after_effect": True, "body": "<html>Bad gateway</html>"}, OutcomeUnknown, None),
        ({"status": 504, "after_effect": True}, OutcomeUnknown, None),
        ({"status": 408}, OutcomeUnknown, None),
        ({"status": 409}, Unreachable, None),
        ({"drop_before": True}, OutcomeUnknown, None),
        ({"drop_after": True}, OutcomeUnknown, None),
        ({"truncate": True}, OutcomeUnknown, None),
        ({"delay_after": 1.5}, OutcomeUnknown, None),
        ({"status": 200, "body": {"errorMessages": []}}, OutcomeUnknown, None),
        ({"status": 201, "body": "<html>what?</html>", "after_effect": True}, OutcomeUnknown, None),
    ],
)
def test_what_a_retry_can_mend(
    jira: JiraStandIn, fault: dict[str, Any], meaning: type[Exception], after: float | None
) -> None:
    jira.faults.add("POST", r"/issue$", **fault)
    error = refusal_of(jira)
    assert type(error) is meaning
    assert isinstance(error, Throttled | Unreachable | OutcomeUnknown)
    assert error.after == (None if after is None else pytest.approx(after))
    assert jira.count("POST", r"/issue$") <= 1


def test_no_layer_below_repeats_a_create(jira: JiraStandIn) -> None:
    jira.faults.add("POST", r"/issue$", drop_after=True)
    assert isinstance(refusal_of(jira), OutcomeUnknown)
    assert len(jira.issues) == 1


def test_a_closed_port_was_surely_not_reached(jira: JiraStandIn) -> None:
    jira.stop()
    assert type(refusal_of(jira)) is Unreachable


def test_a_host_without_an_address_was_surely_not_reached() -> None:
    connection = Connection(name="main", jira_api="https://jira.invalid/rest/api/2", email="me")
    with pytest.raises(Unreachable):
        RestJiraTickets(JiraClient(connection, SecretStr("x"), timeouts=QUICK)).create(draft())


def test_a_refusal_carries_jiras_words_by_field(jira: JiraStandIn) -> None:
    error = refusal_of(jira, custom_fields={"customfield_99999": "x"})
    assert isinstance(error, Refused)
    assert error.status == 400
    assert "customfield_99999" in error.fields
    assert error.fields["customfield_99999"] in str(error)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errorMessages": ["Please provide Component"], "errors": {}}, "Please provide Component"),
        ({"errorMessages": ["There was an error parsing JSON."]}, "error parsing JSON"),
        ({"errors": {"versions": "Version name '1' is not valid"}}, "versions: Version name"),
        (
            {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No endpoint"},
            "No endpoint",
        ),
        ({"errors": [{"status": 400}], "errorMessages": None}, "no reason given"),
        ("<html>Page unavailable</html>", "a page instead of Jira's answer"),
        ([1, 2], "a page instead of Jira's answer"),
        ("", "a page instead of Jira's answer"),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 404, 413, 422])
def test_a_definite_no_in_every_shape_of_body(status: int, body: Any, words: str) -> None:
    with JiraStandIn("cloud") as jira:
        jira.faults.add("POST", r"/issue$", status=status, body=body)
        error = refusal_of(jira)
    assert type(error) is Refused
    assert error.status == status
    assert words in str(error)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(jira: JiraStandIn, status: int) -> None:
    jira.faults.add("POST", r"/issue$", status=status, headers={"Location": f"{jira.site_url}/elsewhere"})
    error = refusal_of(jira)
    assert type(error) is Refused
    assert "redirected" in str(error)
    assert len(jira.requests) == 1


def test_a_login_page_instead_of_an_answer_is_a_refusal(jira: JiraStandIn) -> None:
    jira.faults.add("POST", r"/issue$", page=True)
    assert type(refusal_of(jira)) is Refused


def test_a_wrong_token_is_a_refused_credential_and_never_told(jira: JiraStandIn) -> None:
    connection = Connection(name="main", jira_api=jira.url, email=jira.user)
    with pytest.raises(CredentialRefused) as caught:
        RestJiraTickets(JiraClient(connection, SecretStr("s3cret-t0ken"))).create(draft())
    assert "s3cret" not in str(caught.value)
    assert jira.user not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_anonymous_answer_is_a_refused_credential(status: int) -> None:
    """Cloud answers some requests with a wrong token as if nobody had signed in."""
    with JiraStandIn("cloud") as jira:
        headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
        jira.faults.add("POST", r"/search/jql$", status=status, headers=headers, body={"issues": []})
        with pytest.raises(CredentialRefused):
            tickets_of(jira).find("bt-1")


def test_a_captcha_says_what_to_do(jira: JiraStandIn) -> None:
    jira.faults.captcha(path=r"/issue$")
    error = refusal_of(jira)
    assert type(error) is CredentialRefused
    assert "CAPTCHA" in str(error)


def test_the_marker_is_found_by_label_latest_first_and_at_most_fifty(jira: JiraStandIn) -> None:
    client = tickets_of(jira)
    assert client.find("bt-0123456789abcdef01234567") == []
    made = [client.create(draft()) for _ in range(53)]
    client.create(draft(marker="bt-ffffffffffffffffffffffff"))
    assert [find.issue for find in client.find("bt-0123456789abcdef01234567")] == made[:2:-1]


def test_the_marker_is_found_in_the_text_where_somebody_removed_the_label(jira: JiraStandIn) -> None:
    client = tickets_of(jira)
    made = client.create(draft())
    next(iter(jira.issues.values())).fields["labels"] = []
    assert [find.issue for find in client.find("bt-0123456789abcdef01234567")] == [made]


def test_each_product_is_searched_its_own_way(jira: JiraStandIn) -> None:
    client = tickets_of(jira)
    client.find("bt-1")
    client.find("bt-2")
    assert jira.count("GET", "/serverInfo$") == 1
    assert jira.count("POST", r"/search/jql$") == (2 if jira.state.cloud else 0)
    assert jira.count("POST", r"/search$") == (0 if jira.state.cloud else 2)


def test_a_server_that_says_the_wrong_thing_of_itself_is_still_searched() -> None:
    with JiraStandIn("cloud") as jira:
        jira.faults.add("GET", "/serverInfo$", status=200, body={"deploymentType": "Server"})
        assert tickets_of(jira).find("bt-1") == []
        assert [e.status for e in jira.requests][1:] == [410, 200]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 200, "body": "<html/>"},
        {"status": 200, "body": {}},
        {"truncate": True},
        {"drop_after": True},
        {"status": 429},
        {"status": 400, "body": {"errorMessages": ["x"]}},
    ],
)
def test_a_lookup_that_fails_is_never_an_empty_find(jira: JiraStandIn, fault: dict[str, Any]) -> None:
    jira.faults.add("POST", r"/search", times=None, **fault)
    with pytest.raises(BacktraceJiraError):
        tickets_of(jira).find("bt-1")


def test_whether_the_account_may_browse(jira: JiraStandIn) -> None:
    assert tickets_of(jira).may_browse("BUG") is True
    jira.deny("BROWSE_PROJECTS")
    assert tickets_of(jira).may_browse("BUG") is False


def test_which_permissions_the_account_has(jira: JiraStandIn) -> None:
    wanted = ("BROWSE_PROJECTS", "CREATE_ISSUES")
    assert client_of(jira).permissions("BUG", *wanted) == frozenset(wanted)
    assert client_of(jira).permissions("NOPE", *wanted) is None
    jira.deny("CREATE_ISSUES")
    assert client_of(jira).permissions("BUG", *wanted) == frozenset({"BROWSE_PROJECTS"})


def test_who_is_signed_in_and_where(jira: JiraStandIn) -> None:
    assert client_of(jira).account() == "Fred F. User"
    assert client_of(jira).server_info()["deploymentType"] in ("Cloud", "Server")


def test_an_answer_that_drips_is_cut_off() -> None:
    """A server that sends a byte now and then keeps every read time-out from firing."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    peer.sendall(b" " * 70)
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/rest/api/2"
    client = RestJiraTickets(
        JiraClient(Connection(name="main", jira_api=address, email="me"), SecretStr("x"), timeouts=QUICK)
    )
    with pytest.raises(OutcomeUnknown):
        client.create(draft())
    stop.set()
    thread.join()
    listener.close()


def test_an_address_that_cannot_be_used_is_a_matter_of_settings() -> None:
    connection = Connection.model_construct(name="main", jira_api="https://:1/rest/api/2", email="me")
    with pytest.raises(InvalidSettings):
        RestJiraTickets(JiraClient(connection, SecretStr("x"))).create(draft())


@pytest.mark.parametrize("kind", ["api_token", "personal_access_token"])
@pytest.mark.parametrize("secret", ["S3CRET\n", "S3CRET\r\nX-Evil: 1", "S3CRET\u20ac"])
def test_a_secret_that_no_header_takes_is_a_matter_of_settings_and_not_told(kind: str, secret: str) -> None:
    with JiraStandIn("data-center") as jira:
        settings = {"name": "main", "jira_api": jira.url, "email": "fred", "credential": kind}
        client = RestJiraTickets(JiraClient(Connection.model_validate(settings), SecretStr(secret)))
        with pytest.raises(BacktraceJiraError) as caught:
            client.create(draft())
        assert isinstance(caught.value, InvalidSettings if kind != "api_token" else CredentialRefused)
        assert "S3CRET" not in "".join(traceback.format_exception(caught.value, chain=True))
        assert jira.issues == {}


def test_a_ticket_that_was_made_counts_whatever_the_headers_say_of_who_was_signed_in() -> None:
    with JiraStandIn("cloud") as jira:
        headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
        made = {"id": "10001", "key": "BUG-1", "self": "x"}
        jira.faults.add("POST", r"/issue$", status=201, headers=headers, body=made)
        assert tickets_of(jira).create(draft()).key == "BUG-1"


def test_a_missing_permission_to_link_is_no_refused_credential(jira: JiraStandIn) -> None:
    """Data Center answers 401 (its OpenAPI document). It must not park the connection."""
    tickets = tickets_of(jira)
    first, second = tickets.create(draft()), tickets.create(draft())
    jira.deny("LINK_ISSUES")
    with pytest.raises(Refused, match="No Link Issue Permission") as caught:
        tickets.relate(second, first.key, "Relates")
    assert not isinstance(caught.value, CredentialRefused)


def test_a_refused_credential_is_one_when_tickets_are_linked_too(jira: JiraStandIn) -> None:
    tickets = tickets_of(jira)
    first, second = tickets.create(draft()), tickets.create(draft())
    headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
    jira.faults.add("POST", "/issueLink", status=401, headers=headers)
    with pytest.raises(CredentialRefused):
        tickets.relate(second, first.key, "Relates")
