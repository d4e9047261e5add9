"""One session to one server: which connections carry its requests, and which servers it trusts.

The server is the standard library's: the stand-ins' one closes every connection, as no Jira does.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth

from backtrace_jira.adapters.http import Http, Response, Timeouts, _trust, read_certificates
from backtrace_jira.errors import InvalidSettings, Unreachable

CERTIFICATES = Path(__file__).with_name("certificates")
"""An authority for these tests, and a certificate of it for `localhost`; both are valid until 2126."""
BODY = b'{"a": 1}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204 if self.path == "/nothing" else 200)
        if self.path == "/whole":
            self.send_header("Content-Length", str(len(BODY)))
        elif self.path == "/in-pieces":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.path == "/whole":
            self.wfile.write(BODY)
        elif self.path == "/in-pieces":
            self.wfile.write(b"4\r\n" + BODY[:4] + b"\r\n4\r\n" + BODY[4:] + b"\r\n0\r\n\r\n")

    do_POST = do_GET  # noqa: N815 - the base class's name

    def do_CONNECT(self) -> None:
        """Be a proxy that lets nobody through."""
        assert isinstance(self.server, Server)
        self.server.asked_for.append(self.path)
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.accepted: list[socket.socket] = []
        self.asked_for: list[str] = []
        """The servers to which somebody wanted to be led by this one, as a proxy."""
        self.url = f"http://127.0.0.1:{self.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.url = f"https://localhost:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that does not trust this server."""

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.accepted.append(connection)
        return connection, address


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    with Server(certificate) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()
        for connection in made.accepted:
            connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve as `localhost`, with a certificate that no public authority knows."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    _trust.cache_clear()
    with serving(CERTIFICATES / "localhost.pem") as made:
        yield made
    _trust.cache_clear()


def session(timeouts: Timeouts | None = None) -> Http:
    return Http(HTTPBasicAuth("somebody", "secret"), timeouts=timeouts)


@pytest.mark.parametrize("path", ["/whole", "/in-pieces", "/nothing"])
def test_requests_that_follow_each_other_share_one_connection(server: Server, path: str) -> None:
    http = session()
    answers = [http.send("GET", server.url + path) for _ in range(5)]
    assert {(answer.whole, answer.content) for answer in answers} == {
        (True, b"" if path == "/nothing" else BODY)
    }
    assert len(server.accepted) == 1


def test_a_connection_that_was_idle_is_not_used_again(server: Server) -> None:
    http = session(Timeouts(idle=4))
    for now in (100.0, 103.0, 108.0):
        http.send("GET", server.url + "/nothing", clock=lambda now=now: now)  # type: ignore[misc]
    assert len(server.accepted) == 2


def test_a_server_that_hung_up_meanwhile_costs_no_answer(server: Server) -> None:
    http = session()
    assert http.send("GET", server.url + "/whole").status == 200
    server.accepted[0].shutdown(socket.SHUT_RDWR)
    assert http.send("POST", server.url + "/whole").status == 200
    assert len(server.accepted) == 2


def test_certificates_are_read_once_however_many_connections_there_are(
    https: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "authority.pem"))
    read: list[Any] = []
    load = ssl.SSLContext.load_verify_locations

    def counted(self: ssl.SSLContext, *places: Any, **named: Any) -> None:
        read.append((places, named))
        load(self, *places, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    for http in (session(Timeouts(idle=-1)), session()):
        for _ in range(3):
            assert http.send("GET", https.url + "/whole").content == BODY
    assert len(https.accepted) == 4
    assert len(read) == 1


def test_certificates_that_were_read_ahead_are_not_read_again(
    https: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_certificates()
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", None)
    with pytest.raises(InvalidSettings, match="certificate is not trusted"):
        session().send("GET", https.url + "/whole")


@pytest.mark.parametrize("bundle", ["", str(CERTIFICATES)], ids=["public authorities", "empty folder"])
def test_a_server_of_no_trusted_authority_gets_no_request(
    https: Server, monkeypatch: pytest.MonkeyPatch, bundle: str
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with pytest.raises(InvalidSettings, match="certificate is not trusted"):
        session().send("GET", https.url + "/whole")


def test_a_certificate_of_another_name_is_not_trusted(https: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "authority.pem"))
    with pytest.raises(InvalidSettings, match="certificate is not trusted"):
        session().send("GET", https.url.replace("localhost", "127.0.0.1") + "/whole")


@pytest.mark.parametrize("direct", [False, True])
def test_the_environment_names_a_proxy_and_who_needs_none(
    server: Server, https: Server, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "localhost" if direct else "elsewhere.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "authority.pem"))
    http = session()
    for _ in range(2):
        with nullcontext() if direct else pytest.raises(Unreachable, match="ProxyError"):
            assert http.send("GET", https.url + "/whole").content == BODY
    assert len(server.asked_for) == (0 if direct else 2)
    assert len(https.accepted) == (1 if direct else 0)


def test_a_proxy_that_is_away_has_sent_nothing(https: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(Unreachable, match="no connection"):
        session().send("GET", https.url + "/whole")


def test_no_proxy_leads_to_a_server_of_this_machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert session().send("GET", server.url + "/whole").content == BODY


def test_the_environment_is_read_once_for_a_server(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = requests.sessions.get_environ_proxies

    def counted(url: str, no_proxy: str | None = None) -> Any:
        reads.append(url)
        return read(url, no_proxy)

    monkeypatch.setattr(requests.sessions, "get_environ_proxies", counted)
    http = session()
    for path in ("/whole", "/nothing", "/in-pieces"):
        http.send("POST", server.url + path)
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Fri, 15 Jan 2027 08:10:00 GMT", 600.0),
        ("Fri, 15 Jan 2027 07:50:00 GMT", -600.0),
        ("Fri, 15 Jan 2027 08:00:03 GMT", 0.0),  # on its way, and whole seconds
        ("Fri, 15 Jan 2027 09:30:00 GMT", 0.0),  # no clock, but a proxy's memory
        ("soon", None),
        ("", None),
    ],
)
def test_an_answer_says_how_far_the_servers_clock_is_ahead(date: str, ahead: float | None) -> None:
    assert Response(200, {"date": date} if date else {}).ahead_of(1_800_000_000.0) == ahead
