"""The search index: which issues match a query, seen with the index's lag."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.jql import Clause, Function, Operand, Query, evaluate, parse, refuse
from local.jira_stand_in.model import Issue, Snapshot, User
from local.jira_stand_in.state import PRIORITIES, RESOLUTIONS, STATUS_CATEGORIES, State

_ALIASES = {
    "id": "key", "issue": "key", "issuekey": "key", "type": "issuetype", "component": "components",
    "fixversion": "fixVersions", "affectedversion": "versions", "due": "duedate", "createddate": "created",
    "updateddate": "updated", "statuscategory": "statusCategory",
}  # fmt: skip
_KNOWN = {
    "key", "project", "labels", "summary", "description", "environment", "text", "comment", "status",
    "statusCategory", "created", "updated", "resolution", "priority", "issuetype", "assignee", "reporter",
    "creator", "components", "fixVersions", "versions", "duedate", "resolutiondate",
}  # fmt: skip
_TEXT = {"summary", "description", "environment", "text", "comment"}
_TIMES = {"created", "updated", "resolutiondate"}
_COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_UNITS = {"m": 1, "h": 60, "d": 1440, "w": 10080}

# Recorded on Cloud.
UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."

Seen = tuple[Issue, Snapshot]


class Index:
    """Searches on behalf of one user."""

    def __init__(self, state: State, user: User | None, *, lag: float | None = None) -> None:
        self._lag = state.index_lag if lag is None else lag
        self.state = state
        self.user = user
        self._issue_with = cache(state.issue)

    def search(self, text: str, *, lenient: bool = False, bounded: bool = False) -> list[Seen]:
        """Return the matching issues in order.

        `lenient`: an unknown value matches nothing (Data Center's validateQuery=false); anonymous on Cloud: no hits;
        `bounded` refuses a query without a condition, as Cloud does.
        """
        query = parse(text)
        if bounded and not query.bounded:
            raise JiraError(400, UNBOUNDED)
        try:
            self._check(query)
        except JiraError:
            if self.user is None:
                return []
            if not lenient:
                raise
        if not self.state.may(self.user, "BROWSE_PROJECTS"):
            return []
        hits = [seen for seen in self._visible() if evaluate(query.where, partial(self._test, seen))]
        return self._ordered(self._flickering(hits), query)

    def _visible(self) -> list[Seen]:
        horizon = self.state.clock() - self._lag
        found = []
        for issue in self.state.issues.values():
            indexed = [snapshot for moment, snapshot in issue.snapshots if moment <= horizon]
            if indexed and indexed[-1] is not None and not issue.deleted:
                found.append((issue, indexed[-1]))
        return found

    def _flickering(self, hits: list[Seen]) -> list[Seen]:
        """Hide each issue once after its first return: Cloud's index is not monotonic (jira.js)."""
        if not self.state.index_flicker:
            return hits
        for issue, _ in hits:
            issue.search_hits += 1
        return [seen for seen in hits if seen[0].search_hits != 2]

    def _ordered(self, hits: list[Seen], query: Query) -> list[Seen]:
        for name, descending in reversed(query.order):
            hits.sort(key=partial(_sort_key, self._field(name)), reverse=descending)
        return hits if query.order else sorted(hits, key=lambda seen: -int(seen[0].id))

    # What a query may name

    def _check(self, query: Query) -> None:
        for clause in query.clauses():
            field = self._field(clause.field)
            exact = clause.operator in ("=", "!=", "in", "not in") and clause.operands != (None,)
            if field in _TEXT and exact:
                raise refuse(
                    f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
                )
            for operand in clause.operands:
                self._check_value(field, clause, operand)
        for name, _ in query.order:
            self._field(name)

    def _field(self, name: str) -> str:
        field = _ALIASES.get(name.lower(), name)
        for known in _KNOWN:
            if known.lower() == field.lower():
                return known
        custom = re.fullmatch(r"cf\[(\d+)\]", field)
        wanted = f"customfield_{custom[1]}" if custom else field
        for candidate in self.state.all_fields().values():
            if candidate.custom and wanted.lower() in (candidate.id, candidate.name.lower()):
                return candidate.id
        raise JiraError(400, f"Field '{name}' does not exist or you do not have permission to view it.")

    def _check_value(self, field: str, clause: Clause, operand: Operand) -> None:
        if isinstance(operand, Function):
            if operand.name.lower() not in ("currentuser", "now", "issueswithremotelinksbyglobalid"):
                raise JiraError(400, f"Unable to find JQL function '{operand.name}()'.")
            return
        if operand is None or field in _TIMES:
            self._moment(operand, field)
            return
        if field == "key":
            if self.state.issue(operand) is None:
                raise JiraError(
                    400, f"An issue with key '{operand}' does not exist for field '{clause.field}'."
                )
            return
        allowed = self._values(field)
        if allowed is not None and operand.lower() not in allowed:
            raise JiraError(400, f"The value '{operand}' does not exist for the field '{clause.field}'.")

    def _values(self, field: str) -> set[str] | None:
        """Return the existing values of a closed field, in lower case; None for an open one."""
        projects = self.state.projects.values()
        sources: dict[str, Callable[[], list[str]]] = {
            "project": lambda: [text for p in projects for text in (p.key, p.name, p.id)],
            "status": lambda: [
                text for p in projects for s in p.workflow.statuses for text in (s.name, s.id)
            ],
            "statusCategory": lambda: [
                str(c[k]) for c in STATUS_CATEGORIES.values() for k in ("name", "key", "id")
            ],
            "issuetype": lambda: [text for p in projects for t in p.issue_types for text in (t.name, t.id)],
            "priority": lambda: [*PRIORITIES, *map(str, range(1, 6))],
            "resolution": lambda: [*RESOLUTIONS, "Unresolved"],
            "fixVersions": lambda: [text for p in projects for v in p.versions for text in (v.name, v.id)],
            "versions": lambda: [text for p in projects for v in p.versions for text in (v.name, v.id)],
            "components": lambda: [text for p in projects for c in p.components for text in (c.name, c.id)],
        }
        sources |= dict.fromkeys(("assignee", "reporter", "creator"), self._people)
        return {value.lower() for value in sources[field]()} if field in sources else None

    def _people(self) -> list[str]:
        return [
            text for u in self.state.users for text in (u.name, u.email, u.account_id, u.key, u.display_name)
        ]

    # Whether an issue matches

    def _test(self, seen: Seen, clause: Clause) -> bool:
        field = self._field(clause.field)
        if field in _TEXT and clause.operator in ("~", "!~"):
            found = all(matches_text(_texts(field, seen[1]), str(operand)) for operand in clause.operands)
            return found == (clause.operator == "~")
        if clause.operator in (">", ">=", "<", "<="):
            return self._compare(field, clause, seen)
        hit = any(self._equals(field, operand, seen) for operand in clause.operands)
        return hit == (clause.operator in ("=", "in", "~"))

    def _compare(self, field: str, clause: Clause, seen: Seen) -> bool:
        operand = clause.operands[0]
        left: Any = _moment_of(field, seen[1]) if field in _TIMES else seen[1].fields.get(field)
        right: Any = self._moment(operand, field) if field in _TIMES else operand
        if (
            field == "key"
        ):  # with the issue that has the key now, in its project (Jira's IssueIdClauseQueryFactory)
            other = self._issue_with(str(operand))
            if other is None or other.project is not seen[0].project:
                return False
            left, right = _place(seen[0]), _place(other)
        if left is None or right is None:
            return False
        if isinstance(left, float) and not isinstance(right, float):
            right = float(right)
        return bool(_COMPARISONS[clause.operator](left, right))

    def _equals(self, field: str, operand: Operand, seen: Seen) -> bool:
        issue, snapshot = seen
        if isinstance(operand, Function):
            return self._function(field, operand, snapshot)
        if field == "key":
            return operand is not None and operand.upper() in (snapshot.key, issue.id)
        if field in _TIMES:
            return _moment_of(field, snapshot) == self._moment(operand, field)
        names = self._names(field, snapshot)
        return not names if operand is None else operand.lower() in names

    def _function(self, field: str, function: Function, snapshot: Snapshot) -> bool:
        if function.name.lower() == "issueswithremotelinksbyglobalid":
            return bool(set(function.arguments) & set(snapshot.global_ids))
        return self.user is not None and self.user.key.lower() in self._names(field, snapshot)

    def _names(self, field: str, snapshot: Snapshot) -> set[str]:
        """Return every text a field's value answers to, in lower case."""
        if field == "statusCategory":
            category = snapshot.fields["status"]["statusCategory"]
            return {str(category[key]).lower() for key in ("id", "key", "name")}
        value = snapshot.fields.get(field)
        if field == "resolution" and value is None:
            return {"unresolved"}
        values = value if isinstance(value, list) else [value]
        return {text.lower() for item in values for text in self._spellings(item)}

    def _spellings(self, value: Any) -> list[str]:
        if value is None or value == "":
            return []
        if not isinstance(value, dict):
            return [str(value)]
        if value.get("ref") == "user":
            user = self.state.find_user(value["id"])
            return [user.name, user.email, user.account_id, user.key, user.display_name]
        if value.get("ref") == "version":
            versions = (v for p in self.state.projects.values() for v in p.versions if v.id == value["id"])
            return [text for version in versions for text in (version.id, version.name)]
        return [str(value[key]) for key in ("id", "key", "name", "value") if key in value]

    def _moment(self, operand: Operand, field: str) -> float | None:
        """Read a JQL date: relative, or minutes in the caller's time zone."""
        if operand is None:
            return None
        if isinstance(operand, Function):
            return self.state.clock()
        relative = re.fullmatch(r"([+-]?)(\d+)([mhdw])", operand)
        if relative:
            minutes = int(relative[2]) * _UNITS[relative[3]] * (-1 if relative[1] == "-" else 1)
            return self.state.clock() + timedelta(minutes=minutes).total_seconds()
        zone = ZoneInfo(self.user.time_zone if self.user else "Etc/UTC")
        for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                return datetime.strptime(operand, pattern).replace(tzinfo=zone).timestamp()
            except ValueError:
                continue
        raise JiraError(
            400,
            f"Date value '{operand}' for field '{field}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format "
            "e.g. '-5d', '4w 2d'.",
        )


def _moment_of(field: str, snapshot: Snapshot) -> float | None:
    if field in ("created", "updated"):
        return snapshot.created if field == "created" else snapshot.updated
    resolved = snapshot.fields.get("resolutiondate")
    return datetime.fromisoformat(resolved).timestamp() if resolved else None


def _place(issue: Issue) -> tuple[str, int]:
    project, _, number = issue.key.rpartition("-")
    return project, int(number)


def _sort_key(field: str, seen: Seen) -> tuple[bool, Any]:
    issue, snapshot = seen
    if field == "key":
        return True, _place(issue)
    if field in _TIMES:
        return True, (_moment_of(field, snapshot) or 0.0, int(issue.id))
    value = snapshot.fields.get(field)
    if isinstance(value, dict):
        value = value.get("id", "")
    return value is not None, str(value)


def _texts(field: str, snapshot: Snapshot) -> list[str]:
    if field == "comment":
        return list(snapshot.comments)
    if field != "text":
        return [str(snapshot.fields.get(field) or "")]
    return [
        str(snapshot.fields.get(name) or "") for name in ("summary", "description", "environment")
    ] + list(snapshot.comments)


def matches_text(texts: list[str], wanted: str) -> bool:
    """Match whole words as Jira's text search does: all words, a phrase in quotes, `*` as a wildcard."""
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    phrase = re.fullmatch(r'\s*"(.*)"\s*', wanted, re.DOTALL)
    if phrase:
        sequence = " ".join(re.findall(r"\w+", phrase[1].lower()))
        return any(f" {sequence} " in f" {' '.join(found)} " for found in words)
    every = {word for found in words for word in found}
    patterns = [re.escape(p).replace(r"\*", ".*") for p in re.findall(r"[\w*]+", wanted.lower())]
    return all(any(re.fullmatch(pattern, word) for word in every) for pattern in patterns)
