"""What is measured, beside what it should be: batches of ten, waiting, new tickets, init and first event."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.links.pace import Pace
from backtrace_jira.synchronisation.jira_change import JiraChange
from local import ROOT
from local.bench.measured_function import Cost, MeasuredFunction
from local.demo.both_sides import SYNC
from local.demo.fix_versions import FIX_VERSIONS
from local.sample import new_group
from local.stack import LocalStack
from local.storm.figures import Figure

BATCH = 10
ROUNDS, STARTS, WARM = 15, 5, 3
SLOW_JIRA = 0.3
"""Seconds."""
SECRET = "the webhook's secret"  # noqa: S105 - of the stand-in
FIRST_OVER_WARM = 3.0


class Bench:
    """Measures the built functions of a stack."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._integration = stack.configure(sync=SYNC, fix_versions=FIX_VERSIONS)
        stack.put_secret(stack.names.webhook_secret("main"), SECRET)
        self._function = _measured(stack, "CreateTicket")
        table = Table(stack.aws.client("dynamodb"), stack.aws.outputs["LinksTableName"])
        self._links = DynamoDBTicketLinks(table)

    def figures(self) -> Iterator[Figure]:
        """Measure one thing after the other."""
        yield from self._starts()  # ahead of the many tickets, which the polls would look at
        yield from self._known()
        yield from self._new()
        yield from self._waiting()

    def _known(self) -> Iterator[Figure]:
        groups = _new_groups()
        self._serve(groups)
        counted = self._counted(groups, groups[0])
        costs = [self._serve(groups) for _ in range(ROUNDS)]
        yield Figure("ten known groups: DynamoDB requests", counted.counts.get("dynamodb", 0), most=1)
        yield Figure("ten known groups: requests to Jira", counted.counts.get("Jira", 0), most=0)
        yield Figure("known group: CPU", _each(costs), most=0.8, unit="ms")
        yield Figure("known group: log", _logged(costs), unit="bytes")

    def _new(self) -> Iterator[Figure]:
        self._serve(_new_groups())  # the process has learnt how many calls at once go well
        counted = self._counted(_new_groups(), new_group())
        self._serve(_new_groups())
        costs = [self._serve(_new_groups()) for _ in range(ROUNDS)]
        units, requests = counted.counts.get("write units", 0), counted.counts.get("dynamodb", 0)
        yield Figure("new ticket: CPU", _each(costs), most=8, unit="ms")
        yield Figure("new ticket: write units", units / BATCH, most=4)
        yield Figure("new ticket: DynamoDB requests", requests / BATCH, most=3.1)
        yield Figure("new ticket: requests to Jira", counted.counts.get("Jira", 0) / BATCH, most=1)
        yield Figure("new ticket: log", _logged(costs), unit="bytes")
        self._stack.jira.faults.add("POST", "/issue$", None, delay=SLOW_JIRA)
        slow = [self._serve(_new_groups()).seconds for _ in range(3)]
        self._stack.jira.faults.clear()
        yield Figure(
            "ten new tickets, Jira 300 ms: by the clock", statistics.median(slow), most=1.5, unit="s"
        )

    def _waiting(self) -> Iterator[Figure]:
        pause = Pace(paused_until=time.time() + 3600, rate=1.0)
        self._links.replace_pace("main", Pace(), pause)
        counted = self._counted(_new_groups(), new_group())
        self._serve(_new_groups())
        costs = [self._serve(_new_groups()) for _ in range(ROUNDS)]
        self._links.replace_pace("main", pause, Pace())
        self._function.restart()  # the process would keep to the pause
        requests = counted.counts.get("dynamodb", 0)
        yield Figure("ten that wait: DynamoDB requests", requests, most=1)
        yield Figure("ten that wait: SQS requests", counted.counts.get("sqs", 0))
        yield Figure("ten that wait: write units", counted.counts.get("write units", 0), most=0)
        yield Figure("one that waits: CPU", _each(costs), most=1, unit="ms")
        yield Figure("one that waits: log", _logged(costs), unit="bytes")

    def _starts(self) -> Iterator[Figure]:
        group = new_group()
        self._serve([group])
        row = self._stack.row(self._integration, group["fingerprint"])
        assert row
        assert row.issue
        hint = JiraChange("main", row.issue.id).to_json()
        events: dict[str, Callable[[], Any]] = {
            "CreateTicket": lambda: self._serve([group]),
            "ReceiveWebhook": lambda: self._stack.functions["ReceiveWebhook"](_signed_webhook()),
            "ApplyJiraChange": lambda: self._stack.functions["ApplyJiraChange"](_sqs_event(hint)),
            "PollBacktrace": lambda: self._stack.tick("PollBacktrace"),
            "PollFixVersions": lambda: self._stack.tick("PollFixVersions"),
        }
        for name, send in events.items():
            yield from self._start(name, send)

    def _start(self, name: str, send: Callable[[], Any]) -> Iterator[Figure]:
        function = _measured(self._stack, name)
        send()  # what piled up is done with: a quiet run is measured
        inits, firsts, warm = list[float](), list[float](), list[float]()
        for _ in range(STARTS):
            function.restart()
            costs = list[Cost]()
            for _ in range(1 + WARM):
                send()
                costs.append(function.last)
            inits.append(function.init)
            firsts.append(costs[0].cpu)
            warm += [cost.cpu for cost in costs[1:]]
        first, usual = statistics.median(firsts), statistics.median(warm)
        yield Figure(f"{name}: init, CPU", 1000 * statistics.median(inits), unit="ms")
        yield Figure(f"{name}: first event, CPU", 1000 * first, unit="ms")
        yield Figure(f"{name}: first event over a warm one", first / usual, most=FIRST_OVER_WARM)

    # Batches

    def _serve(self, groups: list[dict[str, Any]]) -> Cost:
        """Serve error events in one batch, and return what it cost."""
        for group in groups:
            self._stack.publish(group)
        assert self._stack.events.poll() == len(groups)
        return self._function.last

    def _counted(self, groups: list[dict[str, Any]], first: dict[str, Any]) -> Cost:
        """Serve a batch in a process that counts requests, as its second one; the next process does not."""
        self._function.restart()
        self._function.counts_requests = True
        self._serve([first])
        cost = self._serve(groups)
        self._function.counts_requests = False
        self._function.restart()
        return cost


def _measured(stack: LocalStack, name: str) -> MeasuredFunction:
    function = stack.functions[name]
    assert isinstance(function, MeasuredFunction)
    return function


def _new_groups() -> list[dict[str, Any]]:
    return [new_group() for _ in range(BATCH)]


def _signed_webhook() -> dict[str, Any]:
    """Return the sample webhook as a new one of Jira's."""
    event: dict[str, Any] = json.loads((ROOT / "events/receive_webhook.json").read_text())
    digest = hmac.new(SECRET.encode(), event["body"].encode(), hashlib.sha256).hexdigest()
    changed = {"x-hub-signature": f"sha256={digest}", "x-atlassian-webhook-identifier": secrets.token_hex(8)}
    return event | {"headers": event["headers"] | changed}


def _sqs_event(body: str) -> dict[str, Any]:
    record = {
        "eventSource": "aws:sqs",
        "messageId": secrets.token_hex(8),
        "receiptHandle": "none",
        "body": body,
    }
    return {"Records": [record]}


def _each(costs: Sequence[Cost]) -> float:
    """Return the milliseconds of the processor for each event of a batch."""
    return 1000 * statistics.median(cost.cpu for cost in costs) / BATCH


def _logged(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.logged for cost in costs) / BATCH
