"""Backtrace's issue API for synchronisation: read groups, find changed ones, write state, assignees and tickets.

Times are given and taken by our clock: Backtrace's own may be minutes ahead or behind.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.group_row import answered_group, number, read_group
from backtrace_jira.adapters.backtrace.tables import group_in, histogram, query_of_group, rows_in, tickets_in
from backtrace_jira.backtrace.group import BacktraceUser, Group, GroupPage, GroupWrite, plan_unlinking
from backtrace_jira.errors import CredentialRefused, Refused
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import JSON, Histogram
from backtrace_jira.states import State
from backtrace_jira.times import CLOCK_NOISE, CLOCKS

COLUMNS = (
    "fingerprint",
    "state",
    "ticket",
    "last_modified",
    "invariants",
    "invariant_reopen_count",
    "invariant_last_violated",
)
PAGE = 500
"""Rows in one page of those that changed."""
MOST_GROUPS = 100
"""Fingerprints in one query: their expression has some thousand characters."""
MOST_MENTIONS = 5


class RestBacktraceGroups:
    """The `BacktraceGroups` port for one universe."""

    def __init__(self, client: BacktraceClient) -> None:
        self._client = client
        self.address = client.address

    def group(self, project: str, fingerprint: str) -> Group:
        """Read one row of the table `issues`. A group without a row is open and has no tickets."""
        rows = self._row(project, fingerprint)
        return self._group(project, rows[0]) if rows else Group(project, fingerprint, State.OPEN)

    def groups(self, project: str, fingerprints: Collection[str]) -> Mapping[str, Group]:
        """Read a hundred rows in a query; one by one where the server takes no regular expressions."""
        wanted, found = list(dict.fromkeys(fingerprints)), dict[str, Group]()
        for begin in range(0, len(wanted), MOST_GROUPS):
            found |= self._read_together(project, wanted[begin : begin + MOST_GROUPS])
        return found

    def _read_together(self, project: str, wanted: Sequence[str]) -> dict[str, Group]:
        """Read rows by an expression, as Backtrace's own clients do to find a fingerprint by its beginning."""
        try:
            pattern = "|".join(re.sub(r"([^A-Za-z0-9_-])", r"\\\1", each) for each in wanted)
            filters: dict[str, JSON] = {"fingerprint": [["regular-expression", f"^({pattern})$"]]}
            rows = self._rows(project, filters, limit=len(wanted))
        except CredentialRefused:
            raise
        except Refused:
            # No such project is refused here once more, by the first of them.
            rows = [row for each in wanted for row in self._row(project, each)]
        found = {each: Group(project, each, State.OPEN) for each in wanted}
        for row in rows:
            if row["fingerprint"] in found:
                del found[row["fingerprint"]]
                with suppress(Refused):
                    found[row["fingerprint"]] = self._group(project, row)
        return found

    def _row(self, project: str, fingerprint: str) -> list[dict[str, str]]:
        return self._rows(project, {"fingerprint": [["equal", fingerprint]]}, limit=1)

    def changed_groups(self, project: str, since: float, after: str = "") -> GroupPage:
        """Read a page of the rows modified since then. A place is a second, and rows of that second to pass over.

        Each page is a query of its own: what changes between two pages moves to the end, and shifts no other row but
        in a second with more rows than a page has.

        A row whose ticket column is no list is left out: somebody else wrote it, and it has no ticket of ours.
        """
        # Before the first answer, nobody knows how much Backtrace's clock is behind. Then its latest changes could lie
        # before `since`, and the next run begins later still. A place has Backtrace's time already.
        shift = -CLOCKS if self._client.ahead is None else self._client.ahead
        second, _, passed = after.partition(" ")
        begin, offset = int(second or since + shift), int(passed or 0)
        rows = self._rows(project, {"last_modified": [["at-least", f"{begin}."]]}, limit=PAGE, offset=offset)
        groups = []
        for row in rows:
            with suppress(Refused):
                groups.append(self._group(project, row))
        if not after:
            groups = [each for each in groups if each.modified >= since - CLOCK_NOISE]
        if len(rows) < PAGE:
            return GroupPage(groups)
        last = int(number(rows[-1].get("last_modified", "")))
        return GroupPage(groups, f"{last} 0" if last > begin else f"{begin} {offset + PAGE}")

    def find_user(self, project: str, email: str) -> BacktraceUser | None:
        """Find the user with this e-mail address among the assignees of the project's groups."""
        filters: dict[str, JSON] = {"ticket": [["contains", email]]}
        for row in self._rows(project, filters, limit=MOST_MENTIONS, order="descending"):
            for entry in tickets_in(row.get("ticket") or "[]"):
                user = _assigned(entry, email)
                if user:
                    return user
        return None

    def write(self, group: Group, write: GroupWrite) -> Group | None:
        """Send one `POST /api/issue` for one fingerprint; return the group as its answer says that it is now."""
        body: dict[str, JSON] = {"project": group.project, "fingerprint": [group.fingerprint]}
        if write.state is not None:
            body["state"] = str(write.state)
        if write.tickets is not None:
            flag: dict[str, JSON] = {"assignee": "set"} if write.sets_assignee else {}
            body["ticket"] = {"action": "set", **flag, "value": list(write.tickets)}
        if write.reopen_criteria is not None:
            body["invariants"] = {"action": "set", "value": list(write.reopen_criteria)}
        return answered_group(group, self._client.write_issue(group.project, body))

    def count_values(
        self, project: str, fingerprint: str, attribute: str, *, since: float, where: Mapping[str, str]
    ) -> Histogram:
        """Query the values of an attribute among the group's objects since `since` (unix seconds)."""
        filters: dict[str, JSON] = {
            name: [["regular-expression", pattern]] for name, pattern in where.items()
        }
        query = query_of_group(fingerprint, self._to_theirs(since), {attribute: [["histogram"]]}, filters)
        row = group_in(self._client.query(project, query), [f"histogram({attribute})"])
        return histogram(row.get(f"histogram({attribute})"))

    def error_event(self, project: str, fingerprint: str, *, since: float, page: str) -> str:
        """Return the body that Backtrace's webhook would send, for the group's errors since `since`."""
        # Imported here: few tickets are ever followed by another.
        from backtrace_jira.adapters.backtrace.error_events import error_event

        return error_event(self._client, project, fingerprint, since=self._to_theirs(since), page=page)

    def unlink(
        self, *, project: str, fingerprint: str, watcher: str, issue: Issue, reopen_criteria: Sequence[str]
    ) -> bool:
        """Take our entry and our reopen criteria out of a group; false if it had none."""
        group = self.group(project, fingerprint)
        after = plan_unlinking(group, watcher, issue, reopen_criteria)
        if after:
            self.write(group, after)
        return after is not None

    def _to_theirs(self, at: float) -> float:
        """Return a moment of our clock by Backtrace's."""
        return at + (self._client.ahead or 0.0)

    def _group(self, project: str, row: Mapping[str, str]) -> Group:
        group = read_group(project, row)
        return replace(group, modified=group.modified - (self._client.ahead or 0.0))

    def _rows(
        self,
        project: str,
        filters: Mapping[str, JSON],
        *,
        limit: int,
        offset: int = 0,
        order: str = "ascending",
    ) -> list[dict[str, str]]:
        query: JSON = {
            "table": "issues",
            "filter": [dict(filters)],
            "select": list(COLUMNS),
            "order": [{"name": name, "ordering": order} for name in ("last_modified", "fingerprint")],
            "limit": limit,
            "offset": offset,
        }
        return rows_in(self._client.query(project, query), COLUMNS)


def _assigned(entry: JSON, email: str) -> BacktraceUser | None:
    users: Any = entry.get("assignees") if isinstance(entry, dict) else None
    for user in users if isinstance(users, list) else ():
        same = isinstance(user, dict) and str(user.get("email") or "").casefold() == email.casefold()
        if same and isinstance(user.get("id"), int):
            return BacktraceUser(user["id"], str(user.get("username") or ""), str(user.get("email") or ""))
    return None
