"""Wires the path from error event to ticket."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.metrics import MetricUnit

from backtrace_jira.adapters.aws.jira_changes import SQSChangeHints
from backtrace_jira.adapters.aws.message_queue import SQSMessageQueue
from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.batches import Deliveries
from backtrace_jira.bootstrap import AWS_CONFIG, logger, metric_name, metrics
from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.tickets.create_ticket import CreateTicket, Timing

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@cache
def deliveries() -> Deliveries:
    """Wire the path from error event to ticket for this process."""
    logger()
    return wire(os.environ)


def wire(
    env: Mapping[str, str], *, clock: Callable[[], float] = time.time, timing: Timing | None = None
) -> Deliveries:
    """Wire the path from error event to ticket.

    Args:
        env: STAGE, SETTINGS_PREFIX, SETTINGS_MAX_AGE_SECONDS, LINKS_TABLE, ERROR_EVENTS_QUEUE_URL,
            DEAD_LETTERS_URL, JIRA_CHANGES_QUEUE_URL, MAX_RECEIVES and SEARCH_SETTLE_SECONDS,
            as template.yaml sets them.
        clock: unix seconds.
        timing: instead of what the environment says.
    """
    session = boto3.Session()

    def sqs() -> SQSClient:
        return session.client("sqs", config=AWS_CONFIG)

    configuration = SSMConfiguration(
        session.client("ssm", config=AWS_CONFIG),
        ParameterNames(env["SETTINGS_PREFIX"]),
        max_age=int(env.get("SETTINGS_MAX_AGE_SECONDS", "300")),
        new_jira=lambda connection, secret: RestJiraTickets(JiraClient(connection, secret)),
        new_backtrace=lambda universe, token: RestBacktraceLinks(BacktraceClient(universe, token)),
    )
    create_ticket = CreateTicket(
        stage=env["STAGE"],
        configuration=configuration,
        links=DynamoDBTicketLinks(Table(session.client("dynamodb", config=AWS_CONFIG), env["LINKS_TABLE"])),
        regression_hints=SQSChangeHints(SQSQueue(sqs, env["JIRA_CHANGES_QUEUE_URL"])),
        clock=clock,
        new_owner=lambda: uuid.uuid4().hex,
        timing=timing or _timing(env),
    )
    return Deliveries(
        serve=create_ticket.serve,
        queue=SQSMessageQueue(
            SQSQueue(sqs, env["ERROR_EVENTS_QUEUE_URL"]), SQSQueue(sqs, env["DEAD_LETTERS_URL"])
        ),
        report=report,
        jitter=lambda: random.uniform(0.7, 1.3),  # noqa: S311 - spreads retries, guards nothing
        max_receives=int(env["MAX_RECEIVES"]),
    )


def _timing(env: Mapping[str, str]) -> Timing:
    settle = float(env.get("SEARCH_SETTLE_SECONDS", "90"))
    return Timing(settle=settle, between_lookups=max(1.0, settle / 4.5))


def report(outcome: Outcome) -> None:
    """Log one decision and count it. What an operator should see is a warning; what is lost without one, an error."""
    error = outcome.error
    expected = error is None or isinstance(error, BacktraceJiraError)
    if outcome.decision is Decision.DEAD_LETTER or not expected:
        log = logger().error
    else:
        log = logger().info if error is None else logger().warning
    message = f"error group: {outcome.decision}"
    log(message, exc_info=None if expected else error, extra=outcome.log_fields())
    metrics().add_metric(name=metric_name(outcome.decision), unit=MetricUnit.Count, value=1)
