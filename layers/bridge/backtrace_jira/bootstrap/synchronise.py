"""What the paths of synchronisation share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools.metrics import MetricUnit

from backtrace_jira.adapters.aws.jira_changes import SQSChangeHints
from backtrace_jira.adapters.aws.message_queue import SQSNewEvents
from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.bootstrap import AWS_CONFIG, logger, metric_name, metrics
from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.polling import Polling
from backtrace_jira.synchronisation.synchronise import Synchronise

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Parts:
    """Settings, store and use case of one process."""

    def __init__(self, env: Mapping[str, str], session: boto3.Session, clock: Callable[[], float]) -> None:
        """Take SETTINGS_PREFIX, SETTINGS_MAX_AGE_SECONDS, LINKS_TABLE and the two queues out of the environment."""
        self.configuration = SSMConfiguration(
            session.client("ssm", config=AWS_CONFIG),
            ParameterNames(env["SETTINGS_PREFIX"]),
            max_age=int(env.get("SETTINGS_MAX_AGE_SECONDS", "300")),
            new_jira=lambda connection, secret: RestJiraIssues(JiraClient(connection, secret)),
            new_backtrace=lambda universe, token: RestBacktraceGroups(BacktraceClient(universe, token)),
        )
        self.store = DynamoDBSyncedLinks(
            Table(session.client("dynamodb", config=AWS_CONFIG), env["LINKS_TABLE"])
        )

        def sqs() -> SQSClient:
            return session.client("sqs", config=AWS_CONFIG)

        self.synchronise = Synchronise(
            configuration=self.configuration,
            store=self.store,
            new_events=SQSNewEvents(SQSQueue(sqs, env["ERROR_EVENTS_QUEUE_URL"])),
            clock=clock,
            new_owner=lambda: uuid.uuid4().hex,
        )
        self.polling = Polling(
            synchronise=self.synchronise,
            configuration=self.configuration,
            store=self.store,
            hints=SQSChangeHints(SQSQueue(sqs, env["JIRA_CHANGES_QUEUE_URL"])),
            clock=clock,
            report=report,
        )


def report(outcome: Outcome) -> None:
    """Log what was decided for a ticket and its groups, and count it. What was refused is a warning."""
    error = outcome.error
    expected = error is None or isinstance(error, BacktraceJiraError)
    if outcome.decision is Decision.DEAD_LETTER or not expected:
        log = logger().error
    else:
        quiet = error is None and outcome.decision is not Decision.REFUSED
        log = logger().info if quiet else logger().warning
    message = f"synchronisation: {outcome.decision}"
    log(message, exc_info=None if expected else error, extra=outcome.log_fields())
    metrics().add_metric(name=f"Sync{metric_name(outcome.decision)}", unit=MetricUnit.Count, value=1)
