"""One run of `backtrace-jira links check`: the look of the round through all links, at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backtrace_jira.errors import BacktraceJiraError
from backtrace_jira.links.link import Link
from backtrace_jira.outcomes import Decision, Outcome
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.check_links import CheckLinks, Finding
from backtrace_jira.synchronisation.news import Hint
from backtrace_jira.synchronisation.poll import Poll
from backtrace_jira_cli.console import Console, count_of
from backtrace_jira_cli.exits import Stop

PAGE = 100
LONGEST_TURN = 60.0
"""Seconds for one ticket, as `apply_jira_change` has them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A ticket that differed, and what became of it."""

    finding: Finding
    decision: str
    detail: str
    ok: bool

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "ticket": self.finding.issue_key,
            "connection": self.finding.connection,
            "differences": list(self.finding.differences),
            "decision": self.decision,
            "detail": self.detail,
            "ok": self.ok,
        }


class CheckRun:
    """Compares links with both sides, and brings in step what differs."""

    def __init__(self, integrations: Iterable[Integration], console: Console) -> None:
        self._integrations = [each for each in integrations if each.keeps_in_step]
        self._console = console
        self._failures: list[Outcome] = []
        self._links = 0
        self._checked: list[Checked] = []

    def report(self, outcome: Outcome) -> None:
        """Take note of a server that failed."""
        self._failures.append(outcome)

    def check(self, poll: Poll, pages: Iterable[Sequence[Link]]) -> None:
        """Check links, page by page.

        Raises:
            Stop: something could not be looked at or carried.
        """
        ids = {each.id for each in self._integrations}
        with self._console.show_progress("comparing links with both sides") as show:
            try:
                for page in pages:
                    self._check_page(poll, [link for link in page if link.key.integration in ids])
                    show(f"{self._links:,} links, {len(self._checked):,} tickets differ")
            except BacktraceJiraError as error:
                raise Stop(str(error)) from None
            finally:
                self._tell()
        wrong = sum(not each.ok for each in self._checked) + len(self._failures)
        if wrong:
            raise Stop(
                f"{wrong} could not be done; the lines above say why. They are tried again by themselves."
            )

    def _check_page(self, poll: Poll, links: Sequence[Link]) -> None:
        findings = CheckLinks(poll).find(links, self._integrations, is_urgent=True)
        self._links += len(links)
        for finding in findings:
            if finding.differences:
                hint = Hint(finding.connection, thorough=True)
                outcomes = poll.synchronise(finding.issue_id, hint, deadline=time.time() + LONGEST_TURN)
                self._checked += [_checked(finding, each) for each in outcomes]

    def _tell(self) -> None:
        self._console.report |= {
            "links": self._links,
            "differing": [each.as_json() for each in self._checked],
            "failures": [each.detail for each in self._failures],
        }
        if self._checked:
            rows = [
                (each.finding.issue_key, "; ".join(each.finding.differences), each.decision, each.detail)
                for each in self._checked
            ]
            self._console.show_table(("ticket", "what differed", "decision", "what was done"), rows)
        for failure in self._failures:
            self._console.warn(failure.detail)
        if not self._links:
            self._console.say(
                "No link was compared: no integration concerned uses sync or fix_versions and has one."
            )
            return
        differing = f"{count_of(len(self._checked), 'ticket')} differed" if self._checked else "all in step"
        self._console.say(f"{count_of(self._links, 'link')} compared with both sides: {differing}.")


def all_pages(read: Callable[[str, int], Any], most: int = PAGE) -> Iterator[Sequence[Link]]:
    """Yield all links that hold a ticket, page by page, as the round reads them."""
    after, is_first = "", True
    while after or is_first:
        page = read(after, most)
        yield page.links
        after, is_first = page.next_after, False


def _checked(finding: Finding, outcome: Outcome) -> Checked:
    ok = outcome.error is None and outcome.decision is not Decision.REFUSED
    return Checked(finding, str(outcome.decision), outcome.detail, ok)
