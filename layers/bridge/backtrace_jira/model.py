"""What the paths talk about: the error group, the ticket draft, the link between them.

Source of the error group: Backtrace's webhook integration page (saucelabs/sauce-docs,
docs/error-reporting/workflow-integrations/webhook.md). Each group is one JSON body.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.synced import Synced

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
Histogram: TypeAlias = tuple[tuple[str, int], ...]
"""(value, count) pairs in payload order, which is not sorted by count."""


def as_text(value: object) -> str:
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
        return () if pairs is None or isinstance(pairs, dict) else ((as_text(pairs), 1),)
    return tuple(
        (as_text(pair[0]), int(pair[1]))
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
    return tuple(as_text(item) for item in raw if item is not None) if isinstance(raw, list) else raw


def _count(raw: object) -> object:
    return 0 if raw is None else raw


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
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
        raise InvalidEvent(f"not a Backtrace error group: {faults_of(error)}") from None


def faults_of(error: ValidationError) -> str:
    """Say what pydantic found, by field name and without any input value."""
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_url=False, include_input=False)[:5]
    )


@dataclass(frozen=True, slots=True)
class LinkKey:
    """One error group, or one error of it, in one integration: what may have one ticket, and no more."""

    integration: str
    """universe/project/name of the integration."""
    fingerprint: str
    trace: str = ""
    """The one error, where every error has a ticket (Event: Trace); empty where the group has one."""

    def marker(self, stage: str) -> str:
        """Return the label by which the ticket of this key can be found again.

        The stage is part of it, so that a trial deployment never adopts a production ticket.
        """
        parts = (stage, self.integration, self.fingerprint, *filter(None, (self.trace,)))
        return f"bt-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:24]}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often events of one group become due for a ticket; see `config.Integration` for the two numbers."""

    frequency: int = 0
    threshold: int = 0

    @property
    def always(self) -> bool:
        """Tell whether every event is due, so that nothing need be counted."""
        return self.threshold == 1 or not (self.frequency or self.threshold)


@dataclass(frozen=True, slots=True)
class Issue:
    """A Jira issue. The id stays when the issue moves to another project; the key does not."""

    id: str
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class TicketDraft:
    """Everything that one `POST /issue` sends."""

    fields: Mapping[str, JSON]
    properties: Mapping[str, JSON]
    marker: str
    unknown_attributes: tuple[str, ...] = ()
    """Names after a $ that this group has no attribute for: reported, never sent literally."""
    left_out: tuple[str, ...] = ()
    """A sentence for each field of the settings that could not be sent."""

    @property
    def project(self) -> str:
        """Key or id of the Jira project that the ticket goes to, whichever setting decided it."""
        chosen = self.fields["project"]
        return str(next(iter(chosen.values()))) if isinstance(chosen, dict) else str(chosen)

    def body(self) -> dict[str, JSON]:
        """Return the JSON body of `POST /rest/api/2/issue`."""
        properties: list[JSON] = [{"key": key, "value": value} for key, value in self.properties.items()]
        return {"fields": dict(self.fields), "properties": properties}


NO_INTEGRATION = "#no-integration"
"""Stands where an integration's id stands, for groups of projects that have none; no id can begin with #."""


class LinkState(StrEnum):
    """Where a link row stands."""

    CREATING = "creating"
    """A delivery holds the lease and may be creating the ticket right now."""
    UNCERTAIN = "uncertain"
    """A create may or may not have happened: only a look-up can tell."""
    RELEASED = "released"
    """No ticket, for sure; the next delivery may create it."""
    HELD = "held"
    """No ticket, and none wanted: frequency and threshold hold this error back."""
    COMPLETE = "complete"
    """The ticket exists."""


class Decision(StrEnum):
    """What was decided for one group, or for a ticket and its groups, in one integration; the log key `decision`."""

    CREATED = "created"
    ADOPTED = "adopted"
    KNOWN = "known"
    LINKED = "linked"
    NO_INTEGRATION = "no_integration"
    FILTERED = "filtered"
    HELD = "held"
    POSTPONED = "postponed"
    REFUSED = "refused"
    PARKED = "parked"
    INVALID = "invalid"
    DEAD_LETTER = "dead_letter"
    SYNCED = "synced"
    IN_STEP = "in_step"
    UNLINKED = "unlinked"
    REGRESSED = "regressed"


@dataclass(frozen=True, slots=True)
class Record:
    """What was decided about a key and why: the memory of `backtrace-jira explain`. `at` is in unix seconds."""

    at: float
    decision: Decision
    reason: str = ""
    rule: str = ""
    """The action of the settings that decided, if one did."""
    messages: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """The server's own words, as a whole and by field id."""
    left_out: tuple[str, ...] = ()
    unknown_attributes: tuple[str, ...] = ()
    """What the ticket does without."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link row as the store holds it. Times are unix seconds."""

    key: LinkKey
    state: LinkState
    owner: str = ""
    lease_until: float = 0.0
    uncertain_since: float = 0.0
    """Since when the create must be over, though nobody heard how it ended."""
    lookups: int = 0
    """How many look-ups since then found nothing."""
    issue: Issue | None = None
    linked_in_backtrace: bool = False
    record: Record | None = None
    synced: Synced | None = None
    page: str = ""
    """The group's page in Backtrace, as the event gave it."""
    previous: str = ""
    """Key of the ticket before, to which the next one is to be linked."""


@dataclass(frozen=True, slots=True)
class Parking:
    """Jira is not asked again for this scope until then (unix seconds)."""

    until: float
    refusal: Record


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decision with what a log line needs. `error` is set when the message is not done with."""

    decision: Decision
    fingerprint: str = ""
    integration: str = ""
    issue: Issue | None = None
    detail: str = ""
    unknown_attributes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    error: Exception | None = None

    def log_fields(self) -> dict[str, Any]:
        """Return the structured log keys, which README explains; empty ones are left out."""
        keys = {
            "decision": str(self.decision),
            "integration": self.integration,
            "fingerprint": self.fingerprint,
            "issue_key": self.issue.key if self.issue else "",
            "detail": self.detail,
            "unknown_attributes": list(self.unknown_attributes),
            "left_out": list(self.left_out),
        }
        return {key: value for key, value in keys.items() if value}
