"""Jira connections and Backtrace universes, as far as this process knows how they are: parked, paused, at which pace.

A batch of error events reads the notes of its servers together with its link rows (`learn_notes`). The
synchronisation, which serves one ticket after the other, reads them every half minute. Of a server that has always
answered, nothing is noted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import TypeVar

from backtrace_jira.errors import Busy, CredentialRefused, OverBudget, Throttled, TryAgain
from backtrace_jira.jira.limit import Limit
from backtrace_jira.links import pace as rules
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import (
    WHOLE_CONNECTION,
    Parking,
    ServerNotes,
    ServerStore,
    raise_if_parked,
    server_title,
)
from backtrace_jira.outcomes import Record
from backtrace_jira.times import LONGEST_PAUSE, PARKED, PARKING_TRUSTED, PAUSE

T = TypeVar("T")

RECENT = 10.0
"""Seconds: from what was served in them, the first refusal tells the pace."""
MOST_UNANSWERED = 3
"""After so many calls in a row without an answer, the server is taken for away: it was not this one call."""
SIDE_BY_SIDE = 5
"""So many calls to one server at once, when it has no pace."""
MOST_FORGOTTEN = 100
"""Parking notes that one write removes: its expression has a limit of 4 KB."""
_RACES = 8
"""Tries to change a pace, while other processes change it, too."""


@dataclass(slots=True)
class _Known:
    """What this process knows of one server."""

    notes: ServerNotes = field(default_factory=ServerNotes)
    read_at: float = float("-inf")
    recent: deque[float] = field(default_factory=deque)
    """When the calls of the last seconds were served (unix seconds)."""
    unanswered: int = 0
    """Calls without an answer, one after the other."""
    width: int = 1
    """So many calls may be under way at once, where the server has no pace."""
    sent: int = 0
    """Calls since the last one that was admitted."""
    own_pause: float = 0.0
    """Until when a pause lasts that could not be stored (unix seconds)."""

    def forget_older(self, than: float) -> None:
        while self.recent and self.recent[0] < than:
            self.recent.popleft()


class Servers:
    """The servers that one process calls. Threads may share it."""

    def __init__(
        self,
        store: ServerStore,
        clock: Callable[[], float],
        *,
        trust: float = PARKING_TRUSTED,
        parked: float = PARKED,
    ) -> None:
        """Take the store that all processes share, and a clock (unix seconds).

        Notes are used for `trust` seconds without being read again; a refused scope is parked for `parked` seconds.
        """
        self._store = store
        self._clock = clock
        self._trust = trust
        self._parked = parked
        self._servers: dict[str, _Known] = {}
        self._lock = threading.RLock()

    # What is known

    def learn_notes(self, server: str, notes: ServerNotes) -> None:
        """Take a server's notes, which were just read from the store."""
        with self._lock:
            known = self._known(server)
            # A pause that could not be stored holds in this process all the same.
            paused = max(notes.pace.paused_until, known.own_pause)
            known.notes = replace(notes, pace=replace(notes.pace, paused_until=paused))
            known.read_at = self._clock()
            self._report_served(server, known)

    def _report_served(self, server: str, known: _Known) -> None:
        """Add what this process was served before the server's first refusals, once: all together tell its pace."""
        if not known.notes.pace.first:
            return
        known.forget_older(known.notes.pace.refused_at - RECENT)
        if known.recent:
            served, since = len(known.recent), known.recent[0]
            known.recent.clear()
            self._try_change(server, lambda pace, _: rules.after_report(pace, served, since))

    def notes(self, server: str) -> ServerNotes:
        """Return what is noted of a server, read at most `trust` seconds ago.

        Raises:
            Busy: the store did not answer.
        """
        known = self._known(server)
        if known.read_at + self._trust < self._clock():
            try:
                self.learn_notes(server, self._store.server_notes(server))
            except TryAgain as error:  # the store's pause is not the server's
                raise Busy(str(error)) from None
        return known.notes

    def ensure_not_parked(self, connection: str, scope: str = "") -> None:
        """Raise if nothing may be sent for a scope, or, without one, for the connection as a whole.

        Raises:
            Parked: Jira refused it a while ago.
            Busy: the store did not answer.
        """
        raise_if_parked(self.notes(connection).parkings, (WHOLE_CONNECTION, scope), self._clock())

    def ensure_open(self, server: str) -> None:
        """Raise if the server asked for a pause, or is away.

        Raises:
            Throttled: nothing was sent.
        """
        wait = self._known(server).notes.pace.wait(self._clock())
        if wait:
            raise Throttled(f"not sent: {self.describe(server)}", after=wait)

    def describe(self, server: str) -> str:
        """Say who the server is and what holds calls to it back, for the operator."""
        why = self._known(server).notes.pace.describe(self._clock())
        return f"{server_title(server)} {why or 'is called by other processes now'}"

    def ensure_tried_once(self, server: str) -> None:
        """Raise as `ensure_open` does, and where the server was away, unless this is the one call that tries it.

        Raises:
            Throttled: nothing was sent.
            Busy: the store did not answer.
        """
        self.ensure_open(server)
        if self._known(server).notes.pace.outages and not self.book(server, 1):
            raise Throttled(f"not sent: {self.describe(server)}", after=rules.FIRST_OUTAGE)

    def width(self, server: str) -> int:
        """Return how many calls may be under way at once: without a pace, one, then more with each that is served."""
        known = self._known(server)
        return known.width if known.notes.pace.rate is None else rules.PROCESSES

    # What is sent

    def book(self, server: str, wanted: int) -> list[float]:
        """Book calls; return their times (unix seconds). What was not booked has to come again later.

        Raises:
            Throttled: the server asked for a pause, or is away.
            Busy: the store did not answer.
        """
        times = self._change(server, lambda pace, now: rules.book(pace, now, wanted))
        if not times:
            self.ensure_open(server)
        return times or []

    def admit(self, server: str) -> float:
        """Book a call that is not urgent: creates come before updates where the pace is short.

        Returns the seconds until it may be sent, a few at most.

        Raises:
            OverBudget: the pace has no room now.
            Throttled: the server asked for a pause, or is away.
            Busy: the store did not answer.
        """
        self.notes(server)
        self.ensure_open(server)
        # A turn may send several calls. Each pays for those of the turn before: how many, nobody knows beforehand.
        price = max(1, self._known(server).sent)
        booked = self._change(server, lambda pace, now: rules.book(pace, now, 1, urgent=False, price=price))
        if not booked:
            raise OverBudget(f"not sent, because new tickets come first: {self.describe(server)}")
        self._known(server).sent = 0
        return max(0.0, booked[0] - self._clock())

    # What came of it

    def learn_answer(self, server: str, limit: Limit | None = None) -> None:
        """Note that a call was answered, with what the answer says of the server's limit."""
        now = self._clock()
        with self._lock:
            known = self._known(server)
            known.unanswered, known.width = 0, min(SIDE_BY_SIDE, known.width * 2)
            known.recent.append(now)
            known.sent += 1
            known.forget_older(now - RECENT)
            if known.notes.pace.outages or known.notes.pace.fruitless:
                self._try_change(server, rules.after_answer)
            elif limit and limit.near and known.notes.pace.rate is None:
                served, since = len(known.recent), known.recent[0]
                self._try_change(
                    server,
                    lambda pace, now: rules.after_warning(
                        pace, now, served=served, since=since, told=limit.rate
                    ),
                )

    def learn_refusal(self, server: str, error: Throttled) -> None:
        """Note that the server asked for a pause."""
        with self._lock:
            known = self._known(server)
            known.width, known.unanswered = 1, 0
            known.forget_older(self._clock() - RECENT)
            served, since = len(known.recent), known.recent[0] if known.recent else 0.0
            known.recent.clear()  # counted once, however many calls of this process are refused together
            asked = PAUSE if error.after is None else min(error.after, LONGEST_PAUSE)
            self._try_change(
                server,
                lambda pace, now: rules.after_refusal(
                    pace, now, asked, served=served, since=since, told=error.rate
                ),
            )

    def learn_silence(self, server: str) -> None:
        """Note that a call had no answer; after some in a row, the server is left alone for a while."""
        with self._lock:
            known = self._known(server)
            known.width, known.unanswered = 1, known.unanswered + 1
            if known.unanswered >= MOST_UNANSWERED or known.notes.pace.outages:
                self._try_change(server, rules.after_silence)

    def park(self, connection: str, scope: str, refusal: Record) -> None:
        """Park a scope of a connection after a refusal."""
        parking = Parking(refusal.at + self._parked, refusal)
        with self._lock:
            known, now = self._known(connection), self._clock()
            notes = known.notes.parkings
            # A template may name a scope for each program: without this, the item would be full one day.
            expired = [name for name, each in notes.items() if each.until <= now and name != scope]
            kept = {name: each for name, each in notes.items() if name not in expired} | {scope: parking}
            known.notes = replace(known.notes, parkings=kept)
        with suppress(TryAgain):  # this process keeps to it, and the next refusal parks it for all
            self._store.park(connection, scope, parking, expired=expired[:MOST_FORGOTTEN])

    def park_connection(self, connection: str, error: CredentialRefused) -> None:
        """Park the whole connection: each further attempt with this credential can lock the account."""
        self.park(connection, WHOLE_CONNECTION, Record.from_error(error, self._clock()))

    # One change of a pace

    def _known(self, server: str) -> _Known:
        return self._servers.setdefault(server, _Known())

    def _try_change(self, server: str, rule: Callable[[Pace, float], Pace]) -> None:
        """Change a pace; where the store does not answer, this process at least keeps to it."""
        try:
            self._change(server, lambda pace, now: (rule(pace, now), None))
        except Busy:
            known = self._known(server)
            known.notes = replace(known.notes, pace=rule(known.notes.pace, self._clock()))
            known.own_pause = known.notes.pace.paused_until

    def _change(self, server: str, rule: Callable[[Pace, float], tuple[Pace, T]]) -> T | None:
        """Change the stored pace by a rule; None where others changed it again and again.

        Raises:
            Busy: the store did not answer.
        """
        with self._lock:
            known = self._known(server)
            for _ in range(_RACES):
                seen = known.notes.pace
                pace, result = rule(seen, self._clock())
                if pace == seen:
                    return result
                pace = replace(pace, written_by=token_hex(8))
                try:
                    stored = self._store.replace_pace(server, seen, pace)
                except TryAgain as error:
                    raise Busy(str(error)) from None
                known.notes = replace(known.notes, pace=stored)
                if stored == pace:
                    known.own_pause = 0.0
                    return result
            return None
