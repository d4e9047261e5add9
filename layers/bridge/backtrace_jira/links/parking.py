"""After a refusal by Jira, nothing is sent for a while: a storm of errors costs one request.

A refusal of a ticket parks its project and issue type. A refused credential parks the whole connection, because each
further attempt can lock the account. If Jira asks for a pause (429), only this process holds the connection back;
the messages wait in their queue.
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
    """The parkings and the pause of one connection, as this process remembers them."""

    read_at: float = float("-inf")
    parkings: dict[str, Parking] = field(default_factory=dict)
    throttled_until: float = 0.0


class ParkingGuard:
    """The store's parking notes, remembered for `trust` seconds, so that not every ticket reads them."""

    def __init__(
        self, links: ParkingStore, clock: Callable[[], float], *, trust: float, duration: float
    ) -> None:
        self._links = links
        self._clock = clock
        self._trust = trust
        self._duration = duration
        self._notes: dict[str, _Note] = {}

    def check(self, integration: Integration, *, creates: bool = True) -> None:
        """Raise if a request to Jira has to wait.

        A parking of the whole connection stops every request, one of a project and issue type only a create.

        Raises:
            Throttled: Jira asked for a pause that is not over.
            Parked: Jira refused this scope a while ago.
            Busy: the store did not answer.
        """
        now = self._clock()
        note = self._notes.setdefault(integration.connection, _Note())
        if note.throttled_until > now:
            raise Throttled("Jira asked for a pause", after=note.throttled_until - now)
        if note.read_at + self._trust < now:
            note.parkings = self._stored(integration.connection)
            note.read_at = now
        scopes = (WHOLE_CONNECTION, integration.parking_scope) if creates else (WHOLE_CONNECTION,)
        _raise_if_parked(note.parkings, scopes, now)

    def _stored(self, connection: str) -> dict[str, Parking]:
        try:
            return dict(self._links.parkings(connection))
        except TryAgain as error:  # the store's pause is not Jira's
            raise Busy(str(error)) from None

    def park_refused(self, integration: Integration, refusal: Record, error: Exception) -> None:
        """Park the scope of a refusal: the whole connection, or project and issue type."""
        scope = WHOLE_CONNECTION if isinstance(error, CredentialRefused) else integration.parking_scope
        parking = Parking(refusal.at + self._duration, refusal)
        self._notes.setdefault(integration.connection, _Note()).parkings[scope] = parking
        self._links.park(integration.connection, scope, parking)

    def hold_back(self, integration: Integration, after: float) -> None:
        """Hold the connection back in this process, for `after` seconds."""
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
    """A parking note: until `until` (unix seconds), nothing is sent to Jira for a scope."""

    until: float
    refusal: Record


class ParkingStore(Protocol):
    """Parking notes by connection."""

    def park(self, connection: str, scope: str, parking: Parking) -> None:
        """Store a parking note for a scope of a connection."""
        ...

    def parkings(self, connection: str) -> Mapping[str, Parking]:
        """Return the connection's parking notes by scope, expired or not."""
        ...
