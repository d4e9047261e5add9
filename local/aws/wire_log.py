"""A log of the requests that a function sends: to AWS by botocore's events, to others by the package's request log.

Nobody keeps a list of calls by hand.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from botocore.handlers import BUILTIN_HANDLERS

REQUEST_LOG = "backtrace_jira.adapters.http"
JIRA, BACKTRACE = "Jira", "Backtrace"
SERVICES = {"dynamodb": "DynamoDB", "ssm": "SSM", "sqs": "SQS"}


@dataclass(frozen=True)
class Call:
    """One request; `status` is known for HTTP requests that were answered."""

    service: str
    operation: str
    status: int = 0


class WireLog:
    """Records requests while it is open. It does not see clients that were made before: make the test's own first."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        self._hook = ("before-send", self._aws_request)
        self._handler = _Handler(self._add)
        self._logger = logging.getLogger(REQUEST_LOG)
        self._level = logging.NOTSET

    def start(self) -> Self:
        BUILTIN_HANDLERS.append(self._hook)
        self._level = self._logger.level
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self._handler)
        return self

    def stop(self) -> None:
        if self._hook in BUILTIN_HANDLERS:
            BUILTIN_HANDLERS.remove(self._hook)
            self._logger.removeHandler(self._handler)
            self._logger.setLevel(self._level)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    def take(self) -> list[Call]:
        """Return what was recorded since the last time, and forget it."""
        with self._lock:
            taken, self._calls = self._calls, []
        return taken

    def _add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def _aws_request(self, event_name: str, **_: Any) -> None:
        """Record `before-send.dynamodb.UpdateItem`: botocore sends it at every attempt. None lets the request go on."""
        _name, service, operation = event_name.split(".")
        self._add(Call(SERVICES.get(service, service), operation))


class _Handler(logging.Handler):
    def __init__(self, add: Any) -> None:
        super().__init__(logging.INFO)
        self._add = add

    def emit(self, record: logging.LogRecord) -> None:
        path = getattr(record, "http_path", None)
        if path is None:
            return
        service = JIRA if "/rest/" in path else BACKTRACE
        self._add(
            Call(service, f"{getattr(record, 'http_method', '')} {path}", getattr(record, "http_status", 0))
        )


def counted(calls: Iterable[Call]) -> dict[str, int]:
    """Count by service."""
    return dict(Counter(call.service for call in calls))
