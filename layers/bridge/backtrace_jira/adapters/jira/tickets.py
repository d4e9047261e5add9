"""Jira's REST API v2 for making tickets: create, find by the marker, read the create screen, find users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backtrace_jira.adapters.jira import metadata
from backtrace_jira.adapters.jira.client import PAGE, JiraClient
from backtrace_jira.adapters.jira.refusals import raise_for_credential, refusal
from backtrace_jira.errors import OutcomeUnknown
from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.jira.issue import PROPERTY, Find, Issue, TicketDraft
from backtrace_jira.jira.limit import Limit
from backtrace_jira.json_types import JSON
from backtrace_jira.links.link import is_marker

MOST_FINDS = 50
"""Issues with one marker that a look-up reads, the latest first: ours, its clones, and whoever quotes it."""


class RestJiraTickets:
    """The `JiraTickets` port for one connection."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client

    @property
    def limit(self) -> Limit | None:
        """Return what the last answer said of Jira's limit."""
        return self._client.limit

    def create(self, draft: TicketDraft) -> Issue:
        """Send one `POST /rest/api/2/issue`; the port lists the errors."""
        response = self._client.exchange("POST", "/issue", body=draft.request_body())
        created = response.json() if response.status == 201 else None
        if isinstance(created, dict) and created.get("id") and created.get("key"):
            return self._client.issue(created)
        sign_on_page = response.status == 200 and response.is_html
        # Before the credential is checked: a 2xx may stand for a ticket, even if a header says that the login failed.
        if 200 <= response.status < 300 and not sign_on_page:
            raise OutcomeUnknown(f"POST /issue: {response.status} without an issue in it")
        raise_for_credential("POST /issue", response)
        if sign_on_page:
            raise refusal("POST /issue", response)
        raise self._client.failure("POST /issue", response)

    def find(self, marker: str) -> Sequence[Find]:
        """Search for the marker as a label, and in all texts for tickets without labels."""
        jql = f'labels = "{marker}" OR text ~ "\\"{marker}\\"" ORDER BY created DESC, key DESC'
        found = self._client.search_page(self._asking(jql, "created", most=MOST_FINDS))
        return [self._read_find(raw) for raw in found["issues"]]

    def find_made(self, marker: str, minutes: tuple[int, int]) -> Sequence[Find]:
        """Search for what this account created. No search finds an entity property: an app would have to index it."""
        begin, end = minutes
        jql = f'creator = currentUser() AND created >= "-{begin}m"'
        jql += f' AND created <= "-{end}m"' if end else ""
        found: list[Find] = []
        for page, _ in self._client.search_pages(
            self._asking(f"{jql} ORDER BY created ASC", "labels", most=PAGE)
        ):
            found += [self._read_find(raw) for raw in page if not _is_other(raw, marker)]
        return found

    def _asking(self, jql: str, field: str, *, most: int) -> dict[str, JSON]:
        # Data Center's search shows no properties, and refuses a request that asks for them.
        properties: dict[str, JSON] = {"properties": [PROPERTY]} if self._client.cloud else {}
        return {"jql": jql, "maxResults": most, "fields": [field], **properties}

    def _read_find(self, raw: Mapping[str, Any]) -> Find:
        issue = self._client.issue(raw)
        shown = raw.get("properties")
        if isinstance(shown, dict):
            value = shown.get(PROPERTY)
        else:
            read = self._client.read(f"/issue/{issue.id}/properties/{PROPERTY}", {}, absent=(404,))
            value = read.get("value") if isinstance(read, dict) else None
        return Find(issue, str(value.get("marker") or "") if isinstance(value, dict) else None)

    def may_browse(self, project: str) -> bool:
        """Return whether the account sees the project's issues."""
        return "BROWSE_PROJECTS" in (self._client.permissions(project, "BROWSE_PROJECTS") or ())

    def field_schema(self, project: str, issue_type: str) -> FieldSchema | None:
        """Return the fields of a create screen; None if the server has no create metadata."""
        return metadata.field_schema(self._client, project, issue_type)

    def relate(self, issue: Issue, other: str, link_type: str) -> None:
        """Link an issue to another by a link type's name: 201. Jira keeps one link of a type between two issues."""
        body: JSON = {
            "type": {"name": link_type},
            "inwardIssue": {"key": issue.key},
            "outwardIssue": {"key": other},
        }
        response = self._client.send_if_permitted("POST", "/issueLink", body)
        if response.status not in (200, 201):
            raise self._client.failure("POST /issueLink", response)

    def find_user(self, who: str, project: str) -> str | None:
        """Return the accountId (Cloud) or user name (Data Center) of the one user with this e-mail address or name."""
        return metadata.find_user(self._client, who, project)

    def comment(self, issue: str, text: str) -> None:
        """Write a comment, once."""
        # Imported here and below: of all tickets, only some that follow another are commented on.
        from backtrace_jira.adapters.jira.comments import write_comment

        write_comment(self._client, issue, text)

    def comments(self, issue: str) -> Sequence[tuple[float, str]]:
        """Return the latest comments, newest first."""
        from backtrace_jira.adapters.jira.comments import latest_comments

        return latest_comments(self._client, issue)


def _is_other(raw: Mapping[str, Any], marker: str) -> bool:
    """Return whether an issue carries another ticket's marker as a label, so that nobody needs to read its property."""
    fields = raw.get("fields")
    labels = fields.get("labels") if isinstance(fields, dict) else None
    markers = [label for label in labels or () if is_marker(str(label))]
    return bool(markers) and marker not in markers
