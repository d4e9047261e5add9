"""A Jira that tickets are made in."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence

from backtrace_jira.errors import InvalidField, Refused
from backtrace_jira.jira.fields import Field, FieldSchema
from backtrace_jira.jira.issue import PROPERTY, Find, Issue, TicketDraft
from tests.fakes.failures import raise_next

SCREEN = (
    Field("project", "Project", "project", required=True),
    Field("issuetype", "Issue Type", "issuetype", required=True),
    Field("summary", "Summary", "string", required=True),
)


class FakeJiraTickets:
    """The `JiraTickets` port, with a project BUG. The search sees a ticket `lag` seconds after it was made.

    `fail` is raised before the effect, `fail_after` when the issue exists.
    """

    def __init__(self, clock: Callable[[], float], *, lag: float = 0.0) -> None:
        self.issues: list[tuple[Issue, TicketDraft, float]] = []
        self.creates = 0
        self.finds = 0
        self.fail: list[Exception | None] = []
        self.fail_after: list[Exception | None] = []
        self.fail_find: list[Exception | None] = []
        self.browsable = True
        self.screens: dict[tuple[str, str], FieldSchema | None] = {
            ("BUG", kind): FieldSchema("BUG", f"1000{number}", kind, cloud=True, fields=SCREEN)
            for number, kind in enumerate(("Bug", "Task"))
        }
        """Fields by project and issue type; None stands for a server without create metadata."""
        self.related: set[tuple[str, str, str]] = set()
        """Key, key of the other and name of the link."""
        self.said: list[tuple[float, str, str]] = []
        """Comments: moment, id or key, and text."""
        self.fail_comment: list[Exception | None] = []
        self.people: dict[str, str] = {}
        """Ids by e-mail address."""
        self._clock = clock
        self.lag = lag
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def create(self, draft: TicketDraft) -> Issue:
        with self._lock:
            self.creates += 1
            raise_next(self.fail)
            number = next(self._numbers)
            key = f"{draft.project}-{number}"
            issue = Issue(str(10_000 + number), key, f"https://jira.example/browse/{key}")
            self.issues.append((issue, draft, self._clock()))
            raise_next(self.fail_after)
            return issue

    def find(self, marker: str) -> Sequence[Find]:
        with self._lock:
            self.finds += 1
            raise_next(self.fail_find)
            carrying = [each for each in self.issues if marker in str(each[1].fields)]
            return [find for _, find in self._visible(carrying)][::-1]

    def find_made(self, marker: str, minutes: tuple[int, int]) -> Sequence[Find]:
        with self._lock:
            begin, end = (self._clock() - 60 * each for each in minutes)
            labels = [
                each
                for each in self.issues
                if marker in str(each[1].fields) or "bt-" not in str(each[1].fields)
            ]
            return [find for at, find in self._visible(labels) if begin <= at <= end]

    def _visible(self, issues: Sequence[tuple[Issue, TicketDraft, float]]) -> Iterator[tuple[float, Find]]:
        visible = self._clock() - self.lag
        for issue, draft, at in issues:
            if at <= visible:
                held = draft.properties.get(PROPERTY)
                yield at, Find(issue, str(held.get("marker") or "") if isinstance(held, dict) else None)

    def may_browse(self, project: str) -> bool:
        return self.browsable

    def field_schema(self, project: str, issue_type: str) -> FieldSchema | None:
        if (project, issue_type) not in self.screens:
            raise InvalidField(f"{project} has no issue type {issue_type}", field="issuetype")
        return self.screens[project, issue_type]

    def relate(self, issue: Issue, other: str, link_type: str) -> None:
        if other not in {known.key for known, _, _ in self.issues}:
            raise Refused(f"404, there is no issue {other}", status=404)
        self.related.add((issue.key, other, link_type))

    def comment(self, issue: str, text: str) -> None:
        raise_next(self.fail_comment)
        self._ensure_known(issue)
        self.said.append((self._clock(), issue, text))

    def comments(self, issue: str) -> Sequence[tuple[float, str]]:
        self._ensure_known(issue)
        return [(at, text) for at, where, text in self.said if where == issue][::-1]

    def _ensure_known(self, issue: str) -> None:
        if issue not in {name for known, _, _ in self.issues for name in (known.id, known.key)}:
            raise Refused(f"404, there is no issue {issue}", status=404)

    def find_user(self, who: str, project: str) -> str | None:
        return self.people.get(who.casefold())
