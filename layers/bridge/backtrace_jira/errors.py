"""Every error that this package raises on purpose. Its class answers one question: will a retry help?

BacktraceJiraError
├── TryAgain                 yes, later: the message goes back to its queue
│   ├── Busy                 another delivery of the same group is at work, no time is left, or the store is silent
│   ├── Throttled            the server asked for a pause, or is away; it executed nothing
│   ├── OverBudget           the server's pace has no room for the call now: nothing was sent
│   ├── Unreachable          the request was not sent, or the server did not execute it
│   ├── OutcomeUnknown       the server may have executed the request: look it up before sending again
│   ├── NotYetVisible        Jira's search may still lag: look again before creating
│   └── Parked               Jira refused a moment ago: for five minutes it is not asked again
└── NeedsAttention           not before a person mends something: the message becomes a dead letter
    ├── InvalidEvent         the message is not an error group
    ├── InvalidSettings      a parameter is missing or malformed
    ├── InvalidField         a field of the settings, or the text for it, does not fit Jira's create screen
    │   └── NotOnScreen      ... the create screen has no such field
    ├── Refused              Jira or Backtrace understood the request and refused it
    │   └── CredentialRefused   ... because it does not accept the credential
    ├── NotVisible           the Jira account may not see the tickets that it creates
    ├── Ambiguous            several tickets may be the one that a create without an answer made
    └── CutOff               the function died again and again while it made this ticket
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class BacktraceJiraError(Exception):
    """Base of every error that this package raises on purpose. Its text is written for the operator."""


class TryAgain(BacktraceJiraError):
    """A later attempt may succeed. `after` is in seconds; None leaves the delay to the caller's back-off."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Busy(TryAgain):
    """Retry helps: another process holds the row for now, this one has no time left, or the store did not answer."""


class Throttled(TryAgain):
    """Retry helps, after the pause that the server asked for (429, or 503 with Retry-After). Nothing was executed.

    `rate` is what the server's headers allow in the long run, in calls a second, if they say so.
    """

    def __init__(self, message: str, *, after: float | None = None, rate: float | None = None) -> None:
        super().__init__(message, after=after)
        self.rate = rate


class OverBudget(TryAgain):
    """Retry helps a little later: the server's pace is booked out by other calls. Nothing was sent."""


class Unreachable(TryAgain):
    """Retry helps: there was no connection, or the server refused before it did anything."""


class OutcomeUnknown(TryAgain):
    """Retry helps only after a look-up: no usable answer came, and the server may have executed the request."""


class NotYetVisible(TryAgain):
    """Retry helps: a look-up found nothing, but too early to prove that there is nothing."""


class Parked(TryAgain):
    """Retry helps once the parking is over: a moment ago Jira refused this group, its project and issue type, or the
    credential.

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
    """No retry helps before Jira or the settings change: a field does not accept its text, or several have its name.

    The sentence names the field, what it takes and where the text comes from. It never holds the text, which may be
    a setting. `field` is the field's id, or its name in the settings if no field was found. `allowed` holds all
    values that the field accepts, as Jira shows them.
    """

    def __init__(self, message: str, *, field: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.allowed = tuple(allowed)


class NotOnScreen(InvalidField):
    """No retry helps before somebody adds the field: Jira's create screen has none of this id or name."""


class Refused(NeedsAttention):
    """No retry helps: the server refused the request. `messages` and `fields` hold its own words.

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
    """A retry harms: the server does not let the account in, and each further attempt can lock the account."""


class CutOff(NeedsAttention):
    """No retry helps before the cause is found: each process that made this ticket died."""


class Ambiguous(NeedsAttention):
    """No retry helps before a person chooses: several tickets may be the one that a create without an answer made."""


class NotVisible(NeedsAttention):
    """No retry helps before the account may browse: it may create tickets, but its searches do not show them."""
