"""API Gateway's HTTP API on one machine: requests become events of payload format 2.0, answers become responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from local.aws.api_payload import event_of, matched, response_of
from local.aws.function import Function
from local.aws.sam import Route
from local.http.serving import Serving

LARGEST_REQUEST = 10 * 1024 * 1024
INTEGRATION_TIMEOUT = 30.0

NOT_FOUND = (404, "Not Found")
TOO_LARGE = (413, "Request Entity Too Large")
FUNCTION_FAILED = (500, "Internal Server Error")
NO_ANSWER = (503, "Service Unavailable")


class HttpApi:
    """The routes of the template at a loopback address; `start()` and `stop()` may be called in turn."""

    def __init__(
        self, routes: Sequence[Route], functions: Mapping[str, Function], timeouts: Mapping[str, float]
    ) -> None:
        """Take functions and their time-outs in seconds by logical id."""
        self._routes = routes
        self._functions = functions
        self._timeouts = timeouts
        self._serving = Serving(self._application)
        self.crashes: list[Exception] = []
        """The errors that functions raised, and the reasons why an answer was no response."""

    def start(self) -> Self:
        self._serving.start()
        return self

    def stop(self) -> None:
        self._serving.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._serving.url

    def _application(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        found = matched(self._routes, request)
        if found is None:
            return _said(*NOT_FOUND)
        route, parameters = found
        body = _body(request)
        if body is None:
            return _said(*TOO_LARGE)
        return self._answered(route, event_of(request, route, parameters, body))

    def _answered(self, route: Route, event: dict[str, Any]) -> Response:
        """Invoke the function. One that is too slow has failed, unless API Gateway loses its patience first."""
        timeout = self._timeouts[route.function]
        try:
            return response_of(_within(timeout, lambda: self._functions[route.function](event)))
        except Exception as error:
            self.crashes.append(error)
            patience_lost = isinstance(error, TimeoutError) and timeout > INTEGRATION_TIMEOUT
            return _said(*(NO_ANSWER if patience_lost else FUNCTION_FAILED))


def _body(request: Request) -> bytes | None:
    """Read the body; None when it is too large, and no more of it than shows that."""
    if (request.content_length or 0) > LARGEST_REQUEST:
        return None
    read = bytearray()
    while len(read) <= LARGEST_REQUEST:
        part = request.stream.read(min(65536, LARGEST_REQUEST + 1 - len(read)))
        if not part:
            return bytes(read)
        read += part
    return None


def _within(timeout: float, function: Callable[[], Any]) -> Any:
    """Return what a function returns; where it takes too long, nobody listens to it any more.

    Raises:
        TimeoutError: it took too long.
    """
    outcome: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((function(), None))
        except Exception as error:
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    seconds = min(timeout, INTEGRATION_TIMEOUT)
    try:
        answer, error = outcome.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"no answer after {seconds:g} s") from None
    if error:
        raise error
    return answer


def _said(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status, content_type="application/json")
