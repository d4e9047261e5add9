"""Comments of an issue: write one, read the latest. Jira's REST API v2."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issue_json import moment

LATEST = 100
"""Comments that are read."""


def write_comment(client: JiraClient, issue: str, text: str) -> None:
    """Write a comment, once: 201."""
    path = _path_of(issue)
    response = client.send("POST", path, body={"body": text})
    if response.status != 201:
        raise client.failure(f"POST {path}", response)


def latest_comments(client: JiraClient, issue: str) -> Sequence[tuple[float, str]]:
    """Return the latest comments, newest first."""
    found = client.read(_path_of(issue), {"orderBy": "-created", "maxResults": str(LATEST)})
    listed = found.get("comments") if isinstance(found, dict) else None
    return [
        (moment(each.get("created")), str(each.get("body", "")))
        for each in listed or ()
        if isinstance(each, dict)
    ]


def _path_of(issue: str) -> str:
    return f"/issue/{quote(issue, safe='')}/comment"
