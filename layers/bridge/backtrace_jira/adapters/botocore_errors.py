"""Translate botocore's errors into ours, for every AWS service alike."""

from __future__ import annotations

from collections.abc import Collection

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.errors import Throttled, TryAgain, Unreachable

AWS_ERRORS = (ClientError, BotoCoreError)
"""The errors that botocore raises, for `except AWS_ERRORS as error`."""


def error_code(error: Exception) -> str:
    """Return the service's code, such as `ParameterNotFound`; empty if no service answered."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def translate(error: Exception, request: str, *, throttles: Collection[str] = ()) -> TryAgain:
    """Return our error for one of botocore's; a later attempt may succeed.

    Args:
        error: one of `AWS_ERRORS`.
        request: service, operation and object, for the sentence.
        throttles: codes that become `Throttled`. Not for SSM: while the settings of a Jira client are read, `Throttled`
            would mean that Jira asked for a pause.
    """
    text = f"{request}: {error_code(error) or type(error).__name__}"
    return Throttled(text) if error_code(error) in throttles else Unreachable(text)
