"""The link table: one item per (integration, fingerprint), more per connection; see `items`.

Every method but `count_event` is one request. No method reads before it writes: two processes could read the same row,
so a condition in the write decides. botocore may repeat a request whose answer was lost. So if a condition fails
because of our own write, that counts as success.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from backtrace_jira.adapters.dynamodb.counters import firing, holding
from backtrace_jira.adapters.dynamodb.items import SCREEN, key_of, n, s
from backtrace_jira.adapters.dynamodb.link_rows import LinkRows, ServerRows, is_server, server_key
from backtrace_jira.adapters.dynamodb.rows import RECORDING, link_in, notes_in, recording, synced_text
from backtrace_jira.adapters.dynamodb.table import Item, Table, Values
from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.parking import ServerNotes
from backtrace_jira.outcomes import Record
from backtrace_jira.settings.integration import DueRule
from backtrace_jira.tickets.ports import Seen

OF_THIS_GENERATION = " AND (attribute_not_exists(generation) OR generation = :generation)"
_RACES = 8
"""Tries to count one event, while other processes count events of the same group."""


class DynamoDBTicketLinks(ServerRows):
    """The `TicketLinks` port on one DynamoDB table."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._rows = LinkRows(table)

    def look(self, keys: Collection[LinkKey], servers: Collection[str]) -> Seen:
        """Read rows and servers' items together."""
        items = self._table.get_all([*map(key_of, keys), *map(server_key, servers)])
        notes = {str(item["fingerprint"]["S"]): notes_in(item) for item in items if is_server(item)}
        links: dict[LinkKey, Link] = {}
        for item in items:
            # A row that cannot be read is not seen. Its claim will say so, for its own events and not for all.
            with suppress(ValueError):
                if not is_server(item):
                    link = link_in(item)
                    links[link.key] = link
        return Seen(links, {server: notes.get(server, ServerNotes()) for server in servers})

    def claim(self, lease: Lease) -> Link:
        """Take a key that is new or released, or whose ticket is to be followed by another."""
        # No other state is taken: a ticket exists, may exist or is being made, or is not wanted (held).
        free = "attribute_not_exists(#state) OR #state = :free"
        wanted = "#state = :free AND issue_id = :follows AND attribute_exists(follow_up)"
        return self._rows.update_and_read(
            lease.key,
            "SET #state = :creating, #owner = :owner, lease_until = :until "
            "REMOVE uncertain_since, lookups, cut_off, expires_at",
            wanted if lease.follows else free,
            {
                ":creating": s(LinkState.CREATING),
                ":free": s(_state_without_lease(lease)),
                ":owner": s(lease.owner),
                ":until": n(lease.until),
                **_follows(lease.follows),
            },
        )

    def count_event(self, key: LinkKey, trace: str, now: float, rule: DueRule) -> bool:
        """Count one event of a group: one request, two where a threshold makes it count what is held back."""
        group = LinkKey(key.integration, key.fingerprint)
        for _ in range(_RACES):
            fired, row = self._try_to_count(group, *firing(trace, now, rule))
            if fired or _text(row, "fired_by") == trace:
                return True
            if not rule.threshold:
                return False
            held, row = self._try_to_count(group, *holding(trace, now, rule))
            if held or _text(row, "aggregated_by") == trace:
                return False
        raise Busy("other processes count events of this group at this moment")

    def _try_to_count(self, key: LinkKey, change: str, condition: str, values: Values) -> tuple[bool, Item]:
        return self._table.change(key_of(key), change, condition, values, returning="NONE")

    def hold(self, lease: Lease, record: Record, expires_at: float) -> None:
        """Give our row back: no ticket is wanted for this error."""
        self._rows.update(
            lease.key,
            "SET #state = :held, #record = :record, decided_at = :at, expires_at = :expires "
            "REMOVE lease_until",
            "#owner = :owner AND #state = :creating",
            {
                ":held": s(LinkState.HELD),
                ":creating": s(LinkState.CREATING),
                ":owner": s(lease.owner),
                ":expires": n(int(expires_at)),
                **recording(record),
            },
        )

    def record_unclaimed(self, key: LinkKey, record: Record, expires_at: float) -> None:
        """Record what was decided without a claim, unless the row stands for more than that."""
        self._rows.update(
            key,
            "SET #record = :record, decided_at = :at, expires_at = :expires",
            # A claimed row keeps its record, by which an event that was due stays due.
            "attribute_not_exists(#state)",
            {":expires": n(int(expires_at)), **recording(record)},
        )

    def take_over(self, seen: Link, lease: Lease) -> bool:
        """Take an expired row as it was seen. Its create, if there was one, was over when its lease ended."""
        # The row must be as it was seen: of two deliveries that saw it expired, only one may go on. And the first
        # delivery may have recorded its ticket meanwhile.
        other = self._rows.update(
            seen.key,
            "SET #state = :uncertain, #owner = :owner, lease_until = :until, "
            "uncertain_since = if_not_exists(uncertain_since, :seen_until) ADD cut_off :one",
            f"#owner = :seen_owner AND lease_until = :seen_until AND {_holds_what(seen.follows)}",
            {
                ":uncertain": s(LinkState.UNCERTAIN),
                ":owner": s(lease.owner),
                ":until": n(lease.until),
                ":seen_owner": s(seen.owner),
                ":seen_until": n(seen.lease_until),
                ":one": n(1),
                **_follows(seen.follows),
            },
        )
        return other is None or other.owner == lease.owner

    def start_again(self, lease: Lease) -> bool:
        """Begin a new attempt on our own uncertain row."""
        other = self._rows.update(
            lease.key,
            "SET #state = :creating REMOVE uncertain_since, lookups",
            "#owner = :owner AND #state = :uncertain",
            {
                ":creating": s(LinkState.CREATING),
                ":uncertain": s(LinkState.UNCERTAIN),
                ":owner": s(lease.owner),
            },
        )
        return other is None or (other.owner == lease.owner and other.state is LinkState.CREATING)

    def leave_uncertain(
        self, lease: Lease, record: Record, *, now: float, until: float, looked_up: bool
    ) -> None:
        """Give our row back, undecided."""
        # `lease_until` must still be our lease's: a repeated request would count the look-up twice.
        self._rows.update(
            lease.key,
            "SET #state = :uncertain, lease_until = :until, #record = :record, decided_at = :at, "
            "uncertain_since = if_not_exists(uncertain_since, :now) ADD lookups :more REMOVE cut_off",
            "#owner = :owner AND #state IN (:creating, :uncertain) AND lease_until = :held",
            {
                ":uncertain": s(LinkState.UNCERTAIN),
                ":creating": s(LinkState.CREATING),
                ":owner": s(lease.owner),
                ":held": n(lease.until),
                ":until": n(until),
                ":now": n(now),
                ":more": n(int(looked_up)),
                **recording(record),
            },
        )

    def release(self, lease: Lease, record: Record | None) -> None:
        """Give our row back: no ticket."""
        # Only while it is ours: a delivery that took the row over may have made a ticket.
        self._rows.update(
            lease.key,
            f"SET #state = :free{RECORDING if record else ''} REMOVE lease_until, cut_off",
            "#owner = :owner AND #state = :creating",
            {
                ":free": s(_state_without_lease(lease)),
                ":creating": s(LinkState.CREATING),
                ":owner": s(lease.owner),
                **(recording(record) if record else {}),
            },
        )

    def complete(
        self, key: LinkKey, issue: Issue, record: Record, page: str = "", *, generation: int | None = None
    ) -> Issue:
        """Record the ticket, even if another delivery owns the row by now: an existing ticket must not be forgotten."""
        # The generation must be the row's: somebody may have unlinked this ticket before we could record it.
        return self._complete(
            key,
            issue,
            f"page = :page, generation = if_not_exists(generation, :generation){RECORDING} REMOVE ",
            _holds_what("") + ("" if generation is None else OF_THIS_GENERATION),
            {":page": s(page), ":generation": n(generation or 1), **recording(record)},
        )

    def complete_follow_up(self, row: Link, issue: Issue, record: Record, page: str = "") -> Issue:
        """Put the ticket into the place of the one that the row keeps."""
        before = row.issue.key if row.issue else ""
        # The generation changes with the ticket, in one write: it belongs to the ticket that the row has.
        return self._complete(
            row.key,
            issue,
            f"page = :page, previous = :previous, generation = :next{RECORDING} REMOVE follow_up, synced, ",
            _holds_what(row.follows) + OF_THIS_GENERATION,
            {
                ":page": s(page or row.page),
                ":previous": s(before),
                ":generation": n(row.generation),
                ":next": n(row.next_generation),
                **_follows(row.follows),
                **recording(record),
            },
        )

    def _complete(self, key: LinkKey, issue: Issue, change: str, condition: str, values: Values) -> Issue:
        other = self._rows.update(
            key,
            "SET #state = :complete, issue_id = :id, issue_key = :key, issue_url = :url, linked = :no, "
            f"{change}#owner, lease_until, uncertain_since, lookups, cut_off, expires_at",
            condition,
            {
                ":complete": s(LinkState.COMPLETE),
                ":id": s(issue.id),
                ":key": s(issue.key),
                ":url": s(issue.url),
                ":no": {"BOOL": False},
                **values,
            },
        )
        if other and other.issue is None:
            raise Busy("this ticket was unlinked before it was recorded")
        return other.issue if other and other.issue else issue

    def mark_linked(self, key: LinkKey, baseline: LastSynced, issue: Issue | None = None) -> None:
        """Record that Backtrace has the ticket, and the baseline. The ticket before it is forgotten: it is linked."""
        # A turn may have compared ticket and group already: its values are later than the baseline.
        self._rows.update(
            key,
            "SET linked = :yes, synced = if_not_exists(synced, :baseline) REMOVE previous",
            "issue_id = :id" if issue else "attribute_exists(issue_id)",
            {
                ":yes": {"BOOL": True},
                ":baseline": s(synced_text(baseline)),
                **({":id": s(issue.id)} if issue else {}),
            },
        )

    def store_screen(self, connection: str, scope: str, text: str, expires_at: float) -> None:
        """Write a create screen."""
        self._table.request(
            "put_item",
            Item={**_screen(connection, scope), "screen": s(text), "expires_at": n(int(expires_at))},
        )

    def load_screen(self, connection: str, scope: str) -> str | None:
        """Read a create screen."""
        return _text(self._table.get(_screen(connection, scope)), "screen") or None

    def get(self, key: LinkKey) -> Link | None:
        """Read a row."""
        return self._rows.get(key)


def _state_without_lease(lease: Lease) -> LinkState:
    return LinkState.COMPLETE if lease.follows else LinkState.RELEASED


def _holds_what(follows: str) -> str:
    return "issue_id = :follows" if follows else "attribute_not_exists(issue_id)"


def _follows(issue_id: str) -> Values:
    return {":follows": s(issue_id)} if issue_id else {}


def _screen(connection: str, scope: str) -> Values:
    return {"integration": s(SCREEN), "fingerprint": s(f"{connection} {scope}")}


def _text(item: Item, name: str) -> str:
    return str(item.get(name, {}).get("S", ""))
