"""The only place where things are wired: a module for each path, so that a function imports what it uses.

Built in Lambda's init phase (`init_phase`), elsewhere at the first event; kept for the life of the process.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit

if (
    TYPE_CHECKING
):  # receive_webhook imports this module, and outcomes for its types only would cost it a cold start
    from backtrace_jira.outcomes import Outcome


@cache
def logger() -> Logger:
    """Return the structured logger; the package's own loggers write through it."""
    for name in ("botocore", "urllib3"):
        # At DEBUG they log answers whole, decrypted parameters among them.
        logging.getLogger(name).setLevel(logging.INFO)
    package = logging.getLogger("backtrace_jira")  # must exist before the configuration is copied to it
    made = Logger()
    copy_config_to_registered_loggers(made, include={package.name})
    return made


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
