"""Wires the path from the schedule to changes in Backtrace that are carried on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache

from backtrace_jira.bootstrap import logger
from backtrace_jira.bootstrap.aws import AWSClients
from backtrace_jira.bootstrap.environment import PollBacktraceEnvironment, read_environment
from backtrace_jira.bootstrap.synchronise import wire_poll
from backtrace_jira.synchronisation.poll_backtrace import PollBacktrace


@cache
def poll() -> PollBacktrace:
    """Wire the path for this process."""
    logger()
    return wire(os.environ)


def wire(
    env: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> PollBacktrace:
    """Wire the path; `env` is what `PollBacktraceEnvironment` names, and the clock gives unix seconds."""
    return PollBacktrace(
        wire_poll(read_environment(PollBacktraceEnvironment, env), AWSClients(), clock, sleep)
    )
