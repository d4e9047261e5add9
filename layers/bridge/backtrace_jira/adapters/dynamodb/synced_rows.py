"""A model for each kind of synchronisation's items that are no links."""

from __future__ import annotations

import json
import zlib
from typing import Annotated, Any

from pydantic import BeforeValidator

from backtrace_jira.adapters.dynamodb.rows import Stored


class TurnRow(Stored):
    """The turn that a process has at a ticket; `until` and `expires_at` are in unix seconds."""

    until: float = 0.0
    expires_at: float = 0.0
    notes: tuple[str, ...] = ()


class WatermarkRow(Stored):
    """A poll's watermark in unix seconds: it has looked at all changes before that.

    A sweep from there that no run has finished began at `sweep_started`, and has got to the key `sweep_after`.
    """

    at: float = 0.0
    sweep_started: float = 0.0
    sweep_after: str = ""


class TicketVersionRow(Stored):
    """A ticket that has a Fix Version: `<connection> <version id> <issue id>`, and the version's facts."""

    fingerprint: str
    facts: str = ""


class StoredVersions(Stored):
    """The versions of a project: facts by id, and by id when a poll last saw a change (unix seconds)."""

    facts: dict[str, str]
    recent: dict[str, float]


def compressed(known: dict[str, Any]) -> bytes:
    """Return the versions of a project compressed: there may be thousands."""
    return zlib.compress(json.dumps(known, separators=(",", ":")).encode())


def _decompressed(content: Any) -> Any:
    return json.loads(zlib.decompress(bytes(content)))


class ProjectVersionsRow(Stored):
    """The last list of a project's versions; `at` is when Jira gave it (unix seconds)."""

    at: float = 0.0
    facts: Annotated[StoredVersions, BeforeValidator(_decompressed)]
    project_id: str = ""


class PollsRow(Stored):
    """What the polls remember; times in unix seconds, a project as `<connection> <key>`."""

    after_link: str = ""
    began: float = 0.0
    took: float = 0.0
    seen: tuple[str, ...] = ()
    seen_before: tuple[str, ...] = ()
    first_jira: str = ""
    first_backtrace: str = ""
