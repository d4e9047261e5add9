"""Ask an address whether a Jira answers there. No credential is sent, so that none is at risk.

Most sites answer `GET /serverInfo` without a sign-in. The others refuse it in a way that shows that they are there.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.auth import AuthBase

from backtrace_jira.adapters.http import Http, Response
from backtrace_jira.errors import InvalidSettings
from backtrace_jira_cli.check.finding import CheckName, Finding, failed, ok
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS, Server

REACHABLE = CheckName.REACHABLE


NO_JIRA_HERE = (
    "Correct jira_api: the host, and its path before /rest/api/2/ (such as /jira) if the site has one."
)


SIGN_ON = (
    "Let /rest/api/2/ pass the sign-on proxy or firewall, or give an address of Jira behind it as jira_api."
)


class NoCredential(AuthBase):
    """Sends no credential. Without this class, requests would take one from ~/.netrc."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Leave the request as it is."""
        return request


def reach_jira(address: str) -> tuple[Finding, Server | None]:
    """Send one request. The server is None if the check failed, or if Jira tells nothing before a sign-in.

    Raises:
        TryAgain: no server answered.
    """
    try:
        answer = Http(NoCredential(), timeouts=TIMEOUTS).send("GET", f"{address}/serverInfo")
    except InvalidSettings as error:
        remedy = (
            "Give the site a certificate of a public authority: the functions trust no other."
            if "certificate" in str(error)
            else NO_JIRA_HERE
        )
        return failed(REACHABLE, str(error), remedy), None
    return _judge(answer)


def _judge(answer: Response) -> tuple[Finding, Server | None]:
    raw = answer.json() if answer.whole else None
    server = Server.from_info(raw) if isinstance(raw, dict) and answer.status == 200 else None
    if server:
        return ok(REACHABLE, "a Jira answers"), server
    if answer.status == 401 or (answer.status == 403 and not answer.is_html):
        return ok(REACHABLE, "a server answers, and wants a sign-in before it says more"), None
    return failed(REACHABLE, *_why_not(answer)), None


def _why_not(answer: Response) -> tuple[str, str]:
    status = answer.status
    if 300 <= status < 400:
        return f"{status}, redirected to {_target(answer)}", (
            f"Give the address that it leads to as jira_api if that is Jira. {SIGN_ON}"
        )
    if status in (429, 503) or status >= 500:
        return f"{status}, Jira or a proxy before it is busy or down", (
            "Nothing is wrong with the settings so far: run this again in a few minutes."
        )
    if status == 403:
        return "403 with a page instead of Jira's answer: a proxy or firewall", SIGN_ON
    if status == 200 and answer.is_html:
        return "a page instead of Jira's answer: a login page, or no REST API here", (
            f"{NO_JIRA_HERE} {SIGN_ON}"
        )
    return f"{status} without Jira's answer: there is no Jira REST API at this address", NO_JIRA_HERE


def _target(answer: Response) -> str:
    """Return where a redirect leads, without its query, which may hold a secret."""
    parts = urlsplit(answer.headers.get("location", ""))
    path = parts.path.removesuffix("/serverInfo")
    return f"{parts.scheme}://{parts.hostname}{path}" if parts.hostname else path or "nowhere"
