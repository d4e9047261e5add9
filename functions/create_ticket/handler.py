"""SNS error events, through the queue or straight from the topic: one error group, one ticket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from backtrace_jira.adapters.aws.lambda_batch import batch_answer, deliveries_of
from backtrace_jira.bootstrap import create_ticket, flush_metrics, init_phase

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a batch; answer with the messages that are to stay in the queue (partial batch response)."""
    deadline = time.time() + context.get_remaining_time_in_millis() / 1000
    try:
        batch = deliveries_of(event)
        unfinished = create_ticket.deliveries()(batch, deadline=deadline)
    finally:
        flush_metrics()
    return batch_answer(unfinished)


init_phase.prepare(create_ticket.deliveries)
