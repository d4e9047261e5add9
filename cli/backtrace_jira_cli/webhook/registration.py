"""Jira's registrations of webhooks: which events Jira reports, and to which address.

They have an API of their own beside /rest/api/2, for administrators only. Data Center 10 moved it and changed its
shape. It silently ignores keys that it does not know (https://jira.atlassian.com/browse/JRASERVER-78733), so
that an installation has to read back what it wrote.
Cloud and Data Center 9: https://developer.atlassian.com/cloud/jira/platform/webhooks/ (admin webhooks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from backtrace_jira.adapters.http import Response
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import quoted
from backtrace_jira.adapters.jira.refusals import raise_for_credential
from backtrace_jira.errors import NeedsAttention, OutcomeUnknown, Refused
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.connection import API_ENDING, Connection
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS, Server

EVENTS = (
    "jira:issue_updated",
    "jira:issue_deleted",
    *(f"jira:version_{what}" for what in ("released", "unreleased", "updated", "deleted", "merged")),
)
"""What Jira is asked to report. Its filter does not apply to versions: Jira reports those of all projects."""
ISSUE_SECTION = "issue-related-events-section"
FIRST_THAT_SIGNS = (10,)
"""Data Center. Cloud signs."""
LONGEST_LIST = "1000"
"""So many registrations in one answer: Data Center 10 sends pages, and does not document how long they are."""


class NotAdministrator(NeedsAttention):
    """The account may not see or change webhooks."""


@dataclass(frozen=True, slots=True)
class DesiredRegistration:
    """A registration as it should be. `secret` is None if the address holds the secret."""

    name: str
    url: str
    jql: str
    secret: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration as Jira shows it. `signed` is None if Jira does not say."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    jql: str
    body_included: bool
    enabled: bool
    signed: bool | None
    problem: str = ""
    """The reason why the last delivery failed, if Jira reports one."""


class Shape(Protocol):
    """Path and JSON of registrations on one kind of server."""

    path: str

    def to_json(self, desired: DesiredRegistration) -> dict[str, JSON]:
        """Return the body of a POST or PUT."""
        ...

    def from_json(self, raw: dict[str, Any]) -> Registration:
        """Read one registration."""
        ...


class CloudShape:
    """Cloud, and Data Center 9 and older, which take no secret."""

    path = "/rest/webhooks/1.0/webhook"

    def to_json(self, desired: DesiredRegistration) -> dict[str, JSON]:
        """Return the body of a POST or PUT."""
        body: dict[str, JSON] = {
            "name": desired.name,
            "url": desired.url,
            "events": list(EVENTS),
            "filters": {ISSUE_SECTION: desired.jql},
            "excludeBody": False,
            "enabled": True,
        }
        return body | ({"secret": desired.secret.get_secret_value()} if desired.secret else {})

    def from_json(self, raw: dict[str, Any]) -> Registration:
        """Read one registration; its id is the end of its own address."""
        filters = raw.get("filters")
        signed = raw.get("isSigned")
        return Registration(
            id=str(raw.get("self") or "").rstrip("/").rpartition("/")[2],
            name=str(raw.get("name") or ""),
            url=str(raw.get("url") or ""),
            events=_texts(raw.get("events")),
            jql=str(filters.get(ISSUE_SECTION) or "") if isinstance(filters, dict) else "",
            body_included=not raw.get("excludeBody"),
            enabled=bool(raw.get("enabled", True)),
            signed=signed if isinstance(signed, bool) else None,
        )


class DataCenterShape:
    """Data Center 10 and later: body, filter and secret are texts within `configuration`."""

    path = "/rest/jira-webhook/1.0/webhooks"

    def to_json(self, desired: DesiredRegistration) -> dict[str, JSON]:
        """Return the body of a POST or PUT."""
        settings: dict[str, JSON] = {"EXCLUDE_BODY": "false", "FILTERS": desired.jql}
        if desired.secret:
            settings["SECRET"] = desired.secret.get_secret_value()
        return {
            "name": desired.name,
            "url": desired.url,
            "events": list(EVENTS),
            "active": True,
            "configuration": settings,
            "sslVerificationRequired": True,
        }

    def from_json(self, raw: dict[str, Any]) -> Registration:
        """Read one registration. Whether a secret is shown, masked or left out is not documented."""
        settings = raw.get("configuration")
        settings = settings if isinstance(settings, dict) else {}
        return Registration(
            id=str(raw.get("id") or ""),
            name=str(raw.get("name") or ""),
            url=str(raw.get("url") or ""),
            events=_texts(raw.get("events")),
            jql=str(settings.get("FILTERS") or ""),
            body_included=str(settings.get("EXCLUDE_BODY", "false")).lower() != "true",
            enabled=bool(raw.get("active", True)),
            signed=bool(settings["SECRET"]) if "SECRET" in settings else None,
        )


class JiraWebhooks:
    """The registrations of one Jira."""

    def __init__(self, connection: Connection, secret: SecretStr, server: Server) -> None:
        self._client = JiraClient(connection, secret, timeouts=TIMEOUTS, cloud=server.cloud)
        self._site = connection.jira_api.removesuffix(API_ENDING)
        moved = not server.cloud and server.numbers >= FIRST_THAT_SIGNS
        self._shape: Shape = DataCenterShape() if moved else CloudShape()
        self._reports_deliveries = moved

    def read_all(self) -> list[Registration]:
        """Return all registrations, ours and others.

        Raises:
            NotAdministrator: this account may not see them.
        """
        raw = self._send("GET", "", params={"limit": LONGEST_LIST} if self._reports_deliveries else None)
        if not isinstance(raw, list):
            raise OutcomeUnknown(f"GET {self._shape.path}: the answer is no list")
        return [self._shape.from_json(each) for each in raw if isinstance(each, dict)]

    def add(self, desired: DesiredRegistration) -> None:
        """Register. The POST is sent once; without an answer, the list of registrations shows if it worked."""
        try:
            self._send("POST", "", self._shape.to_json(desired))
        except OutcomeUnknown:
            if not any(each.url == desired.url for each in self.read_all()):
                raise

    def change(self, registration: Registration, desired: DesiredRegistration) -> None:
        """Change a registration into the desired one."""
        self._send("PUT", f"/{registration.id}", self._shape.to_json(desired))

    def remove(self, registration: Registration) -> None:
        """Delete a registration. One that is gone already is fine."""
        try:
            self._send("DELETE", f"/{registration.id}")
        except Refused as error:
            if error.status != 404:
                raise

    def read_last_problem(self, registration: Registration) -> str:
        """Return why the last delivery failed, if the server keeps that. It answers 204 before the first delivery.

        Data Center 10: `{"result": {"outcome": "SUCCESS", "description": "200"}}`, as Bitbucket's page describes the
        same component. Any other answer counts as no failure.
        """
        if not self._reports_deliveries:
            return ""
        try:
            raw = self._send("GET", f"/{registration.id}/latest")
        except Refused:
            return ""
        result = raw.get("result") if isinstance(raw, dict) else None
        if not isinstance(result, dict) or result.get("outcome") in (None, "SUCCESS"):
            return ""
        return f"{result.get('outcome')}: {result.get('description') or 'no reason given'}"[:200]

    def _send(
        self, method: str, path: str, body: JSON = None, *, params: Mapping[str, str] | None = None
    ) -> Any:
        request = f"{method} {self._shape.path}{path}"
        api = f"{self._site}{self._shape.path}"
        response = self._client.exchange(method, path, params=params, body=body, api=api)
        # This comes before the credential is judged: here, a 401 may mean that the account is no administrator.
        if self._is_no_administrator(response, path):
            raise NotAdministrator(f"{request}: {response.status}, webhooks are for Jira administrators")
        if response.status == 204 or (200 <= response.status < 300 and method == "DELETE"):
            return None
        if 200 <= response.status < 300 and response.whole and not response.is_html:
            return response.json()
        raise_for_credential(request, response)
        raise self._client.failure(request, response)

    def _is_no_administrator(self, response: Response, path: str) -> bool:
        """Whether the account is no administrator: 403, on Cloud also 401, or 404 for the list. It signed in before."""
        if "DENIED" in response.headers.get("x-seraph-loginreason", ""):
            return False
        return response.status in (401, 403) or (response.status == 404 and not path)


def project_filter(projects: Sequence[str]) -> str:
    """Return the JQL for the issues of these projects."""
    return f"project in ({', '.join(quoted(project) for project in sorted(set(projects)))})"


def differences(found: Registration, desired: DesiredRegistration, *, signs: bool) -> dict[str, str]:
    """Return each difference in words, by column of `webhook status`."""
    texts = {
        "enabled": "" if found.enabled else "it is switched off",
        "url": "" if found.url == desired.url else "it leads to another address",
        "events": _events(found),
        "body": "" if found.body_included else "Jira leaves the body out (Exclude body)",
        "jql": "" if _same(found.jql, desired.jql) else f"the filter is {found.jql or 'empty'}",
        "signed": "it is not signed" if signs and found.signed is False else "",
        "name": "" if found.name == desired.name else "it has another name",
    }
    return {column: text for column, text in texts.items() if text}


def _events(found: Registration) -> str:
    missing = [event for event in EVENTS if event not in found.events]
    more = [event for event in found.events if event not in EVENTS]
    texts = [f"{', '.join(missing)} not reported"] if missing else []
    return "; ".join([*texts, *([f"{', '.join(more)} reported, too"] if more else [])])


def _same(found: str, desired: str) -> bool:
    return " ".join(found.split()) == " ".join(desired.split())


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def host_of(url: str) -> str:
    """Return where an address leads, without its path, which may hold a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "an address that cannot be read"
