"""A Jira on one machine, as tests and the demo use it: start it, sign in, see the requests, set faults."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from local.http.edge import Edge, Exchange
from local.http.limits import RateLimit
from local.http.serving import Quiet, Serving
from local.jira_stand_in.administration import Administration
from local.jira_stand_in.app import create_app
from local.jira_stand_in.faults import JiraFaults
from local.jira_stand_in.index import Index
from local.jira_stand_in.issue_screens import IssueScreens
from local.jira_stand_in.model import Flavour, Issue
from local.jira_stand_in.state import State
from local.jira_stand_in.versions import Versions
from local.jira_stand_in.webhooks import Webhooks


class _NamelessServer(Quiet):
    def send_response(self, code: int, message: str | None = None) -> None:
        """Send the status line without the server's own Server header: Cloud names AtlassianEdge."""
        self.send_response_only(code, message)


class JiraStandIn(Administration, IssueScreens):
    """A Jira on 127.0.0.1 at a free port, started by `start()` or as a context manager.

    It has a project "BUG" with the issue types Bug, Task, Story and Epic, and one user who may do everything
    but administer. `version` matters on Data Center only.
    """

    def __init__(
        self,
        flavour: Flavour = "cloud",
        context_path: str = "",
        clock: Callable[[], float] = time.time,
        version: str = "10.3.0",
    ) -> None:
        self.state = State(flavour, tuple(int(part) for part in version.split(".")), clock)
        self.faults = JiraFaults(self.state)
        self.context_path = context_path.rstrip("/")
        self.webhooks = Webhooks(self.state, self._matches)
        self.state.announce = self.webhooks.announce
        self.versions = Versions(self.state, self.webhooks)
        self._edge = Edge(
            create_app(self.state, self.webhooks),
            self.faults,
            clock=lambda: self.state.clock(),  # noqa: PLW0108 - a test may set another
            lock=self.state.lock,
            context_path=self.context_path,
            other_versions="latest|3" if self.state.cloud else "latest",
        )
        self._serving = Serving(self._edge, _NamelessServer)
        self.main_user = self.add_user("fred", email="fred@example.com", display_name="Fred F. User")
        self.add_project("BUG", "Bug tracker")

    # Running

    def start(self) -> Self:
        """Listen; the address is known from now on."""
        self._edge.stopping.clear()
        self._serving.start()
        self.state.site_url = f"{self._serving.url}{self.context_path}"
        return self

    def stop(self) -> None:
        """Close the server and wake requests that a fault delays."""
        self.webhooks.stop_sending()
        self._edge.stopping.set()
        self._serving.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def deliver_automatically(self) -> None:
        """Send webhooks as changes happen, until the stand-in stops."""
        self.webhooks.start_sending()

    def _matches(self, issue: Issue, jql: str) -> bool:
        return any(found.id == issue.id for found, _ in Index(self.state, self.main_user, lag=0).search(jql))

    # Where it is, and as whom to sign in

    @property
    def site_url(self) -> str:
        """The base address, with the context path and without a slash at the end."""
        return self.state.site_url

    @property
    def url(self) -> str:
        """The REST address as the product's settings want it, ending in /rest/api/2/."""
        return f"{self.site_url}/rest/api/2/"

    @property
    def user(self) -> str:
        """The login of the main user: the e-mail on Cloud, the user name on Data Center."""
        return self.main_user.email if self.state.cloud else self.main_user.name

    @property
    def token(self) -> str:
        """The API token on Cloud, the password on Data Center."""
        return self.main_user.secret

    @property
    def pat(self) -> str:
        """The personal access token of the main user (Data Center, Bearer)."""
        return self.main_user.pat

    # The request log

    @property
    def requests(self) -> list[Exchange]:
        return list(self._edge.exchanges)

    def count(self, method: str, path: str) -> int:
        """Count the requests of a method whose path matches a regular expression."""
        return sum(1 for e in self.requests if e.method == method and re.search(path, e.path))

    def forget_requests_after(self, count: int) -> None:
        """Cut the log off after so many requests."""
        del self._edge.exchanges[count:]

    def clear_log(self) -> None:
        self._edge.exchanges.clear()

    # Settings that may change at run time

    @property
    def index_lag(self) -> float:
        """Seconds until the search sees a change; reading by key is always immediate."""
        return self.state.index_lag

    @index_lag.setter
    def index_lag(self, seconds: float) -> None:
        self.state.index_lag = seconds

    @property
    def index_flicker(self) -> bool:
        """Return whether each issue vanishes once from the search after its first hit."""
        return self.state.index_flicker

    @index_flicker.setter
    def index_flicker(self, flicker: bool) -> None:
        self.state.index_flicker = flicker

    def limit_rate(self, limit: int = 100, fill_rate: int = 10, interval: float = 60.0) -> RateLimit:
        """Turn on Data Center's rate limiting, with its headers on every answer."""
        self._edge.rate_limit = RateLimit(limit, fill_rate, interval)
        return self._edge.rate_limit
