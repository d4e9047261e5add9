"""Connections and universes: the addresses that are accepted, and refusals that help without repeating a value."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtrace_jira.settings.connection import (
    BacktraceUniverse,
    Connection,
    CredentialKind,
    is_loopback,
    parse_jira_api_address,
    parse_web_address,
)
from tests.unit.settings.refusals import CANARY, connection, faults

ACCEPTED = {
    "https://yourhost.yourdomain.com/rest/api/2/": "https://yourhost.yourdomain.com/rest/api/2",
    "https://yourhost.yourdomain.com/jira/rest/api/2/": "https://yourhost.yourdomain.com/jira/rest/api/2",
    "https://yourname.atlassian.net/rest/api/2/": "https://yourname.atlassian.net/rest/api/2",
    "https://yourhost.yourdomain.com/rest/api/2": "https://yourhost.yourdomain.com/rest/api/2",
    "https://yourhost.yourdomain.com/jira/rest/api/2": "https://yourhost.yourdomain.com/jira/rest/api/2",
    "https://yourname.atlassian.net/rest/api/2": "https://yourname.atlassian.net/rest/api/2",
    " \thttps://jira.example/rest/api/2/ \r\n": "https://jira.example/rest/api/2",
    "https://jira.example/rest/api/2//": "https://jira.example/rest/api/2",
    "https://jira.example:8443/tools/jira/rest/api/2/": "https://jira.example:8443/tools/jira/rest/api/2",
    "HTTPS://Jira.Example/Jira/rest/api/2/": "https://Jira.Example/Jira/rest/api/2",
    "https://[2001:db8::1]:8443/rest/api/2/": "https://[2001:db8::1]:8443/rest/api/2",
    "https://jira_1.example/rest/api/2/": "https://jira_1.example/rest/api/2",
    "http://127.0.0.1:2990/jira/rest/api/2/": "http://127.0.0.1:2990/jira/rest/api/2",
    "http://127.8.8.8/rest/api/2": "http://127.8.8.8/rest/api/2",
    "http://localhost:8080/rest/api/2/": "http://localhost:8080/rest/api/2",
    "http://LOCALHOST/rest/api/2/": "http://LOCALHOST/rest/api/2",
    "http://[::1]:8080/rest/api/2/": "http://[::1]:8080/rest/api/2",
    "https://api.atlassian.com/ex/jira/1-2-3/rest/api/2/": "https://api.atlassian.com/ex/jira/1-2-3/rest/api/2",
}


@pytest.mark.parametrize(("written", "kept"), ACCEPTED.items())
def test_an_address_is_kept_without_its_last_slash(written: str, kept: str) -> None:
    assert parse_jira_api_address(written) == kept
    assert parse_jira_api_address(kept) == kept


PLAIN = "write https://your-host/ in plain ASCII"
ABSOLUTE = "write https://your-host/"
ENDING = "https://your-host/jira/rest/api/2/ or https://your-name.atlassian.net/rest/api/2/"
VERSION = "let it end in one /rest/api/2/"
ENCRYPTED = "write https://"
NO_CREDENTIAL = "leave it out, the credential has its own setting"
NO_QUERY = "end it before the ? or #"

REFUSED = [
    (f"https://{CANARY}.example/rest/api/3/", VERSION),
    (f"https://{CANARY}.example/rest/api/1/", VERSION),
    (f"https://{CANARY}.example/jira/rest/api/latest", VERSION),
    (f"https://{CANARY}.example/rest/api/22/", VERSION),
    (f"https://{CANARY}.example/rest/api/", VERSION),
    (f"https://{CANARY}.example/rest/api/2/issue", VERSION),
    (f"https://{CANARY}.example/rest/api/3/rest/api/2/", VERSION),
    (f"https://{CANARY}.example/rest/api/2/rest/api/2/", VERSION),
    (f"https://{CANARY}.example", ENDING),
    (f"https://{CANARY}.example/jira/", ENDING),
    (f"https://{CANARY}.example/browse/ABC-1", ENDING),
    (f"https://{CANARY}.example/REST/API/2/", ENDING),
    (f"https://{CANARY}.example/xrest/api/2/", ENDING),
    (f"https://bot:{CANARY}@jira.example/rest/api/2/", NO_CREDENTIAL),
    (f"https://{CANARY}@jira.example/rest/api/2/", NO_CREDENTIAL),
    (f"https://:{CANARY}@jira.example/rest/api/2/", NO_CREDENTIAL),
    (f"https://@{CANARY}.example/rest/api/2/", NO_CREDENTIAL),
    (f"http://{CANARY}.example/rest/api/2/", ENCRYPTED),
    (f"http://localhost.{CANARY}.example/rest/api/2/", ENCRYPTED),
    (f"http://127.0.0.1.{CANARY}.example/rest/api/2/", ENCRYPTED),
    (f"http://10.0.0.1/{CANARY}/rest/api/2/", ENCRYPTED),
    (f"https://jira.example/rest/api/2/?token={CANARY}", NO_QUERY),
    (f"https://jira.example/rest/api/2/#{CANARY}", NO_QUERY),
    (f"ftp://{CANARY}.example/rest/api/2/", ABSOLUTE),
    (f"file:///{CANARY}/rest/api/2/", ABSOLUTE),
    (f"{CANARY}.example/rest/api/2/", ABSOLUTE),
    (f"//{CANARY}.example/rest/api/2/", ABSOLUTE),
    (f"https:/{CANARY}.example/rest/api/2/", ABSOLUTE),
    (f"https:///{CANARY}/rest/api/2/", ABSOLUTE),
    (CANARY, ABSOLUTE),
    ("", ABSOLUTE),
    ("   ", ABSOLUTE),
    (f"https://{CANARY}.example:0/rest/api/2/", ABSOLUTE),
    (f"https://{CANARY}.example:99999/rest/api/2/", ABSOLUTE),
    (f"https://{CANARY}.example:/rest/api/2/", ABSOLUTE),
    (f"https://{CANARY}.example:http/rest/api/2/", ABSOLUTE),
    (f"https://[::1/{CANARY}/rest/api/2/", ABSOLUTE),
    (f"https://[::1]{CANARY}/rest/api/2/", ABSOLUTE),
    (f"https://jira;{CANARY}/rest/api/2/", ABSOLUTE),
    (f"https://jira%2e{CANARY}/rest/api/2/", ABSOLUTE),
    (f"https://jirä.{CANARY}.example/rest/api/2/", PLAIN),
    (f"https://ｊira.{CANARY}.example/rest/api/2/", PLAIN),
    (f"https://jira.{CANARY}.example/jirä/rest/api/2/", PLAIN),
    (f"https://jira {CANARY}.example/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example/our jira/rest/api/2/", PLAIN),
    (f"https://ji\tra.{CANARY}.example/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example/ji\nra/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example/jira\r\nHost: x/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example\x00/rest/api/2/", PLAIN),
    (f"\x00https://{CANARY}.example/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example/\u202e/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example\\@evil.example/rest/api/2/", PLAIN),
    (f"https://{CANARY}.example/a\\b/rest/api/2/", PLAIN),
    (f'https://{CANARY}.example/"><script>/rest/api/2/', PLAIN),
]


@pytest.mark.parametrize(("written", "advice"), REFUSED)
def test_a_refusal_says_what_to_write_and_not_what_was_written(written: str, advice: str) -> None:
    said = faults(Connection, {"name": "main", "email": "bot@example.org", "jira_api": written})
    assert said.startswith("jira_api: ")
    assert advice in said
    assert CANARY not in said
    assert len(said.splitlines()) == 1
    assert ". " not in said


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(
                ["https:", "http:", "/", "//", "@", ":", "[::1]", "h.example", "127.0.0.1", "?", "#"]
            )
            | st.text(max_size=3)
        ).map("".join),
        st.from_regex(r"https?://[^/]{1,12}/[^?#]{0,12}", fullmatch=True),
    ),
    st.sampled_from(["", "/rest/api/2", "/rest/api/2/", "/jira/rest/api/2/"]),
)
@example("https://h\\", "/rest/api/2")
@example("https://0/", "/rest/api/2")
def test_whatever_is_accepted_is_one_plain_address(beginning: str, ending: str) -> None:
    try:
        address = parse_jira_api_address(beginning + ending)
    except ValueError:
        return
    assert re.fullmatch(r"https?://[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]*(/[!-~]+)*?/rest/api/2", address)
    assert not set(address) & set('\\?#"<>{}|^` ')
    assert "@" not in address.split("/")[2]
    assert parse_jira_api_address(address) == address


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("128.0.0.1", False),
        ("localhost.example", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_loopback_address_stays_on_the_machine(host: str | None, local: bool) -> None:
    assert is_loopback(host) is local


def test_other_addresses_follow_the_same_rules() -> None:
    universe = BacktraceUniverse(universe="u", address=" https://u.sp.backtrace.io/ ")
    assert universe.address == "https://u.sp.backtrace.io"
    assert parse_web_address("https://jira.example/jira/") == "https://jira.example/jira"
    said = faults(BacktraceUniverse, {"universe": "u", "address": f"http://{CANARY}.example/"})
    assert said.startswith("address: ")
    assert ENCRYPTED in said
    assert CANARY not in said
    said = faults(
        Connection,
        {"name": "m", "email": "e", "jira_api": "https://h/rest/api/2", "browse_url": f"javascript:{CANARY}"},
    )
    assert said.startswith("browse_url: ")
    assert CANARY not in said


@pytest.mark.parametrize(
    ("changes", "page"),
    [
        ({}, "https://jira.example/browse/BUG-1"),
        ({"jira_api": "https://h.example/jira/rest/api/2/"}, "https://h.example/jira/browse/BUG-1"),
        ({"browse_url": "https://tickets.example/"}, "https://tickets.example/browse/BUG-1"),
        (
            {
                "jira_api": "https://api.atlassian.com/ex/jira/1/rest/api/2",
                "browse_url": "https://name.atlassian.net",
            },
            "https://name.atlassian.net/browse/BUG-1",
        ),
    ],
)
def test_a_tickets_page_is_at_the_browse_url_else_beside_the_api(changes: dict[str, str], page: str) -> None:
    assert connection(**changes).browse("BUG-1") == page


@pytest.mark.parametrize("host", ["api.atlassian.com", "API.Atlassian.com", "api.atlassian.com:443"])
def test_the_gateway_has_no_pages_of_its_own(host: str) -> None:
    api = f"https://{host}/ex/jira/{CANARY}/rest/api/2/"
    said = faults(Connection, {"name": "main", "email": "e", "jira_api": api})
    assert "browse_url is required" in said
    assert "https://your-name.atlassian.net" in said
    assert CANARY not in said


@pytest.mark.parametrize("kind", list(CredentialKind))
@pytest.mark.parametrize("email", [None, "bot@example.org", "jsmith"])
def test_only_a_personal_access_token_does_without_an_account(
    kind: CredentialKind, email: str | None
) -> None:
    values = {
        "name": "main",
        "jira_api": "https://h.example/rest/api/2",
        "credential": kind.value,
        "email": email,
    }
    if email is None and kind is not CredentialKind.PERSONAL_ACCESS_TOKEN:
        assert "email is required" in faults(Connection, values)
        return
    accepted = Connection.model_validate(values)
    assert (accepted.credential, accepted.email) == (kind, email)


def test_an_api_token_is_the_default_and_an_unknown_kind_is_refused() -> None:
    assert [kind.value for kind in CredentialKind] == ["api_token", "password", "personal_access_token"]
    assert connection().credential is CredentialKind.API_TOKEN
    values = {"name": "m", "email": "e", "jira_api": "https://h/rest/api/2", "credential": CANARY}
    said = faults(Connection, values)
    assert said.startswith("credential: ")
    assert "'personal_access_token'" in said
    assert CANARY not in said
