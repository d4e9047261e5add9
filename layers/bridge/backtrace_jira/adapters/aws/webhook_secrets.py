"""The secrets that Jira signs its webhooks with, from SSM Parameter Store.

Whoever knows the public address can send requests, and AWS answers the whole account 40 such questions a second. So SSM
is asked which connections have a secret, once for all names, and then only for the secret of one of those. A process
asks each of these questions at most once in ten seconds, whatever comes in. What it keeps is as much as there are
secrets; a name that was made up is not kept.
https://docs.aws.amazon.com/general/latest/gr/ssm.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from backtrace_jira.adapters.botocore_errors import AWS_ERRORS, error_code, translate
from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.settings.parameter_names import ParameterNames

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

V = TypeVar("V")

SHORTEST_AGE = 10.0
"""Seconds after which is read again what was missing or did not fit: until then a new secret may be refused."""


class SSMWebhookSecrets:
    """The `WebhookSecrets` port, cached for `max_age` seconds, but for ten at least."""

    def __init__(
        self, client: SSMClient, names: ParameterNames, *, max_age: float, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._names = names
        self._max_age = max(max_age, SHORTEST_AGE)
        self._clock = clock
        self._connections = _Cached(self._list, clock)
        self._secrets: dict[str, _Cached[str]] = {}
        """By connection. Only what SSM has listed gets in here."""

    def read_ahead(self) -> None:
        """Read which connections have a secret, and none of the secrets."""
        self._connections.younger_than(self._max_age)

    def find_secret(self, connection: str) -> str:
        """Read a SecureString. A missing one is read again soon: the operator may have made it since."""
        return self._younger_than(self._max_age, connection) or self.find_new_secret(connection)

    def find_new_secret(self, connection: str) -> str:
        """Read it again, but only every ten seconds: a forged webhook must not cause a request."""
        return self._younger_than(SHORTEST_AGE, connection)

    def _younger_than(self, age: float, connection: str) -> str:
        if connection not in self._secrets:
            if connection not in self._connections.younger_than(age):
                return ""
            self._secrets[connection] = _Cached(lambda: self._read(connection), self._clock)
        return self._secrets[connection].younger_than(age)

    def _list(self) -> frozenset[str]:
        """Return the connections that have a secret. Values come along encrypted, and are dropped."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(
            Path=self._names.webhook_secrets, WithDecryption=False
        )
        try:
            found = [each["Name"] for page in pages for each in page["Parameters"]]
        except AWS_ERRORS as error:
            raise translate(error, "SSM get_parameters_by_path") from None
        return frozenset(name.rpartition("/")[2] for name in found)

    def _read(self, connection: str) -> str:
        try:
            found = self._client.get_parameter(
                Name=self._names.webhook_secret(connection), WithDecryption=True
            )
        except AWS_ERRORS as error:
            if error_code(error) == "ParameterNotFound":
                return ""
            raise translate(error, "SSM get_parameter") from None
        return str(found["Parameter"].get("Value", "")).strip()


class _Cached(Generic[V]):
    """A value that is read when it is asked for and too old. After an error, it is not read for ten seconds."""

    def __init__(self, read: Callable[[], V], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._kept: tuple[float, V] | None = None
        self._failed: tuple[float, BacktraceJiraError] | None = None

    def younger_than(self, age: float) -> V:
        """Return the value, not older than so many seconds."""
        now = self._clock()
        if self._kept and now - self._kept[0] < age:
            return self._kept[1]
        if self._failed and now - self._failed[0] < SHORTEST_AGE:
            raise self._failed[1].with_traceback(None)
        try:
            self._kept, self._failed = (now, self._read()), None
        except BacktraceJiraError as error:
            self._failed = (now, error)
            raise
        return self._kept[1]
