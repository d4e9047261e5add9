"""The event that EventBridge sends when a rule's time has come.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from local.aws.resources import Schedule


def scheduled_event(schedule: Schedule, at: float | None = None) -> dict[str, Any]:
    """Return the event of a rule; `at` is in unix seconds, now if it is not given."""
    _arn, _partition, _service, region, account, _rule = schedule.rule_arn.split(":", 5)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        "region": region,
        "resources": [schedule.rule_arn],
        "detail": {},
    }
