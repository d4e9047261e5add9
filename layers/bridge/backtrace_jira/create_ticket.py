"""One error group becomes one ticket in each of its integrations, whatever is repeated or cut off.

The protocol: claim the link row, send one `POST /issue`, record the issue, link it in Backtrace. A row that
was left in the middle is looked up by its marker, more than once because Jira's search lags behind, and a new
create follows only when there surely is no ticket. Nothing here sleeps: what must wait raises `TryAgain`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from backtrace_jira.config import Integration
from backtrace_jira.errors import (
    BacktraceJiraError,
    Busy,
    CredentialRefused,
    InvalidSettings,
    NotVisible,
    NotYetVisible,
    OutcomeUnknown,
    Parked,
    Refused,
    Throttled,
    TryAgain,
)
from backtrace_jira.model import Decision, ErrorGroup, Issue, Link, LinkKey, Outcome, Refusal, TicketDraft
from backtrace_jira.parking import ParkingNotes
from backtrace_jira.ports import Configuration, Lease, LinkStore, Tickets
from backtrace_jira.rules import judge
from backtrace_jira.ticket import draft_ticket


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is waited for, in seconds."""

    lease: float = 75
    """Longer than a function can live, so that the holder of an expired lease is surely dead."""
    longest_create: float = 30
    """Connect, send and read, at the most; a create that cannot end within its lease is not begun."""
    settle: float = 90
    """Jira Cloud's search is behind by "a few seconds to minutes": before this, not finding proves nothing."""
    lookups: int = 3
    """Look-ups without a find before a second create: an issue already found can vanish for a moment."""
    between_lookups: float = 20
    parked: float = 300
    """A refused (connection, project, issue type) is left alone for so long."""
    parking_note: float = 30
    """How long a process trusts what it last read about a connection's parking."""


class CreateTicket:
    """The use case behind `functions/create_ticket`."""

    def __init__(
        self,
        *,
        stage: str,
        configuration: Configuration,
        links: LinkStore,
        clock: Callable[[], float],
        new_owner: Callable[[], str],
        patience: Patience | None = None,
    ) -> None:
        self._stage = stage
        self._configuration = configuration
        self._links = links
        self._clock = clock
        self._new_owner = new_owner
        self._patience = patience or Patience()
        self._parking = ParkingNotes(
            links, clock, trust=self._patience.parking_note, duration=self._patience.parked
        )

    def __call__(self, group: ErrorGroup, *, deadline: float) -> list[Outcome]:
        """Serve every integration of the group's project; one that fails does not stop the others.

        Args:
            group: the error group.
            deadline: unix seconds at which this process may be ended.
        """
        try:
            integrations = self._configuration.integrations(group.universe, group.project)
        except BacktraceJiraError as error:
            return [_failed(group, "", error)]
        if not integrations:
            detail = f"no integration is configured for {group.universe}/{group.project}"
            return [Outcome(Decision.NO_INTEGRATION, group.fingerprint, detail=detail)]
        return [self._serve(group, integration, deadline) for integration in integrations]

    def _serve(self, group: ErrorGroup, integration: Integration, deadline: float) -> Outcome:
        try:
            verdict = judge(group, integration.actions)
            if not verdict.submit:
                return Outcome(Decision.FILTERED, group.fingerprint, integration.id, detail=verdict.reason)
            return self._ticket(group, integration, deadline)
        except Exception as error:
            return _failed(group, integration.id, error)

    def _ticket(self, group: ErrorGroup, integration: Integration, deadline: float) -> Outcome:
        lease = self._lease(LinkKey(integration.id, group.fingerprint), deadline)
        row = self._links.claim(lease)
        if row is None:
            return self._create(group, integration, lease)
        if row.issue is not None:
            return self._known(integration, row, row.issue)
        if row.lease_until > lease.now:
            raise Busy("this ticket is being created", after=min(row.lease_until - lease.now, 15))
        if not self._links.take_over(row, lease):
            raise Busy("another delivery took this ticket over", after=5)
        return self._recover(group, integration, row, lease)

    def _lease(self, key: LinkKey, deadline: float) -> Lease:
        now = self._clock()
        if now + self._patience.longest_create > deadline:
            # Without a time of its own: coming back at once would use up the receives while Jira is slow.
            raise Busy("no time is left in this invocation")
        return Lease(key, self._new_owner(), now, now + self._patience.lease)

    def _known(self, integration: Integration, row: Link, issue: Issue) -> Outcome:
        if row.linked_in_backtrace:
            return _done(Decision.KNOWN, row.key, issue)
        return self._link_in_backtrace(integration, row.key, _done(Decision.LINKED, row.key, issue))

    def _create(self, group: ErrorGroup, integration: Integration, lease: Lease) -> Outcome:
        tickets, draft = self._prepare(group, integration, lease)
        try:
            issue = tickets.create(draft)
        except OutcomeUnknown:
            self._leave_uncertain(lease, looked_up=False)
            raise
        except Refused as error:
            refusal = _refusal(error, self._clock())
            self._links.release(lease, refusal)
            self._parking.refused(integration, refusal, error)
            raise
        except TryAgain as error:
            self._links.release(lease, _refusal(error, self._clock()))
            self._note(integration, error)
            raise
        except InvalidSettings as error:  # an address or a certificate: nothing was sent
            self._links.release(lease, _refusal(error, self._clock()))
            raise
        outcome = replace(
            _done(Decision.CREATED, lease.key, issue), unknown_attributes=draft.unknown_attributes
        )
        return self._complete(integration, outcome)

    def _prepare(
        self, group: ErrorGroup, integration: Integration, lease: Lease
    ) -> tuple[Tickets, TicketDraft]:
        """Do all that can fail before anything is sent; a failure gives the claim back."""
        try:
            self._parking.check(integration)
            tickets = self._configuration.tickets(integration)
            mentions = judge(group, integration.actions).mentions
            draft = draft_ticket(group, integration, lease.key.marker(self._stage), mentions)
            if self._clock() + self._patience.longest_create > lease.until:
                raise Busy("the lease is too old to begin a create")
        except Exception as error:
            self._links.release(lease, _refusal(error, self._clock()))
            raise
        return tickets, draft

    def _recover(self, group: ErrorGroup, integration: Integration, row: Link, lease: Lease) -> Outcome:
        """Find out what became of a create that nobody heard the end of."""
        tickets, found = self._look_up(integration, lease)
        if found:
            return self._complete(integration, _done(Decision.ADOPTED, lease.key, found))
        since = row.uncertain_since or row.lease_until
        if row.lookups + 1 < self._patience.lookups or lease.now - since < self._patience.settle:
            self._leave_uncertain(lease, looked_up=True)
            raise NotYetVisible(
                "a create was cut off, and Jira's search does not show a ticket yet",
                after=self._patience.between_lookups,
            )
        project = draft_ticket(group, integration, lease.key.marker(self._stage)).project
        self._ensure_visible(tickets, project, lease)
        if not self._links.start_again(lease):
            raise Busy("another delivery took this ticket over", after=5)
        return self._create(group, integration, lease)

    def _look_up(self, integration: Integration, lease: Lease) -> tuple[Tickets, Issue | None]:
        try:
            self._parking.check(integration, lookup=True)
            tickets = self._configuration.tickets(integration)
            found = tickets.find(lease.key.marker(self._stage))
        except BacktraceJiraError as error:
            self._leave_uncertain(lease, looked_up=False)
            self._note(integration, error)
            raise
        # The oldest is ours: a person's clone carries the marker too.
        return tickets, found[0] if found else None

    def _note(self, integration: Integration, error: Exception) -> None:
        """Remember what concerns the whole connection."""
        if isinstance(error, Throttled):
            self._parking.throttled(integration, error.after or self._patience.between_lookups)
        elif isinstance(error, CredentialRefused):
            self._parking.refused(integration, _refusal(error, self._clock()), error)

    def _ensure_visible(self, tickets: Tickets, project: str, lease: Lease) -> None:
        """Make sure that an empty find means something: an account may create what it cannot browse."""
        try:
            visible = tickets.may_browse(project)
        except BacktraceJiraError:
            self._leave_uncertain(lease, looked_up=False)
            raise
        if not visible:
            self._leave_uncertain(lease, looked_up=False)
            raise NotVisible(
                f"a create was cut off, and the account may not browse project {project}, "
                "so it cannot be told whether the ticket exists; grant Browse Projects and replay"
            )

    def _leave_uncertain(self, lease: Lease, *, looked_up: bool) -> None:
        now = self._clock()
        until = now + self._patience.between_lookups
        self._links.leave_uncertain(lease, now=now, until=until, looked_up=looked_up)

    def _complete(self, integration: Integration, outcome: Outcome) -> Outcome:
        """Record the ticket at once, then tell Backtrace."""
        key = LinkKey(outcome.integration, outcome.fingerprint)
        made = outcome.issue
        if made is None:
            raise AssertionError("complete needs an issue")
        held = self._links.complete(key, made)
        if held.id != made.id:
            detail = f"{made.key} is a second ticket: this group is already linked to {held.key}"
            outcome = replace(outcome, issue=held, detail=detail)
        return self._link_in_backtrace(integration, key, outcome)

    def _link_in_backtrace(self, integration: Integration, key: LinkKey, outcome: Outcome) -> Outcome:
        """Link the ticket; a failure leaves the ticket standing and lets the message come again."""
        if outcome.issue is None:
            raise AssertionError("linking needs an issue")
        try:
            self._configuration.backtrace(integration.universe).link(
                project=integration.project,
                fingerprint=key.fingerprint,
                watcher=integration.name,
                issue=outcome.issue,
            )
            self._links.mark_linked(key)
        except Exception as error:
            return replace(outcome, detail=f"not yet linked in Backtrace: {explain(error)}", error=error)
        return outcome


def _done(decision: Decision, key: LinkKey, issue: Issue) -> Outcome:
    return Outcome(decision, key.fingerprint, key.integration, issue)


def _failed(group: ErrorGroup, integration: str, error: Exception) -> Outcome:
    if isinstance(error, Parked):
        decision = Decision.PARKED
    elif isinstance(error, BacktraceJiraError) and not isinstance(error, TryAgain):
        decision = Decision.REFUSED
    else:
        decision = Decision.POSTPONED
    return Outcome(decision, group.fingerprint, integration, detail=explain(error), error=error)


def explain(error: Exception) -> str:
    """Give an error's sentence. One we did not raise may hold anything, so only its kind is told."""
    if isinstance(error, BacktraceJiraError):
        return str(error)
    return f"unexpected {type(error).__name__}; the function's log has the traceback"


def _refusal(error: Exception, now: float) -> Refusal:
    if isinstance(error, Refused | Parked):
        return Refusal(now, str(error), error.messages, error.fields)
    return Refusal(now, explain(error))
