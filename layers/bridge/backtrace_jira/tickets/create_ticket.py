"""One error group becomes one ticket in one integration, whatever is repeated or cut off.

The protocol: claim the link row, send one `POST /issue`, record the issue, link it in Backtrace (`attempt`,
`case_link`). A row that was left in the middle is looked up by its marker, more than once because Jira's search
lags behind, and a new create follows only when there surely is no ticket. A found ticket is adopted. What must wait
raises `TryAgain`.
"""

from __future__ import annotations

from dataclasses import replace

from backtrace_jira.batches import MOST_FAILURES
from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.outcomes import Decision, Outcome, Record
from backtrace_jira.settings.integration import EventKind
from backtrace_jira.tickets.attempt import Attempt
from backtrace_jira.tickets.case_link import CaseLink
from backtrace_jira.tickets.context import Case, Context
from backtrace_jira.tickets.decisions import NOT_YET_DUE, REMEMBERED, held_outcome
from backtrace_jira.tickets.possible_regression import report_possible_regression


class CreateTicket:
    """Makes the ticket of one case."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._links = context.links

    def __call__(self, case: Case, *, deadline: float, follows: str = "") -> Outcome:
        """Claim the link row before anything is sent to Jira: the store gives it to one delivery only.

        Args:
            case: the group, and the integration that wants its ticket.
            deadline: unix seconds at which this process may be ended.
            follows: id of the row's ticket, if the new one is to follow it.

        Raises:
            TryAgain: the event has to come again.
            NeedsAttention: there is no ticket, and will be none before somebody mends something.
        """
        lease = self._new_lease(case.key, deadline, follows)
        row = self._links.claim(lease)
        if row.owner == lease.owner and row.state is LinkState.CREATING:
            # Count the event after the claim: the events of a group that has its ticket are not counted.
            if not follows and not self._is_due(case, row, lease):
                return self._hold(case, lease)
            return Attempt(self._context, case, lease, row).create()
        if row.issue is not None and row.is_settled:
            return self._serve_known(case, row, row.issue)
        if row.state is LinkState.HELD:
            return held_outcome(case)
        if row.lease_until > lease.now:
            raise Busy("this ticket is being created", after=min(row.lease_until - lease.now, 15))
        lease = replace(lease, follows=row.follows)
        # Take the row over before the look-up: of two deliveries that found nothing, both would create.
        if not self._links.take_over(row, lease):
            raise Busy("another delivery took this ticket over", after=5)
        attempt = Attempt(self._context, case, lease, row)
        if row.cut_off >= MOST_FAILURES:
            attempt.give_up()
        return attempt.recover()

    def _new_lease(self, key: LinkKey, deadline: float, follows: str) -> Lease:
        now, timing = self._context.clock(), self._context.timing
        if now + timing.longest_create > deadline:
            # Without `after`: the delay grows with the message's age, so that a slow Jira is not asked every time.
            raise Busy("no time is left in this invocation")
        return Lease(key, self._context.new_owner(), now, now + timing.lease, follows)

    def _is_due(self, case: Case, row: Link, lease: Lease) -> bool:
        """Count the event. One that was due and failed stays due, however often it comes back."""
        rule = case.integration.due_rule
        if rule.lets_all_through or (row.record and row.record.decision not in NOT_YET_DUE):
            return True
        try:
            return self._links.count_event(lease.key, case.group.trace, lease.now, rule)
        except Exception:
            # No record: it would say that the event was due. So the next delivery counts it.
            self._context.keep_trying(lambda: self._links.release(lease, None))
            raise

    def _hold(self, case: Case, lease: Lease) -> Outcome:
        """Make no ticket for this error; a later event of the group may be due."""
        outcome = held_outcome(case)
        record = Record.from_outcome(outcome, self._context.clock(), case.verdict.reason)
        if case.integration.event is EventKind.TRACE:
            self._context.keep_trying(lambda: self._links.hold(lease, record, record.at + REMEMBERED))
        else:
            self._context.keep_trying(lambda: self._links.release(lease, record))
        return outcome

    def _serve_known(self, case: Case, row: Link, issue: Issue) -> Outcome:
        """Finish the linking of a ticket, if a delivery left it unfinished; else look for a regression."""
        if row.linked_in_backtrace:
            return report_possible_regression(self._context.regression_hints, case, row, issue)
        link = CaseLink(self._context, case, row)
        return link.link(issue, case.outcome(Decision.LINKED, issue))
