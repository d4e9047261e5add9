"""Jira's REST API v2, Cloud and Data Center.

What each status means for a create follows Atlassian's documents: no idempotency key exists on either
product, 429 and 503 with Retry-After were not executed, and after a time-out, a reset or any other 5xx the
issue may exist. Texts are localised and change, so nothing here matches on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from backtrace_jira.adapters.http import Answer, Http, Timeouts, ensure_header
from backtrace_jira.adapters.jira import metadata as jira_metadata
from backtrace_jira.errors import CredentialRefused, OutcomeUnknown, Refused, Throttled, Unreachable
from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.jira.issue import Issue, TicketDraft
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.connection import Connection, CredentialKind

LONGEST_REASON = 300
MOST_REASONS = 100
"""They are kept on the link row, which has to fit DynamoDB's 400 KB."""
LONGEST_PAUSE = 3600.0
"""Seconds. Whatever a server asks for, it is asked again after an hour."""


class Bearer(AuthBase):
    """A personal access token (Data Center 8.14 and later)."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token into the request's header."""
        ensure_header(self._token)
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class BasicAuth(HTTPBasicAuth):
    """E-mail or user name with an API token or password; UTF-8, which requests would send as Latin-1."""

    def __init__(self, user: str, secret: SecretStr) -> None:
        super().__init__(user.encode(), secret.get_secret_value().encode())


def auth_of(connection: Connection, secret: SecretStr) -> AuthBase:
    """Return how this connection shows who it is."""
    if connection.credential is CredentialKind.PERSONAL_ACCESS_TOKEN:
        return Bearer(secret)
    return BasicAuth(connection.email or "", secret)


class JiraTickets:
    """The `Tickets` port for one connection."""

    def __init__(
        self,
        connection: Connection,
        secret: SecretStr,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.time,
        cloud: bool | None = None,
    ) -> None:
        """Take whether the site is known to be Cloud or not; None asks it when that matters."""
        self._connection = connection
        self._http = Http(auth_of(connection, secret), timeouts=timeouts)
        self._clock = clock
        self._is_cloud = cloud

    def create(self, draft: TicketDraft) -> Issue:
        """Send one `POST /rest/api/2/issue`; see the port for what it raises."""
        answer = self._http.send("POST", f"{self._connection.jira_api}/issue", body=draft.request_body())
        created = answer.json() if answer.status == 201 else None
        if isinstance(created, dict) and created.get("id") and created.get("key"):
            return self._issue(created)
        sign_on_page = answer.status == 200 and answer.is_html
        if 200 <= answer.status < 300 and not sign_on_page:
            # It may stand for a ticket, whatever the headers say of who was signed in.
            raise OutcomeUnknown(f"POST /issue: {answer.status} without an issue in it")
        _raise_for_credential("POST /issue", answer)
        if sign_on_page:
            raise refused("POST /issue", answer)
        raise self._failure("POST /issue", answer)

    def find(self, marker: str) -> Sequence[Issue]:
        """Search for the marker as a label, or in any text where the label was not to be had.

        Cloud removed /search in 2025 for /search/jql, which Data Center does not have.
        """
        jql = f'labels = "{marker}" OR text ~ "\\"{marker}\\"" ORDER BY created ASC, key ASC'
        found = self._search_page({"jql": jql, "maxResults": 2, "fields": ["created"]})
        return [self._issue(issue) for issue in found["issues"]]

    def _search_page(self, body: dict[str, JSON]) -> dict[str, Any]:
        """Return one page of a search, which has a list `issues`."""
        paths = ["/search/jql", "/search"] if self._cloud() else ["/search", "/search/jql"]
        answer = self._send("POST", paths[0], body=body)
        if answer.status in (404, 410):
            answer = self._send("POST", paths[1], body=body)
        found = answer.json() if answer.status == 200 and answer.whole else None
        if not isinstance(found, dict) or not isinstance(found.get("issues"), list):
            raise self._failure("POST /search", answer)
        return found

    def may_browse(self, project: str) -> bool:
        """Tell whether the account sees the project's issues."""
        return "BROWSE_PROJECTS" in (self.permissions(project, "BROWSE_PROJECTS") or ())

    def permissions(self, project: str, *wanted: str) -> frozenset[str] | None:
        """Return which of these permissions the account has; None where it knows of no such project.

        `GET /mypermissions`: Cloud wants the permissions named, Data Center ignores that and returns all.
        """
        which = "projectId" if project.isdigit() else "projectKey"
        answer = self._send("GET", "/mypermissions", params={"permissions": ",".join(wanted), which: project})
        if answer.status == 404:
            return None
        found = answer.json() if answer.status == 200 else None
        held = found.get("permissions") if isinstance(found, dict) else None
        if not isinstance(held, dict):
            raise self._failure("GET /mypermissions", answer)
        return frozenset(name for name in wanted if (held.get(name) or {}).get("havePermission") is True)

    def account(self) -> str:
        """Return the name of the account that is signed in: the one request that no anonymous caller can make."""
        found = self._read("/myself", {})
        names = found if isinstance(found, dict) else {}
        return str(names.get("displayName") or names.get("name") or names.get("accountId") or "somebody")

    def server_info(self) -> Mapping[str, Any]:
        """Return what the server says of itself."""
        answer = self._send("GET", "/serverInfo")
        info = answer.json() if answer.status == 200 else None
        if not isinstance(info, dict):
            raise self._failure("GET /serverInfo", answer)
        return info

    def field_schema(self, project: str, issue_type: str) -> FieldSchema | None:
        """Return the fields of a create screen; None on a server that has no create metadata.

        Raises:
            InvalidField: the project or its issue type does not exist, as far as this account may know.
            Refused, CredentialRefused, TryAgain: as for every request.
        """
        return jira_metadata.field_schema(self._read, project, issue_type, cloud=self._cloud())

    def relate(self, issue: Issue, other: str, link_type: str) -> None:
        """Link an issue to another by the name of a link type: 201. Jira keeps one link of a kind between two."""
        body: JSON = {
            "type": {"name": link_type},
            "inwardIssue": {"key": issue.key},
            "outwardIssue": {"key": other},
        }
        answer = self._send("POST", "/issueLink", body=body)
        if answer.status not in (200, 201):
            raise self._failure("POST /issueLink", answer)

    def find_user(self, who: str, project: str) -> str | None:
        """Return the accountId (Cloud) or user name (Data Center) of an e-mail address or name, if it is one's."""
        return jira_metadata.find_user(self._read, who, project, cloud=self._cloud())

    def _read(self, path: str, params: Mapping[str, str], *, absent: Collection[int] = ()) -> Any:
        """Return the JSON of a GET; None for a status that means that there is no such thing."""
        answer = self._send("GET", path, params=params)
        if answer.status in absent:
            return None
        if answer.status == 200 and answer.is_html:  # a sign-on page
            raise refused(f"GET {path}", answer)
        found = answer.json() if answer.status == 200 and answer.whole else None
        if found is None:
            raise self._failure(f"GET {path}", answer)
        return found

    def _cloud(self) -> bool:
        """Ask the server once what it is. Very old servers do not say; they are no Cloud."""
        if self._is_cloud is None:
            self._is_cloud = self.server_info().get("deploymentType") == "Cloud"
        return self._is_cloud

    def _send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: JSON = None
    ) -> Answer:
        answer = self._http.send(method, self._connection.jira_api + path, params=params, body=body)
        _raise_for_credential(f"{method} {path}", answer)
        return answer

    def _issue(self, raw: dict[str, Any]) -> Issue:
        # `self` in answers may name a host that does not work for us: the link is built from the settings.
        return Issue(str(raw["id"]), str(raw["key"]), self._connection.browse(str(raw["key"])))

    def _failure_or_credential(self, request: str, answer: Answer) -> Exception:
        """Give the error of a request whose 401 may have said something else."""
        _raise_for_credential(request, answer)
        return self._failure(request, answer)

    def _failure(self, request: str, answer: Answer) -> Exception:
        """Give the error that a status outside 2xx, or an unusable body, stands for."""
        now = self._clock()
        # Data Center with rate limiting has "retry-after: 0" on every answer: a 503 with that says nothing.
        if answer.status == 429 or (answer.status == 503 and (answer.retry_after(now) or 0) > 0):
            after = _pause(answer, now)
            return Throttled(f"{request}: {answer.status}, Jira asks to come back later", after=after)
        if answer.status in (409, 425):
            return Unreachable(f"{request}: {answer.status}, not executed")
        if answer.status >= 500 or answer.status == 408 or 200 <= answer.status < 300:
            return OutcomeUnknown(f"{request}: {answer.status} without a usable answer")
        return refused(request, answer)


def _pause(answer: Answer, now: float) -> float | None:
    """Return the seconds to wait: Retry-After, else X-RateLimit-Reset (ISO 8601, Cloud's gateway)."""
    asked = answer.retry_after(now)
    if asked is not None:
        return min(LONGEST_PAUSE, max(1.0, asked))
    try:
        reset = datetime.fromisoformat(answer.headers.get("x-ratelimit-reset", ""))
        return min(LONGEST_PAUSE, max(1.0, reset.timestamp() - now))
    except ValueError:
        return None


def _raise_for_credential(request: str, answer: Answer) -> None:
    """Stop at the first sign that the account is not let in.

    Cloud may answer 200, 400 or 404 as if to an anonymous caller and say so only in X-Seraph-LoginReason;
    after some failed logins both products demand a CAPTCHA, which only a person can solve.
    """
    login = answer.headers.get("x-seraph-loginreason", "")
    denied = answer.headers.get("x-authentication-denied-reason", "")
    if "AUTHENTICATION_DENIED" in login or "CAPTCHA" in denied:
        raise CredentialRefused(
            f"{request}: {answer.status}, Jira wants a CAPTCHA solved: log in once in a browser with this account",
            status=answer.status,
        )
    if answer.status == 401 or "AUTHENTICATED_FAILED" in login:
        raise CredentialRefused(
            f"{request}: {answer.status}, Jira does not accept this user and token", status=answer.status
        )


def refused(request: str, answer: Answer) -> Refused:
    """Give the refusal with Jira's own words; their shape varies by product, version and proxy."""
    if 300 <= answer.status < 400:
        return Refused(
            f"{request}: {answer.status}, redirected elsewhere; the Jira API address or a sign-on proxy needs a look",
            status=answer.status,
        )
    raw = answer.json()
    if answer.is_html or not isinstance(raw, dict):
        return Refused(
            f"{request}: {answer.status} with a page instead of Jira's answer; check the Jira API address",
            status=answer.status,
        )
    messages, fields = _words(raw)
    said = "; ".join([*messages, *(f"{name}: {text}" for name, text in fields.items())])
    return Refused(
        f"{request}: {answer.status}, {said or 'no reason given'}"[: 4 * LONGEST_REASON],
        status=answer.status,
        messages=messages,
        fields=fields,
    )


def _words(raw: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Read errorMessages and errors; either may be missing, and gateways use other names."""
    messages = raw.get("errorMessages")
    errors = raw.get("errors")
    found = (
        [str(text)[:LONGEST_REASON] for text in messages[:MOST_REASONS]] if isinstance(messages, list) else []
    )
    found += [str(raw[key])[:LONGEST_REASON] for key in ("message", "detail") if raw.get(key)]
    fields = (
        {
            str(name)[:LONGEST_REASON]: str(text)[:LONGEST_REASON]
            for name, text in list(errors.items())[:MOST_REASONS]
        }
        if isinstance(errors, dict)
        else {}
    )
    return found, fields
