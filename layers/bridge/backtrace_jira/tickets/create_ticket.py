"""One error group becomes one ticket in each of its integrations, whatever is repeated or cut off.

The protocol: claim the link row, send one `POST /issue`, record the issue, link it in Backtrace. A row that
was left in the middle is looked up by its marker, more than once because Jira's search lags behind, and a new
create follows only when there surely is no ticket. Nothing here sleeps: what must wait raises `TryAgain`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from backtrace_jira.backtrace.error_group import ErrorGroup, read_error_group
from backtrace_jira.errors import (
    BacktraceJiraError,
    Busy,
    CredentialRefused,
    InvalidEvent,
    NotVisible,
    NotYetVisible,
    OutcomeUnknown,
    Refused,
    Throttled,
)
from backtrace_jira.jira.issue import Issue, TicketDraft
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.parking import ParkingGuard
from backtrace_jira.outcomes import Decision, Outcome, Record, error_text
from backtrace_jira.settings.integration import EventKind, Integration
from backtrace_jira.tickets.actions import apply_actions
from backtrace_jira.tickets.create_screens import CreateScreens
from backtrace_jira.tickets.decisions import NOT_YET_DUE, REMEMBERED, Case, UnclaimedDecisions, failed, held
from backtrace_jira.tickets.draft import Drafter
from backtrace_jira.tickets.ports import Configuration, JiraTickets, RegressionHints, TicketLinks
from backtrace_jira.tickets.possible_regression import find_passed_rule
from backtrace_jira.times import LEASE, LONGEST_REQUEST, PARKED, PARKING_TRUSTED, PAUSE, SEARCH_SETTLE


@dataclass(frozen=True, slots=True)
class Timing:
    """How long what is waited for, in seconds; `times` says why."""

    lease: float = LEASE
    longest_create: float = LONGEST_REQUEST
    settle: float = SEARCH_SETTLE
    lookups: int = 3
    """Look-ups without a find before a second create: an issue already found can vanish for a moment."""
    between_lookups: float = PAUSE
    parked: float = PARKED
    parking_note: float = PARKING_TRUSTED


class CreateTicket:
    """The use case behind `functions/create_ticket`."""

    def __init__(
        self,
        *,
        stage: str,
        configuration: Configuration,
        links: TicketLinks,
        regression_hints: RegressionHints,
        clock: Callable[[], float],
        new_owner: Callable[[], str],
        timing: Timing | None = None,
    ) -> None:
        self._stage = stage
        self._configuration = configuration
        self._links = links
        self._regression_hints = regression_hints
        self._clock = clock
        self._new_owner = new_owner
        self._timing = timing or Timing()
        self._parking = ParkingGuard(
            links, clock, trust=self._timing.parking_note, duration=self._timing.parked
        )
        self._screens = CreateScreens(links, clock)
        self._unclaimed = UnclaimedDecisions(links, clock)

    def serve(self, body: str, deadline: float) -> list[Outcome]:
        """Serve a message's body; one that is no error group has an outcome that says so."""
        try:
            group = read_error_group(body)
        except InvalidEvent as error:
            return [Outcome(Decision.INVALID, detail=str(error), error=error)]
        return self(group, deadline=deadline)

    def __call__(self, group: ErrorGroup, *, deadline: float) -> list[Outcome]:
        """Serve every integration of the group's project; one that fails does not stop the others.

        Args:
            group: the error group.
            deadline: unix seconds at which this process may be ended.
        """
        try:
            integrations = self._configuration.integrations(group.universe, group.project)
        except BacktraceJiraError as error:
            return [failed(group, "", error)]
        if not integrations:
            return [self._unclaimed.no_integration(group)]
        return [self._serve(group, integration, deadline) for integration in integrations]

    def _serve(self, group: ErrorGroup, integration: Integration, deadline: float) -> Outcome:
        try:
            case = Case(group, integration, apply_actions(group, integration.actions))
            if not case.verdict.submit:
                return self._unclaimed.filtered(case)
            return self._ticket(case, deadline)
        except Exception as error:
            return failed(group, integration.id, error)

    def _ticket(self, case: Case, deadline: float) -> Outcome:
        lease = self._lease(case.key, deadline)
        row = self._links.claim(lease)
        if row.owner == lease.owner and row.state is LinkState.CREATING:
            due = self._due(case, row, lease)
            return self._create(case, lease, row.previous) if due else self._hold(case, lease)
        if row.issue is not None:
            return self._known(case, row, row.issue)
        if row.state is LinkState.HELD:
            return held(case)
        if row.lease_until > lease.now:
            raise Busy("this ticket is being created", after=min(row.lease_until - lease.now, 15))
        if not self._links.take_over(row, lease):
            raise Busy("another delivery took this ticket over", after=5)
        return self._recover(case, row, lease)

    def _lease(self, key: LinkKey, deadline: float) -> Lease:
        now = self._clock()
        if now + self._timing.longest_create > deadline:
            # Without a time of its own: coming back at once would use up the receives while Jira is slow.
            raise Busy("no time is left in this invocation")
        return Lease(key, self._new_owner(), now, now + self._timing.lease)

    def _due(self, case: Case, row: Link, lease: Lease) -> bool:
        """Count the event. One that was due and failed stays so, however often it comes back."""
        rule = case.integration.due_rule
        if rule.lets_all_through or (row.record and row.record.decision not in NOT_YET_DUE):
            return True
        try:
            return self._links.count_event(lease.key, case.group.trace, lease.now, rule)
        except Exception:
            self._links.release(lease, None)  # not counted: without a record, it will be
            raise

    def _hold(self, case: Case, lease: Lease) -> Outcome:
        """Leave it at that for this error; a group's next event may be due."""
        outcome = held(case)
        record = Record.from_outcome(outcome, self._clock(), case.verdict.reason)
        if case.integration.event is EventKind.TRACE:
            self._links.hold(lease, record, record.at + REMEMBERED)
        else:
            self._links.release(lease, record)
        return outcome

    def _known(self, case: Case, row: Link, issue: Issue) -> Outcome:
        if not row.linked_in_backtrace:
            return self._link(case, row.key, row.previous, _done(Decision.LINKED, row.key, issue))
        known = _done(Decision.KNOWN, row.key, issue)
        rule = find_passed_rule(case, row)
        if rule is None:
            return known
        reason = f"an error of the group may be past {rule}"
        try:
            occasion = f"{row.synced.reopen_criteria} {row.synced.at}" if row.synced else ""
            self._regression_hints.send_regression(
                case.integration.connection, issue.id, reason=reason, occasion=occasion
            )
        except BacktraceJiraError as error:
            return replace(known, detail=f"{reason}; {error_text(error)}", error=error)
        return replace(known, detail=f"{reason}; {issue.key} is looked at")

    def _create(self, case: Case, lease: Lease, previous: str) -> Outcome:
        tickets, drafter, draft = self._prepare(case, lease)
        try:
            draft, issue = self._send(tickets, drafter, draft, lease)
        except OutcomeUnknown as error:
            self._leave_uncertain(case, lease, error, looked_up=False)
            raise
        except BacktraceJiraError as error:
            self._give_back(case, lease, error)
            raise
        outcome = replace(
            _done(Decision.CREATED, lease.key, issue),
            unknown_attributes=draft.unknown_attributes,
            left_out=draft.left_out,
        )
        return self._complete(case, lease.key, previous, outcome)

    def _prepare(self, case: Case, lease: Lease) -> tuple[JiraTickets, Drafter, TicketDraft]:
        """Do all that can fail before a create is sent; a failure gives the claim back."""
        try:
            self._parking.check(case.integration)
            tickets = self._configuration.jira(case.integration)
            drafter = Drafter(case, lease.key.marker(self._stage), tickets, self._screens)
            draft = drafter.draft()
            self._ensure_time(lease)
        except Exception as error:
            self._give_back(case, lease, error)
            raise
        return tickets, drafter, draft

    def _send(
        self, tickets: JiraTickets, drafter: Drafter, draft: TicketDraft, lease: Lease
    ) -> tuple[TicketDraft, Issue]:
        """Create; again only after a definite no to which another draft is the answer."""
        while True:
            try:
                return draft, tickets.create(draft)
            except Refused as refusal:
                again = drafter.redraft(draft, refusal) or drafter.without_refused(draft, refusal)
                if again is None:
                    raise
            self._ensure_time(lease)
            draft = again

    def _give_back(self, case: Case, lease: Lease, error: Exception) -> None:
        """Release the row: there is no ticket; what others would meet, too, is parked."""
        record = Record.from_error(error, self._clock(), case.verdict.reason)
        self._links.release(lease, record)
        if isinstance(error, Refused):
            self._parking.park_refused(case.integration, record, error)
        else:
            self._note(case.integration, error)

    def _ensure_time(self, lease: Lease) -> None:
        if self._clock() + self._timing.longest_create > lease.until:
            raise Busy("the lease is too old to begin a create")

    def _recover(self, case: Case, row: Link, lease: Lease) -> Outcome:
        """Find out what became of a create that nobody heard the end of."""
        tickets, found = self._look_up(case, lease)
        if found:
            adopted = _done(Decision.ADOPTED, lease.key, found)
            return self._complete(case, lease.key, row.previous, adopted)
        since = row.uncertain_since or row.lease_until
        if row.lookups + 1 < self._timing.lookups or lease.now - since < self._timing.settle:
            not_yet = NotYetVisible(
                "a create was cut off, and Jira's search does not show a ticket yet",
                after=self._timing.between_lookups,
            )
            self._leave_uncertain(case, lease, not_yet, looked_up=True)
            raise not_yet
        self._ensure_visible(case, tickets, lease)
        if not self._links.start_again(lease):
            raise Busy("another delivery took this ticket over", after=5)
        return self._create(case, lease, row.previous)

    def _look_up(self, case: Case, lease: Lease) -> tuple[JiraTickets, Issue | None]:
        try:
            self._parking.check(case.integration, lookup=True)
            tickets = self._configuration.jira(case.integration)
            found = tickets.find(lease.key.marker(self._stage))
        except BacktraceJiraError as error:
            self._leave_uncertain(case, lease, error, looked_up=False)
            self._note(case.integration, error)
            raise
        # The oldest is ours: a person's clone carries the marker too.
        return tickets, found[0] if found else None

    def _note(self, integration: Integration, error: Exception) -> None:
        """Remember what concerns the whole connection."""
        if isinstance(error, Throttled):
            self._parking.hold_back(integration, error.after or self._timing.between_lookups)
        elif isinstance(error, CredentialRefused):
            self._parking.park_refused(integration, Record.from_error(error, self._clock()), error)

    def _ensure_visible(self, case: Case, tickets: JiraTickets, lease: Lease) -> None:
        """Make sure that an empty find means something: an account may create what it cannot browse."""
        project = case.target.project
        try:
            if tickets.may_browse(project):
                return
            raise NotVisible(
                f"a create was cut off, and the account may not browse project {project}, "
                "so it cannot be told whether the ticket exists; grant Browse Projects and replay"
            )
        except BacktraceJiraError as error:
            self._leave_uncertain(case, lease, error, looked_up=False)
            raise

    def _leave_uncertain(self, case: Case, lease: Lease, error: Exception, *, looked_up: bool) -> None:
        record = Record.from_error(error, self._clock(), case.verdict.reason)
        until = record.at + self._timing.between_lookups
        self._links.leave_uncertain(lease, record, now=record.at, until=until, looked_up=looked_up)

    def _complete(self, case: Case, key: LinkKey, previous: str, outcome: Outcome) -> Outcome:
        """Record the ticket at once, then tell Backtrace."""
        made = outcome.issue
        if made is None:
            raise AssertionError("complete needs an issue")
        record = Record.from_outcome(outcome, self._clock(), case.verdict.reason)
        kept = self._links.complete(key, made, record, case.group.group_url or "")
        if kept.id != made.id:
            detail = f"{made.key} is a second ticket: this group is already linked to {kept.key}"
            outcome = replace(outcome, issue=kept, detail=detail)
        return self._link(case, key, previous, outcome)

    def _link(self, case: Case, key: LinkKey, previous: str, outcome: Outcome) -> Outcome:
        """Link the ticket to the one before it and in Backtrace; a failure lets the message come again."""
        issue, integration = outcome.issue, case.integration
        if issue is None:
            raise AssertionError("linking needs an issue")
        try:
            if previous:
                outcome = self._relate(integration, previous, issue, outcome)
            baseline = self._configuration.backtrace(integration.universe).link(
                project=integration.project,
                fingerprint=key.fingerprint,
                watcher=integration.name,
                issue=issue,
            )
            self._links.mark_linked(key, baseline)
        except Exception as error:
            return replace(outcome, detail=f"not yet linked in Backtrace: {error_text(error)}", error=error)
        return outcome

    def _relate(self, integration: Integration, previous: str, issue: Issue, outcome: Outcome) -> Outcome:
        """Link a regression's ticket to the one before; what Jira does not take is told and leaves it as it is."""
        tickets = self._configuration.jira(integration)
        try:
            tickets.relate(issue, previous, integration.fix_versions.link_type)
        except Refused as error:
            if isinstance(error, CredentialRefused):
                raise
            return replace(
                outcome, detail=f"follows {previous}, but is not linked to it: {error_text(error)}"
            )
        return replace(outcome, detail=f"follows {previous}")


def _done(decision: Decision, key: LinkKey, issue: Issue) -> Outcome:
    return Outcome(decision, key.fingerprint, key.integration, issue)
