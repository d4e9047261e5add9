"""`backtrace-jira check`: whether the field with the Fix Versions exists, is shown, and can be filled in."""

from __future__ import annotations

from typing import Any

import pytest

from local.jira_stand_in import custom_field
from tests.cli.checked_site import Site, lines_of
from tests.contracts.openapi import assert_valid


@pytest.fixture(params=["cloud", "9.12.0", "10.3.0"])
def site(request: pytest.FixtureRequest) -> Site:
    made: Site = (
        request.getfixturevalue("cloud")
        if request.param == "cloud"
        else request.getfixturevalue("on_site")(request.param)
    )
    made.integration["fix_versions"] = {"enabled": True}
    made.jira.create_issue("An issue to look at")
    return made


def finding(site: Site, **fixes: Any) -> dict[str, Any]:
    site.integration["fix_versions"] = {"enabled": True, **fixes}
    found = site.findings()["fix_versions"]
    assert_valid(site.jira.requests, "cloud" if site.jira.state.cloud else "data-center")
    return found


def own_name(site: Site) -> str:
    return "Fix versions" if site.jira.state.cloud else "Fix Version/s"


def test_jiras_own_field_on_the_edit_screen(site: Site) -> None:
    found = finding(site)
    assert found["status"] == "ok"
    assert found["found"] == f"{own_name(site)} (fixVersions), on the create screen and the edit screen"


@pytest.mark.parametrize("name", ["fixVersions", "Fix Version/s", "fix versions"])
def test_it_has_several_names(site: Site, name: str) -> None:
    assert finding(site, field=name)["status"] == "ok"


def test_it_is_not_asked_for_where_the_feature_is_off(site: Site) -> None:
    site.integration["fix_versions"] = {}
    before = len(site.jira.requests)
    assert site.findings()["fix_versions"]["found"] == "off (fix_versions.enabled)"
    assert not [
        each for each in site.jira.requests[before:] if "/field" in each.path or "search" in each.path
    ]


def test_a_field_that_nobody_has(site: Site) -> None:
    site.jira.add_field(custom_field("customfield_10300", "Fixed in", "versions"))
    found = finding(site, field="Repaired in")
    assert (found["status"], found["found"]) == ("failed", "Jira shows this account no field Repaired in")
    assert "another field as fix_versions.field" in found["remedy"]
    assert "Fixed in (customfield_10300)" in found["remedy"]
    assert finding(site, field="customfield_99999")["status"] == "failed"
    assert finding(site, field="Fixed in")["status"] == "ok"


def test_a_name_that_several_fields_have(site: Site) -> None:
    for number in (10300, 10301):
        site.jira.add_field(custom_field(f"customfield_{number}", "Fixed in", "versions"))
    found = finding(site, field="fixed in")
    assert found["status"] == "failed"
    assert found["found"] == "2 fields of Jira are called fixed in"
    assert "one of these: customfield_10300, customfield_10301." in found["remedy"]


def test_a_field_that_jira_hides(site: Site) -> None:
    site.jira.hide_field("fixVersions")
    found = finding(site)
    assert found["status"] == "failed"
    assert "hides Fix" in found["found"]
    assert found["found"].endswith("in BUG-1, so nobody knows its versions")
    assert "Show it in the field configuration of BUG" in found["remedy"]
    assert site.check().exit_code == 1


@pytest.mark.parametrize("on_create", [True, False])
def test_a_field_on_no_screen_on_which_people_change_a_ticket(site: Site, on_create: bool) -> None:
    site.jira.change_field("fixVersions", on_screen=on_create, editable=False)
    found = finding(site)
    assert found["status"] == "warning"
    assert "on no screen on which people change BUG-1" in found["found"]
    assert ("only on the create screen" in found["found"]) is on_create
    assert "Put it on the edit screen of BUG Bug" in found["remedy"]
    line = lines_of(site.check())["fix_versions"]
    assert line[0] == "warning"


def test_a_field_on_the_screen_on_which_people_resolve(site: Site) -> None:
    field = site.jira.project().issue_types[0].screen["fixVersions"]
    site.jira.change_field("fixVersions", on_screen=False)
    done = next(step for step in site.jira.project().workflow.transitions if step.name == "Done")
    done.screen["fixVersions"] = field
    found = finding(site)
    assert (found["status"], found["found"].rpartition(", ")[2]) == ("ok", "on the screen of Done")


def test_what_the_account_may_not_edit_says_nothing_of_the_edit_screen(site: Site) -> None:
    site.jira.deny("EDIT_ISSUES")
    assert finding(site)["found"].endswith(", on the create screen")
    site.jira.change_field("fixVersions", on_screen=False)
    found = finding(site)
    assert found["status"] == "warning"
    assert found["found"].endswith("other screens are not known, because this account may not edit BUG-1")


def test_a_project_without_an_issue(site: Site) -> None:
    site.jira.delete_issue("BUG-1")
    assert finding(site)["found"].endswith(", on the create screen")
    site.jira.change_field("fixVersions", on_screen=False)
    assert finding(site)["found"].endswith("because there is no issue to look at")


@pytest.mark.parametrize(("kind", "named"), [("text", "string"), ("select", "option"), ("labels", "string")])
def test_a_field_whose_text_is_read(site: Site, kind: str, named: str) -> None:
    options = ("2.4",) if kind == "select" else ()
    site.jira.add_field(custom_field("customfield_10300", "Fixed in", kind, options=options))
    found = finding(site, field="Fixed in")
    assert (found["status"], found["details"]) == ("warning", [])
    assert found["found"].endswith(f"is no version field but a {named}")
    (note,) = finding(site, field="Fixed in", when="released")["details"]
    assert note == "when: released waits for nothing: a text counts as released"


@pytest.mark.parametrize("kind", ["date", "user", "version"])
def test_a_field_of_another_type(site: Site, kind: str) -> None:
    site.jira.add_field(custom_field("customfield_10300", "Fixed in", kind))
    found = finding(site, field="Fixed in")
    assert found["status"] == ("ok" if kind == "version" else "failed")
    assert kind == "version" or f"holds values of the type {kind}, and no versions" in found["found"]


def test_names_that_say_less_to_backtrace_than_to_people(site: Site) -> None:
    for name in ("2.4", "2.4-rc1", "2.4-HF1", "2.4.1.7", "2.4-hotfix.1"):
        site.jira.add_version(name)
    site.jira.add_version("Next", archived=True)
    found = finding(site)
    assert found["status"] == "warning"
    assert found["found"].endswith("the edit screen; of 5 versions, 4 say less to Backtrace than to people")
    assert "fix_versions.regex" in found["remedy"]
    assert [detail.partition(": ")[0] for detail in found["details"]] == [
        "2.4-rc1",
        "2.4-HF1",
        "2.4.1.7",
        "2.4-hotfix.1",
    ]
    assert found["details"][0].endswith(
        "not every order of versions reads 2.4.0-rc1 alike: as plain text it is after 2.4.0"
    )


def test_many_such_names_are_counted(site: Site) -> None:
    for number in range(12):
        site.jira.add_version(f"Sprint {number}")
    found = finding(site)
    assert len(found["details"]) == 11
    assert found["details"][-1] == "and 2 more"


def test_what_is_wrong_with_the_field_comes_before_its_names(site: Site) -> None:
    site.jira.add_version("Next")
    assert finding(site, field="Repaired in")["status"] == "failed"
