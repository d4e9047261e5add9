"""`configure` asks Jira and Backtrace before it writes anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.checked_site import ID, ORDER, Site, lines_of
from tests.cli.conftest import Operator, answered, refuse


def file_of(site: Site) -> dict[str, Any]:
    """Return the settings file, and set the environment's secrets."""
    site.operator.secrets = {
        "BACKTRACE_JIRA_TOKEN_MAIN": site.jira_secret,
        "BACKTRACE_TOKEN_MY_UNIVERSE": site.backtrace_secret,
    }
    return {
        "connections": [site.connection],
        "backtrace": [site.universe],
        "integrations": [site.integration],
    }


def test_what_works_is_written(cloud: Site) -> None:
    result = cloud.operator.configure_checked(file_of(cloud), "--yes")
    assert result.exit_code == 0, result.output
    lines = lines_of(result)
    assert list(lines) == ORDER
    assert {status for status, _ in lines.values()} == {"ok"}
    assert result.stdout.index("| new") < result.stdout.index("✓ endpoint") < result.stdout.index("Done")
    assert f"integrations/{ID}" in cloud.operator.stored()


def test_nothing_is_written_when_a_check_fails(cloud: Site, requests: list[tuple[str, str]]) -> None:
    cloud.integration["issue_type"] = "Defect"
    result = cloud.operator.configure_checked(file_of(cloud), "--yes")
    assert (result.exit_code, requests) == (1, [])
    assert lines_of(result)["issue_type"][0] == "failed"
    assert "Nothing was written" in result.stderr
    assert "--no-check" in result.stderr


@pytest.mark.usefixtures("at_terminal")
def test_nobody_is_asked_to_write_what_fails(cloud: Site) -> None:
    cloud.jira_secret = "canary-wrong"
    result = cloud.operator.configure_checked(file_of(cloud), typing="y\n")
    assert (result.exit_code, cloud.operator.stored()) == (1, {})
    assert "[y/N]" not in result.output
    assert len(cloud.shown) == 1
    assert "canary" not in result.output


def test_no_check_writes_it_as_it_is(cloud: Site) -> None:
    cloud.integration["issue_type"] = "Defect"
    assert cloud.operator.configure_checked(file_of(cloud), "--yes", "--no-check").exit_code == 0
    assert cloud.jira.requests == []
    assert len(cloud.operator.stored()) == 5


def test_kept_secrets_are_read_from_the_store(cloud: Site) -> None:
    file = file_of(cloud)
    cloud.store()
    cloud.operator.secrets = {}
    assert cloud.operator.configure_checked(file, "--yes").exit_code == 0
    assert cloud.jira.count("GET", "/myself") == 1


def test_a_new_secret_is_checked_and_not_the_stored_one(cloud: Site) -> None:
    cloud.store()
    cloud.jira_secret = "canary-wrong"
    result = cloud.operator.configure_checked(file_of(cloud), "--yes")
    assert result.exit_code == 1
    assert lines_of(result)["credential"][0] == "failed"
    assert cloud.operator.stored()["secrets/jira/main"][1] == cloud.jira.token


def test_kept_secrets_that_may_not_be_read_are_not_checked(
    cloud: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = file_of(cloud)
    cloud.store()
    cloud.operator.secrets = {}
    denied = answered("AccessDeniedException", "GetParameter")
    refuse(monkeypatch, lambda operation, _: denied if operation == "GetParameter" else None)
    result = cloud.operator.configure_checked(file, "--yes")
    assert result.exit_code == 0, result.output
    assert "ssm:GetParameter" in lines_of(result)["credential"][1]


def test_a_dry_run_checks_what_is_known(cloud: Site) -> None:
    file = file_of(cloud)
    cloud.operator.secrets = {}
    result = cloud.operator.configure_checked(file, "--dry-run")
    assert result.exit_code == 0, result.output
    lines = lines_of(result)
    assert [name for name, (status, _) in lines.items() if status == "ok"] == ["endpoint", "reachable"]
    assert "not known yet" in lines["credential"][1]
    assert "not known yet" in lines["backtrace"][1]
    assert cloud.shown == []


def test_a_dry_run_ends_badly_when_a_check_fails(cloud: Site) -> None:
    cloud.jira.faults.add("*", "/rest/", None, page=True)
    assert cloud.operator.configure_checked(file_of(cloud), "--dry-run").exit_code == 1


def test_what_is_stored_already_may_be_named(cloud: Site) -> None:
    file = file_of(cloud)
    cloud.store()
    result = cloud.operator.configure_checked({"integrations": file["integrations"]}, "--yes")
    assert result.exit_code == 0, result.output
    assert {status for status, _ in lines_of(result).values()} == {"ok"}


def test_a_connection_that_no_integration_uses_is_checked_alone(cloud: Site) -> None:
    file = file_of(cloud)
    result = cloud.operator.configure_checked({"connections": file["connections"]}, "--yes")
    assert result.exit_code == 0
    assert list(lines_of(result)) == ORDER[:5]
    assert "connection main" in result.stdout


def test_without_connections_and_integrations_nobody_is_asked(operator: Operator) -> None:
    universe = {"universe": "my_universe", "address": "https://yourname.sp.backtrace.io"}
    result = operator.configure_checked({"backtrace": [universe]}, "--yes")
    assert result.exit_code == 0
    assert "endpoint" not in result.stdout


def test_the_report_has_plan_and_checks(cloud: Site) -> None:
    cloud.integration["project_key"] = "NOPE"
    report = json.loads(cloud.operator.configure_checked(file_of(cloud), "--yes", "--json").stdout)
    assert (report["ok"], report["exit_code"]) == (False, 1)
    assert [change["done"] for change in report["changes"]] == [False] * 5
    (found,) = report["integrations"]
    assert [each["check"] for each in found["checks"] if each["status"] == "failed"] == ["project"]
