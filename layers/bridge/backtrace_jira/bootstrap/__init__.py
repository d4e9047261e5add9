"""The only place where things are wired: a module for each path, so that a function imports what it uses.

Built in Lambda's init phase (`init_phase`), elsewhere at the first event; kept for the life of the process.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit

if (
    TYPE_CHECKING
):  # receive_webhook imports this module, and outcomes for its types only would cost it a cold start
    from backtrace_jira.outcomes import Outcome


LONGEST_TEXT = 20_000
"""Characters of each text of a log line: what is longer than 256 KB, CloudWatch does not keep as one line.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""


@cache
def logger() -> Logger:
    """Return the structured logger; the package's own loggers write through it."""
    for name in ("botocore", "urllib3"):
        # At DEBUG they log answers whole, decrypted parameters among them.
        logging.getLogger(name).setLevel(logging.INFO)
    package = logging.getLogger("backtrace_jira")  # must exist before the configuration is copied to it
    made = Logger(json_serializer=_one_line)
    copy_config_to_registered_loggers(made, include={package.name})
    return made


def _one_line(fields: dict[str, Any]) -> str:
    """Return a log line: JSON on one line and in UTF-8, whatever the words hold that a server or an error sent."""
    text = json.dumps(_shortened(fields), separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


def _shortened(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(each) for each in value]
    return str(value)[:LONGEST_TEXT]


@cache
def metrics() -> Metrics:
    """Return the metrics of namespace BacktraceJira (from the environment)."""
    return Metrics()


def report_outcome(outcome: Outcome, *, subject: str, metric_prefix: str = "") -> None:
    """Log one outcome and count it; `subject` begins the log line, `metric_prefix` the metric's name."""
    levels = {"info": logger().info, "warning": logger().warning, "error": logger().error}
    log = levels[outcome.log_level]
    message = f"{subject}: {outcome.decision}"
    log(message, exc_info=None if outcome.is_expected else outcome.error, extra=outcome.log_fields())
    name = f"{metric_prefix}{metric_name(outcome.decision)}"
    metrics().add_metric(name=name, unit=MetricUnit.Count, value=1)


def flush_metrics() -> None:
    """Print what was counted; an invocation that decided nothing prints nothing."""
    if metrics().provider.metric_set:
        metrics().flush_metrics()


def metric_name(decision: str) -> str:
    """Give `no_integration` as NoIntegration."""
    return "".join(part.capitalize() for part in decision.split("_"))
