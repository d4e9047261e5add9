"""The notes of a server: its pace, and what no process sends to it for a while, because it refused that a moment ago.

A storm of errors must cost a bounded number of calls. So a refusal that surely meets every ticket of a scope parks
the scope: a refused credential the whole connection, because each further attempt can lock the account; a refused
project, issue type or permission the project with its issue type. A refusal of one group's own values stops
that group alone, by its row's record; see `tickets.refusals`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from backtrace_jira.errors import Parked
from backtrace_jira.links.pace import Pace
from backtrace_jira.outcomes import Record

WHOLE_CONNECTION = "*"


@dataclass(frozen=True, slots=True)
class Parking:
    """A parking note: until `until` (unix seconds), nothing is sent to Jira for a scope."""

    until: float
    refusal: Record


@dataclass(frozen=True, slots=True)
class ServerNotes:
    """What the store keeps of one server: parking notes by scope, expired or not, and the pace."""

    parkings: Mapping[str, Parking] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)


class ServerStore(Protocol):
    """Notes by server: a Jira connection by its name, a Backtrace universe as `universe_server` says."""

    def park(self, server: str, scope: str, parking: Parking, *, expired: Collection[str] = ()) -> None:
        """Store a parking note for a scope of a connection, and forget those of scopes that are parked no longer."""
        ...

    def server_notes(self, server: str) -> ServerNotes:
        """Return what is noted of a server."""
        ...

    def replace_pace(self, server: str, seen: Pace, pace: Pace) -> Pace:
        """Store the pace if the stored one still is `seen`; return the one that is stored after that."""
        ...


def universe_server(universe: str) -> str:
    """Return the name by which a Backtrace universe has its notes; a connection's name has no blank."""
    return f"backtrace {universe}"


def server_title(server: str) -> str:
    """Return what an operator calls a server, by the name under which it has its notes."""
    kind, _, universe = server.partition(" ")
    return f"{kind.capitalize()} universe {universe}" if universe else f"Jira connection {server}"


def raise_if_parked(parkings: Mapping[str, Parking], scopes: Sequence[str], now: float) -> None:
    """Raise for the first of the scopes that is parked.

    Raises:
        Parked: with the refusal's words.
    """
    for scope in scopes:
        parking = parkings.get(scope)
        if parking and parking.until > now:
            raise parked(parking.refusal, parking.until, now)


def parked(refusal: Record, until: float, now: float) -> Parked:
    """Return the error for what was refused a moment ago and is not sent before `until` (unix seconds)."""
    when = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Parked(
        f"not sent before {when}, because Jira has just refused the like: {refusal.reason}",
        after=until - now,
        messages=refusal.messages,
        fields=refusal.fields,
    )
