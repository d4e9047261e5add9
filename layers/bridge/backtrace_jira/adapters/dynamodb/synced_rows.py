"""What the items of synchronisation hold that are no links, one model for each kind."""

from __future__ import annotations

import json
import zlib
from typing import Annotated, Any

from pydantic import BeforeValidator

from backtrace_jira.adapters.dynamodb.rows import Stored


class TurnRow(Stored):
    """The turn that somebody has at a ticket; `until` and `expires_at` in unix seconds."""

    until: float = 0.0
    expires_at: float = 0.0
    notes: tuple[str, ...] = ()


class WatermarkRow(Stored):
    """Up to which moment (unix seconds) all changes were looked at."""

    at: float = 0.0


class TicketVersionRow(Stored):
    """A ticket that has a Fix Version: `<connection> <version id> <issue id>`, and the version's facts."""

    fingerprint: str
    facts: str = ""


class StoredVersions(Stored):
    """The versions of a project: facts by id, and when (unix seconds) a change of them was seen."""

    facts: dict[str, str]
    recent: dict[str, float]


def compressed(known: dict[str, Any]) -> bytes:
    """Write the versions of a project, of which there may be thousands."""
    return zlib.compress(json.dumps(known, separators=(",", ":")).encode())


def _decompressed(content: Any) -> Any:
    return json.loads(zlib.decompress(bytes(content)))


class ProjectVersionsRow(Stored):
    """What is known of a project's versions; `at` (unix seconds) is when they were listed."""

    at: float = 0.0
    facts: Annotated[StoredVersions, BeforeValidator(_decompressed)]
    project_id: str = ""
