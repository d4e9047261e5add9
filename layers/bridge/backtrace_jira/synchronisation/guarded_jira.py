"""Park a Jira connection whose credential was refused, and keep the pause that Jira asks for.

A refused credential is not sent again for a while, by any function: every attempt can lock the account. A pause is
kept by this process only. Refusals by Backtrace or DynamoDB do not park the Jira connection, so it is each request to
Jira that is watched, and not the turn as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from backtrace_jira.errors import CredentialRefused, Throttled
from backtrace_jira.links.parking import ParkingGuard
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.ports import JiraIssues
from backtrace_jira.times import PAUSE


def guard_jira(
    jira: JiraIssues, integration: Integration, parking: ParkingGuard, clock: Callable[[], float]
) -> JiraIssues:
    """Return the same client; whatever its methods raise is parked before it goes on."""

    @contextmanager
    def parking_refusals() -> Iterator[None]:
        try:
            yield
        except Throttled as error:
            parking.hold_back(integration, error.after or PAUSE)
            raise
        except CredentialRefused as error:
            parking.park_refused(integration, Record.from_error(error, clock()), error)
            raise

    return cast(JiraIssues, _Guarded(jira, parking_refusals))


class _Guarded:
    """Any object whose attributes and methods are used within a context manager."""

    def __init__(self, guarded: object, guard: Callable[[], Any]) -> None:
        self._guarded = guarded
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        with self._guard():
            value = getattr(self._guarded, name)
        return self._guard_calls(value) if callable(value) else value

    def _guard_calls(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            with self._guard():
                return method(*args, **named)

        return call
