"""An integration in an emulated Parameter Store, and the stand-ins that it is about."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from typer.testing import Result

from local.backtrace_stand_in.stand_in import BacktraceStandIn
from local.jira_stand_in import JiraStandIn, custom_field

if TYPE_CHECKING:
    from tests.cli.conftest import Operator

ORDER = [
    "endpoint", "reachable", "credential", "credential_kind", "server", "project", "permission", "issue_type",
    "required_fields", "labels_and_description", "custom_fields", "fix_versions", "attributes", "backtrace",
]  # fmt: skip
ID = "my_universe/my_project/jira-bugs"
SIGNS = {"✓": "ok", "✗": "failed", "!": "warning", "-": "not_checked"}


@dataclass
class Site:
    """Settings of one integration as they are stored, and the servers that they are about."""

    operator: Operator
    jira: JiraStandIn
    backtrace: BacktraceStandIn
    connection: dict[str, Any] = field(default_factory=dict)
    integration: dict[str, Any] = field(default_factory=dict)
    universe: dict[str, Any] = field(default_factory=dict)
    jira_secret: str = ""
    backtrace_secret: str = ""

    def __post_init__(self) -> None:
        self.connection |= {"name": "main", "jira_api": self.jira.url, "email": self.jira.user}
        self.universe |= {"universe": "my_universe", "address": self.backtrace.url}
        self.integration |= {
            "universe": "my_universe",
            "project": "my_project",
            "name": "jira-bugs",
            "connection": "main",
            "project_key": "BUG",
            "subject": "$error.message in $application",
        }
        self.jira_secret, self.backtrace_secret = self.jira.token, self.backtrace.token

    def put(self, name: str, value: Any, kind: Any = "String") -> None:
        self.operator.put(name, value if isinstance(value, str) else json.dumps(value), kind)

    def store(self) -> None:
        self.put("connections/main", self.connection)
        self.put("backtrace/my_universe", self.universe)
        self.put(f"integrations/{ID}", self.integration)
        self.put("secrets/jira/main", self.jira_secret, "SecureString")
        self.put("secrets/backtrace/my_universe", self.backtrace_secret, "SecureString")

    def check(self, *options: str) -> Result:
        """Store what is set, and check it."""
        self.store()
        return self.operator.call("check", *options)

    def report(self, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.check("--json", *options).stdout)
        return found

    def findings(self) -> dict[str, dict[str, Any]]:
        return {each["check"]: each for each in self.report()["integrations"][0]["checks"]}

    def field(self, number: int, name: str, kind: str = "text", **more: Any) -> str:
        """Put a custom field on the screen."""
        self.jira.add_field(custom_field(f"customfield_{number}", name, kind, **more))
        return f"customfield_{number}"

    @property
    def shown(self) -> list[Any]:
        """Requests that carried the credential."""
        return [exchange for exchange in self.jira.requests if "Authorization" in exchange.headers]


def lines_of(result: Result) -> dict[str, tuple[str, str]]:
    """Read the lines of one integration: status and the rest, by the check's name."""
    found = re.findall(r"^  ([✓✗!-]) ([a-z]+(?: [a-z]+)*)  +(.*)$", result.stdout, re.MULTILINE)
    return {name.replace(" ", "_"): (SIGNS[sign], text) for sign, name, text in found}


@dataclass(frozen=True)
class Broken:
    """A state, the one check that has to fail, what it says, and what it tells to do."""

    check: str
    found: str
    remedy: str
    shown_at_most: int = 20
    """How often the credential may be sent."""


def assert_only(site: Site, broken: Broken) -> None:
    """Check that one line is wrong, the right one, and that a refused credential was sent once."""
    result = site.check()
    assert result.exit_code == 1, result.output
    lines = lines_of(result)
    assert list(lines) == ORDER
    wrong = {name: text for name, (status, text) in lines.items() if status == "failed"}
    assert list(wrong) == [broken.check], result.output
    found, _, remedy = wrong[broken.check].partition("→")
    assert broken.found in found
    assert broken.remedy in remedy
    assert len(site.shown) <= broken.shown_at_most
    refusals = [each for each in site.shown if each.status == 401 or "AUTH" in str(each.response_headers)]
    assert len([each for each in refusals if "OK" not in str(each.response_headers)]) <= 1
    assert "canary" not in result.output
    assert site.jira_secret not in result.output
