"""Wires the path from error event to ticket."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from random import SystemRandom

from backtrace_jira.adapters.aws.jira_changes import SQSChangeHints
from backtrace_jira.adapters.aws.message_queue import SQSMessageQueue
from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.dynamodb.failure_counter import DynamoDBFailureCounter
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.adapters.http import read_certificates
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.batches import Deliveries
from backtrace_jira.bootstrap import logger, report_outcome
from backtrace_jira.bootstrap.aws import AWSClients
from backtrace_jira.bootstrap.deadline import Deadline
from backtrace_jira.bootstrap.environment import CreateTicketEnvironment, read_environment
from backtrace_jira.bootstrap.init_phase import read_ahead
from backtrace_jira.outcomes import Outcome
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.tickets.context import Context, Timing
from backtrace_jira.tickets.serve_batch import ServeBatch


@cache
def deliveries() -> Deliveries:
    """Wire the path from error event to ticket for this process."""
    logger()
    return wire(os.environ)


def wire(
    env: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    timing: Timing | None = None,
) -> Deliveries:
    """Wire the path from error event to ticket.

    `env` is what `CreateTicketEnvironment` names, the clock gives unix seconds, `timing` replaces the environment's.
    """
    environment, aws = read_environment(CreateTicketEnvironment, env), AWSClients()
    deadline = Deadline(clock)
    configuration = _configuration(environment, aws, deadline.ensure_time)
    table = Table(aws.dynamodb, environment.links_table)
    context = Context(
        stage=environment.stage,
        configuration=configuration,
        links=DynamoDBTicketLinks(table),
        regression_hints=SQSChangeHints(SQSQueue(aws.sqs, environment.jira_changes_queue_url), clock),
        clock=clock,
        sleep=sleep,
        new_owner=lambda: uuid.uuid4().hex,
        timing=timing or _timing(environment),
    )
    read_ahead(read_certificates, configuration.read_ahead, table.connect)
    return Deliveries(
        serve=deadline.of(ServeBatch(context)),
        queue=_queue(environment, aws),
        failures=DynamoDBFailureCounter(table, clock),
        report=report,
        jitter=lambda: SystemRandom().uniform(1, 2),  # a snapshot holds no seed of it
        clock=clock,
    )


def _configuration(
    environment: CreateTicketEnvironment, aws: AWSClients, ensure_time: Callable[[], None]
) -> SSMConfiguration[RestJiraTickets, RestBacktraceLinks]:
    return SSMConfiguration(
        aws.ssm,
        ParameterNames(environment.settings_prefix),
        max_age=environment.settings_max_age_seconds,
        new_jira=lambda connection, secret: RestJiraTickets(
            JiraClient(connection, secret, ensure_time=ensure_time)
        ),
        new_backtrace=lambda universe, token: RestBacktraceLinks(
            BacktraceClient(universe, token, ensure_time=ensure_time)
        ),
    )


def _queue(environment: CreateTicketEnvironment, aws: AWSClients) -> SQSMessageQueue:
    events, dead = environment.error_events_queue_url, environment.dead_letters_url
    return SQSMessageQueue(SQSQueue(aws.sqs, events), SQSQueue(aws.sqs, dead))


def _timing(environment: CreateTicketEnvironment) -> Timing:
    settle = environment.search_settle_seconds
    return Timing(settle=settle, between_lookups=max(1.0, settle / 4.5))


def report(outcome: Outcome) -> None:
    """Log what was decided on an error group, and count it."""
    report_outcome(outcome, subject="error group")
