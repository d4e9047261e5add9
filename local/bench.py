"""`make bench`: the numbers to hold, measured. Counts are exact; times are this machine's, medians of several runs."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from local import CACHE
from local.aws.resources import FunctionSettings
from local.aws.timed_function import TimedFunction
from local.aws.wire_log import JIRA, counted
from local.demo.both_sides import POLL_BACKTRACE, SYNC, register_webhook
from local.demo.fix_versions import FIX_VERSIONS, POLL_FIX_VERSIONS
from local.sample import new_group
from local.stack import LocalStack

EVENTS = 200
STARTS = 5
WARM = 4
"""Events after the first of each start."""


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
    for row in _starts():
        table.add_row(*row)
    Console().print(table)
    Console().print(
        f"Store: {store}. CPU: of an event's thread, the median of {EVENTS}; of a start's whole process."
    )


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


def _starts() -> Iterator[tuple[str, str, str]]:
    """Start each function several times, and let changes go all the ways through after each start."""
    log = CACHE / "bench-functions.log"
    timed: dict[str, TimedFunction] = {}

    def function(settings: FunctionSettings) -> TimedFunction:
        return timed.setdefault(settings.logical_id, TimedFunction(settings, log))

    with LocalStack(log=log, function=function) as stack:
        stack.configure(sync=SYNC, fix_versions=FIX_VERSIONS)
        register_webhook(stack, stack.connection().name)
        for each in timed.values():
            each.inits.clear()
            each.events.clear()
        for _ in range(STARTS):
            for each in timed.values():
                each.restart()
            for _ in range(1 + WARM):
                _go_all_ways(stack)
    for name, each in timed.items():
        yield f"init of {name} (CPU, ms)", f"{statistics.median(each.inits):.0f}", ""
        first = statistics.median(events[0] for events in each.events)
        warm = statistics.median(time for events in each.events for time in events[1:])
        yield f"first event of {name} (CPU, ms)", f"{first:.1f}", ""
        yield "... over a warm one", f"{first / warm:.1f} ×", "≤ 3"


def _go_all_ways(stack: LocalStack) -> None:
    before = set(stack.jira.issues)
    stack.publish(new_group())
    stack.settle()
    (key,) = set(stack.jira.issues) - before
    stack.jira.webhooks.outbox.clear()
    stack.jira.transition(key, "Done")
    stack.jira.webhooks.deliver_all()
    stack.settle()
    for function in (POLL_BACKTRACE, POLL_FIX_VERSIONS):
        stack.tick(function)


if __name__ == "__main__":
    main()
