"""One DynamoDB Local for a whole run: the process that starts the workers lends it to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIEnvironment

import urllib3

from local.aws.dynamodb_local import DynamoDBLocal
from local.http.serving import Serving

PATIENCE = 200.0
"""Seconds; the engine has three attempts of a minute."""


@dataclass(frozen=True)
class BorrowedEngine:
    """An engine that another process started, and ends."""

    url: str
    version: str

    def start(self) -> None:
        """Do nothing: it runs."""


class Lender:
    """Starts an engine when the first worker asks for it, and tells each worker where it is."""

    def __init__(self) -> None:
        self._engine = DynamoDBLocal()
        self._one_at_a_time = threading.Lock()
        self._serving = Serving(self._lend)
        self._serving.start()

    @property
    def url(self) -> str:
        return self._serving.url

    def stop(self) -> None:
        self._serving.stop()
        self._engine.stop()

    def _lend(self, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._one_at_a_time:
            self._engine.start()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"url": self._engine.url, "version": self._engine.version}).encode()]


def borrow(lender: str) -> BorrowedEngine:
    """Ask a lender at its address for the engine."""
    answer = urllib3.request("GET", lender, timeout=PATIENCE, retries=False)
    assert answer.status == 200, answer.data
    return BorrowedEngine(**answer.json())
