"""Jira's webhooks, through API Gateway (HTTP API, payload format 2.0): verified and put into a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtrace_jira.adapters.aws.http_api import answer_of, webhook_of
from backtrace_jira.bootstrap import flush_metrics, init_phase, receive_webhook

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Serve one webhook."""
    webhook = webhook_of(event)
    try:
        answer = receive_webhook.intake()(webhook)
        receive_webhook.report(webhook.connection, answer)
    finally:
        flush_metrics()
    return answer_of(answer)


init_phase.prepare(receive_webhook.intake)
