"""`backtrace-jira check`: each broken state names the one thing to mend, and no account is put at risk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import Result

from local.backtrace_stand_in import BacktraceStandIn
from local.jira_stand_in import JiraStandIn, custom_field
from tests.cli.conftest import PREFIX, Operator

ORDER = [
    "endpoint", "reachable", "credential", "credential_kind", "server", "project", "permission", "issue_type",
    "required_fields", "labels_and_description", "custom_fields", "attributes", "backtrace",
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
        text = value if isinstance(value, str) else json.dumps(value)
        self.operator.ssm.put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type=kind, Overwrite=True)

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


@pytest.fixture
def backtrace() -> Iterator[BacktraceStandIn]:
    with BacktraceStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def cloud(operator: Operator, backtrace: BacktraceStandIn) -> Iterator[Site]:
    with JiraStandIn("cloud") as jira:
        yield Site(operator, jira, backtrace)


@pytest.fixture
def on_site(operator: Operator, backtrace: BacktraceStandIn) -> Iterator[Callable[..., Site]]:
    started: list[JiraStandIn] = []

    def make(version: str = "10.3.0", kind: str = "personal_access_token", context: str = "/jira") -> Site:
        jira = JiraStandIn("data-center", context_path=context, version=version).start()
        started.append(jira)
        site = Site(operator, jira, backtrace)
        site.connection["credential"] = kind
        if kind == "personal_access_token":
            site.jira_secret = jira.pat
            del site.connection["email"]
        return site

    yield make
    for jira in started:
        jira.stop()


def lines_of(result: Result) -> dict[str, tuple[str, str]]:
    """Read the lines of one integration: status and the rest, by the check's name."""
    found = re.findall(r"^  ([✓✗!-]) ([a-z]+(?: [a-z]+)*)  +(.*)$", result.stdout, re.MULTILINE)
    return {name.replace(" ", "_"): (SIGNS[sign], text) for sign, name, text in found}


# ── all is well ──


def test_all_is_well_on_cloud(cloud: Site) -> None:
    result = cloud.check()
    assert result.exit_code == 0, result.output
    lines = lines_of(result)
    assert list(lines) == ORDER
    assert {status for status, _ in lines.values()} == {"ok"}
    assert ID in result.stdout
    assert "Fred F. User" in lines["credential"][1]
    assert cloud.jira.issues == {}


def test_it_takes_few_requests(cloud: Site) -> None:
    cloud.check()
    assert len(cloud.jira.requests) <= 6
    assert len(cloud.backtrace.requests) == 2
    assert {exchange.method for exchange in cloud.jira.requests} == {"GET"}


@pytest.mark.parametrize("version", ["8.20.0", "9.12.0", "10.3.0"])
@pytest.mark.parametrize("kind", ["personal_access_token", "password", "api_token"])
def test_all_is_well_on_data_center(on_site: Callable[..., Site], version: str, kind: str) -> None:
    site = on_site(version, kind)
    result = site.check()
    assert result.exit_code == 0, result.output
    lines = lines_of(result)
    assert version in lines["server"][1]
    expected = "ok" if kind == "personal_access_token" else "warning"
    assert lines["credential_kind"][0] == expected
    assert {status for name, (status, _) in lines.items() if name != "credential_kind"} == {"ok"}


def test_a_custom_field_of_every_kind(cloud: Site) -> None:
    cloud.jira.add_user("jo", email="jo@example.com")
    cloud.integration["custom_fields"] = {
        cloud.field(10001, "Team", "select", options=("Red", "Green")): "red",
        "Size": "1.5",
        "Tester": "jo@example.com",
        "Build": "$version",
        "Where": "$environment",
        "labels": "Backtrace,$environment",
    }
    cloud.field(10002, "Size", "number")
    cloud.field(10003, "Tester", "user")
    cloud.field(10004, "Build", "text")
    cloud.field(10005, "Where", "select", options=("production", "staging"))
    found = cloud.findings()
    assert {each["status"] for each in found.values()} == {"ok"}, found
    (note,) = found["custom_fields"]["details"]
    assert "Where (customfield_10005)" in note
    assert "$environment" in note
