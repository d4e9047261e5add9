"""Wires the path from Jira's webhook to the queue behind it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache

from aws_lambda_powertools.metrics import MetricUnit

from backtrace_jira.adapters.aws.jira_changes import SQSJiraChanges
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.aws.webhook_secrets import SSMWebhookSecrets
from backtrace_jira.adapters.dynamodb.known_webhooks import DynamoDBKnownWebhooks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.bootstrap import logger, metric_name, metrics
from backtrace_jira.bootstrap.aws import AWSClients
from backtrace_jira.bootstrap.environment import ReceiveWebhookEnvironment, read_environment
from backtrace_jira.bootstrap.init_phase import read_ahead
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.receive_webhook import Answer, ReceiveWebhook


@cache
def intake() -> ReceiveWebhook:
    """Wire the path for this process."""
    logger()
    return wire(os.environ)


def wire(env: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> ReceiveWebhook:
    """Wire the path; `env` is what `ReceiveWebhookEnvironment` names, and the clock gives unix seconds."""
    environment, aws = read_environment(ReceiveWebhookEnvironment, env), AWSClients()
    known = DynamoDBKnownWebhooks(Table(aws.dynamodb, environment.links_table))
    secrets = SSMWebhookSecrets(
        aws.ssm,
        ParameterNames(environment.settings_prefix),
        max_age=environment.settings_max_age_seconds,
        clock=clock,
    )
    changes = SQSQueue(aws.sqs, environment.jira_changes_queue_url)
    receive = ReceiveWebhook(
        secrets=secrets,
        known=known,
        changes=SQSJiraChanges(changes),
        clock=clock,
    )
    # No secret: whose is needed, only a webhook says.
    read_ahead(lambda: known.has_webhook("init phase", now=clock()), secrets.read_ahead, changes.connect)
    return receive


def report(connection: str, answer: Answer) -> None:
    """Log one webhook and count it. The log holds neither its body nor the secret in its path."""
    told = {
        "decision": answer.decision,
        "connection": connection,
        "http_status": answer.status,
        "detail": answer.detail,
        "issue_id": answer.hint.issue_id if answer.hint else "",
        "fields": list(answer.hint.fields) if answer.hint else [],
    }
    log = logger().info if answer.status < 400 else logger().warning
    log(f"webhook: {answer.decision}", extra={key: value for key, value in told.items() if value})
    metrics().add_metric(name=f"Webhook{metric_name(answer.decision)}", unit=MetricUnit.Count, value=1)
