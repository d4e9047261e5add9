"""The addresses of Jira and Backtrace, and the account in Jira: one model for each parameter.

The models hold no secrets: each secret has a parameter of its own (`parameter_names`).
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from backtrace_jira.settings.base import Name, ParameterName, Settings, Text

API_ENDING = "/rest/api/2"

# urlsplit drops tabs and newlines, and clients disagree about other characters. So any that is not listed here has
# to be %-encoded.
_PLAIN = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?#\[\]-]*")
_SITE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")


def is_loopback(host: str | None) -> bool:
    """Return whether requests to this host stay on the machine, so that plain http is safe."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def parse_web_address(url: str) -> str:
    """Accept an absolute https URL (http for loopback), without credentials, query or fragment."""
    url = url.strip()
    if not _PLAIN.fullmatch(url):
        raise ValueError(
            "holds a blank, backslash or special character; write https://your-host/ in plain ASCII"
        )
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError("is not a URL; write https://your-host/") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password; leave it out, the credential has its own setting")
    if parts.scheme not in ("https", "http") or not _SITE.fullmatch(parts.netloc) or not port_is_fine:
        raise ValueError("is not an absolute web address; write https://your-host/")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("is not encrypted; write https:// (http is for this machine only)")
    if parts.query or parts.fragment:
        raise ValueError("has a query or fragment; end it before the ? or #")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def parse_jira_api_address(url: str) -> str:
    """Accept a Jira REST API address in the three forms of the product page; return it without its last slash.

    `https://host/rest/api/2/`, `https://host/jira/rest/api/2/`, `https://name.atlassian.net/rest/api/2/`.
    """
    address = parse_web_address(url)
    context = address.removesuffix(API_ENDING)
    if "/rest/api/" in context + "/":
        raise ValueError("asks for an API version that is not supported; let it end in one /rest/api/2/")
    if context != address:
        return context.rstrip("/") + API_ENDING
    raise ValueError(
        "does not end in /rest/api/2/; write https://your-host/rest/api/2/, "
        "https://your-host/jira/rest/api/2/ or https://your-name.atlassian.net/rest/api/2/"
    )


WebAddress = Annotated[str, AfterValidator(parse_web_address)]
JiraApiAddress = Annotated[str, AfterValidator(parse_jira_api_address)]


class CredentialKind(StrEnum):
    """Kind of the secret, which decides how a request carries it."""

    API_TOKEN = "api_token"  # noqa: S105 - a kind, not a secret
    PASSWORD = "password"  # noqa: S105
    PERSONAL_ACCESS_TOKEN = "personal_access_token"  # noqa: S105


class Connection(Settings):
    """One Jira site, and the account that the functions use there."""

    name: ParameterName = Field(description="Name by which integrations refer to this connection.")
    jira_api: JiraApiAddress = Field(
        description="Jira API: the REST endpoint, ending in /rest/api/2/ (product page: Jira API).",
        examples=["https://yourname.atlassian.net/rest/api/2/"],
    )
    email: Text | None = Field(
        default=None,
        description="E-mail of the Jira account, or its user name. Not needed with a personal access token.",
    )
    credential: CredentialKind = Field(
        default=CredentialKind.API_TOKEN,
        description="Kind of the secret: api_token, personal_access_token (Data Center), or password (deprecated).",
    )
    browse_url: WebAddress | None = Field(
        default=None,
        description="Address for links to tickets, if it is not the API's own, e.g. behind api.atlassian.com.",
    )

    @model_validator(mode="after")
    def _account_is_named(self) -> Self:
        if self.email is None and self.credential is not CredentialKind.PERSONAL_ACCESS_TOKEN:
            raise ValueError("email is required with an API token or a password")
        if self.browse_url is None and urlsplit(self.jira_api).hostname == "api.atlassian.com":
            raise ValueError("browse_url is required with api.atlassian.com: https://your-name.atlassian.net")
        return self

    def browse(self, key: str) -> str:
        """Return the address of a ticket's page."""
        return f"{self.browse_url or self.jira_api.removesuffix(API_ENDING)}/browse/{key}"


class BacktraceUniverse(Settings):
    """A Backtrace universe and its address."""

    universe: Name = Field(description="Name of the universe, as events carry it.")
    address: WebAddress = Field(
        description="Backtrace's own address.", examples=["https://yourname.sp.backtrace.io"]
    )
