"""A case's ticket exists: record it in the link row, link it to the ticket before it, and link it in Backtrace."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from backtrace_jira.errors import CredentialRefused, NeedsAttention, Refused
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Link
from backtrace_jira.outcomes import Outcome, Record, error_text
from backtrace_jira.tickets.context import Case, Context
from backtrace_jira.tickets.follow_up import tell_follower


class CaseLink:
    """The link of one case whose ticket exists. `row` is the link row as it was claimed or seen."""

    def __init__(self, context: Context, case: Case, row: Link) -> None:
        self._context = context
        self._case = case
        self._row = row
        self._previous = row.issue.key if row.issue and row.follows else row.previous

    def complete(self, issue: Issue, outcome: Outcome) -> Outcome:
        """Record the ticket in the link row, then link it."""
        record = Record.from_outcome(outcome, self._context.clock(), self._case.verdict.reason)
        # Record before linking. A process that dies in between leaves a row that holds the ticket, and the next
        # delivery links it. The other way round, only Jira's search, which lags, would know of the ticket.
        page = self._case.group.group_url or ""
        recorded = self._context.keep_trying(lambda: self._record(issue, record, page))
        if recorded.id != issue.id:
            # The row's own ticket is linked, not ours: Backtrace would show two.
            detail = f"{issue.key} is a second ticket: this group is already linked to {recorded.key}"
            outcome = replace(outcome, issue=recorded, detail=detail)
        return self.link(recorded, outcome)

    def _record(self, issue: Issue, record: Record, page: str) -> Issue:
        if self._row.follows:
            return self._context.links.complete_follow_up(self._row, issue, record, page)
        return self._context.links.complete(
            self._case.key, issue, record, page, generation=self._row.generation
        )

    def link(self, issue: Issue, outcome: Outcome) -> Outcome:
        """Link the ticket to the one before it and in Backtrace; after a failure the message comes again."""
        integration = self._case.integration
        try:
            # Before `mark_linked`, which forgets the previous ticket: a failure must find it again.
            if self._previous not in ("", issue.key):
                outcome = self._relate(issue, outcome)
            baseline = self._context.backtrace(integration.universe).link(
                project=integration.project,
                fingerprint=self._case.key.fingerprint,
                watcher=integration.name,
                issue=issue,
                replaced=self._previous,
            )
            # Only after Backtrace has the ticket: no later delivery would link a row that is marked.
            self._context.links.mark_linked(self._case.key, baseline, issue)
        except Exception as error:
            return replace(outcome, detail=f"not yet linked in Backtrace: {error_text(error)}", error=error)
        return outcome

    def _relate(self, issue: Issue, outcome: Outcome) -> Outcome:
        """Link a regression's ticket to the one before it. If Jira refuses, the outcome says so, and that is all."""
        jira = self._context.jira(self._case.integration)
        try:
            jira.relate(issue, self._previous, self._case.integration.fix_versions.link_type)
        except Refused as error:
            if isinstance(error, CredentialRefused):
                raise
            with suppress(NeedsAttention):
                tell_follower(jira, self._case, self._previous, issue.key)
            return replace(
                outcome, detail=f"follows {self._previous}, but is not linked to it: {error_text(error)}"
            )
        return replace(outcome, detail=f"follows {self._previous}")
