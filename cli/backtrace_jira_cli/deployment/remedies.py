"""Remedies: what the operator can do about an error of a client."""

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
    """Return the error's text, and its remedy."""
    return str(error), _remedy(error)


def _remedy(error: BacktraceJiraError) -> str:
    if isinstance(error, Throttled):
        when = f"in {error.after:.0f} seconds" if error.after else "in a minute"
        return f"Nothing is wrong with the settings: run this again {when}."
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), "Run this again.")


_REMEDIES: dict[type[BacktraceJiraError], str] = {
    Unreachable: "Check that this machine can reach the address: host name, port, VPN, proxy.",
    TryAgain: "The server, or a proxy before it, did not answer as it should. Run this again, then look there.",
    CredentialRefused: "Make a new token, and write it with backtrace-jira configure --ask-secrets.",
    Refused: "Correct what the answer names, then run this again.",
    InvalidField: "Correct this field in the settings file.",
    InvalidSettings: "Correct the settings file, then write it with backtrace-jira configure.",
}
"""A subclass comes before its base class, because the first match counts."""
