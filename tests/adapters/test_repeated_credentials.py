"""A server or proxy may repeat our headers in an error. No credential gets out with it, however it is spelled."""

from __future__ import annotations

import base64
import html
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.credential_mask import mask_credential
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.errors import Refused
from backtrace_jira.settings.connection import BacktraceUniverse, Connection, CredentialKind

USER = "bridge+jira@example.com"
TOKEN = 'ATATT3xFf/GF0+T"0k~e?n=é&<42>'
PERSONAL = "NjE2NDg0/zc5MDE+Otz6yG4="
CORONER = "8f0b5d1e" * 8
PAIR = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()

Spelled = Callable[[str], str]


def escaped_whole(text: str) -> str:
    """Spell every character as JSON's escape."""
    units = text.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


SPELLED: dict[str, Spelled] = {
    "plain": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with every slash escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON, every character": escaped_whole,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1].replace("=", "\\u003D"))[1:-1],
    "URL": lambda text: quote(text, safe=""),
    "URL in small letters": lambda text: "".join(
        quote(each, safe="").lower() if quote(each, safe="") != each else each for each in text
    ),
    "URL, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "HTML": lambda text: html.escape(text),
    "HTML by numbers": lambda text: "".join(f"&#{ord(each)};" for each in text),
}


class Server(HTTPServer):
    status = 400
    answer = ""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = self.server.answer.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the base class's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def jira(server: Server, kind: CredentialKind) -> JiraClient:
    settings = {"jira_api": f"http://127.0.0.1:{server.server_port}/rest/api/2/", "credential": kind}
    secret = PERSONAL if kind is CredentialKind.PERSONAL_ACCESS_TOKEN else TOKEN
    return JiraClient(
        Connection.model_validate({"name": "main", "email": USER, **settings}), SecretStr(secret)
    )


def told_by_jira(server: Server, kind: CredentialKind) -> Refused:
    client = jira(server, kind)
    error = client.failure("POST /issue", client.exchange("POST", "/issue", body={}))
    assert isinstance(error, Refused)
    return error


@pytest.mark.parametrize("spelling", SPELLED)
@pytest.mark.parametrize("repeated", ["header", "secret", "pair"])
def test_a_refusal_of_jira_holds_no_password_and_no_header(
    server: Server, spelling: str, repeated: str
) -> None:
    text = {"header": f"Basic {PAIR}", "secret": TOKEN, "pair": f"{USER}:{TOKEN}"}[repeated]
    spelled = SPELLED[spelling](text)
    server.answer = (
        f'{{"errorMessages": ["Authorization: {spelled} is odd"], "errors": {{"summary": "{spelled}"}}}}'
    )
    error = told_by_jira(server, CredentialKind.API_TOKEN)
    assert "is odd" in str(error)
    for said in (str(error), *error.messages, *error.fields.values()):
        assert "***" in said
        for secret in (PAIR, TOKEN):
            assert secret[4:-4] not in said
            assert SPELLED[spelling](secret)[4:-4] not in said


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_refusal_of_jira_holds_no_personal_access_token(server: Server, spelling: str) -> None:
    spelled = SPELLED[spelling](PERSONAL)
    server.answer = f'{{"errorMessages": ["Authorization: Bearer {spelled} is odd"]}}'
    said = str(told_by_jira(server, CredentialKind.PERSONAL_ACCESS_TOKEN))
    assert "*** is odd" in said
    assert PERSONAL[4:-4] not in said


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize("spelling", SPELLED)
def test_an_error_of_backtrace_holds_no_token_even_in_a_200(
    server: Server, spelling: str, status: int
) -> None:
    server.status = status
    server.answer = f'{{"error": {{"message": "X-Coroner-Token: {SPELLED[spelling](CORONER)} is odd"}}}}'
    address = f"http://127.0.0.1:{server.server_port}"
    client = BacktraceClient(BacktraceUniverse(universe="u", address=address), SecretStr(CORONER))
    with pytest.raises(Refused) as raised:
        client.query("p", {})
    assert "*** is odd" in str(raised.value)
    assert CORONER[4:-4] not in str(raised.value)


def test_an_error_of_a_single_result_of_backtrace_holds_no_token(server: Server) -> None:
    server.status = 200
    server.answer = json.dumps({"results": [{"error": f"no: {CORONER}"}]})
    address = f"http://127.0.0.1:{server.server_port}"
    client = BacktraceClient(BacktraceUniverse(universe="u", address=address), SecretStr(CORONER))
    with pytest.raises(Refused, match=r"no: \*\*\*"):
        client.write_issue("p", {})


def test_a_header_that_the_server_has_cut_off_is_hidden_as_far_as_it_goes(server: Server) -> None:
    for length in range(12, len(PAIR)):
        server.answer = json.dumps({"errorMessages": [f"400: Basic {PAIR[:length]}", "Basic sign-in is off"]})
        said = str(told_by_jira(server, CredentialKind.API_TOKEN))
        assert "400: Basic ***; Basic sign-in is off" in said


def test_what_the_server_says_otherwise_is_kept_to_the_letter(server: Server) -> None:
    text = f"Basic authentication of {USER} is deprecated: 'Größe' \\ %41 &amp; \u2028"
    server.answer = json.dumps({"errorMessages": [text], "errors": {"summary": text}})
    error = told_by_jira(server, CredentialKind.API_TOKEN)
    assert (list(error.messages), dict(error.fields)) == ([text], {"summary": text})


def test_a_header_in_quotes_leaves_the_answer_readable(server: Server) -> None:
    said = f'you sent "Basic {PAIR}", and "{TOKEN}"'
    server.answer = json.dumps({"errorMessages": [said, json.dumps({"sent": said}), "no"]})
    error = told_by_jira(server, CredentialKind.API_TOKEN)
    hidden = 'you sent "Basic ***", and "***"'
    assert list(error.messages) == [hidden, json.dumps({"sent": hidden}), "no"]


def test_a_password_as_short_as_a_word_is_hidden_in_the_header_only() -> None:
    header = base64.b64encode(b"bridge@example.com:set").decode()
    said = mask_credential(f"Basic {header}: summary must be set", {"Authorization": f"Basic {header}"})
    assert said == "Basic ***: summary must be set"


def test_an_answer_that_is_no_error_is_left_as_it_is(server: Server) -> None:
    server.status = 200
    server.answer = json.dumps({"summary": f"somebody pasted {TOKEN}"})
    response = jira(server, CredentialKind.API_TOKEN).exchange("GET", "/issue/1")
    assert response.json() == {"summary": f"somebody pasted {TOKEN}"}
