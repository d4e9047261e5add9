"""SSM Parameter Store with a cache. Powertools' own one would import clients for six stores, and we use one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from backtrace_jira.adapters.botocore_errors import AWS_ERRORS, error_code, translate
from backtrace_jira.errors import BacktraceJiraError, InvalidSettings

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

V = TypeVar("V")


class CachedParameters:
    """Parameters by name and by path. A value is trusted for `max_age` seconds; an error is not cached."""

    def __init__(self, client: SSMClient, *, max_age: float, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._values: _Kept[str] = _Kept(max_age, clock)
        self._listings: _Kept[Mapping[str, str]] = _Kept(max_age, clock)

    def read_value(self, name: str, *, decrypt: bool = False) -> str:
        """Return a parameter's value.

        Raises:
            InvalidSettings: the parameter is missing, or the function may not read it.
            Unreachable: SSM did not answer.
        """
        return self._values.find(name, lambda: self._read(name, decrypt=decrypt))

    def read_below(self, path: str) -> Mapping[str, str]:
        """Return the values of all parameters below a path, by name.

        Raises:
            InvalidSettings: the function may not read them.
            Unreachable: SSM did not answer.
        """
        return self._listings.find(path, lambda: self._list(path))

    def _read(self, name: str, *, decrypt: bool) -> str:
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=decrypt)
        except AWS_ERRORS as error:
            raise _translated(error, "get_parameter", name) from None
        return found["Parameter"].get("Value", "")

    def _list(self, path: str) -> dict[str, str]:
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
        try:
            found = [each for page in pages for each in page["Parameters"]]
        except AWS_ERRORS as error:
            raise _translated(error, "get_parameters_by_path", path) from None
        return {each["Name"]: each["Value"] for each in found}


class _Kept(Generic[V]):
    """Values by name, each until it is too old."""

    def __init__(self, max_age: float, clock: Callable[[], float]) -> None:
        self._max_age = max_age
        self._clock = clock
        self._found: dict[str, tuple[float, V]] = {}

    def find(self, name: str, read: Callable[[], V]) -> V:
        """Return the cached value, or read it."""
        kept = self._found.get(name)
        if kept is None or self._clock() - kept[0] >= self._max_age:
            kept = self._found[name] = (self._clock(), read())
        return kept[1]


def _translated(error: Exception, operation: str, name: str) -> BacktraceJiraError:
    """Return our error: for a parameter that is missing, that may not be read, or a store that does not answer."""
    if error_code(error) == "ParameterNotFound":
        return InvalidSettings(f"{name}: the parameter is missing; write it with backtrace-jira configure")
    if "AccessDenied" in error_code(error):
        return InvalidSettings(f"{name}: the function may not read this parameter")
    return translate(error, f"SSM {operation} {name}")
