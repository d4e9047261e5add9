"""Authentication of each request. Wrong credentials get the real products' answers, which are not always 401."""

from __future__ import annotations

import base64
import binascii

from flask import Flask, Response, g, request

from local.jira_stand_in import call
from local.jira_stand_in.errors import JiraError
from local.jira_stand_in.model import User
from local.jira_stand_in.state import State

_DENIED_HTML = (
    "<html><head><title>Unauthorized ({status})</title></head>"
    "<body>Basic Authentication Failure - Reason : {reason}</body></html>"
)


def install(app: Flask) -> None:
    """Authenticate every REST request before its endpoint and mark its answer after."""

    @app.before_request
    def authenticate() -> None:
        g.user, g.login_reason = None, None
        if request.path.startswith("/rest/"):
            g.user = _identify(call.state(), request.headers.get("Authorization", ""))

    @app.after_request
    def mark(response: Response) -> Response:
        if g.get("login_reason"):
            response.headers["X-Seraph-LoginReason"] = g.login_reason
        if g.get("user") is not None and not call.state().cloud:
            response.headers["X-AUSERNAME"] = g.user.name
            response.headers["X-Seraph-LoginReason"] = "OK"
        return response


def _identify(state: State, header: str) -> User | None:
    if not header:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return _basic(state, value)
    if scheme.lower() == "bearer" and not state.cloud:
        user = next((u for u in state.users if u.active and u.pat == value), None)
        if user is not None:
            return _accept(user)
    _reject(state)
    return None


def _basic(state: State, value: str) -> User | None:
    """Check e-mail and token (Cloud) or user name and password (Data Center: the name, not the e-mail)."""
    login, secret = _decoded(value)
    if not state.basic_auth:
        # Jira 11 disables basic authentication by default; the status is not recorded anywhere.
        raise JiraError(403, body={"message": "Basic Authentication has been disabled on this instance."})
    user = next((u for u in state.users if login == (u.email if state.cloud else u.name)), None)
    if user is not None and state.captcha_after is not None and user.failures >= state.captcha_after:
        _deny(state)
    if user is not None and user.active and secret == user.secret:
        return _accept(user)
    if user is not None:
        user.failures += 1
    _reject(state)
    return None


def _decoded(value: str) -> tuple[str, str]:
    try:
        login, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return login, secret


def _accept(user: User) -> User:
    user.failures = 0
    return user


def _reject(state: State) -> None:
    """Cloud goes on as anonymous and says so in a header; Data Center answers 401 at once."""
    g.login_reason = "AUTHENTICATED_FAILED"
    if not state.cloud:
        headers = {"WWW-Authenticate": 'OAuth realm="stand-in"'}
        raise JiraError(
            401, body=_page(401, "AUTHENTICATED_FAILED"), headers=headers, content_type="text/html"
        )


def _deny(state: State) -> None:
    """After too many failures a human must solve a CAPTCHA; even the right secret is refused."""
    status, headers = captcha_refusal(state)
    g.login_reason = "AUTHENTICATION_DENIED"
    raise JiraError(
        status, body=_page(status, "AUTHENTICATION_DENIED"), headers=headers, content_type="text/html"
    )


def captcha_refusal(state: State) -> tuple[int, dict[str, str]]:
    """Return status and headers: Cloud 401; Data Center 403 with the reason and the login page."""
    headers = {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}
    if state.cloud:
        return 401, headers
    reason = f"CAPTCHA_CHALLENGE; login-url={state.site_url}/login.jsp"
    return 403, {**headers, "X-Authentication-Denied-Reason": reason}


def _page(status: int, reason: str) -> str:
    return _DENIED_HTML.format(status=status, reason=reason)
