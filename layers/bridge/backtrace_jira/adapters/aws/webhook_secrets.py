"""The secrets that Jira signs its webhooks with, from SSM Parameter Store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from backtrace_jira.adapters.botocore_errors import AWS_ERRORS, error_code, translate
from backtrace_jira.settings.parameter_names import ParameterNames

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

SHORTEST_AGE = 10.0
"""Seconds after which a secret that was missing, or did not fit, is read again."""


class SSMWebhookSecrets:
    """The `WebhookSecrets` port, cached for `max_age` seconds."""

    def __init__(
        self, client: SSMClient, names: ParameterNames, *, max_age: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._names = names
        self._max_age = max_age
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}
        """By connection: when the secret was read, and the secret."""

    def find_secret(self, connection: str) -> str:
        """Read a SecureString. A missing one is read again soon: the operator may have made it since."""
        known = self._kept.get(connection)
        return self._younger_than(self._max_age if known and known[1] else SHORTEST_AGE, connection)

    def find_new_secret(self, connection: str) -> str:
        """Read the secret again, but only every few seconds: forged webhooks must not cause a request each."""
        return self._younger_than(SHORTEST_AGE, connection)

    def _younger_than(self, age: float, connection: str) -> str:
        known = self._kept.get(connection)
        if known and self._clock() - known[0] < min(age, self._max_age):
            return known[1]
        secret = self._read(self._names.webhook_secret(connection))
        if len(self._kept) > 1000:  # forged requests may name any connection
            self._kept.clear()
        self._kept[connection] = (self._clock(), secret)
        return secret

    def _read(self, name: str) -> str:
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=True)
        except AWS_ERRORS as error:
            if error_code(error) == "ParameterNotFound":
                return ""
            raise translate(error, "SSM get_parameter") from None
        return str(found["Parameter"].get("Value", "")).strip()
