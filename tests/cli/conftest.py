"""An emulated Parameter Store within the process, and the command line as an operator calls it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import botocore.client
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from typer.testing import CliRunner, Result

from backtrace_jira_cli.app import app
from backtrace_jira_cli.deployment import link_table, parameter_store
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from local.jira_stand_in import JiraStandIn
from tests.cli.checked_site import Site

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

REGION = "eu-west-1"
PREFIX = "/backtrace-jira/dev"
JIRA_TOKEN = "canary-jira-token-5f2c"
BACKTRACE_TOKEN = "canary-backtrace-token-91ab"
SETTINGS: dict[str, Any] = {
    "connections": [
        {"name": "main", "jira_api": "https://yourname.atlassian.net/rest/api/2/", "email": "a@example.com"}
    ],
    "backtrace": [{"universe": "my_universe", "address": "https://yourname.sp.backtrace.io"}],
    "integrations": [
        {
            "universe": "my_universe",
            "project": "my_project",
            "name": "jira-bugs",
            "connection": "main",
            "project_key": "BUG",
            "subject": "$error.message",
        }
    ],
}
SECRETS = {"BACKTRACE_JIRA_TOKEN_MAIN": JIRA_TOKEN, "BACKTRACE_TOKEN_MY_UNIVERSE": BACKTRACE_TOKEN}


class SharedSession:
    """A session that makes each client once: the commands of all tests use the same.

    What a client remembers is a budget of retries; no settings, and no data. It is spared a description of this
    machine for each request.
    """

    def __init__(self, profile_name: str | None, region_name: str | None) -> None:
        self._session: Any = boto3.Session(profile_name=profile_name, region_name=region_name)
        self._clients: dict[tuple[object, ...], Any] = {}

    def client(self, service: str, config: Config | None = None, **options: str | None) -> Any:
        key = service, config, *sorted(options.items())
        if key not in self._clients:
            spared = Config(user_agent="tests")
            config = config.merge(spared) if config else spared
            self._clients[key] = self._session.client(service, config=config, **options)
        return self._clients[key]


_sessions: dict[tuple[object, ...], SharedSession] = {}


def shared_session(profile_name: str | None = None, region_name: str | None = None) -> SharedSession:
    """Return the session for these options and AWS's variables: another environment has a session of its own."""
    variables = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
    key = profile_name, region_name, *variables
    if key not in _sessions:
        _sessions[key] = SharedSession(profile_name, region_name)
    return _sessions[key]


@dataclass
class Operator:
    """Calls the command line, and can look at what is stored."""

    folder: Path
    ssm: SSMClient
    secrets: dict[str, str] = field(default_factory=lambda: dict(SECRETS))

    def configure(self, settings: object, *options: str, typing: str | None = None) -> Result:
        """Run `configure` on settings, as text or as data, without asking the sites that they name."""
        return self.configure_checked(settings, "--no-check", *options, typing=typing)

    def configure_checked(self, settings: object, *options: str, typing: str | None = None) -> Result:
        """Run `configure` as an operator does who adds no option."""
        file = self.folder / "settings.yaml"
        if isinstance(settings, bytes):
            file.write_bytes(settings)
        else:
            file.write_text(
                settings if isinstance(settings, str) else yaml.safe_dump(settings), encoding="utf-8"
            )
        return self.call("configure", str(file), *options, typing=typing)

    def call(self, *arguments: str, typing: str | None = None) -> Result:
        """Run any command."""
        result = CliRunner().invoke(app, arguments, input=typing, env=self.secrets)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def put(self, name: str, text: str, kind: Any = "String") -> None:
        """Write a parameter by hand."""
        self.ssm.put_parameter(Name=f"{PREFIX}/{name}", Value=text, Type=kind, Overwrite=True)

    def stored(self, prefix: str = PREFIX) -> dict[str, tuple[str, str]]:
        """Return type and value of everything below the prefix, by the rest of the name."""
        pages = self.ssm.get_paginator("get_parameters_by_path").paginate(
            Path=prefix, Recursive=True, WithDecryption=True
        )
        found = [parameter for page in pages for parameter in page["Parameters"]]
        return {p["Name"].removeprefix(f"{prefix}/"): (p["Type"], p["Value"]) for p in found}

    def json(self, settings: object, *options: str) -> dict[str, Any]:
        """Run `configure --json` and return its report."""
        report: dict[str, Any] = json.loads(self.configure(settings, "--json", *options).stdout)
        return report


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    for name in [name for name in os.environ if name.startswith(("AWS_", "BACKTRACE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for opened in (parameter_store, link_table):
        monkeypatch.setattr(opened, "boto3", SimpleNamespace(Session=shared_session))
    with mock_aws():
        yield Operator(tmp_path, shared_session().client("ssm"))


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


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(question: str) -> str:
        sys.stderr.write(question)
        return sys.stdin.readline().removesuffix("\n")

    monkeypatch.setattr("backtrace_jira_cli.console.on_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", typed)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every write that reaches SSM: (operation, name without the prefix)."""
    made: list[tuple[str, str]] = []
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def recorded(self: object, operation: str, arguments: dict[str, Any]) -> object:
        names = [arguments["Name"]] if "Name" in arguments else arguments.get("Names", [])
        if operation in ("PutParameter", "DeleteParameters"):
            made.extend((operation, name.removeprefix(f"{PREFIX}/")) for name in names)
        return original(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recorded)
    return made


def refuse(
    monkeypatch: pytest.MonkeyPatch, refuses: Callable[[str, dict[str, Any]], Exception | None]
) -> None:
    original = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: object, operation: str, arguments: dict[str, Any]) -> object:
        error = refuses(operation, arguments)
        if error:
            raise error
        return original(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)


def answered(code: str, operation: str, text: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)
