"""Wires the path from a change that was told of to ticket and groups in step."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from random import SystemRandom

from backtrace_jira.adapters.aws.message_queue import SQSMessageQueue
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.dynamodb.failure_counter import DynamoDBFailureCounter
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.batches import Deliveries
from backtrace_jira.bootstrap import logger
from backtrace_jira.bootstrap.aws import AWSClients
from backtrace_jira.bootstrap.deadline import Deadline
from backtrace_jira.bootstrap.environment import ApplyJiraChangeEnvironment, read_environment
from backtrace_jira.bootstrap.synchronise import report, wire_poll
from backtrace_jira.synchronisation.apply_jira_change import ApplyJiraChange
from backtrace_jira.synchronisation.poll_fix_versions import PollFixVersions


@cache
def deliveries() -> Deliveries:
    """Wire the path for this process."""
    logger()
    return wire(os.environ)


def wire(
    env: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Deliveries:
    """Wire the path; `env` is what `ApplyJiraChangeEnvironment` names, and the clock gives unix seconds."""
    environment, aws = read_environment(ApplyJiraChangeEnvironment, env), AWSClients()
    deadline = Deadline(clock)
    poll = wire_poll(environment, aws, clock, sleep, ensure_time=deadline.ensure_time)
    changes = SQSQueue(aws.sqs, environment.jira_changes_queue_url)
    return Deliveries(
        serve=deadline.of(ApplyJiraChange(poll.synchronise, PollFixVersions(poll)).serve_all),
        queue=SQSMessageQueue(changes, SQSQueue(aws.sqs, environment.jira_changes_dead_letters_url)),
        failures=DynamoDBFailureCounter(Table(aws.dynamodb, environment.links_table), clock),
        report=report,
        jitter=lambda: SystemRandom().uniform(1, 2),  # a snapshot holds no seed of it
        clock=clock,
    )
