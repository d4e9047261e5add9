"""What can go wrong, by the one question that matters: will a retry help?

BacktraceJiraError
├── TryAgain                 yes, after a while: the message goes back to its queue
│   ├── Busy                 another delivery of the same group is at work
│   ├── Throttled            the server said "later"; nothing was executed
│   ├── Unreachable          nothing was sent, or nothing was executed
│   ├── OutcomeUnknown       the request may have been executed: look before doing it again
│   ├── NotYetVisible        Jira's index may still lag: look again before creating
│   └── Parked               Jira said no a moment ago; it is not asked again for a while
└── NeedsAttention           no, not before somebody mends something: the message is kept as a dead letter
    ├── InvalidEvent         the message is not an error group
    ├── InvalidSettings      a parameter is missing or malformed
    ├── InvalidField         a field that the settings name, or the text for it, does not fit Jira's screen
    │   └── NotOnScreen      ... the screen has no such field
    ├── Refused              Jira or Backtrace understood and said no
    │   └── CredentialRefused   ... to whoever asks with this credential
    └── NotVisible           the account may not see what it creates, so nothing can be looked up
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class BacktraceJiraError(Exception):
    """Base of every error this package raises on purpose; its text is fit for an operator."""


class TryAgain(BacktraceJiraError):
    """A later attempt may succeed. `after` is in seconds; None leaves the delay to the caller's back-off."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Busy(TryAgain):
    """Retry helps: another delivery or process holds the row for now, or this one has no time left."""


class Throttled(TryAgain):
    """Retry helps, after the pause that the server asked for (429, or 503 with Retry-After). Nothing was executed."""


class Unreachable(TryAgain):
    """Retry helps: no connection came about, or the server refused before it did anything."""


class OutcomeUnknown(TryAgain):
    """Retry helps only after a look-up: the request was sent, no usable answer came, it may have been executed."""


class NotYetVisible(TryAgain):
    """Retry helps: a look-up found nothing, but too early to prove that there is nothing."""


class Parked(TryAgain):
    """Retry helps once the parking is over: Jira refused this connection, project and issue type a moment ago.

    `messages` and `fields` are the refusal's.
    """

    def __init__(
        self, message: str, *, after: float, messages: Sequence[str], fields: Mapping[str, str]
    ) -> None:
        super().__init__(message, after=after)
        self.messages = tuple(messages)
        self.fields = dict(fields)


class NeedsAttention(BacktraceJiraError):
    """No retry helps until a person changes something."""


class InvalidEvent(NeedsAttention):
    """No retry helps: the message is not a Backtrace error group."""


class InvalidSettings(NeedsAttention):
    """No retry helps before the settings are mended. The text names the parameter, never its value."""


class InvalidField(NeedsAttention):
    """A field that the settings name is not what the text for it needs, or is not to be told from another.

    The sentence says which field, what it takes and where the text comes from, never the text itself: it may
    be a setting. `field` is the field's id, or the name in the settings where no field was found; `allowed`
    holds all values that could be given instead, as Jira shows them.
    """

    def __init__(self, message: str, *, field: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.allowed = tuple(allowed)


class NotOnScreen(InvalidField):
    """No retry helps before the field is added: Jira's create screen has none of this id or name."""


class Refused(NeedsAttention):
    """No retry helps: the server said a definite no. `messages` and `fields` hold its own words.

    `fields` maps a field id to the reason, as Jira's `errors` object does.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        messages: Sequence[str] = (),
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.messages = tuple(messages)
        self.fields = dict(fields or {})


class CredentialRefused(Refused):
    """A retry harms: the server does not let the account in, and each further attempt can lock it."""


class NotVisible(NeedsAttention):
    """No retry helps before the account may browse: it may create, but its look-ups prove nothing."""
