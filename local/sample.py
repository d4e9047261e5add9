"""The sample error group, out of events/create_ticket.json."""

from __future__ import annotations

import json
import secrets
from typing import Any

from local import ROOT


def sample_group(**changes: Any) -> dict[str, Any]:
    """Return Backtrace's webhook body, changed."""
    event = json.loads((ROOT / "events" / "create_ticket.json").read_text())
    group: dict[str, Any] = json.loads(json.loads(event["Records"][0]["body"])["Message"])
    return group | changes


def new_group(**changes: Any) -> dict[str, Any]:
    """Return the sample as an error group that nobody has seen before."""
    return sample_group(fingerprint=secrets.token_hex(32), **changes)
