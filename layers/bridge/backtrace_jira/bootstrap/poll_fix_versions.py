"""Wires the path from the schedule to changes in Jira that are carried on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache

from backtrace_jira.bootstrap import logger
from backtrace_jira.bootstrap.aws import AWSClients
from backtrace_jira.bootstrap.environment import PollFixVersionsEnvironment, read_environment
from backtrace_jira.bootstrap.synchronise import wire_poll
from backtrace_jira.synchronisation.poll_fix_versions import PollFixVersions


@cache
def poll() -> PollFixVersions:
    """Wire the path for this process."""
    logger()
    return wire(os.environ)


def wire(
    env: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> PollFixVersions:
    """Wire the path; `env` is what `PollFixVersionsEnvironment` names, and the clock gives unix seconds."""
    environment = read_environment(PollFixVersionsEnvironment, env)
    poll = wire_poll(environment, AWSClients(), clock, sleep)
    return PollFixVersions(poll, most_links=environment.links_per_run)
