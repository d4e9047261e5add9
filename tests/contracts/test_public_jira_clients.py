"""Public Jira clients, written by people who knew a real Jira, work against the stand-in.

Packages: `jira` and `atlassian-python-api`. They judge the stand-in, not the other way round: only its answers are
held against Atlassian's documents (one of them sends a transition's id as a number, which Jira forgives).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import atlassian
import jira as pycontribs
import pytest

from local.jira_stand_in import JiraStandIn, custom_field
from local.jira_stand_in.model import Flavour
from tests.contracts.openapi import assert_valid

FLAVOURS: tuple[Flavour, ...] = ("cloud", "data-center")
FIELDS: dict[str, Any] = {
    "project": {"key": "BUG"},
    "issuetype": {"name": "Bug"},
    "summary": "It crashed",
    "description": "{{main}} fell over",
    "labels": ["bt-abc", "Backtrace"],
}


@pytest.fixture(params=FLAVOURS)
def stand_in(request: pytest.FixtureRequest) -> Iterator[JiraStandIn]:
    flavour: Flavour = request.param
    with JiraStandIn(flavour, context_path="/jira") as jira:
        jira.add_field(custom_field("customfield_10010", "Team", "select", options=["red", "blue"]))
        jira.add_version("1.0")
        yield jira
        assert_valid(jira.requests, flavour, check_requests=False)


class TestPycontribs:
    """The package `jira`."""

    @pytest.fixture
    def client(self, stand_in: JiraStandIn) -> Iterator[Any]:
        options = {"server": stand_in.site_url, "check_update": False}
        client = pycontribs.JIRA(options, basic_auth=(stand_in.user, stand_in.token), max_retries=0)
        yield client
        client.close()

    def test_create_read_search_transition(self, client: Any, stand_in: JiraStandIn) -> None:
        created = client.create_issue(fields=FIELDS | {"customfield_10010": {"value": "red"}})
        assert created.key == "BUG-1"
        issue = client.issue("BUG-1")
        assert issue.fields.summary == "It crashed"
        assert issue.fields.customfield_10010.value == "red"
        assert issue.fields.status.name == "To Do"
        found = client.search_issues('project = BUG AND labels = "bt-abc" ORDER BY created ASC')
        assert [hit.key for hit in found] == ["BUG-1"]
        assert found[0].fields.labels == ["bt-abc", "Backtrace"]
        assert [step["name"] for step in client.transitions(issue)] == ["In Progress", "Done"]
        client.transition_issue(issue, "Done")
        assert client.issue("BUG-1").fields.resolution.name == "Done"
        assert stand_in.issues["BUG-1"].status.category == "done"

    def test_pages_through_many(self, client: Any, stand_in: JiraStandIn) -> None:
        for number in range(7):
            stand_in.create_issue(f"number {number}")
        found = client.search_issues("project = BUG ORDER BY key ASC", maxResults=False, fields="summary")
        assert [hit.key for hit in found] == [f"BUG-{n}" for n in range(1, 8)]

    def test_change_assign_comment_link(self, client: Any, stand_in: JiraStandIn) -> None:
        stand_in.create_issue("It crashed")
        stand_in.add_user("jane", email="jane@example.com")
        issue = client.issue("BUG-1")
        issue.update(fields={"fixVersions": [{"name": "1.0"}]}, notify=True)
        assert [version.name for version in client.issue("BUG-1").fields.fixVersions] == ["1.0"]
        assert client.assign_issue("BUG-1", "jane@example.com" if stand_in.state.cloud else "jane")
        assert client.issue("BUG-1").fields.assignee.displayName == "Jane"
        client.add_comment("BUG-1", "Seen again")
        assert [comment.body for comment in client.comments("BUG-1")] == ["Seen again"]
        client.add_simple_link("BUG-1", {"url": "https://bt.example.com/1", "title": "The error"})
        assert [link.object.title for link in client.remote_links("BUG-1")] == ["The error"]
        client.add_issue_property("BUG-1", "backtrace", {"fingerprint": "abc"})
        assert client.issue_property("BUG-1", "backtrace").value.fingerprint == "abc"

    def test_metadata(self, client: Any, stand_in: JiraStandIn) -> None:
        assert client.myself()["displayName"] == "Fred F. User"
        assert [project.key for project in client.projects()] == ["BUG"]
        assert [version.name for version in client.project_versions("BUG")] == ["1.0"]
        assert "Team" in [field["name"] for field in client.fields()]
        assert client.my_permissions(projectKey="BUG", permissions="CREATE_ISSUES")["permissions"]
        if not stand_in.state.cloud:
            types = client.project_issue_types("BUG")
            assert types[0].name == "Bug"
            fields = client.project_issue_fields("BUG", types[0].id)
            assert "summary" in [field.fieldId for field in fields]

    def test_old_createmeta(self) -> None:
        with JiraStandIn("data-center", version="8.3.0") as old:
            options = {"server": old.site_url, "check_update": False}
            client = pycontribs.JIRA(options, basic_auth=(old.user, old.token), max_retries=0)
            meta = client.createmeta(
                projectKeys="BUG", issuetypeNames="Bug", expand="projects.issuetypes.fields"
            )
            client.close()
        assert meta["projects"][0]["issuetypes"][0]["fields"]["summary"]["required"]

    def test_refusals_arrive_with_their_text(self, client: Any) -> None:
        with pytest.raises(pycontribs.JIRAError) as refused:
            client.create_issue(fields=FIELDS | {"labels": ["a b"]})
        assert refused.value.status_code == 400
        assert "contains spaces" in refused.value.text
        with pytest.raises(pycontribs.JIRAError) as missing:
            client.issue("BUG-99")
        assert missing.value.status_code == 404


class TestAtlassianPythonApi:
    """The package `atlassian-python-api`, in its client for both products and in its Cloud client."""

    @pytest.fixture
    def client(self, stand_in: JiraStandIn) -> Iterator[Any]:
        cloud = stand_in.state.cloud
        client = atlassian.Jira(
            stand_in.site_url, username=stand_in.user, password=stand_in.token, cloud=cloud
        )
        yield client
        client.close()

    def test_create_read_search_transition(self, client: Any, stand_in: JiraStandIn) -> None:
        created = client.issue_create(fields=FIELDS)
        assert created["key"] == "BUG-1"
        assert client.issue("BUG-1")["fields"]["summary"] == "It crashed"
        found = client.jql('project = BUG AND labels = "bt-abc"')
        assert [issue["key"] for issue in found["issues"]] == ["BUG-1"]
        assert [step["to"] for step in client.get_issue_transitions("BUG-1")] == ["In Progress", "Done"]
        client.set_issue_status("BUG-1", "Done")
        assert client.get_issue_status("BUG-1") == "Done"
        assert stand_in.issues["BUG-1"].fields["resolution"]["name"] == "Done"

    def test_the_rest_of_an_integration(self, client: Any, stand_in: JiraStandIn) -> None:
        client.issue_create(fields=FIELDS)
        client.update_issue_field("BUG-1", {"fixVersions": [{"name": "1.0"}]})
        assert stand_in.issues["BUG-1"].fields["fixVersions"]
        client.issue_add_comment("BUG-1", "Seen again")
        for title in ("one", "two"):
            client.create_or_update_issue_remote_links(
                "BUG-1", "https://bt.example.com", title, global_id="g"
            )
        assert [link["object"]["title"] for link in client.get_issue_remote_links("BUG-1")] == ["two"]
        client.set_issue_property("BUG-1", "backtrace", {"fingerprint": "abc"})
        assert client.get_issue_property("BUG-1", "backtrace")["value"] == {"fingerprint": "abc"}
        assert [version["name"] for version in client.get_project_versions("BUG")] == ["1.0"]
        assert client.issue_createmeta_issuetypes("BUG")["total"] == 4
        assert client.myself()["active"]
        assert client.issue_exists("BUG-1")

    def test_cloud_client(self) -> None:
        with JiraStandIn("cloud") as stand_in:
            client = atlassian.JiraCloud(
                stand_in.site_url, username=stand_in.user, password=stand_in.token, api_version=2
            )
            created = client.create_issue(data={"fields": FIELDS})
            assert client.get_issue(created["key"])["fields"]["summary"] == "It crashed"
            assert len(client.enhanced_jql_get_list_of_tickets("project = BUG", limit=5)) == 1
            client.do_transition("BUG-1", data={"transition": {"id": "31"}})
            assert client.get_transitions("BUG-1")["transitions"][0]["name"] == "To Do"
            client.close()
            assert_valid(stand_in.requests, "cloud", check_requests=False)
