"""The context that the steps of a turn share: the ports, the turn itself, and what the steps did so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from backtrace_jira.backtrace.group import BacktraceUser
from backtrace_jira.errors import Busy, CredentialRefused, InvalidField, Refused
from backtrace_jira.jira.issue import JiraUser, Ticket
from backtrace_jira.links.link import LinkKey
from backtrace_jira.links.pair import Pair
from backtrace_jira.links.turn import NoteKind, Turn, note_text
from backtrace_jira.outcomes import error_text
from backtrace_jira.synchronisation import people
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.ports import (
    BacktraceGroups,
    JiraIssues,
    NewEvents,
    SyncedLinks,
)
from backtrace_jira.times import LONGEST_REQUEST

Sentence: TypeAlias = tuple[LinkKey | None, str]
"""What was said, with the link of the group that it is about; None is the ticket, and so all of its groups."""


def ensure_time(turn: Turn, now: float) -> None:
    """Refuse to begin a request that may not end within the turn.

    Raises:
        Busy: no time is left.
    """
    if now + LONGEST_REQUEST > turn.until:
        raise Busy("no time is left in this invocation")


@dataclass(slots=True)
class TurnContext:
    """One turn at one ticket."""

    client_of: Callable[[str], BacktraceGroups]
    """Returns the client of a universe."""
    store: SyncedLinks
    new_events: NewEvents
    jira: JiraIssues
    turn: Turn
    hint: Hint
    clock: Callable[[], float]
    _told: list[Sentence] = field(default_factory=list, init=False)
    _problems: list[Sentence] = field(default_factory=list, init=False)
    _about: LinkKey | None = field(default=None, init=False)

    def backtrace(self, pair: Pair) -> BacktraceGroups:
        """Return the client of the group's universe."""
        return self.client_of(pair.integration.universe)

    def find_jira_user(self, user: BacktraceUser, pair: Pair, ticket: Ticket) -> str | None:
        """Return the accountId or user name of a Backtrace user; None where nobody is known to be the same."""
        return people.find_jira_user(user, pair.sync, self.jira, ticket.project)

    def find_backtrace_user(self, user: JiraUser, pair: Pair) -> BacktraceUser | None:
        """Return the Backtrace user of a Jira user; None where nobody is known to be the same."""
        return people.find_backtrace_user(user, pair.sync, self.backtrace(pair), pair.integration.project)

    def ensure_time(self) -> None:
        """Refuse to begin a request that may not end within the turn.

        Raises:
            Busy: no time is left; the next holder of the turn goes on.
        """
        ensure_time(self.turn, self.clock())

    def note(self, kind: NoteKind, value: str) -> None:
        """Note what is about to be written. A caller notes first and writes then.

        The other way round, a process that dies in between leaves a change that the next one takes for a person's.

        Raises:
            Busy: no time is left for the write, or somebody else has the turn by now.
        """
        self.ensure_time()
        self.store.add_note(self.turn, note_text(kind, value))

    @contextmanager
    def about(self, pair: Pair) -> Iterator[None]:
        """Let what is said within concern this group alone, and not the ticket's other groups."""
        before, self._about = self._about, pair.link.key
        try:
            yield
        finally:
            self._about = before

    def tell(self, sentence: str) -> None:
        """Say what was done."""
        self._told.append((self._about, sentence))

    def report_problem(self, sentence: str) -> None:
        """Say what could not be done."""
        self._problems.append((self._about, sentence))

    @property
    def problem_count(self) -> int:
        """Return how often something could not be done so far."""
        return len(self._problems)

    @contextmanager
    def refusal_as_problem(self, what: str) -> Iterator[None]:
        """Report a definite no of Jira or Backtrace as a problem, after the words of `what`.

        A refused credential is raised: it concerns more than this ticket.
        """
        try:
            yield
        except CredentialRefused:
            raise
        except (Refused, InvalidField) as error:
            self.report_problem(f"{what}: {error_text(error)}")

    @property
    def told(self) -> tuple[str, ...]:
        """Return what was done so far, each sentence once."""
        return _sentences(self._told)

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what could not be done so far, each sentence once."""
        return _sentences(self._problems)

    def said_of(self, pair: Pair) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what was done, and what could not be done, with the ticket and this one of its groups."""
        told, problems = (
            [each for each in said if each[0] in (None, pair.link.key)]
            for said in (self._told, self._problems)
        )
        return _sentences(told), _sentences(problems)


def _sentences(said: Iterable[Sentence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for _, sentence in said))
