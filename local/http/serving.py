"""Serve a WSGI application on a free loopback port, from a thread."""

from __future__ import annotations

import threading
from wsgiref.types import WSGIApplication

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """A request handler that says nothing and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send no Date of this machine: the application has a clock of its own."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class Serving:
    """One application; `start()` and `stop()` may be called in turn."""

    def __init__(self, application: WSGIApplication, handler: type[WSGIRequestHandler] = Quiet) -> None:
        self._application = application
        self._handler = handler
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}" if self._server else ""

    def start(self) -> None:
        self._server = make_server(
            "127.0.0.1", 0, self._application, threaded=True, request_handler=self._handler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None
