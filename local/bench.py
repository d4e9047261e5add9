"""`make bench`: the numbers to hold, measured. Counts are exact; times are this machine's, medians of several runs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from local import CACHE, ROOT
from local.aws.wire_log import JIRA, counted
from local.sample import new_group
from local.stack import LocalStack

IMPORT_RUNS = 7
EVENTS = 200
BARE = "import json"
PATHS = ("create_ticket", "receive_webhook", "apply_jira_change", "poll_backtrace", "poll_fix_versions")


def main() -> None:
    """Measure and print."""
    table = Table(title="backtrace-jira: what one event costs")
    for column in ("what", "measured", "hold"):
        table.add_column(column, justify="left" if column == "what" else "right")
    with LocalStack(log=CACHE / "bench.log") as stack:
        stack.configure()
        for row in (*_calls(stack), *_cpu(stack)):
            table.add_row(*row)
        store = stack.store
    for row in _imports():
        table.add_row(*row)
    Console().print(table)
    Console().print(f"Store: {store}. Times are CPU of the handler's thread, {EVENTS} events each.")


def _calls(stack: LocalStack) -> Iterable[tuple[str, str, str]]:
    stack.publish(new_group())
    stack.drain()  # warm
    group = new_group()
    for name, jira, store in (("new ticket, warm", "1", "≤ 3"), ("known group", "0", "≤ 1")):
        stack.wire.take()
        stack.publish(group)
        stack.drain()
        calls = counted(stack.wire.take())
        yield f"Jira calls, {name}", str(calls.get(JIRA, 0)), jira
        yield f"DynamoDB requests, {name}", str(calls.get("DynamoDB", 0)), store


def _cpu(stack: LocalStack) -> Iterable[tuple[str, str, str]]:
    group = new_group()
    known = [group] * EVENTS
    stack.publish(group)
    stack.drain()
    yield "CPU per event, known group (ms)", f"{_milliseconds(stack, known):.2f}", "≤ 2"
    new = [new_group() for _ in range(EVENTS)]
    yield "CPU per event, new ticket (ms)", f"{_milliseconds(stack, new):.2f}", ""


def _milliseconds(stack: LocalStack, groups: list[dict[str, Any]]) -> float:
    """Invoke the function for one group after the other.

    The servers' threads do not count, and what an empty batch costs (the harness) is taken off.
    """
    events = [
        {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": json.dumps(group)}}]}
        for group in groups
    ]
    empty = [_spent(stack, {"Records": []}) for _ in groups]
    return 1000 * (statistics.median(_spent(stack, event) for event in events) - statistics.median(empty))


def _spent(stack: LocalStack, event: dict[str, Any]) -> float:
    began = time.thread_time()
    stack.function(event)
    return time.thread_time() - began


def _imports() -> Iterator[tuple[str, str, str]]:
    bare = _import_time(BARE)
    for path in PATHS:
        spent = _import_time(f"import {path}.handler") - bare
        yield f"import of {path} over a bare one (ms)", f"{spent:.0f}", ""


def _import_time(statement: str) -> float:
    """Return the median wall time of an import in a fresh interpreter, in milliseconds."""
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    path = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/bridge"))
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(IMPORT_RUNS)
    ]
    return 1000 * statistics.median(float(run.stdout) for run in runs)


if __name__ == "__main__":
    main()
