"""The stack as the emulated services hold it: functions, the queues that feed them, schedules."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FunctionSettings:
    """A function as the emulated Lambda holds it; `logical_id` is its name in the template, `name` in AWS."""

    logical_id: str
    name: str
    handler: str
    timeout: float
    environment: dict[str, str]


@dataclass(frozen=True)
class QueueMapping:
    """A queue that a function is fed from."""

    function: str
    """Logical id."""
    queue_arn: str
    queue_url: str
    batch_size: int
    reports_batch_item_failures: bool


@dataclass(frozen=True)
class Schedule:
    """A rule of EventBridge that invokes a function from time to time."""

    function: str
    """Logical id."""
    rule_arn: str
    expression: str
