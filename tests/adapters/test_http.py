"""One session to one server: which connections carry its requests.

The server is the standard library's: the stand-ins' one closes every connection, as no Jira does.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from requests.auth import HTTPBasicAuth

from backtrace_jira.adapters.http import Http, Timeouts

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

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.accepted: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.accepted.append(connection)
        return connection, address


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()
        for connection in made.accepted:
            connection.close()


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
