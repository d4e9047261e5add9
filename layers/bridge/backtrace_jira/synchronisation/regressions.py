"""An error that is seen again past its ticket's boundary: the ticket is reopened, followed by a new one, or told of it.

Two tell of it: Backtrace, which reopens the group and counts that, and an error event, which only says that some error
of the group has such a version; whether it came after the ticket was done is asked of Backtrace. Once per regression:
what is begun is noted before it is done, so that whoever goes on after a death neither repeats nor forgets the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from backtrace_jira.errors import Busy, CredentialRefused, InvalidField, Refused
from backtrace_jira.fix_versions.boundary import Boundary, Rule, boundary_of, is_done, is_final, rules_of
from backtrace_jira.jira import wiki
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import REGRESSION, Turn, note
from backtrace_jira.outcomes import Decision, Record, error_text
from backtrace_jira.settings.fix_versions import OnRegression
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.states import State
from backtrace_jira.synchronisation.ports import JiraIssues, NewEvents, SyncConfiguration, SyncedLinks

DAY = 24 * 3600.0
NOT_BEFORE = 20
"""Seconds after which the event arrives that makes a new ticket: by then the old one must have let go of the group."""
SKEW = 60.0
"""Seconds by which Jira's clock may be behind ours."""
SHOWN = 5
"""Versions in a comment."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A group whose error was seen again. `seen` are versions past the boundary with counts, if they are known."""

    pair: Pair
    action: OnRegression
    seen: tuple[tuple[str, int], ...] = ()
    begun: bool = False
    """Whether somebody began with it and did not come to the end."""

    def note(self) -> str:
        """Return what is noted before anything is done."""
        return note(REGRESSION, json.dumps([*_occasion(self.pair), self.action, self.seen]))

    def sentence(self, boundary: Sequence[Rule]) -> str:
        """Say what was seen, in one line of plain text."""
        where = ", ".join(f"{version} ({_errors(count)})" for version, count in self.seen[:SHOWN])
        until = " or ".join(map(str, boundary))
        seen = f"was seen again in {where}" if where else "was seen again and reopened by Backtrace"
        return f"{_named(self.pair)} {seen}" + (f"; it was to be resolved until {until}" if until else "")


def _occasion(pair: Pair) -> list[str | float]:
    """Tell a regression from those before it: once it is recorded, the link has another time."""
    return [pair.link.key.integration, pair.link.key.fingerprint, pair.synced.at]


def _errors(count: int) -> str:
    return "1 error" if count == 1 else f"{count} errors"


def _named(pair: Pair) -> str:
    return f"Error group {pair.link.key.fingerprint[:12]}"


class Regressions:
    """Those of one ticket's turn. What is done goes to `told`, what cannot be to `problems`."""

    def __init__(
        self,
        configuration: SyncConfiguration,
        store: SyncedLinks,
        new_events: NewEvents,
        jira: JiraIssues,
        turn: Turn,
        clock: Callable[[], float],
        *,
        note: Callable[[str], None],
        told: list[str],
        problems: list[str],
    ) -> None:
        self._configuration = configuration
        self._store = store
        self._new_events = new_events
        self._jira = jira
        self._turn = turn
        self._clock = clock
        self._note = note
        self._told = told
        self._problems = problems

    def of(self, pair: Pair, ticket: Ticket, *, heard: bool) -> Regression | None:
        """Tell whether a group's error was seen again; `heard` is that an error event says so."""
        begun = self._begun(pair)
        if begun:
            return begun
        settings = pair.integration.fix_versions
        if not settings.enabled or not is_done(ticket, pair.integration):
            return None
        boundary = boundary_of(ticket, pair.integration)
        reopened = _was_reopened(pair)
        if pair.synced.regressed or not (reopened or (heard and boundary.reopen_criteria)):
            return None
        seen = self._seen(pair, boundary, ticket.done_since)
        if not (reopened or seen):
            return None
        return Regression(pair, self._action(pair, ticket), tuple(seen))

    def _begun(self, pair: Pair) -> Regression | None:
        for text in self._turn.said(REGRESSION):
            *occasion, action, seen = json.loads(text)
            if occasion == _occasion(pair):
                return Regression(pair, OnRegression(action), tuple(map(tuple, seen)), begun=True)
        return None

    def _seen(self, pair: Pair, boundary: Boundary, since: float) -> list[tuple[str, int]]:
        """Ask Backtrace for the versions of the errors since then that are past the boundary."""
        side = self._configuration.backtrace(pair.integration.universe)
        found: dict[str, int] = {}
        for rule in rules_of(boundary.reopen_criteria or ()):
            try:
                values = side.count_values(
                    pair.integration.project,
                    pair.link.key.fingerprint,
                    rule.attribute,
                    since=since,
                    where=rule.where,
                )
            except Refused as error:
                if isinstance(error, CredentialRefused):
                    raise
                self._problems.append(
                    f"Backtrace does not say in which versions it was seen: {error_text(error)}"
                )
                continue
            found |= dict(rule.past(values))
        return list(found.items())

    def _action(self, pair: Pair, ticket: Ticket) -> OnRegression:
        settings = pair.integration.fix_versions
        if pair.integration.event is EventKind.TRACE or is_final(ticket, settings):
            return OnRegression.LEAVE  # an error that has its own ticket needs no other's
        window = settings.reopen_within_days * DAY
        if settings.on_regression is OnRegression.REOPEN and 0 < window < self._clock() - ticket.done_since:
            return OnRegression.NEW_TICKET
        return settings.on_regression

    def begin(self, regression: Regression) -> None:
        """Note it."""
        if not regression.begun:
            self._note(regression.note())

    def comment(self, ticket: Ticket, regression: Regression) -> None:
        """Comment on the ticket, unless whoever began with it did."""
        rules = rules_of(regression.pair.synced.reopen_criteria)
        sentence = regression.sentence(rules)
        page = regression.pair.link.page
        text = wiki.escape(sentence) + (f". {wiki.link('View in Backtrace', page)}" if page else ".")
        opening = f"{_named(regression.pair)} was seen again"
        try:
            if regression.begun and self._is_said(opening, regression.pair):
                return
            self._jira.comment(self._turn.issue_id, text)
        except Refused as error:
            if isinstance(error, CredentialRefused):
                raise
            self._problems.append(f"{ticket.issue.key} could not be commented on: {error_text(error)}")

    def _is_said(self, opening: str, pair: Pair) -> bool:
        """Tell whether the comment is there: of this regression, not of one before the ticket was last settled."""
        since = pair.synced.at - SKEW
        return any(at >= since and opening in text for at, text in self._jira.comments(self._turn.issue_id))

    def hand_over(self, ticket: Ticket, regression: Regression) -> None:
        """Let the group have a new ticket: an event of its errors since then is on its way when the old one lets go."""
        pair = regression.pair
        side = self._configuration.backtrace(pair.integration.universe)
        sent = self._clock()
        body = side.error_event(
            pair.integration.project,
            pair.link.key.fingerprint,
            since=ticket.done_since,
            page=pair.link.page,
        )
        self._new_events.publish(body, after=NOT_BEFORE)
        if self._clock() - sent > NOT_BEFORE / 2:
            raise Busy("the new ticket's event may come before the old one has let go")
        sentence = regression.sentence(rules_of(pair.synced.reopen_criteria))
        record = Record(
            self._clock(), Decision.REGRESSED, f"{sentence}; a new ticket follows {ticket.issue.key}"
        )
        self._store.supersede(pair.link.key, ticket.issue, record)
        self._told.append(record.reason)

    def explain(self, regression: Regression, error: Refused | InvalidField) -> None:
        """Say that something could not be done."""
        self._problems.append(f"{_named(regression.pair)} was seen again: {error_text(error)}")


def _was_reopened(pair: Pair) -> bool:
    """Tell whether Backtrace has reopened the group since the ticket last agreed with it."""
    before = pair.synced.reopens
    is_open = pair.group.state in (State.OPEN, State.IN_PROGRESS)
    return before is not None and pair.group.reopens > before and is_open


def as_known(pair: Pair) -> Pair:
    """Return the pair with nothing left in the group that would be news to the ticket: it was just told."""
    synced = replace(pair.synced, state=pair.group.state, reopens=pair.group.reopens, regressed=True)
    return replace(pair, link=replace(pair.link, synced=synced))
