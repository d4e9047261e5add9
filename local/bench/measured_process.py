"""A function's process, as Lambda starts it, that says what each invocation cost. Run by the deployed Python, alone.

It gets events on standard input, a JSON text in each line, and writes what they cost to the file descriptor that its
first argument names. The second argument is the handler; with a third one, requests are counted, too. The processor
time is that of all threads of this process: the servers live in another one.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from collections import Counter
from typing import Any

REQUEST_LOG = "backtrace_jira.adapters.http"
PRICED = {"GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}


class Context:
    """Lambda's context object, as far as handlers and Powertools look at it."""

    memory_limit_in_mb = 512
    function_name = invoked_function_arn = aws_request_id = "bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return Lambda's time-out for most of the functions."""
        return 60_000


class Counts(logging.Handler):
    """Requests by service, and the units that DynamoDB would charge."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Listen to botocore and to the package's request log."""
        from botocore.handlers import BUILTIN_HANDLERS

        BUILTIN_HANDLERS.append(("before-send", self._sent))
        BUILTIN_HANDLERS.append(("before-parameter-build.dynamodb", self._ask_for_units))
        BUILTIN_HANDLERS.append(("after-call.dynamodb", self._add_units))
        logging.getLogger(REQUEST_LOG).setLevel(logging.INFO)
        logging.getLogger(REQUEST_LOG).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a request to Jira or Backtrace."""
        path = getattr(record, "http_path", None)
        if path is not None:
            self.counts["Jira" if "/rest/" in path else "Backtrace"] += 1

    def _sent(self, event_name: str, **_: Any) -> None:
        _name, service, operation = event_name.split(".")
        self.counts[service] += 1
        self.counts[f"{service} {operation}"] += 1

    def _ask_for_units(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in PRICED:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _add_units(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        found = parsed.get("ConsumedCapacity", [])
        kind = "read" if model.name in ("GetItem", "BatchGetItem", "Query", "Scan") else "write"
        for each in found if isinstance(found, list) else [found]:
            self.counts[f"{kind} units"] += each["CapacityUnits"]


def main(out: int, handler: str, *flags: str) -> None:
    """Import the handler, which is Lambda's init phase, then serve events until there are no more."""
    sys.path[0] = os.getcwd()  # noqa: PTH109 - as Lambda does
    counts = Counts()
    if flags:
        counts.start()
    module, _, name = handler.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    with os.fdopen(out, "w", buffering=1) as answers:
        answers.write(json.dumps({"init": time.process_time()}) + "\n")
        for line in sys.stdin:
            event, logged = json.loads(line), _logged()
            counts.counts.clear()
            began, now = time.process_time(), time.perf_counter()
            answer = function(event, Context())
            cost: dict[str, Any] = {"cpu": time.process_time() - began, "seconds": time.perf_counter() - now}
            cost |= {"logged": _logged() - logged, "answer": answer, "counts": counts.counts}
            answers.write(json.dumps(cost) + "\n")


def _logged() -> int:
    sys.stdout.flush()
    return os.fstat(1).st_size


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
