"""The schedule: what changed in Jira, versions and tickets, goes to Backtrace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from backtrace_jira.bootstrap import flush_metrics, init_phase, poll_fix_versions

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - a schedule says nothing
    """Look at what changed since the last time."""
    try:
        poll_fix_versions.poll()(deadline=time.time() + context.get_remaining_time_in_millis() / 1000)
    finally:
        flush_metrics()


init_phase.prepare(poll_fix_versions.poll)
