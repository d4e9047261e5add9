"""Wires the path from the schedule to tickets and groups in line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache

import boto3

from backtrace_jira.adapters.change_hints import SQSChangeHints
from backtrace_jira.bootstrap import AWS_CONFIG, logger
from backtrace_jira.bootstrap.synchronise import Parts, report
from backtrace_jira.poll_backtrace import PollBacktrace


@cache
def poll() -> PollBacktrace:
    """Wire the path for this process."""
    logger()
    return wire(os.environ)


def wire(env: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> PollBacktrace:
    """Wire the path.

    Args:
        env: besides what `Parts` takes, the variables that are read here, as template.yaml sets them.
        clock: unix seconds.
    """
    session = boto3.Session()
    parts = Parts(env, session, clock)
    return PollBacktrace(
        synchronise=parts.synchronise,
        configuration=parts.configuration,
        store=parts.store,
        hints=SQSChangeHints(lambda: session.client("sqs", config=AWS_CONFIG), env["JIRA_CHANGES_QUEUE_URL"]),
        clock=clock,
        report=report,
    )
