"""Lambda's init phase: what the first event would wait for is done before that event, at full speed.

Nothing here keeps a function from starting. What fails is logged, and left to the first event: it meets the same error
in the ordinary way, and its message keeps the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread

from backtrace_jira.bootstrap import logger

INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""A variable that Lambda sets, and nobody else.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
SNAP_START = "snap-start"
LONGEST_READING = 4.0
"""Seconds. After ten, Lambda gives an init phase up and begins another, in the time of the first event."""


def prepare(wire: Callable[[], object]) -> None:
    """Wire a path, if it is Lambda that imports the handler."""
    if INITIALIZATION_TYPE in os.environ:
        _try(wire)


def read_ahead(*reads: Callable[[], object]) -> None:
    """Read what the first event would ask for, if this is Lambda; for a few seconds at most.

    A snapshot gets none of it: it would keep settings, secrets and connections for as long as the version lives.
    """
    if os.environ.get(INITIALIZATION_TYPE, SNAP_START) == SNAP_START:
        return
    # A thread, because no time-out of botocore bounds the look-up of a name, or a request with its repetitions.
    reading = Thread(target=lambda: _try(*reads), daemon=True)
    reading.start()
    reading.join(LONGEST_READING)


def _try(*steps: Callable[[], object]) -> None:
    try:
        for step in steps:
            step()
    except Exception as error:
        logger().warning(
            "init phase: left to the first event", extra={"detail": f"{type(error).__name__}: {error}"}
        )
