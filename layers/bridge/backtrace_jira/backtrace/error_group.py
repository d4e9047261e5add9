"""The body of an error event, as Backtrace's webhook sends it: one error group.

Source: Backtrace's webhook integration page (saucelabs/sauce-docs,
docs/error-reporting/workflow-integrations/webhook.md). Each group is one JSON body.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.json_types import Histogram, mend_half_pairs
from backtrace_jira.settings.base import Name, describe_faults


def attribute_text(value: object) -> str:
    """Return a scalar attribute value as the text that Backtrace shows."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _histograms(raw: object) -> object:
    """Read the histograms. An attribute that is none is left out, so that the group still gets its ticket."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        return raw  # left for pydantic to refuse
    return {str(name): _histogram(pairs) for name, pairs in raw.items()}


def _histogram(pairs: object) -> Histogram:
    if not isinstance(pairs, list):
        return () if pairs is None or isinstance(pairs, dict) else ((attribute_text(pairs), 1),)
    return tuple(
        (attribute_text(pair[0]), int(pair[1]))
        for pair in pairs
        if isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], str | int | float)
        and isinstance(pair[1], int | float)
        and abs(pair[1]) < 1e18
    )


def _texts(raw: object) -> object:
    """Read a list of texts. null is an empty list, a single text a list of one; items that are null are left out."""
    if raw is None:
        return ()
    if isinstance(raw, str):
        return (raw,)
    return tuple(attribute_text(item) for item in raw if item is not None) if isinstance(raw, list) else raw


def _count(raw: object) -> object:
    return 0 if raw is None else raw


Fingerprint = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,256}$")]


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


Count = Annotated[int, BeforeValidator(_count)]


class FollowUpMark(BaseModel):
    """Says that an event asks for the ticket that is to follow another after a regression.

    Whoever may publish to the topic can write one, so it proves nothing: the link row has to say the same.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    integration: str
    issue_id: str
    """Of the ticket before."""
    generation: int
    """Of the ticket that is wanted."""


def _mark(raw: object) -> object:
    try:
        return FollowUpMark.model_validate(raw)
    except ValidationError:
        return None


class ErrorGroup(BaseModel):
    """One body of Backtrace's webhook. Undocumented fields are ignored, not refused.

    `timestamp` is (first seen, last seen) in unix seconds, `callstack` innermost function first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    universe: Name
    project: Name
    fingerprint: Fingerprint
    application: str | None = None
    group_url: str | None = None
    callstack: Texts = ()
    occurrences: Count = 0
    object_id: str | None = None
    timestamp: tuple[float, float] | None = None
    classifiers: Texts = ()
    hosts: Count = 0
    guids: Count = 0
    attributes: Annotated[dict[str, Histogram], BeforeValidator(_histograms)] = {}
    # Left out of the digest below: an event's name must stay what it was.
    follow_up: Annotated[FollowUpMark | None, BeforeValidator(_mark)] = Field(default=None, exclude=True)

    def is_for(self, integration: str) -> bool:
        """Return whether the event is for this integration (its id): one with a mark is for one only."""
        return self.follow_up is None or self.follow_up.integration == integration

    @property
    def trace(self) -> str:
        """A name for this error among those of its group: its object id, else a digest of the whole event."""
        if self.object_id and _OBJECT_ID.fullmatch(self.object_id):
            return self.object_id
        return hashlib.sha256(self.model_dump_json().encode("utf-8", "replace")).hexdigest()[:32]


_OBJECT_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def read_error_group(body: str | bytes) -> ErrorGroup:
    """Read one error group.

    Raises:
        InvalidEvent: the body is none. The sentence names the wrong fields and no value.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    try:
        return ErrorGroup.model_validate_json(mend_half_pairs(raw))
    except ValidationError as error:
        raise InvalidEvent(f"not a Backtrace error group: {describe_faults(error)}") from None
