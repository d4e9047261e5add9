"""A deployment that synchronises: the real handlers' wiring, Jira's webhooks in hand, and time that a test moves."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any, Self

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.aws.http_api import answer_of, webhook_of
from backtrace_jira.adapters.aws.lambda_batch import batch_answer, deliveries_of
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.bootstrap import (
    apply_jira_change,
    create_ticket,
    poll_backtrace,
    poll_fix_versions,
    receive_webhook,
    synchronise,
)
from backtrace_jira.jira.issue import Issue as Linked
from backtrace_jira.links.link import Link, LinkKey
from backtrace_jira.outcomes import Decision, Outcome, Record
from backtrace_jira.settings.connection import BacktraceUniverse
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.receive_webhook import Answer
from local.backtrace_stand_in.stand_in import Issue as Group
from local.jira_stand_in.model import Issue
from local.jira_stand_in.webhooks import Delivery
from tests.builders import group, sample_body
from tests.world.world import AWS, PREFIX, Flavour, Wire, World

SECRET = "what Jira signs with"
PROJECT = "my_project"
EVENTS = ("jira:issue_updated", "jira:issue_deleted")
PERIOD = 300


class SyncWorld(World):
    """Adds the functions of synchronisation, and a webhook that Jira was told of."""

    def __init__(self, flavour: Flavour, wire: Wire, aws: AWS, **settings: Any) -> None:
        sync = {"backtrace_to_jira": True, "jira_to_backtrace": True, **settings.pop("sync", {})}
        workflow = settings.pop("workflow", None)
        super().__init__(flavour, wire, aws, sync=sync, **settings)
        if workflow:
            self.jira.project().workflow = workflow
        self.told: list[Outcome] = []
        self.answers: list[Answer] = []
        self.changes = self.changes_dead = ""
        self._failed: list[str] = []
        self._in_hand: list[str] = []

    def __enter__(self) -> Self:
        for name in ("changes", "changes_dead"):
            created = self._aws.sqs.create_queue(
                QueueName=f"{name}-{uuid.uuid4().hex}.fifo", Attributes={"FifoQueue": "true"}
            )
            setattr(self, name, created["QueueUrl"])
        super().__enter__()
        self.links = DynamoDBSyncedLinks(Table(self._aws.dynamodb, self.table))
        self.put(ParameterNames(PREFIX).webhook_secret("main"), SECRET, secret=True)
        self.hook = self.jira.add_webhook("https://bridge.example/jira/main", secret=SECRET, events=EVENTS)
        return self

    @property
    def env(self) -> dict[str, str]:
        return super().env | {
            "JIRA_CHANGES_QUEUE_URL": self.changes,
            "JIRA_CHANGES_DEAD_LETTERS_URL": self.changes_dead,
        }

    def new_process(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(create_ticket, "report", self.reports.append)
            patch.setattr(apply_jira_change, "report", self.told.append)
            patch.setattr(synchronise, "report", self.told.append)
            self.process = create_ticket.wire(
                self.env, clock=self.clock, sleep=self.clock.advance, timing=self.timing
            )
            self.apply = apply_jira_change.wire(self.env, clock=self.clock, sleep=self.clock.advance)
            self.polling_backtrace = poll_backtrace.wire(self.env, clock=self.clock, sleep=self.clock.advance)
            self.polling_jira = poll_fix_versions.wire(self.env, clock=self.clock, sleep=self.clock.advance)
            self.intake = receive_webhook.wire(self.env, clock=self.clock)

    # Tickets

    def ticket(self, fingerprint: str | None = None) -> Issue:
        """Let an error group become a ticket, with nothing left to be told of it."""
        page = f"{self.backtrace.url}/dashboard/my_universe/project/{PROJECT}/group/1"
        body = sample_body() | {"group_url": page} | ({"fingerprint": fingerprint} if fingerprint else {})
        before = set(self.jira.issues)
        assert self.deliver(self.event(body)) == []
        (key,) = set(self.jira.issues) - before
        self.clock.advance(60)
        self.jira.webhooks.outbox.clear()
        return self.jira.issues[key]

    def link(self, fingerprint: str, issue: Issue) -> None:
        """Link another error group to a ticket, as the operator's command does."""
        linked = Linked(issue.id, issue.key, f"{self.jira.site_url}/browse/{issue.key}")
        key = LinkKey(self.settings.id, fingerprint)
        self.store.complete(key, linked, Record(self.clock(), Decision.LINKED))
        universe = BacktraceUniverse(universe="my_universe", address=self.backtrace.url)
        links = RestBacktraceLinks(BacktraceClient(universe, SecretStr(self.backtrace.token)))
        baseline = links.link(
            project=PROJECT, fingerprint=fingerprint, watcher=self.settings.name, issue=linked
        )
        self.store.mark_linked(key, baseline)

    def of(self, fingerprint: str | None = None) -> Group:
        """Return the error group as Backtrace has it."""
        found = self.backtrace.issue(PROJECT, fingerprint or group().fingerprint)
        assert found is not None
        return found

    def row_of(self, fingerprint: str | None = None) -> Link:
        row = self.links.get(LinkKey(self.settings.id, fingerprint or group().fingerprint))
        assert row is not None
        return row

    def status(self, issue: Issue) -> str:
        return self.jira.state.issues[issue.id].status.name

    def assignee(self, issue: Issue) -> str | None:
        """Return the e-mail address of the ticket's assignee."""
        value = self.jira.state.issues[issue.id].fields.get("assignee")
        return self.jira.state.find_user(value["id"]).email if value else None

    # What people do in Backtrace

    def set_state(self, state: str, fingerprint: str | None = None) -> None:
        self.backtrace.seed(PROJECT, fingerprint or group().fingerprint, state=state)

    def set_assignee(self, person: dict[str, Any] | None, fingerprint: str | None = None) -> None:
        row = self.of(fingerprint)
        tickets = [{**entry, "assignees": [person] if person else []} for entry in row.ticket]
        self.backtrace.seed(PROJECT, row.fingerprint, ticket=tickets)

    def assigned(self, fingerprint: str | None = None) -> list[int]:
        """Return the ids of the group's own assignees."""
        own = self.of(fingerprint).ticket[0]
        assert own["watcher"] == "_backtrace"
        return [person["id"] for person in own.get("assignees", [])]

    # Webhooks

    def receive(self, delivery: Delivery, path: str = "") -> int:
        """Let a webhook come in as API Gateway gives it to the function; return the status."""
        event = http_event(delivery.body, delivery.headers, path or delivery.url.partition("/jira/")[2])
        answer = self.intake(webhook_of(event))
        self.answers.append(answer)
        return int(answer_of(answer)["statusCode"])

    def deliver_webhooks(self) -> list[int]:
        """Let all webhooks come in that Jira has to send."""
        outbox = self.jira.webhooks.outbox
        statuses = [self.receive(delivery) for delivery in outbox]
        outbox.clear()
        return statuses

    # The functions behind

    def changes_waiting(self) -> list[dict[str, Any]]:
        """Return the bodies of the queue's messages."""
        return [json.loads(message["Body"]) for message in self._peek(self.changes)]

    def letters(self) -> list[dict[str, Any]]:
        """Return body and reason of what was given up."""
        return [
            {"body": json.loads(each["Body"])}
            | {name: value["StringValue"] for name, value in each.get("MessageAttributes", {}).items()}
            for each in self._peek(self.changes_dead)
        ]

    def _peek(self, queue: str) -> list[Any]:
        answer = self._aws.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        return list(answer.get("Messages", []))

    def apply_batch(self, sent_at: float | None = None) -> int:
        """Serve one batch of the queue; return how many messages were in it. What fails waits for `hasten`."""
        answer = self._aws.sqs.receive_message(
            QueueUrl=self.changes, MaxNumberOfMessages=10, VisibilityTimeout=30_000
        )
        messages = answer.get("Messages", [])
        self._in_hand = [message["ReceiptHandle"] for message in messages]
        records = [
            {
                "eventSource": "aws:sqs",
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {
                    "SentTimestamp": str(round(1000 * (self.clock() if sent_at is None else sent_at)))
                },
            }
            for message in messages
        ]
        unfinished = self.apply(deliveries_of({"Records": records}), deadline=self.clock() + 60)
        left = {each["itemIdentifier"] for each in batch_answer(unfinished)["batchItemFailures"]}
        for message in messages:
            handle = message["ReceiptHandle"]
            if message["MessageId"] in left:
                self._failed.append(handle)
            else:
                self._aws.sqs.delete_message(QueueUrl=self.changes, ReceiptHandle=handle)
        self._in_hand.clear()
        return len(messages)

    def release_messages(self) -> None:
        """Let the messages come back that a process had in hand when it died."""
        self._failed += self._in_hand
        self.hasten()

    def hasten(self) -> None:
        """Let the messages come back that wait."""
        for handle in self._failed:
            self._aws.sqs.change_message_visibility(
                QueueUrl=self.changes, ReceiptHandle=handle, VisibilityTimeout=0
            )
        self._failed.clear()

    def drain(self, rounds: int = 12) -> None:
        """Serve the queue until it is empty, the clock moving on while something waits."""
        for _ in range(rounds):
            while self.apply_batch():
                pass
            if not self._failed:
                return
            self.clock.advance(80)
            self.hasten()
        raise AssertionError(f"never done: {self.told[-1]}")

    def polling(self, *, deadline: float) -> None:
        """Let both schedules run."""
        self.polling_backtrace(deadline=deadline)
        self.polling_jira(deadline=deadline)

    def poll(self) -> None:
        """Let one period pass, and what it leaves to the queue be done."""
        self.clock.advance(PERIOD)
        self.polling(deadline=self.clock() + 300)
        self.drain()

    def settle(self) -> None:
        """Let webhooks come in, be served, and a period pass."""
        self.deliver_webhooks()
        self.drain()
        self.poll()

    # Counting

    def forget_calls(self) -> None:
        self.jira.clear_log()
        self.backtrace.clear_log()
        self.wire.calls.clear()

    @property
    def calls(self) -> dict[str, int]:
        """Return how often Jira and Backtrace were read and written since the last `forget_calls`."""
        return {
            "jira reads": self.jira.count("GET", "/issue/[0-9]+$"),
            "jira": len(self.jira.requests),
            "jira writes": self.jira.count("POST", "/transitions$") + self.jira.count("PUT", "/assignee$"),
            "backtrace writes": self.backtrace.count("/api/issue"),
            "backtrace": len(self.backtrace.requests),
        }


def http_event(
    body: bytes, headers: dict[str, str], path: str = "main", method: str = "POST", *, encoded: bool = False
) -> dict[str, Any]:
    """Return a request in API Gateway's payload format 2.0; text that is no UTF-8 comes base64-encoded."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text, encoded = "", True
    connection, _, secret = path.partition("/")
    return {
        "version": "2.0",
        "routeKey": "POST /jira/{connection}",
        "rawPath": f"/jira/{path}",
        "headers": {name.lower(): value for name, value in headers.items()},
        "pathParameters": {"connection": connection, **({"secret": secret} if secret else {})},
        "requestContext": {"http": {"method": method, "path": f"/jira/{path}"}, "stage": "$default"},
        "body": base64.b64encode(body).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }


MakeSyncWorld = Callable[..., SyncWorld]
