"""What an error of a client says to whoever can mend it."""

from __future__ import annotations

from backtrace_jira.errors import (
    BacktraceJiraError,
    CredentialRefused,
    InvalidField,
    InvalidSettings,
    Refused,
    Throttled,
    TryAgain,
    Unreachable,
)


def explain_error(error: BacktraceJiraError) -> tuple[str, str]:
    """Return what was found and what to do."""
    return str(error), _remedy(error)


def _remedy(error: BacktraceJiraError) -> str:
    if isinstance(error, Throttled):
        when = f"in {error.after:.0f} seconds" if error.after else "in a minute"
        return f"Nothing is wrong with the settings: run this again {when}."
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), "Run this again.")


_REMEDIES: dict[type[BacktraceJiraError], str] = {
    Unreachable: "See whether this address answers from here at all: host name, port, VPN, proxy.",
    TryAgain: "The server, or a proxy before it, did not answer as it should: run this again, then look there.",
    CredentialRefused: "Make a new token, and write it with backtrace-jira configure --ask-secrets.",
    Refused: "Mend what the answer says, then run this again.",
    InvalidField: "Mend this field in the settings file.",
    InvalidSettings: "Mend the settings file, then write it with backtrace-jira configure.",
}
"""The more special come first."""
