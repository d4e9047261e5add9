"""Backtrace's issue API as synchronisation uses it: groups as they are, what changed lately, state and assignees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from backtrace_jira.adapters.backtrace import BacktraceClient, rows_in, tickets_in
from backtrace_jira.errors import OutcomeUnknown, Refused
from backtrace_jira.model import JSON, Issue
from backtrace_jira.sides import BacktraceUser, Group, after_unlinking
from backtrace_jira.states import State

COLUMNS = ("fingerprint", "state", "ticket", "last_modified")
PAGE = 500
MOST_PAGES = 200
MOST_MENTIONS = 5


class BacktraceSync(BacktraceClient):
    """The `BacktraceSide` port for one universe."""

    def group(self, project: str, fingerprint: str) -> Group:
        """Read one row of the table `issues`; one that nobody ever wrote is open and has no tickets."""
        rows = self._rows(project, {"fingerprint": [["equal", fingerprint]]}, limit=1)
        return _group(project, rows[0]) if rows else Group(project, fingerprint, State.OPEN)

    def changed(self, project: str, begin: float, end: float | None) -> Iterator[Group]:
        """Give the rows modified in between, latest first: one that changes meanwhile is read twice, none is missed.

        A row whose column is no list of tickets, which a raw write can make of it, has none of ours.
        """
        bounds: list[JSON] = [["at-least", f"{int(begin)}."]]
        bounds += [["at-most", f"{int(end) + 1}."]] if end is not None else []
        for page in range(MOST_PAGES):
            rows = self._rows(project, {"last_modified": bounds}, limit=PAGE, offset=page * PAGE)
            for row in rows:
                with suppress(Refused):
                    yield _group(project, row)
            if len(rows) < PAGE:
                return
        raise OutcomeUnknown(f"POST /api/query: no last page after {MOST_PAGES}")

    def find_user(self, project: str, email: str) -> BacktraceUser | None:
        """Find who has this e-mail address among all whom a group of the project was ever assigned to."""
        filters: dict[str, JSON] = {"ticket": [["contains", email]]}
        for row in self._rows(project, filters, limit=MOST_MENTIONS):
            for entry in tickets_in(row.get("ticket") or "[]"):
                user = _assigned(entry, email)
                if user:
                    return user
        return None

    def write(
        self,
        group: Group,
        *,
        state: State | None = None,
        tickets: Sequence[JSON] | None = None,
        assigned: bool = False,
    ) -> None:
        """Send one `POST /api/issue` for one fingerprint."""
        body: dict[str, JSON] = {"project": group.project, "fingerprint": [group.fingerprint]}
        if state is not None:
            body["state"] = str(state)
        if tickets is not None:
            flag: dict[str, JSON] = {"assignee": "set"} if assigned else {}
            body["ticket"] = {"action": "set", **flag, "value": list(tickets)}
        self._write(group.project, body)

    def unlink(self, *, project: str, fingerprint: str, watcher: str, issue: Issue) -> bool:
        """Take our entry out of a group, once; false where it is not there. Others stay as they are."""
        group = self.group(project, fingerprint)
        if not group.has_ticket(watcher, issue):
            return False
        state, left = after_unlinking(group, watcher, issue)
        self.write(group, state=state, tickets=left)
        return True

    def _rows(
        self, project: str, filters: Mapping[str, JSON], *, limit: int, offset: int = 0
    ) -> list[dict[str, str]]:
        query: JSON = {
            "table": "issues",
            "filter": [dict(filters)],
            "select": list(COLUMNS),
            "order": [{"name": "last_modified", "ordering": "descending"}],
            "limit": limit,
            "offset": offset,
        }
        response = self._call("/api/query", project, query).get("response")
        if not isinstance(response, dict):
            raise OutcomeUnknown("POST /api/query: an answer without a response")
        return rows_in(response, COLUMNS)


def _group(project: str, row: Mapping[str, str]) -> Group:
    """Read a row. Backtrace takes any text as a state; what is none of the four is open."""
    state = row.get("state") or "open"
    known = State(state) if state in list(State) else State.OPEN
    entries = [entry for entry in tickets_in(row.get("ticket") or "[]") if isinstance(entry, dict)]
    return Group(project, row["fingerprint"], known, entries, _number(row.get("last_modified", "")))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _assigned(entry: JSON, email: str) -> BacktraceUser | None:
    users: Any = entry.get("assignees") if isinstance(entry, dict) else None
    for user in users if isinstance(users, list) else ():
        same = isinstance(user, dict) and str(user.get("email") or "").casefold() == email.casefold()
        if same and isinstance(user.get("id"), int):
            return BacktraceUser(user["id"], str(user.get("username") or ""), str(user.get("email") or ""))
    return None
