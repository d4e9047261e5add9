"""In-memory stand-ins for the ports. They keep state, so tests assert on the world after, not on calls."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backtrace_jira.batches import Delivery
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.jira.issue import Issue, TicketDraft
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.parking import Parking
from backtrace_jira.outcomes import Outcome, Record
from backtrace_jira.settings.integration import DueRule, Integration
from backtrace_jira.states import State


class Clock:
    """Time that a test moves."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class InMemoryLinks:
    """The link store as a dict; the contract suite holds it to what DynamoDB does."""

    def __init__(self) -> None:
        self.rows: dict[LinkKey, Link] = {}
        self.notes: dict[str, dict[str, Parking]] = {}
        self.screens: dict[tuple[str, str], str] = {}
        self.counters: dict[LinkKey, tuple[float, int]] = {}
        self.expiries: dict[LinkKey, float] = {}
        self._lock = threading.Lock()

    def claim(self, lease: Lease) -> Link:
        with self._lock:
            row = self.rows.get(lease.key)
            if row and row.state is not LinkState.RELEASED:
                return row
            record = row.record if row else None
            claimed = Link(lease.key, LinkState.CREATING, lease.owner, lease.until, record=record)
            self.rows[lease.key] = claimed
            self.expiries.pop(lease.key, None)
            return claimed

    def count_event(self, key: LinkKey, owner: str, now: float, rule: DueRule) -> bool:
        group = LinkKey(key.integration, key.fingerprint)
        with self._lock:
            fired_at, aggregated = self.counters.get(group, (float("-inf"), 0))
            by_time = bool(rule.frequency) and fired_at <= now - rule.frequency
            due = by_time or (bool(rule.threshold) and aggregated >= rule.threshold - 1)
            self.counters[group] = (now, 0) if due else (fired_at, aggregated + 1)
            return due

    def hold(self, lease: Lease, record: Record, expires_at: float) -> None:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner == lease.owner and row.state is LinkState.CREATING:
                self.rows[lease.key] = replace(row, state=LinkState.HELD, lease_until=0.0, record=record)
                self.expiries[lease.key] = expires_at

    def record_unclaimed(self, key: LinkKey, record: Record, expires_at: float) -> None:
        with self._lock:
            row = self.rows.get(key) or Link(key, LinkState.RELEASED)
            if row.state is LinkState.RELEASED and not row.owner:
                self.rows[key] = replace(row, record=record)
                self.expiries[key] = expires_at

    def take_over(self, seen: Link, lease: Lease) -> bool:
        with self._lock:
            row = self.rows[seen.key]
            if (row.owner, row.lease_until, row.issue) != (seen.owner, seen.lease_until, None):
                return False
            self.rows[seen.key] = replace(
                row,
                state=LinkState.UNCERTAIN,
                owner=lease.owner,
                lease_until=lease.until,
                uncertain_since=row.uncertain_since or seen.lease_until,
            )
            return True

    def start_again(self, lease: Lease) -> bool:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner != lease.owner or row.state is not LinkState.UNCERTAIN:
                return False
            self.rows[lease.key] = replace(row, state=LinkState.CREATING, uncertain_since=0.0, lookups=0)
            return True

    def leave_uncertain(
        self, lease: Lease, record: Record, *, now: float, until: float, looked_up: bool
    ) -> None:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner != lease.owner or row.lease_until != lease.until or row.issue:
                return
            self.rows[lease.key] = replace(
                row,
                state=LinkState.UNCERTAIN,
                lease_until=until,
                uncertain_since=row.uncertain_since or now,
                lookups=row.lookups + int(looked_up),
                record=record,
            )

    def release(self, lease: Lease, record: Record | None) -> None:
        with self._lock:
            row = self.rows[lease.key]
            if row.owner == lease.owner and row.state is LinkState.CREATING:
                self.rows[lease.key] = replace(
                    row, state=LinkState.RELEASED, lease_until=0.0, record=record or row.record
                )

    def complete(self, key: LinkKey, issue: Issue, record: Record, page: str = "") -> Issue:
        with self._lock:
            row = self.rows.get(key)
            if row and row.issue:
                return row.issue
            previous = row.previous if row else ""
            self.rows[key] = Link(
                key, LinkState.COMPLETE, issue=issue, record=record, page=page, previous=previous
            )
            self.expiries.pop(key, None)
            return issue

    def mark_linked(self, key: LinkKey, baseline: LastSynced) -> None:
        with self._lock:
            row = self.rows.get(key)
            if row and row.issue:
                self.rows[key] = replace(
                    row, linked_in_backtrace=True, synced=row.synced or baseline, previous=""
                )

    def park(self, connection: str, scope: str, parking: Parking) -> None:
        with self._lock:
            self.notes.setdefault(connection, {})[scope] = parking

    def parkings(self, connection: str) -> Mapping[str, Parking]:
        with self._lock:
            return dict(self.notes.get(connection, {}))

    def store_screen(self, connection: str, scope: str, text: str, expires_at: float) -> None:
        with self._lock:
            self.screens[connection, scope] = text

    def load_screen(self, connection: str, scope: str) -> str | None:
        with self._lock:
            return self.screens.get((connection, scope))

    def get(self, key: LinkKey) -> Link | None:
        with self._lock:
            return self.rows.get(key)


class FakeTickets:
    """A Jira that keeps its issues. `fail` is raised before the effect, `fail_after` when the issue exists."""

    def __init__(self, clock: Callable[[], float], *, lag: float = 0.0) -> None:
        self.issues: list[tuple[Issue, TicketDraft, float]] = []
        self.creates = 0
        self.finds = 0
        self.fail: list[Exception | None] = []
        self.fail_after: list[Exception | None] = []
        self.fail_find: list[Exception | None] = []
        self.browsable = True
        self.schemas: dict[tuple[str, str], FieldSchema] = {}
        self.schema_reads = 0
        self.related: list[tuple[str, str, str]] = []
        self.fail_schema: list[Exception | None] = []
        self.people: dict[str, str] = {}
        self.user_searches = 0
        self._clock = clock
        self._lag = lag
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def create(self, draft: TicketDraft) -> Issue:
        with self._lock:
            self.creates += 1
            _raise_next(self.fail)
            number = next(self._numbers)
            issue = Issue(str(10_000 + number), f"BUG-{number}", f"https://jira.example/browse/BUG-{number}")
            self.issues.append((issue, draft, self._clock()))
            _raise_next(self.fail_after)
            return issue

    def find(self, marker: str) -> Sequence[Issue]:
        with self._lock:
            self.finds += 1
            _raise_next(self.fail_find)
            visible = self._clock() - self._lag
            return [i for i, draft, at in self.issues if draft.marker == marker and at <= visible][:2]

    def may_browse(self, project: str) -> bool:
        return self.browsable

    def field_schema(self, project: str, issue_type: str) -> FieldSchema | None:
        self.schema_reads += 1
        _raise_next(self.fail_schema)
        return self.schemas.get((project, issue_type))

    def relate(self, issue: Issue, other: str, link_type: str) -> None:
        self.related.append((issue.key, other, link_type))

    def find_user(self, who: str, project: str) -> str | None:
        self.user_searches += 1
        return self.people.get(who)


def _raise_next(errors: list[Exception | None]) -> None:
    error = errors.pop(0) if errors else None
    if error is not None:
        raise error


class FakeRegressionHints:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def send_regression(self, connection: str, issue_id: str, *, reason: str, occasion: str) -> None:
        self.sent.append((connection, issue_id, reason))


class FakeBacktrace:
    """A Backtrace that keeps which tickets it was told of."""

    def __init__(self) -> None:
        self.links: dict[tuple[str, str], dict[str, Issue]] = {}
        self.calls = 0
        self.fail: list[Exception | None] = []

    def link(self, *, project: str, fingerprint: str, watcher: str, issue: Issue) -> LastSynced:
        self.calls += 1
        _raise_next(self.fail)
        self.links.setdefault((project, fingerprint), {})[watcher] = issue
        return LastSynced(state=State.IN_PROGRESS, assignee="")


@dataclass
class FakeConfiguration:
    """Settings in a list; `broken` stands for a parameter that does not validate."""

    found: list[Integration]
    jira_client: FakeTickets
    backtrace_client: FakeBacktrace
    broken: str = ""
    missing_secret: bool = False

    def integrations(self, universe: str, project: str) -> Sequence[Integration]:
        if self.broken:
            raise InvalidSettings(self.broken)
        return [i for i in self.found if (i.universe, i.project) == (universe, project)]

    def jira(self, integration: Integration) -> FakeTickets:
        if self.missing_secret:
            raise InvalidSettings("secrets/jira/main: the parameter is missing")
        return self.jira_client

    def backtrace(self, universe: str) -> FakeBacktrace:
        return self.backtrace_client


@dataclass
class FakeErrorEvents:
    """Queue and dead letters as lists."""

    postponed: list[tuple[Delivery, float]] = field(default_factory=list)
    buried: list[tuple[Delivery, list[Outcome]]] = field(default_factory=list)
    fail: list[Exception | None] = field(default_factory=list)

    def postpone(self, delivery: Delivery, seconds: float) -> None:
        _raise_next(self.fail)
        self.postponed.append((delivery, seconds))

    def bury(self, delivery: Delivery, reasons: Iterable[Outcome]) -> None:
        _raise_next(self.fail)
        self.buried.append((delivery, list(reasons)))
