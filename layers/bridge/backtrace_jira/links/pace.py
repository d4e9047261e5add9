"""The pace of a server: how many calls a second all processes together send to it, and from when on.

Nobody tells us a server's limit beforehand, and Jira Cloud's are per tenant, so they are shared with other programs.
A server that has refused nothing has no pace: as many calls go to it as come. Its first refusal tells one: so many
calls were served in so many seconds. From then on, calls are booked ahead, one after the other at that pace, and the
pace is raised carefully until the server refuses again. A server that does not answer, or refuses the first call after
the pause that it asked for, is tried by one call at a time, with longer and longer pauses.

All of it is arithmetic on one value, which the store keeps for all processes; `servers` reads it and writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

AHEAD = 2.6
"""So many seconds ahead a call may be booked. The process that books waits until then, and does nothing else."""
AHEAD_IF_NOT_URGENT = 1.5
"""The same for a call that is not urgent: where the pace is short, urgent calls leave it no room."""
SHORT_PAUSE = 5.0
"""A pause that is over within so many seconds is waited for, like a booked call; a longer one puts messages back."""
BELOW = 0.98
"""The part that is used of the pace at which a server refused."""
SLOWEST = 1 / 60
FASTEST = 100.0
"""Calls a second. Jira Cloud lets a tenant send 100 a second to each of its resources; at that rate nothing
has to be booked."""
HOLD, LONGEST_HOLD = 40.0, 36_000.0
"""A pace at which a server refused is held for so many times the pause that it asked for, for ten hours at most."""
PROCESSES = 10
"""So many may create tickets beside each other: the queue's MaximumConcurrency (template.yaml)."""
FIRST_GUESS = 1.0
"""Calls a second, after a refusal or an outage before which nothing was served."""
LEAST_MEASURED = 0.9
"""Calls a second: a slower stream of calls was no storm, and does not tell how much a server takes."""
FIRST_OUTAGE, LONGEST_OUTAGE = 20.0, 300.0
"""Seconds between two calls that try a server that does not answer: at first, and at most."""
ONE_BURST = 1.0
"""Seconds: refusals that are no further apart answer calls that were under way together."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What all processes know about one server's limit. Times are unix seconds, rates are calls a second."""

    rate: float | None = None
    """None: as many as come."""
    next: float = 0.0
    """From when on the next call may be booked."""
    paused_until: float = 0.0
    refused_at: float = 0.0
    """When the last burst of refusals began."""
    asked: float = 0.0
    """The pause that the server asked for last, in seconds."""
    first: bool = False
    """Whether these were the server's first refusals, which tell the pace by what was served before them."""
    measured: int = 0
    since: float = 0.0
    """So many calls were served since then, before the first refusals."""
    raised_at: float = 0.0
    sure: bool = False
    """Whether the pace comes from a refusal or from the server's own words, and is no guess."""
    fruitless: bool = False
    """Whether nothing was served since the last burst of refusals."""
    outages: int = 0
    """Calls in a row that tried the server for nothing: no answer, or a refusal though its pause was over. Above 0, one
    call at a time tries it."""
    written_by: str = ""
    """Names the change that led to this value: of two processes that book the same time, one must book another."""

    def wait(self, now: float) -> float:
        """Return the seconds for which nothing may be sent."""
        return max(0.0, self.paused_until - now)

    def is_soon_over(self, now: float) -> bool:
        """Return whether a pause is worth waiting for; nobody waits for a server that is away."""
        return 0 < self.wait(now) <= SHORT_PAUSE and not self.outages

    def describe(self, now: float) -> str:
        """Say in the operator's words what holds calls back; an empty text where nothing does."""
        wait = f"nothing is sent for {self.wait(now):.0f} s" if self.wait(now) else ""
        if self.outages:
            return f"does not answer, or refuses every call; {wait or 'one call tries it'}"
        if wait:
            return f"asked for a pause; {wait}"
        if self.rate is None:
            return ""
        each = f"{self.rate:.1f} calls a second" if self.rate >= 1 else f"a call every {1 / self.rate:.0f} s"
        ahead = max(0.0, self.next - now)
        return f"takes {each}" + (f"; the next {ahead:.0f} s are booked out" if ahead >= 1 else "")


def book(
    pace: Pace, now: float, wanted: int, *, urgent: bool = True, price: int = 1
) -> tuple[Pace, list[float]]:
    """Book up to `wanted` calls; return the pace after that, and the time of each call.

    Args:
        pace: what was known.
        now: unix seconds.
        wanted: number of calls, at least 1.
        urgent: whether calls may be booked as far ahead as that goes; what is not urgent, less far.
        price: the next call may follow after as long as so many take.
    """
    # No process waits for a server that is away: the events of other servers in its batch would wait as long.
    if pace.wait(now) and not pace.is_soon_over(now):
        return pace, []
    begin = max(now, pace.paused_until)
    if pace.outages:
        # One call for all processes; the next may follow when this one must have ended.
        free = pace.next <= begin
        return (replace(pace, next=begin + FIRST_OUTAGE), [begin]) if free else (pace, [])
    if pace.rate is None:
        return pace, [begin] * wanted
    pace = _raise_rate(pace, begin)
    if pace.rate is None:
        return pace, [begin] * wanted
    first = max(pace.next, begin)
    if not urgent and first > begin + AHEAD_IF_NOT_URGENT:
        return pace, []
    # Where others book, nobody takes more than a process's share: the others' messages would have to come again.
    share = max(1, round(pace.rate * AHEAD / (PROCESSES if first > begin else 2)))
    times = [first + number / pace.rate for number in range(min(wanted, share))]
    times = [time for time in times if time <= begin + AHEAD]
    return (replace(pace, next=times[-1] + price / pace.rate) if times else pace), times


def after_refusal(
    pace: Pace, now: float, asked: float, *, served: int = 0, since: float = 0.0, told: float | None = None
) -> Pace:
    """Return the pace after the server refused a call for its limit.

    Args:
        pace: what was known.
        now: unix seconds.
        asked: the pause that the server asks for, in seconds.
        served: calls of this process that were served lately; they count for the first refusals only.
        since: when the first of them was.
        told: calls a second that the server's headers allow.
    """
    # Calls that were booked before the refusal may still be refused during its pause; later ones tell more.
    same_burst = now < pace.refused_at + max(pace.asked, ONE_BURST)
    if pace.outages and now < pace.paused_until:
        return pace  # the answer of a call that was under way when the pause began
    if pace.fruitless and not same_burst and told is None:
        # Slowing down is no answer to a server that serves nobody: in an hour of it, the pace would be next to nothing.
        return _left_alone(replace(pace, refused_at=now, asked=asked), now, asked)
    is_first = pace.rate is None or (same_burst and pace.first)
    until = max(pace.paused_until, now + asked) if same_burst else now + asked
    known = replace(
        pace,
        refused_at=pace.refused_at if same_burst else now,
        paused_until=until,
        next=max(pace.next, until),  # what was booked during the burst stays booked
        raised_at=until,
        asked=max(asked, pace.asked) if same_burst else asked,
        first=is_first and told is None,
        fruitless=True,
        outages=0,
    )
    if told is not None:
        return replace(known, rate=_bound(told), sure=True)
    if is_first:
        return _measure(known, served, since)
    if same_burst or pace.rate is None:
        return known
    return replace(known, rate=_bound(pace.rate * _slowdown(now - pace.paused_until)), sure=True)


def after_report(pace: Pace, served: int, since: float) -> Pace:
    """Return the pace with what a process was served that met none of the first refusals itself."""
    return _measure(pace, served, since) if pace.first and since < pace.refused_at + ONE_BURST else pace


def _measure(pace: Pace, served: int, since: float) -> Pace:
    """Return the pace at which the server served calls, all processes together, until it refused one."""
    if served:
        pace = replace(pace, measured=pace.measured + served, since=min(pace.since or since, since))
    rate = BELOW * pace.measured / max(1.0, pace.refused_at - pace.since)
    if rate < LEAST_MEASURED:
        return replace(pace, rate=FIRST_GUESS, sure=False)
    return replace(pace, rate=_bound(rate), sure=True)


def _slowdown(held: float) -> float:
    """Return the factor by which to slow down, after a pace that went well for so many seconds."""
    if held < 10:
        return 0.7
    return 0.85 if held < 60 else 0.96


def _bound(rate: float) -> float:
    return min(FASTEST, max(SLOWEST, rate))


def after_warning(pace: Pace, now: float, *, served: int, since: float, told: float | None) -> Pace:
    """Return the pace after an answer that says that the limit is near: it is kept before the server refuses."""
    if pace.rate is not None:
        return pace
    rate = told or max(FIRST_GUESS, BELOW * served / max(1.0, now - since))
    return replace(pace, rate=_bound(rate), sure=told is not None, next=now, raised_at=now)


def after_silence(pace: Pace, now: float) -> Pace:
    """Return the pace after the server did not answer: a pause, longer with each call that tried."""
    if now < pace.paused_until:
        return pace  # the answer of a call that was under way when another had none
    return _left_alone(pace, now, 0.0)


def _left_alone(pace: Pace, now: float, asked: float) -> Pace:
    until = now + max(asked, min(LONGEST_OUTAGE, FIRST_OUTAGE * 2.0 ** min(pace.outages, 8)))
    return replace(pace, fruitless=True, outages=pace.outages + 1, paused_until=until, next=until)


def after_answer(pace: Pace, now: float) -> Pace:
    """Return the pace after an outage's first answer: slow if none was measured, since all that waited comes now."""
    if not pace.outages:
        # Within a burst of refusals, calls are served that came before them.
        return replace(pace, fruitless=False) if now >= pace.refused_at + ONE_BURST else pace
    known = pace.rate if pace.rate is not None and pace.sure else None
    return replace(
        pace,
        fruitless=False,
        outages=0,
        rate=known or FIRST_GUESS,
        sure=known is not None,
        paused_until=now,
        next=now,
        raised_at=now,
    )


def _raise_rate(pace: Pace, now: float) -> Pace:
    """Return the pace with a higher rate, if it is time to.

    A guess is raised quickly. A measured pace is held first, because a refusal costs a whole pause, and then raised by
    two per cent a minute: it has doubled after 35 minutes.
    """
    every, by = (60.0, 1.02) if pace.sure else (2.0, 1.5)
    held = min(LONGEST_HOLD, HOLD * pace.asked) if pace.sure else 0.0
    if now < max(pace.raised_at + every, pace.paused_until + held):
        return pace
    rate = (pace.rate or FIRST_GUESS) * by
    return replace(pace, rate=rate if rate < FASTEST else None, raised_at=now)
