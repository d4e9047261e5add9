"""Wiring that the functions of synchronisation share."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from backtrace_jira.adapters.aws.jira_changes import SQSChangeHints
from backtrace_jira.adapters.aws.message_queue import SQSNewEvents
from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.adapters.dynamodb.poll_memory import DynamoDBPollMemory
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.http import read_certificates
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.bootstrap import report_outcome
from backtrace_jira.bootstrap.aws import AWSClients
from backtrace_jira.bootstrap.environment import PollBacktraceEnvironment
from backtrace_jira.bootstrap.init_phase import read_ahead
from backtrace_jira.outcomes import Outcome
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.poll import Poll
from backtrace_jira.synchronisation.synchronise import Synchronise


def wire_poll(
    environment: PollBacktraceEnvironment,
    aws: AWSClients,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    *,
    ensure_time: Callable[[], None] = lambda: None,
) -> Poll:
    """Wire what both schedules share; `Poll.synchronise` is what a change of Jira's needs of it, too.

    `ensure_time` raises where no time is left for a request to Jira or Backtrace.
    """
    configuration = _configuration(environment, aws, clock, ensure_time)
    table = Table(aws.dynamodb, environment.links_table)
    store = DynamoDBSyncedLinks(table)
    synchronise = Synchronise(
        configuration=configuration,
        store=store,
        new_events=SQSNewEvents(SQSQueue(aws.sqs, environment.error_events_queue_url)),
        clock=clock,
        sleep=sleep,
        new_owner=lambda: uuid.uuid4().hex,
    )
    poll = Poll(
        synchronise=synchronise,
        configuration=configuration,
        store=store,
        memory=DynamoDBPollMemory(table),
        hints=SQSChangeHints(SQSQueue(aws.sqs, environment.jira_changes_queue_url)),
        clock=clock,
        report=report,
    )
    read_ahead(read_certificates, configuration.read_ahead, table.connect)
    return poll


def _configuration(
    environment: PollBacktraceEnvironment,
    aws: AWSClients,
    clock: Callable[[], float],
    ensure_time: Callable[[], None],
) -> SSMConfiguration[RestJiraIssues, RestBacktraceGroups]:
    return SSMConfiguration(
        aws.ssm,
        ParameterNames(environment.settings_prefix),
        max_age=environment.settings_max_age_seconds,
        new_jira=lambda connection, secret: RestJiraIssues(
            JiraClient(connection, secret, clock=clock, ensure_time=ensure_time)
        ),
        new_backtrace=lambda universe, token: RestBacktraceGroups(
            BacktraceClient(universe, token, clock=clock, ensure_time=ensure_time)
        ),
    )


def report(outcome: Outcome) -> None:
    """Log what was decided on a ticket and its groups, and count it."""
    report_outcome(outcome, subject="synchronisation", metric_prefix="Sync")
