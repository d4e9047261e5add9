"""Between the socket and the application: context path, request log, faults, rate-limit headers."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.test import run_wsgi_app

from local.http.faults import Fault, Faults
from local.http.limits import RateLimit


@dataclass
class Exchange:
    """One request and what the client got.

    `status` is None when the connection was cut; `executed` tells whether the server did the work all the same.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any
    started: float
    status: int | None = None
    response: Any = None
    response_headers: dict[str, str] = field(default_factory=dict)
    executed: bool = False
    fault: Fault | None = None


class Edge:
    """A WSGI application around the Flask one."""

    def __init__(
        self,
        inner: WSGIApplication,
        faults: Faults,
        *,
        clock: Callable[[], float],
        lock: AbstractContextManager[Any],
        context_path: str = "",
        other_versions: str = "latest",
    ) -> None:
        """Take the application and what holds for all its requests.

        Args:
            inner: the application.
            faults: what goes wrong on the way to it.
            clock: unix seconds.
            lock: held while the application works, so that one request at a time sees its state.
            context_path: where it is mounted; "" is the root.
            other_versions: versions of the API, as a regular expression, that are served as version 2.
        """
        self.inner = inner
        self.clock = clock
        self.lock = lock
        self._other_api = re.compile(rf"^/rest/api/({other_versions})/")
        self.faults = faults
        self.context_path = context_path
        self.exchanges: list[Exchange] = []
        self.rate_limit: RateLimit | None = None
        self.stopping = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raw = _read_body(environ)
        exchange = _opened(environ, raw, self.clock())
        self.exchanges.append(exchange)
        fault = exchange.fault = self.faults.take(exchange.method, exchange.path)
        if fault and fault.delay:
            self.stopping.wait(fault.delay)
        if fault and fault.drop_before:
            _cut(environ)
        replaced = fault is not None and fault.status is not None
        if replaced and fault and not fault.after_effect:
            return _send(start_response, exchange, *_replacement(fault), truncate=False)
        status, headers, body = self._execute(environ, raw)
        exchange.executed = True
        if fault and fault.delay_after:
            self.stopping.wait(fault.delay_after)
        if fault and fault.drop_after:
            _cut(environ)
        if replaced and fault:
            status, headers, body = _replacement(fault)
        headers = {"Date": formatdate(self.clock(), usegmt=True), **headers}
        return _send(start_response, exchange, status, headers, body, truncate=bool(fault and fault.truncate))

    def _execute(self, environ: WSGIEnvironment, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        limited = self.rate_limit.take(self.clock()) if self.rate_limit else None
        if limited and limited[0]:
            body = json.dumps({"message": "Rate limit exceeded."}).encode()
            return 429, {"Content-Type": "application/json", **limited[1]}, body
        if not self._route(environ):
            return 404, {"Content-Type": "text/html"}, b"<html><body><h1>HTTP Status 404</h1></body></html>"
        environ["wsgi.input"] = io.BytesIO(raw)
        with self.lock:
            parts, status, headers = run_wsgi_app(self.inner, environ, buffered=True)
        found = dict(headers.items()) | (limited[1] if limited else {})
        return int(status.split()[0]), found, b"".join(parts)

    def _route(self, environ: WSGIEnvironment) -> bool:
        """Strip the context path, and serve the other versions of the API as version 2."""
        path = environ["PATH_INFO"]
        if not path.startswith(self.context_path):
            return False
        environ["SCRIPT_NAME"] = self.context_path
        environ["PATH_INFO"] = self._other_api.sub("/rest/api/2/", path[len(self.context_path) :]) or "/"
        return True


def _read_body(environ: WSGIEnvironment) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return cast(bytes, environ["wsgi.input"].read())
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return cast(bytes, environ["wsgi.input"].read(length)) if length else b""


def _opened(environ: WSGIEnvironment, raw: bytes, now: float) -> Exchange:
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    if "Authorization" in headers:
        headers["Authorization"] = _without_secret(headers["Authorization"])
    query = {key: ",".join(values) for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
    return Exchange(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, headers, _parsed(raw), now)


def _without_secret(value: str) -> str:
    """Keep the scheme and, for Basic, who it was; the secret never reaches the log."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        return f"{scheme} ***"
    try:
        login = base64.b64decode(rest).decode().partition(":")[0]
    except ValueError:
        login = "?"
    return f"{scheme} {login}:***"


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")


def _replacement(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    html = isinstance(fault.body, str)
    text = fault.body if html else "" if fault.body is None else json.dumps(fault.body)
    kind = "text/html;charset=UTF-8" if html else "application/json;charset=UTF-8"
    return fault.status or 200, {"Content-Type": kind, **fault.headers}, text.encode()


def _send(
    start_response: StartResponse,
    exchange: Exchange,
    status: int,
    headers: dict[str, str],
    body: bytes,
    truncate: bool,
) -> list[bytes]:
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    if status not in (204, 304):
        kept["Content-Length"] = str(len(body))
    exchange.status, exchange.response_headers, exchange.response = status, kept, _parsed(body)
    start_response(f"{status} {_reason(status)}", list(kept.items()))
    return [body[: len(body) // 2]] if truncate else [body]


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"


def _cut(environ: WSGIEnvironment) -> None:
    """Close the connection without an answer: a reset, as when a proxy or a server dies."""
    connection = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("cut by an injected fault")
