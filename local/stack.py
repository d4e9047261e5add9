"""The whole on one machine: Jira, Backtrace, AWS and the functions, wired as template.yaml wires them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.links.link import Link, LinkKey
from backtrace_jira.settings.base import Settings
from backtrace_jira.settings.connection import BacktraceUniverse, Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from local import CACHE
from local.aws.cloud import EmulatedAWS
from local.aws.dynamodb_local import DynamoDBLocal, Engine, available
from local.aws.environment import without_account
from local.aws.event_source import EventSource
from local.aws.function import Function, InProcessFunction
from local.aws.http_api import HttpApi
from local.aws.resources import FunctionSettings
from local.aws.schedule import scheduled_event
from local.aws.wire_log import WireLog
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from local.jira_stand_in import JiraStandIn

LOG = CACHE / "local.log"
MOTO = "moto's tables"


class LocalStack:
    """One deployment. In a process, one at a time.

    `jira` and `backtrace` are the stand-ins, `aws` the emulated services, `wire` what the functions sent.
    `functions`, `sources` (of those that a queue feeds) and `schedules` (of those that a schedule runs) have the
    functions' logical ids as keys; `function`, `settings` and `events` are those of CreateTicket.

    Give `dynamodb` to share a running engine. Without one, the stack starts DynamoDB Local, or uses moto's tables if
    that cannot run; `store` says which. Give `function` to make, say, a `BuiltFunction` of a function's settings
    instead of its handler in this process.
    """

    def __init__(
        self,
        *,
        jira: JiraStandIn | None = None,
        dynamodb: Engine | None = None,
        function: Callable[[FunctionSettings], Function] | None = None,
        log: Path = LOG,
    ) -> None:
        self.jira = jira or JiraStandIn()
        self.backtrace = BacktraceStandIn()
        self.wire = WireLog()
        self.log = log
        self._given_dynamodb = dynamodb
        self._dynamodb: Engine | None = None
        self._new_function = function or (lambda settings: InProcessFunction(settings, log))
        self._stack = ExitStack()

    def start(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        self._dynamodb = self._given_dynamodb
        if self._dynamodb is None and available() is None:
            own = self._dynamodb = DynamoDBLocal()
            self._stack.callback(own.stop)
            own.launch()  # it starts while the rest does
        self._stack.enter_context(self.jira)
        self._stack.enter_context(self.backtrace)
        with without_account():
            self.aws = self._stack.enter_context(EmulatedAWS(dynamodb=self._dynamodb))
        self._sqs, self._ssm = self.aws.client("sqs"), self.aws.client("ssm")
        self._links = DynamoDBTicketLinks(
            Table(self.aws.client("dynamodb"), self.aws.outputs["LinksTableName"])
        )
        self._stack.enter_context(self.wire)
        self._start_functions()
        self.names = ParameterNames(self.environment["SETTINGS_PREFIX"])
        self.sources = {
            queue.function: EventSource(self._sqs, queue, self.functions[queue.function])
            for queue in self.aws.queue_mappings()
        }
        self.events = self.sources["CreateTicket"]
        self.schedules = {schedule.function: schedule for schedule in self.aws.schedules()}
        self._serve_api()

    def _start_functions(self) -> None:
        self.functions: dict[str, Function] = {}
        self._settings = {name: self.aws.function(name) for name in self.aws.functions}
        for name, settings in self._settings.items():
            self.functions[name] = self._new_function(settings)
            self._stack.callback(self.functions[name].stop)
            self.functions[name].start()
        self.settings, self.function = self._settings["CreateTicket"], self.functions["CreateTicket"]

    def _serve_api(self) -> None:
        timeouts = {name: settings.timeout for name, settings in self._settings.items()}
        self.api = self._stack.enter_context(HttpApi(self.aws.routes, self.functions, timeouts))
        for name in {route.api for route in self.aws.routes}:
            self.aws.put_api_address(name, self.api.url)

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """Return CreateTicket's environment variables."""
        return self.settings.environment

    @property
    def webhook_url(self) -> str:
        """Return where webhooks go; a connection's name follows."""
        return self.aws.outputs["WebhookUrl"]

    @property
    def store(self) -> str:
        """Say which engine holds the tables."""
        if self._dynamodb and not self.aws.dynamodb_fault:
            return f"DynamoDB Local {self._dynamodb.version}"
        return f"{MOTO} (no DynamoDB Local: {self.aws.dynamodb_fault or available()})"

    # Settings, as `backtrace-jira configure` writes them

    def connection(self) -> Connection:
        """Return the settings of a connection to the stand-in."""
        return Connection(name="main", jira_api=self.jira.url, email=self.jira.user)

    def configure(
        self,
        *,
        connection: Connection | None = None,
        jira_secret: str | None = None,
        **settings: Any,
    ) -> Integration:
        """Write an integration, its connection and its universe, and start the functions cold.

        Without arguments: from the sample's project to project BUG of the stand-in. `settings` are those of
        `Integration`.
        """
        connection = connection or self.connection()
        defaults = {
            "universe": self.backtrace.universe,
            "project": next(iter(self.backtrace.projects)),
            "name": "jira-bugs",
            "connection": connection.name,
            "project_key": "BUG",
            "subject": "$error.message in $application",
        }
        integration = Integration.model_validate(defaults | settings)
        universe = BacktraceUniverse(universe=integration.universe, address=self.backtrace.url)
        self.put(self.names.connection(connection.name), connection)
        self.put_secret(self.names.jira_secret(connection.name), jira_secret or self.jira.token)
        self.put(self.names.universe(integration.universe), universe)
        self.put_secret(self.names.backtrace_secret(integration.universe), self.backtrace.token)
        self.put(self.names.integration(integration), integration)
        for function in self.functions.values():
            function.restart()
        return integration

    def put(self, name: str, settings: Settings) -> None:
        text = settings.model_dump_json(exclude_none=True)
        self._ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)

    def put_secret(self, name: str, secret: str) -> None:
        self._ssm.put_parameter(Name=name, Value=secret, Type="SecureString", Overwrite=True)

    # Events

    def publish(self, group: dict[str, Any] | str) -> None:
        """Publish an error group, or any text, to the topic."""
        message = group if isinstance(group, str) else json.dumps(group)
        self.aws.client("sns").publish(TopicArn=self.aws.outputs["ErrorEventsTopicArn"], Message=message)

    def drain(self) -> int:
        """Deliver error events until the queue is empty or what is left waits for later; return how many."""
        return self.events.drain()

    def settle(self, *, timeout: float = 60) -> int:
        """Deliver from all queues until nothing moves any more; return how many messages were delivered.

        Raises:
            TimeoutError: messages came back at once, again and again.
        """
        until = time.monotonic() + timeout
        delivered = 0
        while moved := sum(source.drain(timeout=timeout) for source in self.sources.values()):
            delivered += moved
            if time.monotonic() > until:
                raise TimeoutError(f"it does not settle: {delivered} deliveries in {timeout:g} s")
        return delivered

    def tick(self, function: str) -> Any:
        """Invoke a function as its schedule does; return its answer, raise what it raises."""
        return self.functions[function](scheduled_event(self.schedules[function]))

    def hasten(self) -> None:
        """Let what waits for later be delivered by the next `drain` or `settle`."""
        for source in self.sources.values():
            source.hasten()

    # The world after

    def row(self, integration: Integration, fingerprint: str) -> Link | None:
        """Return the link row."""
        return self._links.get(LinkKey(integration.id, fingerprint))

    def waiting(self, function: str = "CreateTicket") -> int:
        """Return how many messages are in a function's queue, hidden ones included."""
        return self.sources[function].waiting()

    def dead_letters(self, output: str = "DeadLettersUrl") -> list[dict[str, str]]:
        """Return what was given up: `Body`, and its attributes (`Reason`, `Decision`, ...).

        `output` is the stack's that names the queue.
        """
        url = self.aws.outputs[output]
        found: list[dict[str, str]] = []
        handles = []
        while messages := self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=30
        ).get("Messages", []):
            handles += [message["ReceiptHandle"] for message in messages]
            found += [_letter(message) for message in messages]
        for handle in handles:
            self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return found


def _letter(message: dict[str, Any]) -> dict[str, str]:
    attributes = message.get("MessageAttributes", {})
    return {"Body": message["Body"], **{name: value["StringValue"] for name, value in attributes.items()}}
