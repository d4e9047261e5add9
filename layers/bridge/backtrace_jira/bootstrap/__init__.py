"""The only place where things are wired: a module for each path, so that a function imports what it uses.

Built at the first event, kept for the life of the process.
"""

from __future__ import annotations

import logging
from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers


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


def flush_metrics() -> None:
    """Print what was counted; an invocation that decided nothing prints nothing."""
    if metrics().provider.metric_set:
        metrics().flush_metrics()


def metric_name(decision: str) -> str:
    """Give `no_integration` as NoIntegration."""
    return "".join(part.capitalize() for part in decision.split("_"))
