"""One body of Backtrace's webhook: the error group.

Source: Backtrace's webhook integration page (saucelabs/sauce-docs,
docs/error-reporting/workflow-integrations/webhook.md). Each group is one JSON body.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.json_types import Histogram
from backtrace_jira.settings.base import Name, describe_faults


def attribute_text(value: object) -> str:
    """Give a scalar attribute value as Backtrace would show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _histograms(raw: object) -> object:
    """Keep what is a histogram. One odd attribute must not cost a team its ticket."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        return raw  # pydantic says what is wrong with it
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
    """Read a list of texts; null is an empty one, a single text is a list of one, and an item null is left out."""
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


class ErrorGroup(BaseModel):
    """One body of Backtrace's webhook. Fields that are not documented are left aside, not refused.

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

    @property
    def trace(self) -> str:
        """Tell this error from the others of its group: its object id, else a digest of all that is known of it."""
        if self.object_id and _OBJECT_ID.fullmatch(self.object_id):
            return self.object_id
        return hashlib.sha256(self.model_dump_json().encode("utf-8", "replace")).hexdigest()[:32]


_OBJECT_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


# Half of a surrogate pair is what a text leaves that was cut in the middle of an emoji. JSON allows it.
_ESCAPE = re.compile(
    rb"\\(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}"
    rb"|(?P<half>u[Dd][89A-Fa-f][0-9A-Fa-f]{2})|.)",
    re.DOTALL,
)


def _mend_pairs(body: bytes) -> bytes:
    """Put U+FFFD for each half pair, which the parser would refuse the whole body for."""
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape["half"] else escape[0], body)


def read_error_group(body: str | bytes) -> ErrorGroup:
    """Read one error group.

    Raises:
        InvalidEvent: in one sentence, which fields are wrong and how; no value is repeated.
    """
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    try:
        return ErrorGroup.model_validate_json(_mend_pairs(raw))
    except ValidationError as error:
        raise InvalidEvent(f"not a Backtrace error group: {describe_faults(error)}") from None
