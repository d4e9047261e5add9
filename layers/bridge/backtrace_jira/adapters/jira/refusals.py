"""Jira's refusals, in Jira's own words.

Their form depends on product, version and proxy. Jira's texts depend on the site's language and change, so no code
here looks for words in them.
"""

from __future__ import annotations

from typing import Any

from backtrace_jira.adapters.http import Response
from backtrace_jira.errors import CredentialRefused, Refused

LONGEST_REASON = 300
MOST_REASONS = 100
"""The link row keeps them, and has to fit DynamoDB's 400 KB."""


def raise_for_credential(request: str, response: Response) -> None:
    """Raise if Jira did not accept the credential.

    Cloud may answer 200, 400 or 404 as to an anonymous caller, and say so only in X-Seraph-LoginReason. After some
    failed logins both products demand a CAPTCHA, which only a person can solve.

    Raises:
        CredentialRefused: status or headers say so.
    """
    login = response.headers.get("x-seraph-loginreason", "")
    denied = response.headers.get("x-authentication-denied-reason", "")
    if "AUTHENTICATION_DENIED" in login or "CAPTCHA" in denied:
        raise CredentialRefused(
            f"{request}: {response.status}, Jira wants a CAPTCHA solved: log in once in a browser with this account",
            status=response.status,
        )
    if response.status == 401 or "AUTHENTICATED_FAILED" in login:
        raise CredentialRefused(
            f"{request}: {response.status}, Jira does not accept this user and token", status=response.status
        )


def login_failed(response: Response) -> bool:
    """Return whether Jira's headers say that it did not accept the credential."""
    login = response.headers.get("x-seraph-loginreason", "")
    return "FAILED" in login or "DENIED" in login or "x-authentication-denied-reason" in response.headers


def refusal(request: str, response: Response) -> Refused:
    """Return the refusal with Jira's own words. Their form depends on product, version and proxy."""
    if 300 <= response.status < 400:
        return Refused(
            f"{request}: {response.status}, redirected elsewhere; the Jira API address or a sign-on proxy needs a look",
            status=response.status,
        )
    raw = response.json()
    if response.is_html or not isinstance(raw, dict):
        return Refused(
            f"{request}: {response.status} with a page instead of Jira's answer; check the Jira API address",
            status=response.status,
        )
    messages, fields = _words(raw)
    said = "; ".join([*messages, *(f"{name}: {text}" for name, text in fields.items())])
    return Refused(
        f"{request}: {response.status}, {said or 'no reason given'}"[: 4 * LONGEST_REASON],
        status=response.status,
        messages=messages,
        fields=fields,
    )


def _words(raw: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Read `errorMessages` and `errors`. Either may be missing, and gateways use other names."""
    messages = raw.get("errorMessages")
    errors = raw.get("errors")
    found = (
        [str(text)[:LONGEST_REASON] for text in messages[:MOST_REASONS]] if isinstance(messages, list) else []
    )
    found += [str(raw[key])[:LONGEST_REASON] for key in ("message", "detail") if raw.get(key)]
    fields = (
        {
            str(name)[:LONGEST_REASON]: str(text)[:LONGEST_REASON]
            for name, text in list(errors.items())[:MOST_REASONS]
        }
        if isinstance(errors, dict)
        else {}
    )
    return found, fields
