"""One delivery's attempt to create a ticket, while it holds the lease of the link row.

The row says what may have happened in Jira, whatever cuts this process off. It is given back in one of three ways:

    complete     the ticket exists and is recorded
    released     Jira surely made no ticket: the next delivery may create it
    uncertain    Jira may have made one: the next delivery has to look it up
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from backtrace_jira.errors import (
    Ambiguous,
    BacktraceJiraError,
    Busy,
    CredentialRefused,
    CutOff,
    NeedsAttention,
    NotVisible,
    NotYetVisible,
    OutcomeUnknown,
    Refused,
)
from backtrace_jira.jira.issue import Find, Issue, TicketDraft
from backtrace_jira.links.link import Lease, Link
from backtrace_jira.outcomes import Decision, Outcome, Record
from backtrace_jira.tickets.case_link import CaseLink
from backtrace_jira.tickets.context import Case, Context
from backtrace_jira.tickets.draft import Drafter
from backtrace_jira.tickets.finds import choose_ours
from backtrace_jira.tickets.follow_up import concerns_ticket_before, tell_refusal
from backtrace_jira.tickets.ports import JiraTickets
from backtrace_jira.tickets.refusals import concerns_everybody


class Attempt:
    """An attempt at the ticket of one case. `row` is the link row as it was claimed or seen."""

    def __init__(self, context: Context, case: Case, lease: Lease, row: Link) -> None:
        self._context = context
        self._timing = context.timing
        self._case = case
        self._lease = lease
        self._row = row
        self._link = CaseLink(context, case, row)

    def create(self) -> Outcome:
        """Create the ticket of a row that is ours as `creating`, and record it.

        Raises:
            OutcomeUnknown: Jira may have made the ticket; the row is uncertain.
            BacktraceJiraError: there is no ticket; the row is released.
        """
        jira, drafter, draft = self._prepare()
        try:
            draft, issue = self._send(jira, drafter, draft)
        except OutcomeUnknown as error:
            # Never released: the next delivery would create a second ticket.
            self._leave_uncertain(error, looked_up=False)
            raise
        except BacktraceJiraError as error:
            # A definite no: Jira refused, or executed nothing.
            self._give_back(error, draft)
            raise
        self._context.refused_in_a_row.start_anew(self._scope)
        # Any other exception, or a death, leaves the row as `creating`: after the lease, the ticket is looked up.
        outcome = replace(
            self._case.outcome(Decision.CREATED, issue),
            unknown_attributes=draft.unknown_attributes,
            left_out=draft.left_out,
        )
        return self._link.complete(issue, outcome)

    def recover(self) -> Outcome:
        """Find out what became of a create whose end nobody recorded. The row is ours as `uncertain`.

        Raises:
            NotYetVisible: the search shows no ticket, but it is too early to create a second time.
            NotVisible: the account may not browse the project, so that an empty search proves nothing.
            Ambiguous: several tickets may be the one that was made.
            BacktraceJiraError: the look-up failed, or the second create did.
        """
        row = self._row
        since = row.uncertain_since or row.lease_until
        is_last = row.lookups + 1 >= self._timing.lookups and self._lease.now - since >= self._timing.settle
        # Look up before any second create: the first one may have made the ticket.
        jira, found = self._look_up(since if is_last else None)
        if found:
            return self._link.complete(found, self._case.outcome(Decision.ADOPTED, found))
        if not is_last:
            not_yet = NotYetVisible(
                "a create was cut off, and Jira's search does not show a ticket yet",
                after=self._timing.between_lookups,
            )
            self._leave_uncertain(not_yet, looked_up=True)
            raise not_yet
        # Before the row becomes `creating` again: an account that may not browse finds nothing, ticket or not.
        self._ensure_visible(jira)
        # Before the second create: it sets the look-ups to zero. Those that were made say nothing about a ticket
        # that this create may leave behind, should it be cut off as well.
        if not self._context.links.start_again(self._lease):
            raise Busy("another delivery took this ticket over", after=5)
        return self.create()

    def give_up(self) -> None:
        """Leave the row to a person: whoever had it died, and the next one would, too.

        Raises:
            CutOff: the row is uncertain; a replay begins anew.
        """
        error = CutOff(
            f"the function died {self._row.cut_off} times in a row while it made this ticket; its log says why "
            "(memory, time-out); replay the event when that is mended"
        )
        self._leave_uncertain(error, looked_up=False)
        raise error

    def _prepare(self) -> tuple[JiraTickets, Drafter, TicketDraft]:
        """Do all that can fail before a create is sent."""
        try:
            jira = self._context.jira(self._case.integration)
            address = self._context.universe_address(self._case.integration.universe)
            drafter = Drafter(self._case, self._marker, jira, self._context.screens, address)
            draft = drafter.draft()
            self._ensure_time()
        except Exception as error:
            # Nothing was sent: after any failure, even a bug's, there is surely no ticket.
            self._give_back(error)
            raise
        return jira, drafter, draft

    def _send(self, jira: JiraTickets, drafter: Drafter, draft: TicketDraft) -> tuple[TicketDraft, Issue]:
        """Create the ticket. Only after a definite no, to which another draft is the answer, create again."""
        while True:
            try:
                return draft, jira.create(draft)
            except Refused as refusal:
                again = drafter.redraft(draft, refusal) or drafter.without_refused(draft, refusal)
                if again is None:
                    raise
            # Before each create: one that outlives the lease would run beside the next delivery's.
            self._ensure_time()
            draft = again

    def _look_up(self, since: float | None) -> tuple[JiraTickets, Issue | None]:
        """Look for the ticket. Before a second create follows, look at all that was made until `since`, too.

        A person may have edited both label and text by now, and nobody can search for the property.
        """
        try:
            jira = self._context.jira(self._case.integration)
            found = jira.find(self._marker)
            ours = choose_ours(self._lease.key, self._marker, found)
            if ours is None and since is not None:
                ours = self._find_made(jira, found, self._minutes_of_create(since))
        except BacktraceJiraError as error:
            # A look-up that failed proves nothing, so it is not counted.
            self._leave_uncertain(error, looked_up=False)
            raise
        return jira, ours

    def _find_made(self, jira: JiraTickets, found: Sequence[Find], minutes: tuple[int, int]) -> Issue | None:
        key, marker = self._lease.key, self._marker
        ours = choose_ours(key, marker, found, jira.find_made(marker, minutes))
        if ours is None and not self._row.is_counted:
            # An older release may have begun the create. The minutes keep older tickets of this marker out.
            marker = key.marker(self._context.stage)
            ours = choose_ours(key, marker, (), jira.find_made(marker, minutes))
        return ours

    def _minutes_of_create(self, since: float) -> tuple[int, int]:
        """Return how many minutes ago the ticket was made at the earliest, and at the latest.

        Jira counts the minutes on its own clock, so ours may be wrong by any amount.
        """
        now = self._context.clock()
        begin = now - since + self._timing.lease + self._timing.longest_create
        end = now - since - self._timing.settle
        return math.ceil(begin / 60), max(0, math.floor(end / 60))

    def _ensure_visible(self, jira: JiraTickets) -> None:
        """Make sure that an empty find means something: an account may create what it cannot browse."""
        project = self._case.target.project
        try:
            if jira.may_browse(project):
                return
            raise NotVisible(
                f"a create was cut off, and the account may not browse project {project}, "
                "so it cannot be told whether the ticket exists; grant Browse Projects and replay"
            )
        except BacktraceJiraError as error:
            self._leave_uncertain(error, looked_up=False)
            raise

    @property
    def _marker(self) -> str:
        return self._lease.key.marker(self._context.stage, self._row.next_generation)

    def _ensure_time(self) -> None:
        if self._context.clock() + self._timing.longest_create > self._lease.until:
            raise Busy("the lease is too old to begin a create")

    @property
    def _scope(self) -> tuple[str, str]:
        return self._case.integration.connection, str(self._case.target)

    def _give_back(self, error: Exception, draft: TicketDraft | None = None) -> None:
        """Release the row. What Jira refused is not sent again for a while: for this group, or for everybody."""
        record = Record.from_error(error, self._context.clock(), self._case.verdict.reason)
        # A refused credential has parked the whole connection by now.
        refusal = error if isinstance(error, Refused) and not isinstance(error, CredentialRefused) else None
        if refusal:
            record = replace(record, until=record.at + self._timing.parked)
        is_told = bool(self._row.follows) and concerns_ticket_before(error)
        if self._row.follows and not is_told:
            # Not this ticket was refused (a credential, settings): it stays wanted when that is mended.
            record = replace(record, decision=Decision.POSTPONED)
        # Released first: if parking fails, a second refusal is all that it costs. A row that stays `creating` would
        # cost its group look-ups for a ticket that does not exist.
        self._context.keep_trying(lambda: self._context.links.release(self._lease, record))
        if refusal:
            many = self._context.refused_in_a_row.count(self._scope, self._case.key)
            if many or concerns_everybody(refusal, draft):
                self._context.servers.park(*self._scope, record)
        if is_told:
            self._tell_ticket_before(error)

    def _tell_ticket_before(self, error: Exception) -> None:
        # A comment that is refused is not worth more than the refusal, which the record has. One that has to wait is:
        # the event comes again for it.
        with suppress(NeedsAttention):
            address = self._context.universe_address(self._case.integration.universe)
            tell_refusal(self._context.jira(self._case.integration), self._case, self._row, error, address)

    def _leave_uncertain(self, error: Exception, *, looked_up: bool) -> None:
        record = Record.from_error(error, self._context.clock(), self._case.verdict.reason)
        if isinstance(
            error, Ambiguous
        ):  # as after a refusal: a storm of this group's errors must not search each time
            record = replace(record, until=record.at + self._timing.parked)
        until = record.at + self._timing.between_lookups
        self._context.keep_trying(
            lambda: self._context.links.leave_uncertain(
                self._lease, record, now=record.at, until=until, looked_up=looked_up
            )
        )
