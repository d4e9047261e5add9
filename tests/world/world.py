"""One deployment on loopback: real adapters, AWS emulated in this process, Jira and Backtrace as stand-ins.

Every request that leaves a delivery is seen here, by hooks that requests and botocore offer for that. The
recording is what the crash tests enumerate: no list of calls is kept by hand.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, TypeVar

import boto3
import botocore.session
import pytest
import requests
from botocore.config import Config
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.sqs.models import sqs_backends
from requests.adapters import HTTPAdapter

from backtrace_jira.adapters.aws.lambda_batch import batch_answer, deliveries_of
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.batches import Deliveries
from backtrace_jira.bootstrap import aws, create_ticket
from backtrace_jira.links.link import Link, LinkKey, LinkState
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.tickets.context import Timing
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from local.jira_stand_in import JiraStandIn
from tests.builders import group, integration, sample_body
from tests.contracts.openapi import assert_valid
from tests.fakes.clock import Clock
from tests.tables import new_table

PREFIX = "/backtrace-jira/test"
Flavour = Literal["cloud", "data-center"]


class Cut(BaseException):
    """The process ends here: no `except Exception` and no clean-up of ours sees it."""


READS = re.compile(r"(dynamodb|ssm) (Get|BatchGet|Query)|http GET |http POST /api/query$")
"""Calls after which the world is as it was before them."""


@dataclass
class Wire:
    """What left the process, and where it is to be cut off."""

    calls: list[str] = field(default_factory=list)
    cut_at: int | None = None
    """The process dies when this one of `changes` is done, unheard. To die before a call, or after one that only
    reads, is the same: it leaves the world that the change before it has left."""
    interrupt_at: int | None = None
    interrupt: Callable[[], object] = lambda: None
    """Runs once before that call: another process, while this one waits."""
    hang: Callable[[str, bool], None] | None = None
    """Is told of each HTTP call before it is sent, and after it was answered (true); may raise as a time-out does."""

    @property
    def is_cut(self) -> bool:
        return self.cut_at is not None and len(self.changes) > self.cut_at

    def before(self, call: str) -> None:
        if self.is_cut:  # another of its threads
            raise Cut(f"before {call}")
        self.calls.append(call)
        if self.interrupt_at == len(self.calls) - 1:
            self.interrupt_at = None
            self.interrupt()

    def done(self, call: str) -> None:
        if self.is_cut:
            raise Cut(f"after {call}")

    @property
    def changes(self) -> list[str]:
        """The calls that may have changed something."""
        return [call for call in self.calls if not READS.match(call)]

    def count(self, service: str) -> int:
        return sum(call.startswith(service) for call in self.calls)


@contextmanager
def recorded(wire: Wire) -> Iterator[None]:
    """Let all that requests and botocore send pass by `wire`."""
    send = HTTPAdapter.send

    def http(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        call = f"http {request.method} {request.path_url.partition('?')[0]}"
        wire.before(call)
        if wire.hang:
            wire.hang(call, False)
        response = send(self, request, **options)
        wire.done(call)
        if wire.hang:
            wire.hang(call, True)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", http)
        patch.setattr(aws, "new_session", SharedSession)
        patch.setattr(SharedSession, "wire", wire)
        yield


def _aws_call(event_name: str) -> str:
    _, service, operation = event_name.split(".")
    return f"{service} {operation}"


class SharedSession:
    """A session whose clients all processes of a test run share: making one takes longer than most tests.

    What a client remembers is a pool of connections and a budget of retries; no settings, and no data. It is
    spared a description of this machine for each request.
    """

    wire = Wire()
    """The world at hand: what its processes send passes by here."""
    clients: ClassVar[dict[tuple[str, str | None], Any]] = {}

    def create_client(self, service: str, config: Config | None = None) -> Any:
        key = service, os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        if key not in self.clients:
            spared = Config(user_agent="tests")
            config = config.merge(spared) if config else spared
            made = self.clients[key] = botocore.session.get_session().create_client(service, config=config)
            made.meta.events.register_first("before-send", self._before)
            made.meta.events.register_last("response-received", self._done)
        return self.clients[key]

    @staticmethod
    def _before(event_name: str, **_: object) -> None:
        SharedSession.wire.before(_aws_call(event_name))

    @staticmethod
    def _done(event_name: str, **_: object) -> None:
        SharedSession.wire.done(_aws_call(event_name))


class AWS:
    """The test's own clients of the emulated services: what they send is not recorded."""

    _made: ClassVar[dict[str | None, AWS]] = {}

    def __init__(self) -> None:
        self.dynamodb = boto3.client("dynamodb")
        self.sqs = boto3.client("sqs")
        self.ssm = boto3.client("ssm")

    @classmethod
    def at(cls, dynamodb_endpoint: str | None) -> AWS:
        """Return the clients for an address of DynamoDB, made once in a test run; None is moto's."""
        if dynamodb_endpoint not in cls._made:
            cls._made[dynamodb_endpoint] = cls()
        return cls._made[dynamodb_endpoint]


class World:
    """A deployment with one integration; `new_process` is a cold start."""

    def __init__(self, flavour: Flavour, wire: Wire, aws: AWS, **settings: Any) -> None:
        self.flavour = flavour
        self.clock = Clock()
        self.wire = wire
        self.timing = Timing()
        self.reports: list[Outcome] = []
        self.jira = JiraStandIn(flavour, clock=self.clock)
        self.backtrace = BacktraceStandIn(clock=self.clock)
        self.settings = integration(**settings)
        self._aws = aws
        self._stack = ExitStack()
        self.events = self.dead = self.table = ""
        self.event_handles: list[str] = []

    def __enter__(self) -> Self:
        for server in (self.jira, self.backtrace):
            self._stack.enter_context(server)
        for name in ("events", "dead"):
            created = self._aws.sqs.create_queue(QueueName=f"{name}-{uuid.uuid4().hex}")
            setattr(self, name, created["QueueUrl"])
        self.table = new_table(self._aws.dynamodb)
        self.store = DynamoDBTicketLinks(Table(self._aws.dynamodb, self.table))
        self.configure()
        self.new_process()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stack.close()
        if kind is None:
            self.assert_valid_requests()

    def assert_valid_requests(self) -> None:
        """What our client sent, and what it was answered, is as Atlassian's own documents say."""
        assert_valid(self.jira.requests, self.flavour)

    @property
    def env(self) -> dict[str, str]:
        return {
            "STAGE": "test",
            "SETTINGS_PREFIX": PREFIX,
            "LINKS_TABLE": self.table,
            "ERROR_EVENTS_QUEUE_URL": self.events,
            "DEAD_LETTERS_URL": self.dead,
            "JIRA_CHANGES_QUEUE_URL": "",
        }

    def configure(self, **changes: Any) -> None:
        """Write the settings as the operator's command does."""
        names = ParameterNames(PREFIX)
        self.settings = self.settings.model_copy(update=changes)
        self._connect("main", self.jira)
        universe = {"universe": "my_universe", "address": self.backtrace.url}
        self.put(names.universe("my_universe"), json.dumps(universe))
        self.put(names.backtrace_secret("my_universe"), self.backtrace.token, secret=True)
        self.put(names.integration(self.settings), self.settings.model_dump_json())

    def add_integration(self, jira: JiraStandIn | None = None, **changes: Any) -> Integration:
        """Configure an integration beside the world's own, with its connection to this Jira or another."""
        settings = integration(**changes)
        self._connect(settings.connection, jira or self.jira)
        self.put(ParameterNames(PREFIX).integration(settings), settings.model_dump_json())
        return settings

    def _connect(self, connection: str, jira: JiraStandIn) -> None:
        names = ParameterNames(PREFIX)
        written = {"name": connection, "jira_api": jira.url, "email": jira.user}
        self.put(names.connection(connection), json.dumps(written))
        self.put(names.jira_secret(connection), jira.token, secret=True)

    def remove(self, name: str) -> None:
        self._aws.ssm.delete_parameter(Name=name)

    def put(self, name: str, value: str, *, secret: bool = False) -> None:
        self._aws.ssm.put_parameter(
            Name=name, Value=value, Type="SecureString" if secret else "String", Overwrite=True
        )

    def new_process(self) -> None:
        """Start cold: nothing is remembered."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(create_ticket, "report", self.reports.append)
            self.process = create_ticket.wire(
                self.env, clock=self.clock, sleep=self.clock.advance, timing=self.timing
            )

    def event(self, *bodies: dict[str, Any] | str, sent_at: float | None = None) -> dict[str, Any]:
        """Return the Lambda event of a batch; without bodies, of the sample group."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies or (sample_body(),)]
        handles = [self._received(text) for text in texts]
        self.event_handles += handles
        return {
            "Records": [
                {
                    "eventSource": "aws:sqs",
                    "messageId": f"m{number}",
                    "receiptHandle": handles[number],
                    "body": text,
                    "attributes": {
                        "SentTimestamp": str(round(1000 * (self.clock() if sent_at is None else sent_at)))
                    },
                }
                for number, text in enumerate(texts)
            ]
        }

    def _received(self, body: str) -> str:
        self._aws.sqs.send_message(QueueUrl=self.events, MessageBody=body)
        (message,) = self._aws.sqs.receive_message(QueueUrl=self.events, VisibilityTimeout=30_000)["Messages"]
        return message["ReceiptHandle"]

    def event_of(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a batch of one body that no queue could carry: a direct event of any size."""
        return {
            "Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m0", "Message": json.dumps(body)}}]
        }

    def hidden_for(self, handle: str) -> float:
        """Return for how many seconds from now the queue hides a message."""
        queue = sqs_backends[ACCOUNT][boto3.Session().region_name].queues[self.events.rpartition("/")[2]]
        (message,) = (each for each in queue._messages if each.had_receipt_handle(handle))
        return float(message.visible_at) / 1000 - time.time()

    def deliver(self, event: dict[str, Any] | None = None, process: Deliveries | None = None) -> list[str]:
        """Serve one batch; return the ids that stay in the queue."""
        batch = deliveries_of(event or self.event())
        unfinished = (process or self.process)(batch, deadline=self.clock() + 60)
        return [item["itemIdentifier"] for item in batch_answer(unfinished)["batchItemFailures"]]

    def deliver_until_done(self, event: dict[str, Any] | None = None, attempts: int = 40) -> Decision:
        """Deliver as the queue does, the clock moving on by a step that no wait of ours undercuts."""
        event = event or self.event()
        for _ in range(attempts):
            if not self.deliver(event):
                return self.reports[-1].decision
            self.clock.advance(15)
        raise AssertionError(f"never done: {self.reports[-1]}")

    def deliver_and_be_cut(self) -> str:
        """Deliver until done, and lose the process at the wire's cut; return where that was."""
        event = self.event()
        try:
            self.deliver_until_done(event)
        except Cut as cut:
            return str(cut)
        return "nowhere"

    @property
    def key(self) -> LinkKey:
        return LinkKey(self.settings.id, group().fingerprint)

    def row(self) -> Link:
        row = self.store.get(self.key)
        assert row is not None
        return row

    def waiting(self) -> list[str]:
        """Return the bodies of the queue's messages, the hidden ones too."""
        queue = sqs_backends[ACCOUNT][boto3.Session().region_name].queues[self.events.rpartition("/")[2]]
        return [message.body for message in queue._messages]

    def dead_letters(self) -> list[dict[str, Any]]:
        """Return body and attributes of what was kept."""
        answer = self._aws.sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        return [
            {"body": letter["Body"]}
            | {name: value["StringValue"] for name, value in letter.get("MessageAttributes", {}).items()}
            for letter in answer.get("Messages", [])
        ]

    def assert_one_ticket(self) -> None:
        """One ticket in Jira, a complete row, Backtrace linked and In Progress."""
        self.assert_one_ticket_each(self.key)

    def assert_one_ticket_each(self, *keys: LinkKey) -> None:
        """One ticket in Jira for each key, and no other; complete rows, Backtrace linked and In Progress."""
        tickets = self.jira.issues.values()
        assert len(tickets) == len(keys)
        for key in keys:
            (ticket,) = (each for each in tickets if key.marker("test") in str(each.fields))  # or in its text
            row = self.store.get(key)
            assert row is not None
            assert row.state is LinkState.COMPLETE
            assert row.issue is not None
            assert (row.issue.id, row.issue.key, row.linked_in_backtrace) == (ticket.id, ticket.key, True)
            _, project, watcher = key.integration.split("/")
            issue = self.backtrace.issue(project, key.fingerprint)
            assert issue is not None
            assert issue.state == "in-progress"
            assert issue.ticket == [
                {"watcher": "_backtrace"},
                {"watcher": watcher, "short": ticket.key, "url": row.issue.url, "state": "open"},
            ]


W = TypeVar("W", bound=World)

MakeWorld = Callable[..., World]


@contextmanager
def worlds(kind: type[W], dynamodb_endpoint: str | None = None) -> Iterator[Callable[..., W]]:
    """Give a maker of worlds of a kind: making the next closes the last. Without an endpoint, moto is the store."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        if dynamodb_endpoint:
            patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
        aws = AWS.at(dynamodb_endpoint)

        def make(flavour: Flavour = "cloud", wire: Wire | None = None, **settings: Any) -> W:
            stack.close()
            wire = wire or Wire()
            stack.enter_context(recorded(wire))
            world = kind(flavour, wire, aws, **settings)
            stack.enter_context(world)
            wire.calls.clear()
            return world

        yield make
