"""`backtrace-jira configure`: what is in Parameter Store afterwards, and what the operator is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from typer.testing import Result

from backtrace_jira.settings.connection import Connection
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.configure.configure_run import ConfigureRun, Options, Preparation
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.parameter_store import ParameterStore
from backtrace_jira_cli.exits import Stop
from backtrace_jira_cli.faults import Fault
from tests.cli.conftest import (
    BACKTRACE_TOKEN,
    JIRA_TOKEN,
    PREFIX,
    SECRETS,
    SETTINGS,
    Operator,
    answered,
    refuse,
)

INTEGRATION = "integrations/my_universe/my_project/jira-bugs"
IN_ORDER = [
    "secrets/jira/main",
    "secrets/backtrace/my_universe",
    "connections/main",
    "backtrace/my_universe",
    INTEGRATION,
]


def with_integration(**changes: Any) -> dict[str, Any]:
    settings = copy.deepcopy(SETTINGS)
    settings["integrations"][0] |= changes
    return settings


def without(*sections: str) -> dict[str, Any]:
    return {name: items for name, items in SETTINGS.items() if name not in sections}


def test_settings_and_secrets_are_stored(operator: Operator) -> None:
    assert operator.configure(SETTINGS, "--yes").exit_code == 0
    stored = operator.stored()
    assert sorted(stored) == sorted(IN_ORDER)
    assert stored["secrets/jira/main"] == ("SecureString", JIRA_TOKEN)
    assert stored["secrets/backtrace/my_universe"] == ("SecureString", BACKTRACE_TOKEN)
    kind, text = stored[INTEGRATION]
    expected = Integration.model_validate(SETTINGS["integrations"][0])
    assert (kind, text) == ("String", expected.model_dump_json(exclude_none=True))
    assert Connection.model_validate_json(stored["connections/main"][1]).email == "a@example.com"


def test_secrets_come_first_and_integrations_last(
    operator: Operator, requests: list[tuple[str, str]]
) -> None:
    operator.configure(SETTINGS, "--yes")
    assert requests == [("PutParameter", name) for name in IN_ORDER]


def test_a_second_run_writes_nothing(operator: Operator, requests: list[tuple[str, str]]) -> None:
    operator.configure(SETTINGS, "--yes")
    requests.clear()
    result = operator.configure(SETTINGS)
    assert (result.exit_code, requests) == (0, [])
    assert "nothing to write" in result.stdout


def test_only_what_differs_is_written(operator: Operator, requests: list[tuple[str, str]]) -> None:
    operator.configure(SETTINGS, "--yes")
    requests.clear()
    result = operator.configure(with_integration(project_key="CRASH"), "--yes")
    assert requests == [("PutParameter", INTEGRATION)]
    assert [line for line in result.stdout.splitlines() if "changed " in f"{line} " and INTEGRATION in line]


def test_a_dry_run_writes_nothing_and_needs_no_secret(
    operator: Operator, requests: list[tuple[str, str]]
) -> None:
    operator.secrets = {}
    result = operator.configure(SETTINGS, "--dry-run")
    assert (result.exit_code, requests) == (0, [])
    assert "BACKTRACE_JIRA_TOKEN_MAIN" in result.stdout


def test_without_a_terminal_it_takes_yes_to_write(
    operator: Operator, requests: list[tuple[str, str]]
) -> None:
    result = operator.configure(SETTINGS)
    assert (result.exit_code, requests) == (2, [])
    assert "--yes" in result.stderr


@pytest.mark.usefixtures("at_terminal")
@pytest.mark.parametrize(("answer", "exit_code", "writes"), [("y\n", 0, 5), ("n\n", 1, 0), ("\n", 1, 0)])
def test_at_a_terminal_the_operator_is_asked(
    operator: Operator, requests: list[tuple[str, str]], answer: str, exit_code: int, writes: int
) -> None:
    result = operator.configure(SETTINGS, typing=answer)
    assert (result.exit_code, len(requests)) == (exit_code, writes)


def test_stage_and_prefix_say_where(operator: Operator) -> None:
    operator.configure(SETTINGS, "--yes", "--stage", "prod")
    operator.configure(SETTINGS, "--yes", "--prefix", "/teams/one/")
    assert len(operator.stored("/backtrace-jira/prod")) == len(operator.stored("/teams/one")) == 5
    assert operator.stored() == {}


@pytest.mark.parametrize(
    "options",
    [
        ["--stage", "a/b"],
        ["--stage", "dev", "--prefix", "/x"],
        ["--prefix", "x"],
        ["--prefix", "/aws/x"],
        ["--endpoint-url", "http://example.com"],
        ["--profile", "nobody"],
        ["--frobnicate"],
    ],
)
def test_wrong_options_are_wrong_usage(operator: Operator, options: list[str]) -> None:
    assert operator.configure(SETTINGS, "--yes", *options).exit_code == 2


def test_a_missing_file_is_wrong_usage(operator: Operator) -> None:
    assert operator.call("configure", str(operator.folder / "none.yaml")).exit_code == 2


def test_braces_are_escaped_because_ssm_takes_two_for_a_reference(operator: Operator) -> None:
    operator.configure(with_integration(subject="{{{$error}}} {{x}}"), "--yes")
    text = operator.stored()[INTEGRATION][1]
    assert "{{" not in text
    assert Integration.model_validate_json(text).subject == "{{{$error}}} {{x}}"


def test_large_settings_become_an_advanced_parameter(operator: Operator) -> None:
    report = operator.json(with_integration(subject="x" * 5000), "--yes")
    assert [change["note"] for change in report["changes"]][-1].startswith("advanced tier")
    assert len(operator.stored()[INTEGRATION][1]) > 5000


def test_the_report_for_machines(operator: Operator) -> None:
    report = operator.json(SETTINGS, "--yes")
    assert list(report) == [
        "ok", "exit_code", "error", "faults", "prefix", "region", "dry_run", "changes", "notes",
        "reopen_criteria",
    ]  # fmt: skip
    assert (report["ok"], report["exit_code"], report["prefix"]) == (True, 0, PREFIX)
    assert [change["parameter"] for change in report["changes"]] == [f"{PREFIX}/{name}" for name in IN_ORDER]
    first = {"parameter": f"{PREFIX}/secrets/jira/main", "kind": "secret", "change": "new", "done": True}
    assert first.items() <= report["changes"][0].items()


def test_the_report_of_a_file_that_is_not_valid(operator: Operator) -> None:
    report = operator.json(with_integration(project_key=""), "--yes")
    assert (report["ok"], report["exit_code"]) == (False, 2)
    assert report["faults"] == [
        {"where": "integrations[0].project_key", "expected": "is empty; write a text", "line": 12}
    ]


# ── what an integration names ──


@pytest.mark.parametrize("section", ["connections", "backtrace"])
def test_what_an_integration_names_may_be_stored_instead(operator: Operator, section: str) -> None:
    operator.configure(SETTINGS, "--yes")
    assert operator.configure(without(section), "--yes").exit_code == 0


def test_what_an_integration_names_has_to_be_somewhere(operator: Operator) -> None:
    report = operator.json(without("connections", "backtrace"), "--yes")
    assert report["exit_code"] == 2
    assert [fault["where"] for fault in report["faults"]] == [
        "integrations[0].connection",
        "integrations[0].universe",
    ]


def test_it_is_told_together_with_the_other_mistakes(operator: Operator) -> None:
    settings = {"integrations": [SETTINGS["integrations"][0] | {"project_key": ""}]}
    wheres = {fault["where"] for fault in operator.json(settings)["faults"]}
    assert wheres == {
        "integrations[0].connection",
        "integrations[0].universe",
        "integrations[0].project_key",
    }


# ── what is stored and not in the file ──


def test_what_is_not_in_the_file_is_listed_and_left_alone(
    operator: Operator, requests: list[tuple[str, str]]
) -> None:
    operator.configure(SETTINGS, "--yes")
    requests.clear()
    result = operator.configure({"connections": SETTINGS["connections"]}, "--yes")
    assert (result.exit_code, requests) == (0, [])
    assert result.stdout.count("not in this file") == 3
    assert "--prune" in result.stderr


def test_prune_deletes_what_names_something_before_what_it_names(
    operator: Operator, requests: list[tuple[str, str]]
) -> None:
    operator.ssm.put_parameter(Name=f"{PREFIX}/elsewhere/else", Value="kept", Type="String")
    operator.configure(SETTINGS, "--yes")
    requests.clear()
    other = {"connections": [SETTINGS["connections"][0] | {"name": "other"}]}
    operator.secrets["BACKTRACE_JIRA_TOKEN_OTHER"] = "x"
    assert operator.configure(other, "--yes", "--prune").exit_code == 0
    puts = [name for operation, name in requests if operation == "PutParameter"]
    deletes = [name for operation, name in requests if operation == "DeleteParameters"]
    assert puts == ["secrets/jira/other", "connections/other"]
    assert [name for _, name in requests] == puts + deletes
    assert [name.partition("/")[0] for name in deletes] == [
        "integrations", "backtrace", "connections", "secrets", "secrets",
    ]  # fmt: skip
    assert sorted(operator.stored()) == ["connections/other", "elsewhere/else", "secrets/jira/other"]


def test_prune_keeps_what_an_integration_of_the_file_names(operator: Operator) -> None:
    operator.configure(SETTINGS, "--yes")
    operator.configure(without("connections", "backtrace"), "--yes", "--prune")
    assert len(operator.stored()) == 5


@pytest.mark.usefixtures("at_terminal")
def test_prune_asks_before_it_deletes(operator: Operator) -> None:
    operator.configure(SETTINGS, "--yes")
    result = operator.configure({"connections": []}, "--prune", typing="n\n")
    assert "DELETE 5" in result.stderr
    assert len(operator.stored()) == 5


# ── when AWS says no ──


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "No AWS credentials"),
        (answered("ExpiredTokenException", "GetParametersByPath"), "ExpiredTokenException"),
        (answered("AccessDeniedException", "GetParametersByPath"), "ssm:GetParametersByPath"),
        (answered("InternalServerError", "GetParametersByPath"), "InternalServerError"),
        (EndpointConnectionError(endpoint_url="https://ssm"), "could not be reached"),
    ],
)
def test_a_store_that_cannot_be_read_is_one_sentence(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    refuse(monkeypatch, lambda *_: error)
    result = operator.configure(SETTINGS, "--yes")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert says in result.stderr


def test_no_region_is_one_sentence(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = operator.configure(SETTINGS, "--yes")
    assert result.exit_code == 2
    assert "--region" in result.stderr


def stops_at(name: str, error: BaseException) -> Callable[[str, dict[str, Any]], Any]:
    def refuses(operation: str, arguments: dict[str, Any]) -> Any:
        return error if operation == "PutParameter" and arguments["Name"] == f"{PREFIX}/{name}" else None

    return refuses


@pytest.mark.parametrize(
    "error",
    [answered("AccessDeniedException", "PutParameter", JIRA_TOKEN), KeyboardInterrupt()],
    ids=["denied", "interrupted"],
)
def test_a_failure_in_the_middle_says_what_is_done_and_can_be_run_again(
    operator: Operator, error: BaseException
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, stops_at("backtrace/my_universe", error))
        result = operator.configure(SETTINGS, "--yes")
    assert result.exit_code == 1
    assert "secrets/jira/main" in result.stderr
    assert "again is safe" in result.stderr
    assert JIRA_TOKEN not in result.output
    assert INTEGRATION not in operator.stored()
    assert operator.configure(SETTINGS, "--yes").exit_code == 0
    assert len(operator.stored()) == 5


def test_the_report_says_what_was_done_before_a_failure(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, stops_at("connections/main", answered("ThrottlingException", "PutParameter")))
    report = operator.json(SETTINGS, "--yes")
    assert report["exit_code"] == 1
    assert [change["done"] for change in report["changes"]] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("name", "kind"), [("secrets/jira/main", "String"), ("connections/main", "SecureString")]
)
def test_a_parameter_of_the_other_type_is_refused(
    operator: Operator, requests: list[tuple[str, str]], name: str, kind: Any
) -> None:
    operator.ssm.put_parameter(Name=f"{PREFIX}/{name}", Value="x", Type=kind)
    requests.clear()
    report = operator.json(SETTINGS, "--yes")
    assert (report["exit_code"], requests) == (1, [])
    assert [fault["where"] for fault in report["faults"]] == [f"{PREFIX}/{name}"]


# ── checks ──


def test_a_check_can_keep_everything_from_being_written(operator: Operator) -> None:
    seen: list[Preparation] = []

    def check(preparation: Preparation) -> list[Fault]:
        seen.append(preparation)
        return [Fault("integrations[0].project_key", "is not known to Jira")]

    configuring = ConfigureRun(
        lambda: ParameterStore(operator.ssm),
        ParameterNames(PREFIX),
        Console(machine=True),
        SECRETS,
        Options(yes=True),
        before_writing=[check],
    )
    with pytest.raises(Stop) as stopped:
        configuring.run(json.dumps(SETTINGS).encode())
    assert [fault.expected for fault in stopped.value.faults] == ["is not known to Jira"]
    assert seen[0].settings.integrations[0].project_key == "BUG"
    assert JIRA_TOKEN not in repr(seen)
    assert operator.stored() == {}


def test_output_is_plain_where_there_is_no_terminal(operator: Operator) -> None:
    result: Result = operator.configure(SETTINGS, "--yes")
    assert "\x1b" not in result.output
    assert "─" not in result.output
    assert f"{INTEGRATION} | new" in result.stdout


def test_colour_only_at_a_terminal_that_wants_it(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in operator.configure(SETTINGS, "--yes").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in operator.configure(with_integration(subject="new"), "--yes").stdout
