"""Jira's REST API v2 for synchronisation: read issues, find changed ones, take transitions, assign, comment.

Times are given by our clock: Jira's own may be minutes ahead or behind.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from backtrace_jira.adapters.jira import metadata
from backtrace_jira.adapters.jira.client import MOST_PAGES, JiraClient
from backtrace_jira.adapters.jira.issue_json import (
    changes_in,
    listed_in,
    moment,
    status_in,
    step_in,
    user_in,
    versions_in,
)
from backtrace_jira.errors import CredentialRefused, OutcomeUnknown, Refused
from backtrace_jira.jira.fields import Field, fields_called
from backtrace_jira.jira.issue import (
    ADDED_ON_SCREENS,
    Change,
    ProjectVersion,
    Ticket,
    TicketPage,
    Transition,
)
from backtrace_jira.jira.limit import Limit
from backtrace_jira.json_types import JSON

FIELDS = ("status", "assignee", "updated", "project", "resolution", "resolutiondate")
MOST_ISSUES = 100
"""Cloud's limit for one bulk fetch."""
VERSIONS_PAGE = 1000
"""Asked for; Jira returns fewer, usually 50."""
FIX_VERSIONS = "fixVersions"
NAMES_OF_FIX_VERSIONS = ("fixversions", "fix versions", "fix version/s", "fix version")
_CUSTOM_FIELD = re.compile(r"customfield_[0-9]+")


class RestJiraIssues:
    """The `JiraIssues` port for one connection."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._fields: list[Field] | None = None
        """All fields of the site; None until Jira was asked."""

    @property
    def limit(self) -> Limit | None:
        """Return what the last answer said of Jira's limit."""
        return self._client.limit

    @property
    def cloud(self) -> bool:
        """Return whether this is Jira Cloud, and not Data Center; the server is asked once."""
        return self._client.cloud

    def ticket(
        self, issue_id: str, *, changes: bool = False, version_fields: Collection[str] = ()
    ) -> Ticket | None:
        """Read an issue by its id; None for 404, which Jira also answers if the account may not see the issue."""
        ids = self._field_ids(version_fields)
        wanted = {"fields": ",".join((*FIELDS, *sorted(set(ids.values()))))}
        params = {**wanted, **({"expand": "changelog"} if changes else {})}
        found = self._client.read(_path_of(issue_id), params, absent=(404,))
        return None if found is None else self._ticket(found, ids, changes=changes)

    def tickets_by_id(
        self, issue_ids: Collection[str], *, version_fields: Collection[str] = ()
    ) -> Sequence[Ticket]:
        """Read issues by their ids, a hundred in a request."""
        ids, wanted = self._field_ids(version_fields), [each for each in issue_ids if each.isdigit()]
        fields = [*FIELDS, *sorted(set(ids.values()))]
        found: list[Ticket] = []
        for begin in range(0, len(wanted), MOST_ISSUES):
            issues = self._client.fetch_issues(wanted[begin : begin + MOST_ISSUES], fields)
            found += self._readable_tickets(issues, ids)
        return found

    def transitions(self, issue_id: str) -> Sequence[Transition]:
        """Return the open transitions. Jira returns none if the account may take none, or if the workflow ends here."""
        path = f"{_path_of(issue_id)}/transitions"
        found = self._client.read(path, {"expand": "transitions.fields"})
        listed = found.get("transitions") if isinstance(found, dict) else None
        return [
            step_in(raw) for raw in listed or () if isinstance(raw, dict) and isinstance(raw.get("to"), dict)
        ]

    def transition(self, issue_id: str, step: Transition, fields: Mapping[str, JSON]) -> None:
        """Take a transition, once: 204. After Cloud's 409 nothing has happened; after Data Center's 500 it may have."""
        path = f"{_path_of(issue_id)}/transitions"
        plain = {name: value for name, value in fields.items() if name not in ADDED_ON_SCREENS}
        added: dict[str, JSON] = {
            name: [{"add": value}] for name, value in fields.items() if name in ADDED_ON_SCREENS
        }
        body: dict[str, JSON] = {
            "transition": {"id": step.id},
            **({"fields": plain} if plain else {}),
            **({"update": added} if added else {}),
        }
        response = self._client.send("POST", path, body=body)
        if response.status != 204:
            raise self._client.failure(f"POST /issue/{issue_id}/transitions ({step.name})", response)

    def assign(self, issue_id: str, user: str | None) -> None:
        """Assign: 204. Data Center also answers 401 if the account lacks the permission (SPEC-DC)."""
        body: JSON = {"accountId" if self.cloud else "name": user}
        response = self._client.send_if_permitted("PUT", f"{_path_of(issue_id)}/assignee", body)
        if response.status != 204:
            raise self._client.failure(f"PUT /issue/{issue_id}/assignee", response)

    def find_user(self, who: str, project: str) -> str | None:
        """Return the accountId (Cloud) or user name (Data Center) of the one user with this e-mail address or name."""
        return metadata.find_user(self._client, who, project)

    def comment(self, issue_id: str, text: str) -> None:
        """Write a comment, once."""
        # Imported here and below: few tickets are ever commented on.
        from backtrace_jira.adapters.jira.comments import write_comment

        write_comment(self._client, issue_id, text)

    def comments(self, issue_id: str) -> Sequence[tuple[float, str]]:
        """Return the latest comments, newest first."""
        from backtrace_jira.adapters.jira.comments import latest_comments

        found = latest_comments(self._client, issue_id)
        return [(at - self._client.ahead, text) for at, text in found]

    def status_category(self, status_id: str) -> str:
        """Read a status: a changelog names only its id."""
        found = self._client.read(f"/status/{quote(status_id, safe='')}", {}, absent=(404,))
        return status_in(found).category if isinstance(found, dict) else ""

    def versions(self, project: str) -> Sequence[ProjectVersion]:
        """Return all versions of a project. If the list changes between two pages, the next poll reads it right."""
        path, start = f"/project/{quote(project, safe='')}/version", 0
        found: list[ProjectVersion] = []
        for _ in range(MOST_PAGES):
            page = self._client.read(path, {"startAt": str(start), "maxResults": str(VERSIONS_PAGE)})
            values = page.get("values") if isinstance(page, dict) else None
            if not isinstance(values, list):
                raise OutcomeUnknown(f"GET {path}: an answer without versions")
            found += [listed_in(raw) for raw in values if isinstance(raw, dict) and raw.get("id")]
            start += len(values)
            if not values or page.get("isLast", True) or start >= page.get("total", start + 1):
                return found
        raise OutcomeUnknown(f"GET {path}: no last page after {MOST_PAGES}")

    def changed_tickets(
        self, project: str, minutes: int, after: str = "", *, version_fields: Collection[str] = ()
    ) -> TicketPage | None:
        """Return a page of the issues that changed in the last minutes, by Jira's index, in the order of their keys.

        Minutes before now mean the same in every time zone; dates in JQL do not. An issue keeps its key, so that no
        page is shifted by what changes between two pages, as it would be in any order of time.
        """
        changed = f'updated >= "-{minutes}m"'
        if after:
            # `key >=` compares with the issue that has the key now, in that issue's project (IssueIdClauseQueryFactory
            # of Jira's source). If it was deleted or moved, Jira finds nothing, or refuses. So we ask for the issue
            # itself, too: where it does not come first, "no more" would be a lie, and tickets would be lost.
            changed = f"({changed} OR key = {quoted(after)}) AND key >= {quoted(after)}"
        ids = self._field_ids(version_fields)
        jql = f"project = {quoted(project)} AND {changed} ORDER BY key ASC"
        try:
            issues, is_last = self._client.search_beginning(jql, [*FIELDS, *sorted(set(ids.values()))])
        except Refused as error:
            if not after or error.status != 400 or isinstance(error, CredentialRefused):
                raise
            return None
        if after and (not issues or issues[0].get("key") != after):
            return None
        tickets = self._readable_tickets(issues[1:] if after else issues, ids)
        return TicketPage(tickets, "" if is_last else str(issues[-1].get("key")))

    def _readable_tickets(self, issues: Sequence[Mapping[str, Any]], ids: Mapping[str, str]) -> list[Ticket]:
        """Read issues, without those of which the account may not see the fields."""
        tickets = []
        for raw in issues:
            with suppress(OutcomeUnknown):
                tickets.append(self._ticket(raw, ids, changes=False))
        return tickets

    def _field_ids(self, names: Collection[str]) -> dict[str, str]:
        """Return the ids of fields by their names in the settings, without fields that Jira does not have.

        `GET /field` is sent once in the life of a client, and only if a name is no id.
        """
        ids: dict[str, str] = {}
        for name in names:
            if name.casefold() in NAMES_OF_FIX_VERSIONS:
                ids[name] = FIX_VERSIONS
            elif _CUSTOM_FIELD.fullmatch(name):
                ids[name] = name
            elif found := self._field_named(name):
                ids[name] = found
        return ids

    def _field_named(self, name: str) -> str | None:
        """Return a field's id by its name; None if custom fields share the name."""
        if self._fields is None:
            self._fields = metadata.list_fields(self._client)
        found = fields_called(name, self._fields)
        return found[0].id if len(found) == 1 else None

    def _ticket(self, raw: Mapping[str, Any], ids: Mapping[str, str], *, changes: bool) -> Ticket:
        fields = raw.get("fields") or {}
        status = fields.get("status")
        if "id" not in raw or "key" not in raw or not isinstance(status, dict):
            raise OutcomeUnknown("GET /issue: an issue without id, key or status")
        project = fields.get("project") or {}
        resolution = fields.get("resolution") or {}
        return Ticket(
            issue=self._client.issue(raw),
            project=str(project.get("key") or str(raw["key"]).rpartition("-")[0]),
            status=status_in(status),
            assignee=user_in(fields.get("assignee")),
            updated=self._moment(fields.get("updated")),
            changes=self._changes(raw.get("changelog")) if changes else None,
            versions={name: tuple(versions_in(fields[id_])) for name, id_ in ids.items() if id_ in fields},
            resolution=(str(resolution.get("id") or ""), str(resolution.get("name") or "")),
            resolved=self._moment(fields.get("resolutiondate")),
        )

    def _changes(self, raw: object) -> tuple[Change, ...]:
        return tuple(replace(each, at=each.at - self._client.ahead) for each in changes_in(raw))

    def _moment(self, text: object) -> float:
        at = moment(text)
        return at - self._client.ahead if at else at


def _path_of(issue_id: str) -> str:
    return f"/issue/{quote(issue_id, safe='')}"


def quoted(text: str) -> str:
    """Return a text as a JQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
