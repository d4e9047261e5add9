"""One Jira site: authentication, requests, the error for each status, and the kind of server.

The meaning of a status follows Atlassian's documents. Neither product has an idempotency key. Jira did not execute a
request that it answers with 429, or with 503 and Retry-After. After a time-out, a reset or any other 5xx, the issue
may exist. Jira's texts depend on the site's language and change, so no code here looks for words in them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth

from backtrace_jira.adapters.http import Http, Response, Timeouts, ensure_header
from backtrace_jira.adapters.jira.refusals import login_failed, raise_for_credential, refusal
from backtrace_jira.errors import OutcomeUnknown, Throttled, Unreachable
from backtrace_jira.jira.issue import Issue
from backtrace_jira.jira.limit import Limit, read_limit
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.connection import Connection, CredentialKind
from backtrace_jira.times import LONGEST_PAUSE

PAGE = 500
"""Issues that are asked for at once; Jira may return fewer."""
MOST_PAGES = 200


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
    """E-mail or user name with an API token or password, in UTF-8; requests itself would send Latin-1."""

    def __init__(self, user: str, secret: SecretStr) -> None:
        super().__init__(user.encode(), secret.get_secret_value().encode())


def auth_of(connection: Connection, secret: SecretStr) -> AuthBase:
    """Return the authentication for this connection's kind of credential."""
    if connection.credential is CredentialKind.PERSONAL_ACCESS_TOKEN:
        return Bearer(secret)
    return BasicAuth(connection.email or "", secret)


class JiraClient:
    """Requests to one Jira site with one account. The adapters of the ports are built on it."""

    def __init__(
        self,
        connection: Connection,
        secret: SecretStr,
        *,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.time,
        cloud: bool | None = None,
        ensure_time: Callable[[], None] = lambda: None,
    ) -> None:
        """Take `cloud`: whether the site is Jira Cloud; None asks the site when that matters."""
        self._connection = connection
        self._http = Http(auth_of(connection, secret), timeouts=timeouts, ensure_time=ensure_time)
        self._clock = clock
        self._is_cloud = cloud
        self.limit: Limit | None = None
        """What the last answer said of Jira's limit."""
        self.ahead = 0.0
        """Seconds by which Jira's clock is ahead of ours, by the last answer that said it."""

    @property
    def cloud(self) -> bool:
        """Return whether this is Jira Cloud. The server is asked once; very old ones do not say, and are not Cloud."""
        if self._is_cloud is None:
            self._is_cloud = self.server_info().get("deploymentType") == "Cloud"
        return self._is_cloud

    # Requests

    def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: JSON = None,
        api: str | None = None,
    ) -> Response:
        """Send one request and return the response, whatever its status.

        Args:
            method: HTTP's.
            path: the rest of the URL, after the API's address.
            params: the query.
            body: sent as JSON.
            api: address of another API of the same site, instead of the connection's `jira_api`.

        Raises:
            Unreachable, OutcomeUnknown, InvalidSettings: as `Http.send` does.
        """
        response = self._http.send(
            method, (api or self._connection.jira_api) + path, params=params, body=body
        )
        self.limit = read_limit(response.headers)
        ahead = response.ahead_of(self._clock())
        self.ahead = self.ahead if ahead is None else ahead
        return response

    def send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: JSON = None
    ) -> Response:
        """Send one request and check that Jira accepts the credential.

        Raises:
            CredentialRefused: Jira does not.
        """
        response = self.exchange(method, path, params=params, body=body)
        raise_for_credential(f"{method} {path}", response)
        return response

    def send_if_permitted(self, method: str, path: str, body: JSON) -> Response:
        """Send a request to which Data Center answers 401 if the account lacks a permission (SPEC-DC: assign, link).

        Raises:
            Refused: the account lacks it.
            CredentialRefused: Jira does not accept the credential.
        """
        request = f"{method} {path}"
        response = self.exchange(method, path, body=body)
        # Before the credential is checked: a missing permission must not park the whole connection.
        if response.status == 401 and not self.cloud and not login_failed(response):
            raise refusal(request, response)
        raise_for_credential(request, response)
        return response

    def read(self, path: str, params: Mapping[str, str], *, absent: Collection[int] = ()) -> Any:
        """Return the JSON of a GET; None for a status in `absent`, by which Jira says that there is no such thing."""
        response = self.send("GET", path, params=params)
        if response.status in absent:
            return None
        if response.status == 200 and response.is_html:  # a sign-on page
            raise refusal(f"GET {path}", response)
        found = response.json() if response.status == 200 and response.whole else None
        if found is None:
            raise self.failure(f"GET {path}", response)
        return found

    def search_page(self, body: dict[str, JSON]) -> dict[str, Any]:
        """Return one page of a search, which has a list `issues`.

        Cloud removed /search in 2025 for /search/jql, which Data Center does not have.
        """
        paths = ["/search/jql", "/search"] if self.cloud else ["/search", "/search/jql"]
        response = self.send("POST", paths[0], body=body)
        if response.status in (404, 410):
            response = self.send("POST", paths[1], body=body)
        found = response.json() if response.status == 200 and response.whole else None
        if not isinstance(found, dict) or not isinstance(found.get("issues"), list):
            raise self.failure("POST /search", response)
        return found

    def search_beginning(self, jql: str, fields: Sequence[str]) -> tuple[list[dict[str, Any]], bool]:
        """Return the first issues that a query finds, at least two if there are two, and whether these are all.

        Cloud may return a page with few issues or none, although there are more.
        """
        found: list[dict[str, Any]] = []
        for issues, is_last in self.search_pages({"jql": jql, "maxResults": PAGE, "fields": list(fields)}):
            found += issues
            if is_last or len(found) > 1:
                return found, is_last
        raise AssertionError("a search without a page")

    def search_pages(self, body: dict[str, JSON]) -> Iterator[tuple[list[dict[str, Any]], bool]]:
        """Yield the pages of a search, each with whether it is the last.

        Raises:
            OutcomeUnknown: there are too many.
        """
        count = 0
        for _ in range(MOST_PAGES):
            page = self.search_page(body)
            issues = [issue for issue in page["issues"] if isinstance(issue, dict)]
            count += len(issues)
            total = page.get("total")
            if page.get("nextPageToken"):
                body = {**body, "nextPageToken": str(page["nextPageToken"])}
            elif issues and isinstance(total, int) and count < total:
                body = {**body, "startAt": count}
            else:
                yield issues, True
                return
            yield issues, False
        raise OutcomeUnknown(f"POST /search: no last page after {MOST_PAGES}")

    def fetch_issues(self, ids: Sequence[str], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Return those of at most a hundred issues that Jira shows.

        Cloud reads them as they are now (POST /issue/bulkfetch); Data Center has nothing but its search for that,
        which refuses an id that it does not know unless it is told not to validate.
        """
        if self.cloud:
            asked: dict[str, JSON] = {"issueIdsOrKeys": list(ids), "fields": list(fields)}
            response = self.send("POST", "/issue/bulkfetch", body=asked)
            found = response.json() if response.status == 200 and response.whole else None
            if not isinstance(found, dict) or not isinstance(found.get("issues"), list):
                raise self.failure("POST /issue/bulkfetch", response)
        else:
            jql = f"id in ({', '.join(ids)})"
            found = self.search_page(
                {"jql": jql, "maxResults": len(ids), "fields": list(fields), "validateQuery": False}
            )
        return [issue for issue in found["issues"] if isinstance(issue, dict)]

    def failure(self, request: str, response: Response) -> Exception:
        """Return the error for a status outside 2xx, or for an unusable body."""
        now = self._clock()
        # Data Center with rate limiting sends "retry-after: 0" with every answer, so a 503 with it asks for no pause.
        if response.status == 429 or (response.status == 503 and (response.retry_after(now) or 0) > 0):
            after = _pause(response, now)
            told = read_limit(response.headers)
            return Throttled(
                f"{request}: {response.status}, Jira asks to come back later",
                after=after,
                rate=told.rate if told else None,
            )
        if response.status in (409, 425):
            return Unreachable(f"{request}: {response.status}, not executed")
        if response.status >= 500 or response.status == 408 or 200 <= response.status < 300:
            return OutcomeUnknown(f"{request}: {response.status} without a usable answer")
        return refusal(request, response)

    def issue(self, raw: Mapping[str, Any]) -> Issue:
        """Read id and key of an issue. Its page is built from the settings: `self` may name a host we cannot reach."""
        return Issue(str(raw["id"]), str(raw["key"]), self._connection.browse(str(raw["key"])))

    # The server and our account

    def server_info(self) -> Mapping[str, Any]:
        """Return the server's description of itself."""
        response = self.send("GET", "/serverInfo")
        info = response.json() if response.status == 200 else None
        if not isinstance(info, dict):
            raise self.failure("GET /serverInfo", response)
        return info

    def account(self) -> str:
        """Return the name of the signed-in account. Jira answers this request to no anonymous caller."""
        found = self.read("/myself", {})
        names = found if isinstance(found, dict) else {}
        return str(names.get("displayName") or names.get("name") or names.get("accountId") or "somebody")

    def permissions(self, project: str, *wanted: str) -> frozenset[str] | None:
        """Return those of the permissions that the account has; None if it sees no such project.

        `GET /mypermissions`: Cloud needs the names of the permissions, Data Center ignores them and returns all.
        """
        which = "projectId" if project.isdigit() else "projectKey"
        params = {"permissions": ",".join(wanted), which: project}
        response = self.send("GET", "/mypermissions", params=params)
        if response.status == 404:
            return None
        found = response.json() if response.status == 200 else None
        held = found.get("permissions") if isinstance(found, dict) else None
        if not isinstance(held, dict):
            raise self.failure("GET /mypermissions", response)
        return frozenset(name for name in wanted if (held.get(name) or {}).get("havePermission") is True)


def _pause(response: Response, now: float) -> float | None:
    """Return the seconds to wait: Retry-After, else X-RateLimit-Reset (ISO 8601, Cloud's gateway)."""
    asked = response.retry_after(now)
    if asked is not None:
        return min(LONGEST_PAUSE, max(1.0, asked))
    try:
        reset = datetime.fromisoformat(response.headers.get("x-ratelimit-reset", ""))
        return min(LONGEST_PAUSE, max(1.0, reset.timestamp() - now))
    except ValueError:
        return None
