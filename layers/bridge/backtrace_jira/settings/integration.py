"""Settings: one frozen model per parameter, and the parameter's name.

Layout in SSM Parameter Store below `/backtrace-jira/<stage>` (String holds JSON, secrets are SecureString):

    integrations/<universe>/<project>/<name>   Integration
    connections/<name>                         Connection
    backtrace/<universe>                       BacktraceUniverse
    secrets/jira/<connection name>             API token, password or personal access token
    secrets/backtrace/<universe>               Backtrace token
    secrets/webhook/<connection name>          what Jira signs its webhooks with
    deployment/<name>                          where the deployment's table and queues are (template.yaml writes these)

Each secret has a parameter of its own, so that a function can be granted exactly the ones it needs.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from backtrace_jira.settings.base import Name, Pace, Text
from backtrace_jira.settings.base import Settings as Settings
from backtrace_jira.settings.expressions import regular_expression
from backtrace_jira.settings.fix_versions import FixVersions
from backtrace_jira.settings.parameter_names import ParameterNames as ParameterNames
from backtrace_jira.settings.synchronisation import Sync

ParameterName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.-]{1,64}$")]

API_ENDING = "/rest/api/2"

# urlsplit drops tabs and newlines, and clients disagree about the rest: what is not listed has to be %-encoded.
_PLAIN = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?#\[\]-]*")
_SITE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")


def is_loopback(host: str | None) -> bool:
    """Tell whether plain http to this host stays on the machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def web_address(url: str) -> str:
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


def jira_api_address(url: str) -> str:
    """Accept a Jira REST API address in the three forms of the product page; return it without its last slash.

    `https://host/rest/api/2/`, `https://host/jira/rest/api/2/`, `https://name.atlassian.net/rest/api/2/`.
    """
    address = web_address(url)
    context = address.removesuffix(API_ENDING)
    if "/rest/api/" in context + "/":
        raise ValueError("asks for an API version that is not supported; let it end in one /rest/api/2/")
    if context != address:
        return address
    raise ValueError(
        "does not end in /rest/api/2/; write https://your-host/rest/api/2/, "
        "https://your-host/jira/rest/api/2/ or https://your-name.atlassian.net/rest/api/2/"
    )


WebAddress = Annotated[str, AfterValidator(web_address)]
JiraApiAddress = Annotated[str, AfterValidator(jira_api_address)]


class CredentialKind(StrEnum):
    """How the secret is presented to Jira."""

    API_TOKEN = "api_token"  # noqa: S105 - a kind, not a secret
    PASSWORD = "password"  # noqa: S105
    PERSONAL_ACCESS_TOKEN = "personal_access_token"  # noqa: S105


class Connection(Settings):
    """One Jira site and the account we use there."""

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
        description="Address for links to tickets where it is not the API's own, e.g. behind api.atlassian.com.",
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
    """Where a Backtrace universe is served."""

    universe: Name = Field(description="Name of the universe, as events carry it.")
    address: WebAddress = Field(
        description="Backtrace's own address.", examples=["https://yourname.sp.backtrace.io"]
    )


class Display(Settings):
    """Which sections the ticket's body has (Common Settings: Display Settings)."""

    classifiers: bool = Field(default=True, description="Show the classifiers.")
    callstack: bool = Field(default=True, description="Show the call stack.")
    attributes: bool = Field(default=True, description="Show the attributes.")
    attribute_list: tuple[Text, ...] = Field(
        default=(),
        description="Attribute List: the attributes to show, in this order. Empty: all of them.",
        examples=[["version", "environment"]],
    )
    include_hostname: bool = Field(
        default=True,
        description="Include hostname in attributes. If not, the attribute hostname is left out.",
    )


ANY_ATTRIBUTE = "*"


class ActionKind(StrEnum):
    """What an action does with an event that it matches."""

    SUBMIT = "submit"
    FILTER = "filter"
    MENTION = "mention"


class Action(Settings):
    """One line of the ordered list of Common Settings."""

    action: ActionKind = Field(
        description="submit, filter or mention. The last submit or filter that matches decides; none: submit."
    )
    attribute: Text = Field(
        default=ANY_ATTRIBUTE,
        description="The attribute whose values are matched; * for any.",
        examples=["datacenter"],
    )
    regex: Annotated[str, AfterValidator(regular_expression)] = Field(
        default=".*",
        description="Regular expression (RE2), found anywhere in a value. Of several values any may match.",
        examples=["^nyc$"],
    )
    target: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._@:+-]{1,255}$")] | None
    ) = Field(
        default=None,
        description="Whom to mention, as Jira's markup has it: a user name, on Cloud accountid:5b10....",
        examples=["accountid:5b10a2844c20165700ede21g"],
    )

    @model_validator(mode="after")
    def _mention_has_a_target(self) -> Self:
        if (self.action is ActionKind.MENTION) != (self.target is not None):
            raise ValueError("a mention needs a target, and nothing else has one")
        return self


class EventKind(StrEnum):
    """What a ticket is made for (Common Settings: Event)."""

    GROUP = "group"
    TRACE = "trace"


LONGEST_FREQUENCY = 30 * 24 * 3600


class Integration(Settings):
    """One Backtrace project's way into one Jira project; the settings of the product page."""

    universe: Name = Field(description="Backtrace universe.")
    project: Name = Field(description="Backtrace project.")
    name: ParameterName = Field(description="Unique name; Backtrace shows it beside the ticket.")
    connection: ParameterName = Field(description="Name of the connection to use.")
    project_key: Text = Field(description="Project Key: the Jira project.", examples=["BUG"])
    issue_type: Text = Field(default="Bug", description="Issue Type.")
    subject: Text = Field(
        description="Subject: the ticket's Summary. $attribute stands for the value with the highest count.",
        examples=["$error.message in $application"],
    )
    labels_field: Text = Field(
        default="labels",
        description="Custom Field Mapping - Labels: the field that takes the label Backtrace.",
    )
    description_field: Text = Field(
        default="description",
        description="Custom Field Mapping - Description (Field for Main Body Text).",
    )
    custom_fields: dict[Text, str] = Field(
        default_factory=dict,
        description="Custom Fields: Jira field to text; $attribute is replaced, commas separate array values.",
        examples=[{"customfield_10010": "$version", "labels": "Backtrace,$environment"}],
    )

    display: Display = Field(default=Display(), description="Display settings: what the ticket's body shows.")
    actions: tuple[Action, ...] = Field(
        default=(),
        description="Ordered submit, filter and mention actions. Without any, every error group is submitted.",
    )
    event: EventKind = Field(
        default=EventKind.GROUP,
        description="Event: group makes one ticket for each error group, trace one for each error.",
    )
    frequency: int = Field(
        default=0,
        ge=0,
        le=LONGEST_FREQUENCY,
        description="Frequency: seconds that must pass after a group's ticket before its next error is due. 0: none.",
    )
    threshold: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Threshold: so many events of a group make one due, whatever the frequency says. 0: none.",
    )

    sync: Sync = Field(default=Sync(), description="State and Assignee, kept the same on both sides.")
    fix_versions: FixVersions = Field(
        default=FixVersions(), description="Jira's Fix Versions drive Backtrace's Resolved Until (beta)."
    )

    @property
    def id(self) -> str:
        """universe/project/name: the first half of a link's key."""
        return f"{self.universe}/{self.project}/{self.name}"

    @property
    def follows_tickets(self) -> bool:
        """Tell whether anything of a ticket is carried to its error groups."""
        return self.sync.jira_to_backtrace or self.fix_versions.enabled

    @property
    def follows(self) -> bool:
        """Tell whether ticket and error groups have to do with each other once they are linked."""
        return self.sync.on or self.fix_versions.enabled

    @property
    def pace(self) -> Pace:
        """Frequency and threshold."""
        return Pace(self.frequency, self.threshold)

    @property
    def parking_scope(self) -> str:
        """What a refusal by Jira is about, within a connection: project and issue type."""
        return f"{self.project_key}/{self.issue_type}"
