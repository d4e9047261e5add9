"""What AWS refuses or does not answer, as errors of ours: one translation for every service."""

from __future__ import annotations

from collections.abc import Collection

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.errors import Throttled, TryAgain, Unreachable

AWS_ERRORS = (ClientError, BotoCoreError)
"""What botocore raises: `except AWS_ERRORS as error`."""


def error_code(error: Exception) -> str:
    """Return the service's code, such as `ParameterNotFound`; empty where no service answered."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def translate(error: Exception, request: str, *, throttles: Collection[str] = ()) -> TryAgain:
    """Return the error of ours that `request` met; a later attempt may succeed.

    Args:
        error: one of `AWS_ERRORS`.
        request: service and operation, and what it was about.
        throttles: codes that become `Throttled`. Not for SSM: while a client of Jira's is made, `Throttled` would
            say that Jira asked for a pause.
    """
    text = f"{request}: {error_code(error) or type(error).__name__}"
    return Throttled(text) if error_code(error) in throttles else Unreachable(text)
