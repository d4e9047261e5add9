"""`backtrace-jira links check`: the look of the round through all links, at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.links.link import LinkKey
from tests.cli.checked_site import ID, Site
from tests.cli.conftest import Operator, shared_session
from tests.tables import new_table

FIRST, SECOND = "8910551e27a339e5", "77aa01be2390c0ff"


@pytest.fixture
def store(operator: Operator) -> DynamoDBSyncedLinks:
    client = shared_session().client("dynamodb")
    name = new_table(client)
    operator.put("deployment/links_table", name)
    for queue in ("error_events_queue", "jira_changes_queue"):
        operator.put(f"deployment/{queue}", f"https://sqs.eu-west-1.amazonaws.com/123456789012/{queue}")
    return DynamoDBSyncedLinks(Table(client, name))


@pytest.fixture
def site(cloud: Site, store: DynamoDBSyncedLinks) -> Site:
    """Give two links: the first one's ticket was closed without a word to us."""
    cloud.integration |= {"sync": {"backtrace_to_jira": True, "jira_to_backtrace": True}}
    cloud.store()
    for number, fingerprint in enumerate((FIRST, SECOND), 1):
        cloud.jira.create_issue("Found by hand")
        assert cloud.operator.call("links", "add", f"BUG-{number}", fingerprint).exit_code == 0
    report(cloud, "--all")
    cloud.jira.transition("BUG-1", "Done")
    return cloud


def report(site: Site, *arguments: str, code: int = 0) -> dict[str, Any]:
    result = site.operator.call("links", "check", *arguments, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def state(site: Site, fingerprint: str) -> str:
    found = site.backtrace.issue("my_project", fingerprint)
    assert found is not None
    return found.state


@pytest.mark.parametrize("chosen", [["--all"], ["BUG-1"], ["--integration", "jira-bugs"]])
def test_what_differs_is_brought_in_step(site: Site, chosen: list[str]) -> None:
    found = report(site, *chosen)
    assert (found["ok"], found["links"]) == (True, 1 if chosen == ["BUG-1"] else 2)
    (one,) = found["differing"]
    assert (one["ticket"], one["differences"], one["decision"]) == ("BUG-1", ["state in Jira"], "synced")
    assert (state(site, FIRST), state(site, SECOND)) == ("resolved", "in-progress")
    assert report(site, *chosen)["differing"] == []
    result = site.operator.call("links", "check", *chosen)
    assert result.output.endswith("compared with both sides: all in step.\n")


def test_what_is_refused_is_offered_again_at_once_and_said(site: Site, store: DynamoDBSyncedLinks) -> None:
    site.backtrace.refuse(FIRST, "locked")
    for _ in range(2):
        found = report(site, "--all", code=1)
        (one,) = found["differing"]
        assert (one["decision"], one["ok"]) == ("refused", False)
        assert "locked" in one["detail"]
    link = store.get(LinkKey(ID, FIRST))
    assert link is not None
    assert link.synced is not None
    assert "locked" in link.synced.problems[0]
    listed = json.loads(site.operator.call("links", "list", "--problems", "--json").stdout)["links"]
    assert [each["fingerprint"] for each in listed] == [FIRST]
    text = " ".join(site.operator.call("explain", FIRST).output.split())
    assert "once an hour at most" in text
    site.backtrace.refusals.clear()
    assert report(site, "--all")["differing"][0]["decision"] == "synced"
    assert json.loads(site.operator.call("links", "list", "--problems", "--json").stdout)["links"] == []


def test_a_server_that_fails_is_said(site: Site) -> None:
    site.jira.deny("BROWSE_PROJECTS")
    found = report(site, "--all", code=1)
    assert {each["detail"] for each in found["differing"]} == {
        f"BUG-{number} does not exist any more, or this account may not see it" for number in (1, 2)
    }
    site.backtrace.faults.add("POST", "/api/query", None, status=500)
    site.jira.allow("BROWSE_PROJECTS")
    found = report(site, "--all", code=1)
    assert "groups of my_universe/my_project" in found["failures"][0]


def test_a_ticket_without_a_link_is_no_ticket_in_step(site: Site) -> None:
    found = report(site, "BUG-77", code=1)
    assert found["error"].startswith("There is no link of BUG-77.")


def test_where_nothing_is_kept_the_same_nothing_is_said_to_be_in_step(site: Site) -> None:
    site.integration |= {"sync": {}}
    site.store()
    result = site.operator.call("links", "check", "--all")
    assert result.exit_code == 0
    assert "No link was compared" in result.output


@pytest.mark.parametrize("wrong", [[], ["BUG-1", "--all"], ["not a key"], ["--integration", "none"]])
def test_wrong_usage(site: Site, wrong: list[str]) -> None:
    assert report(site, *wrong, code=2)["ok"] is False
