"""A broken (connection, project, issue type) is left alone for a while: a storm of errors costs one call.

A refused credential parks the whole connection, since every further attempt can lock the account. "Later"
(429) holds the connection back in this process only; the messages wait in their queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from backtrace_jira.errors import Busy, CredentialRefused, Parked, Throttled, TryAgain
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import Integration

WHOLE_CONNECTION = "*"


@dataclass(slots=True)
class _Note:
    """What this process knows of one connection."""

    read_at: float = float("-inf")
    parkings: dict[str, Parking] = field(default_factory=dict)
    throttled_until: float = 0.0


class ParkingGuard:
    """Parking notes of the store, remembered for `trust` seconds so that a new ticket need not read them."""

    def __init__(
        self, links: ParkingStore, clock: Callable[[], float], *, trust: float, duration: float
    ) -> None:
        self._links = links
        self._clock = clock
        self._trust = trust
        self._duration = duration
        self._notes: dict[str, _Note] = {}

    def check(self, integration: Integration, *, lookup: bool = False) -> None:
        """Let a create pass, or a look-up, which only the whole connection's parking concerns.

        Raises:
            Throttled: the connection asked for a pause that is not over.
            Parked: a refusal of this scope still stands.
            Busy: the store could not be asked.
        """
        now = self._clock()
        note = self._notes.setdefault(integration.connection, _Note())
        if note.throttled_until > now:
            raise Throttled("Jira asked for a pause", after=note.throttled_until - now)
        if note.read_at + self._trust < now:
            note.parkings = self._stored(integration.connection)
            note.read_at = now
        scopes = (WHOLE_CONNECTION,) if lookup else (WHOLE_CONNECTION, integration.parking_scope)
        _raise_if_parked(note.parkings, scopes, now)

    def _stored(self, connection: str) -> dict[str, Parking]:
        try:
            return dict(self._links.parkings(connection))
        except TryAgain as error:  # the store's pause is not Jira's
            raise Busy(str(error)) from None

    def park_refused(self, integration: Integration, refusal: Record, error: Exception) -> None:
        """Park what a refusal is about."""
        scope = WHOLE_CONNECTION if isinstance(error, CredentialRefused) else integration.parking_scope
        parking = Parking(refusal.at + self._duration, refusal)
        self._notes.setdefault(integration.connection, _Note()).parkings[scope] = parking
        self._links.park(integration.connection, scope, parking)

    def hold_back(self, integration: Integration, after: float) -> None:
        """Hold the connection back for that many seconds."""
        note = self._notes.setdefault(integration.connection, _Note())
        note.throttled_until = max(note.throttled_until, self._clock() + after)


def _raise_if_parked(parkings: Mapping[str, Parking], scopes: Sequence[str], now: float) -> None:
    for scope in scopes:
        parking = parkings.get(scope)
        if parking and parking.until > now:
            until = datetime.fromtimestamp(parking.until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            raise Parked(
                f"not sent, because Jira refused a moment ago: {parking.refusal.reason} (until {until})",
                after=parking.until - now,
                messages=parking.refusal.messages,
                fields=parking.refusal.fields,
            )


@dataclass(frozen=True, slots=True)
class Parking:
    """Jira is not asked again for this scope until then (unix seconds)."""

    until: float
    refusal: Record


class ParkingStore(Protocol):
    """Parking notes by connection."""

    def park(self, connection: str, scope: str, parking: Parking) -> None:
        """Record that Jira need not be asked again for this scope of a connection for a while."""
        ...

    def parkings(self, connection: str) -> Mapping[str, Parking]:
        """Return the connection's parking notes by scope, expired or not."""
        ...
