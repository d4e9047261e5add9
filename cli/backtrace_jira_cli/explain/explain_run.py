"""One run of `backtrace-jira explain`: the recorded decisions about an error group, in an operator's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Link, LinkState
from backtrace_jira.links.parking import WHOLE_CONNECTION, Parking, ServerNotes, server_title, universe_server
from backtrace_jira.outcomes import NO_INTEGRATION, Decision, Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.known_integrations import KnownIntegrations
from backtrace_jira_cli.deployment.link_table import LinkTable
from backtrace_jira_cli.exits import Stop, wrong_usage
from backtrace_jira_cli.fix_version_words import describe_fix_versions
from backtrace_jira_cli.link_document import link_document
from backtrace_jira_cli.link_words import (
    NO_ANSWER,
    SHORTEST,
    ago,
    describe_record,
    describe_synced,
    moment,
)

SHOWN = 20


_CORRECT = "correct the cause (backtrace-jira check finds it)"


_ADVICE = {
    Decision.REFUSED: f"{_CORRECT}; then move the event from the dead-letter queue back (SQS: Start DLQ redrive)",
    Decision.PARKED: f"{_CORRECT}; the event waits in its queue, and the function tries it again",
    Decision.POSTPONED: "nothing: the event waits in its queue, and the function tries it again",
    Decision.FILTERED: "nothing, if you want it so; otherwise change the integration's actions",
    Decision.HELD: "nothing, if you want it so; otherwise change the integration's frequency or threshold",
    Decision.NO_INTEGRATION: "add an integration for this Backtrace project to the settings (backtrace-jira configure)",
}


_TO_CHOOSE = "do what the reason asks for; then move the event from the dead-letter queue back (SQS: Start DLQ redrive)"


_HOW = {Decision.CREATED: "created", Decision.LINKED: "linked by hand"}


_SYNC_ADVICE = (
    "correct what stands at 'could not be done'. It is tried again by itself, once an hour at most; "
    "backtrace-jira links check TICKET tries it at once"
)


_HEADLINES = {
    Decision.UNLINKED: "No ticket: somebody unlinked it; the group's next error creates a new one",
    Decision.REFUSED: "No ticket: refused",
    Decision.PARKED: "No ticket yet: parked, because Jira has just refused another ticket of this kind",
    Decision.POSTPONED: "No ticket yet: postponed",
    Decision.FILTERED: "No ticket: an action of the settings filtered the error",
    Decision.HELD: "No ticket: frequency and threshold hold it back",
    Decision.NO_INTEGRATION: "No ticket: the project has no integration",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One row of the link table, in words."""

    link: Link
    headline: str
    advice: str
    parked_until: float = 0.0

    def as_json(self, settings: Integration | None, problem: str) -> dict[str, Any]:
        """Return the explanation for machines: the link's document, and what this command adds."""
        return link_document(self.link, settings, problem) | {
            "headline": self.headline,
            "advice": self.advice,
            "parked_until": self.parked_until or None,
        }


def explain_link(link: Link, parked_until: float, now: float) -> Explanation:
    """Explain a row: one sentence says what became of the group, another what to do."""
    record = link.record
    if link.issue:
        decision = record.decision if record else Decision.CREATED
        how = _HOW.get(decision, "found in Jira after a create without an answer")
        not_in_backtrace = (
            "" if link.linked_in_backtrace else "; not yet linked in Backtrace, which is tried again"
        )
        headline = f"{link.issue.key} was {how}{_when(record, now)}: {link.issue.url}{not_in_backtrace}"
        if link.follow_up or link.follows:
            return _explain_follow_up(link, link.issue, parked_until)
        return Explanation(
            link, headline, _SYNC_ADVICE if link.synced and link.synced.problems else "nothing"
        )
    if link.state is LinkState.CREATING and link.lease_until > now:
        return Explanation(
            link, "The ticket is being created right now", "look again in a minute", parked_until
        )
    if link.state in (LinkState.CREATING, LinkState.UNCERTAIN):
        headline = f"{NO_ANSWER} ({link.lookups} times so far)"
        refused = record is not None and record.decision is Decision.REFUSED
        advice = _TO_CHOOSE if refused else _ADVICE[Decision.POSTPONED]
        return Explanation(link, headline, advice, parked_until)
    if record is None:
        return Explanation(link, "No ticket yet", "wait for the next event", parked_until)
    headline = f"{_HEADLINES.get(record.decision, str(record.decision))}{_when(record, now)}"
    return Explanation(link, headline, _ADVICE.get(record.decision, "nothing"), parked_until)


def _explain_follow_up(link: Link, issue: Issue, parked_until: float) -> Explanation:
    begin = f"The error came back after {issue.key} was closed ({issue.url})"
    refused = link.record is not None and link.record.decision is Decision.REFUSED
    if not refused:
        return Explanation(link, f"{begin}; a new ticket is on its way", "nothing", parked_until)
    advice = _TO_CHOOSE if link.follows else f"{_ADVICE[Decision.REFUSED]}, or reopen {issue.key}"
    return Explanation(link, f"{begin}; a new ticket was refused", advice, parked_until)


def _when(record: Record | None, now: float) -> str:
    return f" {moment(record.at)} ({ago(now - record.at)})" if record else ""


class ExplainRun:
    """One run of `backtrace-jira explain`."""

    def __init__(
        self,
        known: KnownIntegrations,
        table: LinkTable,
        console: Console,
        now: float,
    ) -> None:
        self._known = known
        self._integrations = known.valid
        self._table = table
        self._console = console
        self._now = now
        self._notes: dict[str, ServerNotes] = {}

    def explain_group(self, beginning: str, integration: str | None) -> None:
        """Explain what was decided about a group.

        Raises:
            Stop: no event of it has arrived.
        """
        if len(beginning) < SHORTEST:
            raise wrong_usage(f"Give at least the first {SHORTEST} characters of the fingerprint.")
        ids = self._integration_ids(integration)
        links = [link for id_ in ids for link in self._table.find_by_fingerprint(id_, beginning)]
        found = [self._explain(link) for link in links]
        now = self._describe_now(ids)
        self._console.report |= {"decisions": [self._json(each) for each in found], "now": now}
        if not found:
            raise Stop(self._nothing_known(beginning, now))
        for each in found[:SHOWN]:
            self._show(each)
        if len(found) > SHOWN:
            self._console.say(f"… and {len(found) - SHOWN} more; --json lists them all.")

    def list_recent(self, count: int, integration: str | None) -> None:
        """List the last decisions, and what keeps tickets from being made now."""
        ids = self._integration_ids(integration)
        with self._console.show_rows_read() as progress:
            rows = self._table.list_recent_decisions(ids, count, progress)
        found = [self._explain(link) for link in rows]
        now = self._describe_now(ids)
        self._console.report |= {"decisions": [self._json(each) for each in found], "now": now}
        for sentence in now:
            self._console.say(f"{sentence}.", "yellow")
        if not found:
            self._console.say("Nothing has been decided yet.")
            return
        columns = ("when", "decision", "integration", "fingerprint", "ticket or reason")
        self._console.show_table(columns, [_line(each, self._now) for each in found])

    def _integration_ids(self, integration: str | None) -> list[str]:
        ids = self._known.choose(integration)
        # An event of a project without an integration has a row under this name.
        return ids if integration is not None else [*ids, NO_INTEGRATION]

    def _json(self, each: Explanation) -> dict[str, Any]:
        name = each.link.key.integration
        return each.as_json(self._known.settings(name), self._known.problem(name))

    def _explain(self, link: Link) -> Explanation:
        return explain_link(link, self._parked_until(link), self._now)

    def _parked_until(self, link: Link) -> float:
        settings = self._integrations.get(link.key.integration)
        if settings is None or link.issue:
            return 0.0
        parkings = self._notes_of(settings.connection).parkings
        times = [_until(parkings, scope) for scope in (WHOLE_CONNECTION, settings.parking_scope)]
        times.append(link.record.until if link.record else 0.0)
        return max((until for until in times if until > self._now), default=0.0)

    def _notes_of(self, server: str) -> ServerNotes:
        if server not in self._notes:
            self._notes[server] = self._table.read_notes(server)
        return self._notes[server]

    def _describe_now(self, ids: Sequence[str]) -> list[str]:
        """Return a sentence for all that keeps events of these integrations waiting; such an event has no record."""
        return [*self._describe_parkings(ids), *self._describe_servers(ids)]

    def _describe_parkings(self, ids: Sequence[str]) -> list[str]:
        """Return a sentence for each parking that keeps these integrations from making tickets."""
        found = {}
        for each in (self._integrations[id_] for id_ in ids if id_ in self._integrations):
            parkings = self._notes_of(each.connection).parkings
            for scope in (WHOLE_CONNECTION, each.parking_scope):
                if _until(parkings, scope) > self._now:
                    what = "every ticket" if scope == WHOLE_CONNECTION else f"tickets of {scope}"
                    found[each.connection, scope] = (
                        f"{server_title(each.connection)} is not asked for {what} until "
                        f"{moment(parkings[scope].until)}: {parkings[scope].refusal.reason.rstrip('.')}"
                    )
        return list(found.values())

    def _describe_servers(self, ids: Sequence[str]) -> list[str]:
        """Return a sentence for each server of these integrations that has no time for a call now."""
        settings = [self._integrations[id_] for id_ in ids if id_ in self._integrations]
        servers = dict.fromkeys(
            server for each in settings for server in (each.connection, universe_server(each.universe))
        )
        told = {server: self._notes_of(server).pace.describe(self._now) for server in servers}
        return [f"{server_title(server)} {sentence}" for server, sentence in told.items() if sentence]

    def _nothing_known(self, beginning: str, now: Sequence[str]) -> str:
        searched = ", ".join(self._known.choose(None)) or "no integration is configured"
        return (
            f"Nothing is recorded of a group that begins with {beginning} (searched: {searched})."
            f"{''.join(f' {sentence}.' for sentence in now)} Either its events wait in the queue error-events, which "
            "leaves no record: the log of create_ticket says postponed or parked, and why. Or no event has arrived: "
            "check --stage and --region, whether Backtrace publishes to the topic, and the dead-letter queue of the "
            "topic's subscription."
        )

    def _show(self, each: Explanation) -> None:
        link, record = each.link, each.link.record
        name = "no integration" if link.key.integration == NO_INTEGRATION else link.key.integration
        self._console.say(f"{name}  {link.key.fingerprint} {link.key.trace}".rstrip(), "bold")
        self._console.say(f"  {each.headline}", "green" if link.issue else "yellow")
        problem = self._known.problem(link.key.integration)
        rows = [("integration", problem)] if problem else []
        rows += describe_record(record) if record else []
        if link.issue:
            rows += describe_fix_versions(link, self._known.settings(link.key.integration))
        if link.synced:
            rows += [(name, text) for name, text in describe_synced(link.synced, self._now) if text]
        if each.parked_until:
            rows.append(("parked until", moment(each.parked_until)))
        if not link.issue:
            rows += [("now", sentence) for sentence in self._describe_servers([link.key.integration])]
        rows.append(("what to do", each.advice))
        self._console.show_table(("about", "what is known"), rows)


def _until(notes: Mapping[str, Parking], scope: str) -> float:
    return notes[scope].until if scope in notes else 0.0


def _line(each: Explanation, now: float) -> Sequence[str]:
    link, record = each.link, each.link.record
    ticket_or_reason = link.issue.key if link.issue else (record.reason or record.rule if record else "")
    name = "-" if link.key.integration == NO_INTEGRATION else link.key.integration
    decided = str(record.decision) if record else str(link.state)
    return (
        ago(now - record.at) if record else "",
        decided,
        name,
        link.key.fingerprint[:16],
        ticket_or_reason[:120],
    )
