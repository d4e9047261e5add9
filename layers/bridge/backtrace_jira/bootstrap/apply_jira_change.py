"""Wires the path from a change that was told of to ticket and groups in line."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import boto3

from backtrace_jira.adapters.aws.message_queue import SQSMessageQueue
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.batches import Deliveries
from backtrace_jira.bootstrap import AWS_CONFIG, logger
from backtrace_jira.bootstrap.synchronise import Parts, report
from backtrace_jira.synchronisation.apply_jira_change import ApplyJiraChange
from backtrace_jira.synchronisation.poll_fix_versions import PollFixVersions

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@cache
def deliveries() -> Deliveries:
    """Wire the path for this process."""
    logger()
    return wire(os.environ)


def wire(env: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Deliveries:
    """Wire the path.

    Args:
        env: besides what `Parts` takes, the variables that are read here, as template.yaml sets them.
        clock: unix seconds.
    """
    session = boto3.Session()

    def sqs() -> SQSClient:
        return session.client("sqs", config=AWS_CONFIG)

    parts = Parts(env, session, clock)
    return Deliveries(
        serve=ApplyJiraChange(parts.synchronise, PollFixVersions(parts.polling)).serve,
        queue=SQSMessageQueue(
            SQSQueue(sqs, env["JIRA_CHANGES_QUEUE_URL"]), SQSQueue(sqs, env["JIRA_CHANGES_DEAD_LETTERS_URL"])
        ),
        report=report,
        jitter=lambda: random.uniform(0.7, 1.3),  # noqa: S311 - spreads retries, guards nothing
        max_receives=int(env["MAX_RECEIVES"]),
    )
