"""`backtrace-jira check`: what is fine, what is told and how, and that no account is put at risk."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cli.checked_site import ID, ORDER, Site, lines_of
from tests.cli.conftest import Operator

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


# ── nobody's account is put at risk ──


def test_a_refused_credential_is_not_sent_again_for_another_integration(cloud: Site) -> None:
    cloud.jira_secret = "canary-wrong"
    cloud.put("integrations/my_universe/my_project/other", cloud.integration | {"name": "other"})
    twin = cloud.connection | {"name": "twin"}
    cloud.put("connections/twin", twin)
    cloud.put("secrets/jira/twin", "canary-wrong", "SecureString")
    third = cloud.integration | {"name": "third", "connection": "twin"}
    cloud.put("integrations/my_universe/my_project/third", third)
    result = cloud.check()
    assert result.exit_code == 1
    assert result.stdout.count("✗ credential ") == 3
    assert len(cloud.shown) == 1
    assert cloud.jira.main_user.failures == 1


def test_a_refused_backtrace_token_is_not_sent_again(cloud: Site) -> None:
    cloud.backtrace_secret = "canary-wrong"
    cloud.put("integrations/my_universe/other/jira-bugs", cloud.integration | {"project": "other"})
    assert cloud.check().exit_code == 1
    assert len(cloud.backtrace.requests) == 1


def test_what_two_integrations_share_is_asked_once(cloud: Site) -> None:
    cloud.put("integrations/my_universe/my_project/other", cloud.integration | {"name": "other"})
    assert cloud.check().exit_code == 0
    assert cloud.jira.count("GET", "/myself") == 1
    assert cloud.jira.count("GET", "/serverInfo") == 1
    assert len(cloud.backtrace.requests) == 2


def test_a_site_that_tells_nothing_to_strangers(on_site: Callable[..., Site]) -> None:
    site = on_site()
    site.jira.faults.add("GET", "/serverInfo", 1, status=401, body={"message": "sign in"})
    found = site.findings()
    assert {each["status"] for each in found.values()} == {"ok"}
    assert "wants a sign-in" in found["reachable"]["found"]
    assert "10.3.0" in found["server"]["found"]


# ── the create screen ──


def test_six_required_fields_of_different_types(cloud: Site) -> None:
    cloud.field(10001, "Team", "select", options=("Red", "Green"), required=True)
    cloud.field(10002, "Size", "number", required=True)
    cloud.field(10003, "Tester", "user", required=True)
    cloud.field(10004, "Seen on", "date", required=True)
    cloud.field(10005, "Parts", "multiselect", options=("Engine", "Wheel, front"), required=True)
    cloud.field(10006, "Region", "cascading", options={"EU": ("DE", "FR"), "US": ()}, required=True)
    cloud.integration["custom_fields"] = {"Size": "3", "Parts": "Wheel, front"}
    found = cloud.findings()
    assert [name for name, each in found.items() if each["status"] == "failed"] == ["required_fields"]
    team, tester, seen, region = found["required_fields"]["details"]
    assert team == "Team (customfield_10001) takes one of these: Red, Green"
    assert "Tester (customfield_10003) takes a user" in tester
    assert "a date such as 2019-05-11" in seen
    assert "EU, EU -> DE, EU -> FR, US" in region


def test_a_required_field_that_only_an_attribute_fills_is_a_warning(cloud: Site) -> None:
    cloud.field(10001, "Build", required=True)
    cloud.integration["custom_fields"] = {"Build": "$version"}
    finding = cloud.findings()["required_fields"]
    assert finding["status"] == "warning"
    assert "$version" in finding["details"][0]


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        (["state", "assignee"], "Transition Issues and Assign Issues"),
        (["state"], "Transition Issues"),
        (["assignee"], "Assign Issues"),
    ],
)
def test_what_synchronisation_needs_in_jira_is_a_warning(cloud: Site, fields: list[str], lacks: str) -> None:
    cloud.jira.deny("TRANSITION_ISSUES", "ASSIGN_ISSUES")
    assert cloud.findings()["permission"]["status"] == "ok"
    cloud.integration["sync"] = {"backtrace_to_jira": True, "fields": fields}
    told = cloud.findings()["permission"]
    assert told["status"] == "warning"
    assert f"lacks {lacks}:" in told["found"]


@pytest.mark.parametrize(
    ("action", "lacks"),
    [
        ("reopen", "Transition Issues and Add Comments"),
        ("comment", "Add Comments"),
        ("new_ticket", "Link Issues"),
        ("leave", ""),
    ],
)
def test_what_regressions_need_in_jira_is_a_warning(cloud: Site, action: str, lacks: str) -> None:
    cloud.jira.deny("TRANSITION_ISSUES", "ADD_COMMENTS", "LINK_ISSUES")
    cloud.integration["fix_versions"] = {"enabled": True, "on_regression": action}
    told = cloud.findings()["permission"]
    assert told["status"] == ("warning" if lacks else "ok")
    assert lacks in told["found"]


@pytest.mark.parametrize("attribute", ["app_version", "version"])
def test_the_version_attribute_has_to_be_indexed(cloud: Site, attribute: str) -> None:
    cloud.integration["fix_versions"] = {"enabled": True, "attribute": attribute}
    found = [each for each in cloud.findings().values() if "fix_versions.attribute" in str(each)]
    assert bool(found) is (attribute == "app_version")


def test_mapped_fields_take_the_place_of_labels_and_description(cloud: Site) -> None:
    cloud.jira.remove_field("labels")
    cloud.jira.remove_field("description")
    cloud.field(10001, "Tags", "labels")
    cloud.field(10002, "Details", "textarea", required=True)
    cloud.integration |= {"labels_field": "tags", "description_field": "Details"}
    found = cloud.findings()
    assert {each["status"] for each in found.values()} == {"ok"}
    assert "Tags (customfield_10001) and Details" in found["labels_and_description"]["found"]


def test_a_required_field_in_the_place_of_the_description_is_told_once(cloud: Site) -> None:
    cloud.jira.remove_field("description")
    cloud.field(10001, "Details", "textarea", required=True)
    found = cloud.findings()
    assert [name for name, each in found.items() if each["status"] == "failed"] == ["labels_and_description"]
    assert found["labels_and_description"]["details"] == [
        "Details (customfield_10001) may be the one for description_field"
    ]


@pytest.mark.parametrize(
    ("name", "check"), [("project", "project"), ("IssueType", "issue_type")], ids=["project", "issue type"]
)
def test_what_comes_from_an_attribute_cannot_be_known(cloud: Site, name: str, check: str) -> None:
    cloud.integration["custom_fields"] = {name: "$environment"}
    report = cloud.report()
    found = {each["check"]: each for each in report["integrations"][0]["checks"]}
    assert report["exit_code"] == 0
    assert found[check]["status"] == "warning"
    assert f"custom_fields.{name}" in found[check]["found"]
    assert found["required_fields"]["status"] == "not_checked"


def test_a_server_without_create_metadata(on_site: Callable[..., Site]) -> None:
    site = on_site("8.20.0")
    site.jira.faults.add("GET", "/issue/createmeta", None, status=404, body={"message": "no"})
    found = site.findings()
    assert found["issue_type"]["status"] == "warning"
    assert found["custom_fields"]["status"] == "not_checked"


def test_a_server_that_repeats_the_secret(cloud: Site) -> None:
    said = {"errorMessages": [f"You sent {cloud.jira_secret}"], "errors": {}}
    cloud.jira.faults.add("GET", "/mypermissions", None, status=400, body=said)
    result = cloud.check()
    assert "You sent ***" in lines_of(result)["project"][1]
    assert cloud.jira_secret not in result.output + json.dumps(cloud.report())


# ── which integration ──


def test_an_integration_by_id_or_by_a_name_that_is_its_own(cloud: Site) -> None:
    cloud.put("integrations/my_universe/other/jira-bugs", cloud.integration | {"project": "other"})
    cloud.put(
        "integrations/my_universe/other/second", cloud.integration | {"project": "other", "name": "second"}
    )
    cloud.backtrace.add_project("other")
    assert [each["integration"] for each in cloud.report(ID)["integrations"]] == [ID]
    assert [each["integration"] for each in cloud.report("second")["integrations"]] == [
        "my_universe/other/second"
    ]
    assert len(cloud.report()["integrations"]) == 3
    ambiguous = cloud.check("jira-bugs")
    assert ambiguous.exit_code == 2
    assert "my_universe/other/jira-bugs" in ambiguous.stderr
    unknown = cloud.check("nope")
    assert unknown.exit_code == 2
    assert ID in unknown.stderr


def test_nothing_is_stored(operator: Operator) -> None:
    result = operator.call("check")
    assert (result.exit_code, "configure" in result.stderr) == (2, True)
    elsewhere = operator.call("check", "--prefix", "/elsewhere/dev", "--region", "us-east-1")
    assert "No integration is stored below /elsewhere/dev in us-east-1." in elsewhere.stderr


# ── how it is told ──


def test_the_report_for_machines(cloud: Site) -> None:
    cloud.integration["project_key"] = "NOPE"
    report = cloud.report()
    assert list(report) == ["ok", "exit_code", "error", "faults", "prefix", "region", "integrations"]
    assert (report["ok"], report["exit_code"]) == (False, 1)
    assert report["error"] == f"1 check failed: project of {ID}."
    (found,) = report["integrations"]
    assert {key: found[key] for key in ("integration", "connection", "ok", "ticket")} == {
        "integration": ID,
        "connection": "main",
        "ok": False,
        "ticket": None,
    }
    assert [each["check"] for each in found["checks"]] == ORDER
    assert set(found["checks"][0]) == {"check", "status", "found", "remedy", "details"}
    assert [each["status"] for each in found["checks"]][5:8] == ["failed", "not_checked", "not_checked"]


def test_no_colour_and_no_signs_that_the_output_does_not_have(
    cloud: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in cloud.check().output
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    cloud.integration["project_key"] = "NOPE"
    result = cloud.check()
    assert "  ok   endpoint" in result.stdout
    assert "  FAIL project " in result.stdout
    assert " -> Correct project_key" in result.stdout
    result.stdout.encode("ascii")


def test_colour_at_a_terminal(cloud: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[32m" in cloud.check().stdout


def test_a_server_cannot_write_on_the_terminal(cloud: Site) -> None:
    cloud.jira.main_user.display_name = "Fred\x1b[31m"
    assert "\x1b" not in cloud.check().output


# ── a ticket on trial ──


def test_a_test_ticket_says_what_it_is_and_where(cloud: Site) -> None:
    result = cloud.check("--create-test-ticket")
    assert result.exit_code == 0, result.output
    (issue,) = cloud.jira.issues.values()
    status, text = lines_of(result)["test_ticket"]
    assert status == "ok"
    assert f"{cloud.jira.site_url}/browse/{issue.key}" in text
    assert "Test by backtrace-jira check" in issue.fields["summary"]
    assert "Backtrace" in issue.fields["labels"]


def test_the_address_of_a_test_ticket_for_machines(cloud: Site) -> None:
    ticket = cloud.report(ID, "--create-test-ticket")["integrations"][0]["ticket"]
    assert ticket["key"] in cloud.jira.issues
    assert ticket["url"].endswith(f"/browse/{ticket['key']}")


def test_no_test_ticket_unless_all_is_well(cloud: Site) -> None:
    cloud.backtrace_secret = "canary-wrong"
    result = cloud.check("--create-test-ticket")
    assert result.exit_code == 1
    assert lines_of(result)["test_ticket"][0] == "not_checked"
    assert cloud.jira.issues == {}


def test_a_test_ticket_is_made_for_one_integration(cloud: Site) -> None:
    cloud.put("integrations/my_universe/my_project/other", cloud.integration | {"name": "other"})
    assert cloud.check("--create-test-ticket").exit_code == 2
    assert cloud.jira.requests == []


def test_a_refused_test_ticket_has_jiras_words(cloud: Site) -> None:
    cloud.jira.add_validator(lambda fields: "Please provide a reason")
    result = cloud.check("--create-test-ticket")
    assert result.exit_code == 1
    assert "Please provide a reason" in lines_of(result)["test_ticket"][1]


def test_a_server_without_create_metadata_is_tried_with_a_ticket(on_site: Callable[..., Site]) -> None:
    site = on_site("8.20.0")
    site.jira.faults.add("GET", "/issue/createmeta", None, status=404, body={"message": "no"})
    assert site.check("--create-test-ticket").exit_code == 0
    assert len(site.jira.issues) == 1


def test_a_test_ticket_without_an_answer_is_not_repeated(cloud: Site) -> None:
    cloud.jira.faults.add("POST", "/issue$", 1, drop_after=True)
    result = cloud.check("--create-test-ticket")
    assert "Jira may have created it" in lines_of(result)["test_ticket"][1]
    assert len(cloud.jira.issues) == 1
