"""Runs one handler and writes, line by line, what its start and each event took of the processor.

`timed_function` starts it by its path: nothing is imported here that a handler imports, or that would import it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import IO, Any


class Context:
    """Lambda's context object, as far as handlers and Powertools look at it."""

    memory_limit_in_mb = 512
    function_name = aws_request_id = "timed"
    invoked_function_arn = "arn:aws:lambda:local:123456789012:function:timed"

    def __init__(self, timeout: float) -> None:
        self._until = time.monotonic() + timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._until - time.monotonic()) * 1000))


def main(handler: str, timeout: float, events: IO[str]) -> None:
    """Import the handler, then serve each line as an event."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what the function prints is its log
        module, _, name = handler.rpartition(".")
        began = time.process_time()
        function = getattr(importlib.import_module(module), name)
        print(json.dumps({"cpu": time.process_time() - began}), file=answers, flush=True)
        for line in events:
            event = json.loads(line)
            context = Context(timeout)
            began = time.process_time()
            told: dict[str, Any] = {}
            try:
                told["answer"] = function(event, context)
            except Exception as error:
                told["error"] = repr(error)
            told["cpu"] = time.process_time() - began
            print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.stdin)
