"""The Jira stand-in behaves as the wire facts say, and every answer passes Atlassian's own documents."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.jira_stand_in import Field, JiraStandIn, Status, Transition, Workflow, custom_field
from local.jira_stand_in.fields import RESOLUTION
from local.jira_stand_in.model import Flavour
from local.jira_stand_in.wiki import render
from tests.contracts.openapi import ContractViolation, altered, assert_valid, needs_documents

FLAVOURS: tuple[Flavour, ...] = ("cloud", "data-center")


class Clock:
    """A clock that moves when told."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Client:
    """The least a client can be: one signed-in session per stand-in."""

    def __init__(self, jira: JiraStandIn, auth: Any = None) -> None:
        self.jira = jira
        self.auth = auth or (jira.user, jira.token)

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        more.setdefault("auth", self.auth)
        if body is not None:
            more["json"] = body
        return requests.request(method, self.jira.url + path, timeout=10, **more)

    def get(self, path: str, **query: Any) -> Any:
        answer = self("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, **fields: Any) -> requests.Response:
        return self("POST", "issue", new(**fields))

    def found(self, jql: str, **more: Any) -> list[str]:
        path = "search/jql" if self.jira.state.cloud else "search"
        answer = self("POST", path, {"jql": jql, "fields": ["summary"], **more})
        assert answer.status_code == 200, answer.text
        return [issue["key"] for issue in answer.json()["issues"]]

    def refused(self, jql: str) -> str:
        path = "search/jql" if self.jira.state.cloud else "search"
        answer = self("POST", path, {"jql": jql})
        assert answer.status_code == 400, answer.text
        return str(answer.json()["errorMessages"])


def new(**fields: Any) -> dict[str, Any]:
    where = {"project": {"key": "BUG"}, "issuetype": {"name": "Bug"}, "summary": "It crashed"}
    return {"fields": {key: value for key, value in (where | fields).items() if value != "omit"}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=FLAVOURS)
def jira(request: pytest.FixtureRequest, clock: Clock) -> Iterator[JiraStandIn]:
    flavour: Flavour = request.param
    with JiraStandIn(flavour, clock=clock) as stand_in:
        yield stand_in
        assert_valid(stand_in.requests, flavour)


@pytest.fixture
def client(jira: JiraStandIn) -> Client:
    return Client(jira)


@pytest.fixture
def cloud(clock: Clock) -> Iterator[Client]:
    with JiraStandIn("cloud", clock=clock) as stand_in:
        yield Client(stand_in)
        assert_valid(stand_in.requests, "cloud")


@pytest.fixture
def data_center(clock: Clock) -> Iterator[Client]:
    with JiraStandIn("data-center", clock=clock) as stand_in:
        yield Client(stand_in)
        assert_valid(stand_in.requests, "data-center")


class TestMetadata:
    def test_server_info_is_open_and_tells_the_flavour(self, jira: JiraStandIn) -> None:
        info = requests.get(jira.url + "serverInfo", timeout=10).json()
        assert info["deploymentType"] == ("Cloud" if jira.state.cloud else "Server")
        assert info["versionNumbers"] == ([1001, 0, 0] if jira.state.cloud else [10, 3, 0])

    def test_real_headers_are_present(self, client: Client) -> None:
        headers = client("GET", "myself").headers
        assert "X-Arequestid" in headers
        assert ("Atl-Traceid" in headers) == client.jira.state.cloud
        assert headers.get("Server") == ("AtlassianEdge" if client.jira.state.cloud else None)

    def test_lists(self, client: Client) -> None:
        assert [c["key"] for c in client.get("statuscategory")] == [
            "undefined",
            "new",
            "indeterminate",
            "done",
        ]
        assert {s["name"] for s in client.get("status")} == {"To Do", "In Progress", "Done"}
        assert {t["name"] for t in client.get("issuetype")} == {"Bug", "Task", "Story", "Epic"}
        assert "Medium" in [p["name"] for p in client.get("priority")]
        assert "Done" in [r["name"] for r in client.get("resolution")]
        assert [p["key"] for p in client.get("project")] == ["BUG"]
        assert {"summary", "labels", "status"} <= {f["id"] for f in client.get("field")}

    def test_project_and_its_parts(self, client: Client) -> None:
        client.jira.add_component("Backend")
        client.jira.add_version("1.0", released=True, release_date="2026-01-02")
        client.jira.add_version("2.0")
        client.jira.add_version("0.9", archived=True)
        assert client.get("project/bug")["name"] == "Bug tracker"
        assert [c["name"] for c in client.get("project/BUG/components")] == ["Backend"]
        one, two, old = client.get("project/BUG/versions")
        assert (one["released"], one["releaseDate"], "releaseDate" in two) == (True, "2026-01-02", False)
        assert isinstance(one["id"], str)
        assert isinstance(one["projectId"], int)
        page = client.get("project/BUG/version", maxResults=2)
        assert (page["total"], page["isLast"], page["nextPage"][-9:]) == (3, False, "startAt=2")
        assert client.get(f"version/{old['id']}")["archived"]

    def test_versions_by_status_on_cloud(self, cloud: Client) -> None:
        cloud.jira.add_version("1.0", released=True)
        cloud.jira.add_version("2.0")
        page = cloud.get("project/BUG/version", status="unreleased", orderBy="-name")
        assert [v["name"] for v in page["values"]] == ["2.0"]

    def test_unknown_project_and_path(self, client: Client) -> None:
        answer = client("GET", "project/NOPEZZQ")
        assert answer.status_code == 404
        assert answer.json()["errorMessages"] == ["No project could be found with key 'NOPEZZQ'."]
        unknown = client("GET", "nothing/here")
        assert unknown.status_code == 404
        problem = "problem+json" in unknown.headers["Content-Type"]
        assert problem == client.jira.state.cloud

    def test_my_permissions_differ(self, cloud: Client, data_center: Client) -> None:
        assert cloud("GET", "mypermissions").status_code == 400
        unknown = cloud("GET", "mypermissions?permissions=FLY").json()
        assert unknown["errors"] == {"FLY": "Unrecognized permission"}
        cloud.jira.deny("CREATE_ISSUES")
        asked = cloud.get("mypermissions", permissions="CREATE_ISSUES,EDIT_ISSUES", projectKey="BUG")[
            "permissions"
        ]
        assert {key: item["havePermission"] for key, item in asked.items()} == {
            "CREATE_ISSUES": False,
            "EDIT_ISSUES": True,
        }
        everything = data_center.get("mypermissions")["permissions"]
        assert {"EDIT_ISSUE", "EDIT_ISSUES"} <= set(everything)


class TestCreatemeta:
    def test_new_dialects(self, client: Client) -> None:
        client.jira.add_field(
            custom_field("customfield_10010", "Team", "select", options=["red"], required=True)
        )
        key = "issueTypes" if client.jira.state.cloud else "values"
        types = client.get("issue/createmeta/BUG/issuetypes", maxResults=2)
        assert (len(types[key]), types["total"]) == (2, 4)
        assert ("isLast" in types) == (not client.jira.state.cloud)
        type_id = types[key][0]["id"]
        fields = client.get(f"issue/createmeta/BUG/issuetypes/{type_id}", maxResults=200)
        found = {f["fieldId"]: f for f in fields["fields" if client.jira.state.cloud else "values"]}
        assert found["customfield_10010"]["required"]
        assert found["customfield_10010"]["allowedValues"][0]["value"] == "red"
        assert found["priority"]["hasDefaultValue"]

    def test_too_large_a_page(self, client: Client) -> None:
        assert client("GET", "issue/createmeta/BUG/issuetypes?maxResults=201").status_code == 400

    def test_old_dialect_on_cloud(self, cloud: Client) -> None:
        plain = cloud.get("issue/createmeta", projectKeys="BUG", issuetypeNames="Bug")
        assert "fields" not in plain["projects"][0]["issuetypes"][0]
        full = cloud.get(
            "issue/createmeta", projectKeys="BUG", issuetypeNames="Bug", expand="projects.issuetypes.fields"
        )
        assert full["projects"][0]["issuetypes"][0]["fields"]["summary"]["required"]
        assert cloud.get("issue/createmeta", projectKeys="NOPE")["projects"] == []

    @pytest.mark.parametrize(
        ("version", "old", "new"), [("8.3.0", 200, 404), ("8.20.0", 200, 200), ("10.3.0", 404, 200)]
    )
    def test_dialects_by_data_center_version(self, version: str, old: int, new: int) -> None:
        with JiraStandIn("data-center", version=version) as jira:
            client = Client(jira)
            assert client("GET", "issue/createmeta?projectKeys=BUG").status_code == old
            assert client("GET", "issue/createmeta/BUG/issuetypes").status_code == new

    def test_without_permission(self, cloud: Client, data_center: Client) -> None:
        cloud.jira.deny("CREATE_ISSUES")
        data_center.jira.deny("CREATE_ISSUES")
        assert cloud.get("issue/createmeta")["projects"] == []
        assert data_center("GET", "issue/createmeta/BUG/issuetypes").status_code == 400

    def test_a_field_off_the_screen_is_not_listed(self, client: Client) -> None:
        client.jira.remove_field("labels")
        types = client.get("issue/createmeta/BUG/issuetypes")
        type_id = types.get("issueTypes", types.get("values"))[0]["id"]
        fields = client.get(f"issue/createmeta/BUG/issuetypes/{type_id}")
        assert "labels" not in [f["fieldId"] for f in fields.get("fields", fields.get("values"))]


class TestCreate:
    def test_answer_and_what_is_stored(self, client: Client) -> None:
        properties = [{"key": "backtrace", "value": {"fingerprint": "abc"}}]
        body = new(labels=["bt-abc", "Backtrace"], description="h1. Hello") | {"properties": properties}
        answer = client("POST", "issue", body)
        assert answer.status_code == 201
        assert set(answer.json()) == {"id", "key", "self"}
        issue = client.jira.issues["BUG-1"]
        assert issue.id == answer.json()["id"]
        assert issue.fields["labels"] == ["bt-abc", "Backtrace"]
        assert issue.properties == {"backtrace": {"fingerprint": "abc"}}
        read = client.get(
            "issue/BUG-1", fields="labels,status,-summary", properties="backtrace", expand="names"
        )
        assert set(read["fields"]) == {"labels", "status"}
        assert read["properties"] == {"backtrace": {"fingerprint": "abc"}}
        assert read["names"]["status"] == "Status"
        assert client.get("issue/" + issue.id)["fields"]["reporter"]["displayName"] == "Fred F. User"

    def test_missing_parts(self, client: Client) -> None:
        def errors(body: dict[str, Any]) -> dict[str, str]:
            answer = client("POST", "issue", body)
            assert answer.status_code == 400
            return dict(answer.json()["errors"])

        assert "project" in errors({"fields": {}})
        assert "issuetype" in errors(new(issuetype="omit"))
        assert "issuetype" in errors(new(issuetype={"name": "Incident"}))
        assert "project" in errors(new(project={"key": "NOPE"}))
        assert errors(new(summary="omit")) == {"summary": "You must specify a summary of the issue."}

    def test_recorded_cloud_texts(self, cloud: Client) -> None:
        json_type = {"Content-Type": "application/json"}
        empty = cloud("POST", "issue", data="", headers=json_type)
        assert empty.json()["errorMessages"] == ["No Issue Create payload supplied"]
        broken = cloud("POST", "issue", data="{", headers=json_type)
        text = "There was an error parsing JSON. Check that your request body is valid."
        assert broken.json() == {"errorMessages": [text]}
        assert cloud("POST", "issue", {"fields": {}}).json()["errors"] == {
            "project": "Specify a valid project ID or key"
        }
        assert cloud.create(issuetype="omit").json()["errors"] == {"issuetype": "Specify an issue type"}

    def test_off_screen_required_and_validator(self, client: Client) -> None:
        client.jira.remove_field("labels")
        assert client.create(labels=["a"]).json()["errors"] == {
            "labels": "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown."
        }
        client.jira.add_field(custom_field("customfield_10011", "Team"))
        client.jira.require_field("customfield_10011")
        assert client.create().json()["errors"] == {"customfield_10011": "Team is required."}
        client.jira.add_validator(
            lambda fields: None if fields.get("components") else "Please provide Component"
        )
        answer = client.create(customfield_10011="x")
        assert answer.status_code == 400
        assert answer.json() == {"errorMessages": ["Please provide Component"], "errors": {}}
        assert client.jira.issues == {}

    @pytest.mark.parametrize(
        ("summary", "ok"),
        [
            ("x" * 255, True),
            ("x" * 256, False),
            ("😀" * 127 + "x", True),
            ("😀" * 128, False),
            ("a\nb", False),
            ("a\rb", False),
            ("   ", False),
            (7, False),
        ],
    )
    def test_summary_rules(self, client: Client, summary: Any, ok: bool) -> None:
        answer = client.create(summary=summary)
        assert answer.status_code == (201 if ok else 400)
        if not ok:
            assert set(answer.json()["errors"]) == {"summary"}

    def test_text_limit_counts_utf16_units(self, client: Client) -> None:
        assert client.create(description="😀" * 16383 + "x").status_code == 201
        refused = client.create(description="😀" * 16384)
        assert "32,767 characters" in refused.json()["errors"]["description"]

    @pytest.mark.parametrize(
        ("labels", "text"),
        [
            (["Severity: high"], "The label 'Severity: high' contains spaces which is invalid."),
            ("Backtrace", "data was not an array"),
            ([1], "Operation value must be a string"),
        ],
    )
    def test_labels(self, client: Client, labels: Any, text: str) -> None:
        assert client.create(labels=labels).json()["errors"] == {"labels": text}

    def test_field_in_fields_and_update(self, client: Client) -> None:
        body = new(labels=["a"]) | {"update": {"labels": [{"add": "b"}]}}
        assert set(client("POST", "issue", body).json()["errors"]) == {"labels"}
        body = new() | {
            "update": {"labels": [{"add": "b"}, {"add": "c"}], "comment": [{"add": {"body": "hi"}}]}
        }
        assert client("POST", "issue", body).status_code == 201
        issue = client.jira.issues["BUG-1"]
        assert issue.fields["labels"] == ["b", "c"]
        assert issue.comments[0]["body"] == "hi"

    def test_nested_transition_may_fail_although_created(self, client: Client) -> None:
        worked = client("POST", "issue", new() | {"transition": {"id": "21"}}).json()
        assert worked["transition"]["status"] == 200
        assert client.jira.issues[worked["key"]].status.name == "In Progress"
        failed = client("POST", "issue", new() | {"transition": {"id": "99"}})
        assert failed.status_code == 201
        assert failed.json()["transition"]["status"] >= 400

    def test_properties_have_limits(self, client: Client) -> None:
        for properties in ([{"key": "k" * 256, "value": 1}], [{"key": "k", "value": "x" * 32768}]):
            assert client("POST", "issue", new() | {"properties": properties}).status_code == 400
        assert client.jira.issues == {}

    def test_permissions(self, client: Client) -> None:
        client.jira.deny("CREATE_ISSUES")
        assert client.create().status_code == (403 if client.jira.state.cloud else 400)
        client.jira.allow("CREATE_ISSUES")
        client.jira.deny("BROWSE_PROJECTS")
        assert client.create().status_code == 201
        assert client("GET", "issue/BUG-1").status_code == 404

    def test_twenty_at_once(self, client: Client) -> None:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: client.create(), range(20)))
        assert {a.json()["key"] for a in answers} == {f"BUG-{n}" for n in range(1, 21)}


BAD: list[tuple[str, Field, Any, str]] = [
    ("number", custom_field("customfield_1", "F", "number"), "5", "Operation value must be a number"),
    ("date", custom_field("customfield_1", "F", "date"), "09/Jun/19", "Error parsing date string: 09/Jun/19"),
    ("empty date", custom_field("customfield_1", "F", "date"), "", "Error parsing date string: "),
    (
        "datetime",
        custom_field("customfield_1", "F", "datetime"),
        "2026-01-01",
        "Error parsing time: 2026-01-01",
    ),
    (
        "option as text",
        custom_field("customfield_1", "F", "select", options=["red"]),
        "red",
        "Could not find valid 'id' or 'value' in the Parent Option object.",
    ),
    (
        "option unknown",
        custom_field("customfield_1", "F", "select", options=["red"]),
        {"value": "blue"},
        "Option value 'blue' is not valid",
    ),
    (
        "options not a list",
        custom_field("customfield_1", "F", "multiselect", options=["red"]),
        {"value": "red"},
        "data was not an array",
    ),
    (
        "text as object",
        custom_field("customfield_1", "F"),
        {"value": "x"},
        "Operation value must be a string",
    ),
    (
        "sprint as list",
        custom_field("customfield_1", "F", "sprint"),
        [1],
        "Number value expected as the Sprint id.",
    ),
    ("group", custom_field("customfield_1", "F", "group"), {"name": "nope"}, "Group 'nope' does not exist."),
    (
        "old select",
        custom_field("customfield_1", "F", "legacy-select", options=["red"]),
        "red",
        "Could not find valid 'id' or 'value' in the Parent Option object.",
    ),
]
GOOD: list[tuple[str, Field, Any]] = [
    ("number", custom_field("customfield_1", "F", "number"), 1.5),
    ("date", custom_field("customfield_1", "F", "date"), "2019-05-11"),
    ("datetime", custom_field("customfield_1", "F", "datetime"), "2019-05-11T10:29:29.908+1100"),
    ("option", custom_field("customfield_1", "F", "select", options=["red"]), {"value": "red"}),
    ("option id", custom_field("customfield_1", "F", "radio", options=["red"]), {"id": "10"}),
    ("options", custom_field("customfield_1", "F", "checkboxes", options=["a, b", "c"]), [{"value": "a, b"}]),
    (
        "cascading",
        custom_field("customfield_1", "F", "cascading", options={"Parent": ["Child"]}),
        {"value": "Parent", "child": {"value": "Child"}},
    ),
    ("labels", custom_field("customfield_1", "F", "labels"), ["a"]),
    ("sprint", custom_field("customfield_1", "F", "sprint"), 7),
    ("epic link", custom_field("customfield_1", "F", "epic-link"), "BUG-1"),
    ("group", custom_field("customfield_1", "F", "group"), {"name": "jira-users"}),
    ("nothing", custom_field("customfield_1", "F", "number"), None),
]


class TestFieldTypes:
    @pytest.mark.parametrize(
        ("field", "value", "text"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
    )
    def test_refused(self, client: Client, field: Field, value: Any, text: str) -> None:
        client.jira.add_field(field)
        assert client.create(customfield_1=value).json()["errors"] == {"customfield_1": text}

    @pytest.mark.parametrize(("field", "value"), [case[1:] for case in GOOD], ids=[case[0] for case in GOOD])
    def test_accepted(self, client: Client, field: Field, value: Any) -> None:
        client.jira.add_field(field)
        assert client.create(customfield_1=value).status_code == 201

    @pytest.mark.parametrize(
        ("field", "value", "text"),
        [
            ("components", {"name": "Backend"}, "data was not an array"),
            ("components", ["Backend"], "expected Object"),
            ("components", [{"name": "Nope"}], "Component name 'Nope' is not valid"),
            ("fixVersions", [{"name": "1.2"}], "Version name '1.2' is not valid"),
            ("priority", {"name": "unassigned"}, "Priority name 'unassigned' is not valid"),
        ],
    )
    def test_system_fields(self, client: Client, field: str, value: Any, text: str) -> None:
        client.jira.add_component("Backend")
        assert client.create(**{field: value}).json()["errors"] == {field: text}

    def test_versions_are_shown_as_they_are_now(self, client: Client) -> None:
        version = client.jira.add_version("1.0")
        client.create(fixVersions=[{"name": "1.0"}])
        version.name, version.released = "1.0.1", True
        (shown,) = client.get("issue/BUG-1")["fields"]["fixVersions"]
        assert (shown["name"], shown["released"]) == ("1.0.1", True)

    def test_user_fields_by_flavour(self, client: Client) -> None:
        me = client.jira.main_user
        right = {"accountId": me.account_id} if client.jira.state.cloud else {"name": me.name}
        wrong = {"name": me.name} if client.jira.state.cloud else {"accountId": me.account_id}
        assert client.create(assignee=right).status_code == 201
        assert set(client.create(assignee=wrong).json()["errors"]) == {"assignee"}


class TestEdit:
    def test_put_and_its_refusals(self, client: Client) -> None:
        client.create(labels=["a"])
        assert (
            client("PUT", "issue/BUG-1", {"update": {"labels": [{"add": "b"}, {"remove": "a"}]}}).status_code
            == 204
        )
        assert client.get("issue/BUG-1")["fields"]["labels"] == ["b"]
        assert client("PUT", "issue/BUG-1", {"fields": {"summary": ""}}).status_code == 400
        assert client("PUT", "issue/BUG-1", {}).json()["errorMessages"] == [
            "one of 'fields' or 'update' required"
        ]
        client.jira.deny("EDIT_ISSUES")
        assert client("PUT", "issue/BUG-1", {"fields": {"summary": "x"}}).status_code == 403

    def test_delete(self, client: Client) -> None:
        client.create()
        assert client("DELETE", "issue/BUG-1").status_code == 204
        assert client("GET", "issue/BUG-1").status_code == 404
        assert client.found("project = BUG") == []

    def test_properties(self, client: Client) -> None:
        client.create()
        assert client("PUT", "issue/BUG-1/properties/bt", {"a": 1}).status_code == 201
        assert client("PUT", "issue/BUG-1/properties/bt", {"a": 2}).status_code == 200
        assert client.get("issue/BUG-1/properties/bt") == {"key": "bt", "value": {"a": 2}}
        assert [item["key"] for item in client.get("issue/BUG-1/properties")["keys"]] == ["bt"]
        assert client("DELETE", "issue/BUG-1/properties/bt").status_code == 204
        assert client("GET", "issue/BUG-1/properties/bt").status_code == 404

    def test_comments(self, client: Client) -> None:
        client.create()
        assert client("POST", "issue/BUG-1/comment", {"body": "Seen again"}).status_code == 201
        assert client("POST", "issue/BUG-1/comment", {"body": ""}).status_code == 400
        assert client.get("issue/BUG-1/comment")["total"] == 1
        assert client.get("issue/BUG-1")["fields"]["comment"]["comments"][0]["body"] == "Seen again"

    def test_remote_links_are_upserted_by_global_id(self, client: Client) -> None:
        client.create()
        link = {
            "globalId": "system=bt&id=1",
            "relationship": "r",
            "object": {"url": "https://x.example", "title": "t"},
        }
        first = client("POST", "issue/BUG-1/remotelink", link)
        assert first.status_code == (201 if client.jira.state.cloud else 200)
        del link["relationship"]
        second = client("POST", "issue/BUG-1/remotelink", link)
        assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
        (shown,) = client.get("issue/BUG-1/remotelink")
        assert "relationship" not in shown, "what is omitted is gone"
        assert client.get("issue/BUG-1/remotelink", globalId="system=bt&id=1")["id"] == shown["id"]
        untitled = {"object": {"url": "https://x.example"}}
        refused = client("POST", "issue/BUG-1/remotelink", untitled)
        assert refused.json() == {"errorMessages": [], "errors": {"title": "'title' is required."}}
        assert client.found('issue in issuesWithRemoteLinksByGlobalId("system=bt&id=1")') == ["BUG-1"]

    def test_assignee(self, client: Client) -> None:
        client.create()
        cloud, jane = client.jira.state.cloud, client.jira.add_user("jane")

        def assign(value: str | None) -> int:
            body = {"accountId" if cloud else "name": value}
            return client("PUT", "issue/BUG-1/assignee", body).status_code

        assert assign(jane.account_id if cloud else jane.name) == 204
        assert client.get("issue/BUG-1")["fields"]["assignee"]["displayName"] == "Jane"
        assert assign(None) == 204
        assert client.get("issue/BUG-1")["fields"]["assignee"] is None
        assert assign("-1") == 204
        assert assign("nobody") == (400 if cloud else 404)
        client.jira.project().allow_unassigned = False
        assert assign(None) == 400
        client.jira.deny("ASSIGNABLE_USER", user=jane)
        assert assign(jane.account_id if cloud else jane.name) == 400
        client.jira.deny("ASSIGN_ISSUES")
        assert assign(None) == (403 if cloud else 401)

    def test_as_a_person_in_jira(self, jira: JiraStandIn) -> None:
        jira.create_issue("By hand", labels=["a"])
        jira.add_version("1.0")
        jira.edit_issue("BUG-1", fixVersions=[{"name": "1.0"}])
        jira.assign("BUG-1", "fred")
        jira.transition("BUG-1", "In Progress")
        fields = jira.read("BUG-1")
        assert (fields["assignee"]["displayName"], fields["fixVersions"][0]["name"]) == (
            "Fred F. User",
            "1.0",
        )
        assert fields["status"]["statusCategory"]["key"] == "indeterminate"
        jira.delete_issue("BUG-1")
        assert jira.issues == {}

    def test_moving_changes_the_key_not_the_id(self, client: Client) -> None:
        client.create()
        client.jira.add_project("NEW", "New home")
        issue = client.jira.move_issue("BUG-1", "NEW")
        assert issue.key == "NEW-1"
        assert client.get("issue/BUG-1")["id"] == client.get("issue/NEW-1")["id"] == issue.id


class TestTransitions:
    def test_list_depends_on_status_and_permission(self, client: Client) -> None:
        client.create()
        found = client.get("issue/BUG-1/transitions")["transitions"]
        assert [(t["id"], t["to"]["statusCategory"]["key"]) for t in found] == [
            ("21", "indeterminate"),
            ("31", "done"),
        ]
        assert ("hasScreen" in found[0]) == client.jira.state.cloud
        client.jira.deny("TRANSITION_ISSUES")
        assert client.get("issue/BUG-1/transitions")["transitions"] == []

    def test_execute_and_refuse(self, client: Client) -> None:
        client.create()
        assert client("POST", "issue/BUG-1/transitions", {"transition": {"id": "31"}}).status_code == 204
        fields = client.get("issue/BUG-1")["fields"]
        assert (fields["status"]["name"], fields["resolution"]["name"]) == ("Done", "Done")
        again = client("POST", "issue/BUG-1/transitions", {"transition": {"id": "31"}})
        assert again.status_code == 400, "a known transition that is not available"
        wrong = client("POST", "issue/BUG-1/transitions", {"transition": {"id": "999"}})
        assert wrong.status_code == (400 if client.jira.state.cloud else 500)
        missing = client("POST", "issue/BUG-1/transitions", {"fields": {}})
        assert missing.json()["errorMessages"] == ["Missing 'transition' identifier"]

    def test_fields_only_with_a_screen(self, client: Client) -> None:
        client.create()
        with_resolution = {"transition": {"id": "31"}, "fields": {"resolution": {"name": "Done"}}}
        refused = client("POST", "issue/BUG-1/transitions", with_resolution)
        assert "not on the appropriate screen" in refused.json()["errors"]["resolution"]
        screen = {"resolution": RESOLUTION.with_(required=True)}
        statuses = [Status("1", "Open", "new"), Status("6", "Closed", "done")]
        workflow = Workflow(statuses, [Transition("5", "Close", "6", ("1",), screen)])
        client.jira.add_project("SCR", "With a screen", workflow=workflow)
        client.create(project={"key": "SCR"})
        (step,) = client.get("issue/SCR-1/transitions", expand="transitions.fields")["transitions"]
        assert step["fields"]["resolution"]["required"]
        assert step["fields"]["resolution"]["allowedValues"]
        bare = client("POST", "issue/SCR-1/transitions", {"transition": {"id": "5"}})
        assert set(bare.json()["errors"]) == {"resolution"}
        body = {"transition": {"id": "5"}, "fields": {"resolution": {"name": "Duplicate"}}}
        assert client("POST", "issue/SCR-1/transitions", body).status_code == 204
        assert client.get("issue/SCR-1/transitions")["transitions"] == [], "a dead end"


class TestUsers:
    def test_find_by_mail(self, client: Client) -> None:
        cloud = client.jira.state.cloud
        client.jira.add_user("jane", email="jane@example.com", email_visibility="hidden")
        name = "query" if cloud else "username"
        (jane,) = client.get("user/search", **{name: "jane@example.com"})
        assert "emailAddress" not in jane
        assert ("accountId" in jane, "name" in jane) == (cloud, not cloud)
        assert client.get("user/search", **{name: "jane@exam"}) == [], (
            "a hidden address is found whole or not"
        )
        (fred,) = client.get("user/search", **{name: "fred@"})
        assert fred["emailAddress"] == "fred@example.com"
        assert client("GET", "user/search").status_code == 400

    def test_assignable(self, client: Client) -> None:
        client.create()
        name = "query" if client.jira.state.cloud else "username"
        client.jira.deny("ASSIGNABLE_USER", user=client.jira.add_user("frank"))
        assert len(client.get("user/search", **{name: "fr"})) == 2
        for where in ({"project": "BUG"}, {"issueKey": "BUG-1"}):
            assert len(client.get("user/assignable/search", **{name: "fr"}, **where)) == 1

    def test_no_permission_is_an_empty_list(self, client: Client) -> None:
        client.jira.deny("USER_PICKER")
        name = "query" if client.jira.state.cloud else "username"
        assert client.get("user/search", **{name: "fred"}) == []

    def test_masked_mail_on_data_center(self, data_center: Client) -> None:
        data_center.jira.main_user.email_visibility = "masked"
        assert data_center.get("myself")["emailAddress"] == "fred at example dot com"


class TestSearch:
    def test_the_other_products_endpoint(self, cloud: Client, data_center: Client) -> None:
        gone = cloud("GET", "search", params={"jql": "project = BUG"})
        assert gone.status_code == 410
        assert "CHANGE-2046" in gone.json()["errorMessages"][0]
        assert data_center("GET", "search/jql", params={"jql": "project = BUG"}).status_code == 404

    def test_cloud_pages_by_token(self, cloud: Client) -> None:
        for _ in range(3):
            cloud.create()
        ids = cloud("POST", "search/jql", {"jql": "project = BUG"}).json()
        assert "total" not in ids
        assert all(set(issue) == {"id"} for issue in ids["issues"])
        asked: dict[str, Any] = {
            "jql": "project = BUG ORDER BY created ASC",
            "maxResults": 2,
            "fields": ["labels"],
        }
        first = cloud("POST", "search/jql", asked).json()
        assert (first["isLast"], len(first["issues"])) == (False, 2)
        second = cloud("POST", "search/jql", asked | {"nextPageToken": first["nextPageToken"]}).json()
        assert [issue["key"] for issue in second["issues"]] == ["BUG-3"]
        assert second["isLast"]
        assert "nextPageToken" not in second
        bad = cloud("POST", "search/jql", asked | {"nextPageToken": "zzz"})
        assert bad.json()["errorMessages"] == ["The provided next page token is invalid or expired."]

    def test_cloud_refuses_unbounded(self, cloud: Client) -> None:
        assert "Unbounded JQL" in cloud.refused("ORDER BY created")
        assert "Unbounded JQL" in cloud.refused("")

    def test_data_center_pages_by_offset(self, data_center: Client) -> None:
        for _ in range(3):
            data_center.create()
        page = data_center.get("search", jql="", startAt=2, maxResults=2, fields="summary")
        assert (page["total"], page["startAt"], [i["key"] for i in page["issues"]]) == (3, 2, ["BUG-1"])

    def test_jql(self, client: Client, clock: Clock) -> None:
        client.jira.add_project("OTH", "Other")
        client.create(summary="Null pointer in parser", labels=["bt-1", "x"])
        clock.now += 3600
        client.create(summary="Out of memory", description="marker bt-2 here", labels=["bt-2"])
        client.create(project={"key": "OTH"}, summary="Elsewhere")
        client.jira.transition("BUG-2", "Done")
        for jql, keys in {
            "project = BUG ORDER BY created ASC": ["BUG-1", "BUG-2"],
            "project = BUG order by key desc": ["BUG-2", "BUG-1"],
            'project = "BUG" AND labels = "bt-1"': ["BUG-1"],
            "project = BUG AND labels in (bt-1, nolabel)": ["BUG-1"],
            "labels = nobodyusesthis": [],
            "project in (BUG, OTH) AND labels is EMPTY": ["OTH-1"],
            "project != BUG": ["OTH-1"],
            "key in (BUG-1, OTH-1) AND NOT project = OTH": ["BUG-1"],
            'summary ~ "parser"': ["BUG-1"],
            'summary ~ "pars"': [],
            'summary ~ "pars*"': ["BUG-1"],
            'summary ~ "\\"null pointer\\""': ["BUG-1"],
            'description ~ "bt-2" OR text ~ "elsewhere" ORDER BY key ASC': ["BUG-2", "OTH-1"],
            "statusCategory = Done": ["BUG-2"],
            "project = BUG AND statusCategory != Done": ["BUG-1"],
            'status = "To Do" AND project = BUG': ["BUG-1"],
            "created >= -15m AND reporter = currentUser() AND project = BUG": ["BUG-2"],
            "project = BUG AND (labels = bt-1 OR labels = bt-2) AND created < -30m": ["BUG-1"],
            "resolution = Unresolved AND project = BUG": ["BUG-1"],
            "issuetype = Bug AND assignee is EMPTY AND project = OTH": ["OTH-1"],
            f"id = {client.jira.issues['BUG-2'].id}": ["BUG-2"],
            "key > BUG-1": ["BUG-2"],
            "NOT key < BUG-2": ["BUG-2", "OTH-1"],  # within the project of the key
        }.items():
            found = client.found(jql)
            assert (found if "order" in jql.lower() else sorted(found)) == keys, jql

    @pytest.mark.parametrize(
        "jql",
        [
            "nosuchfield = 1",
            "project = NOPE",
            "status = Flying",
            "key = BUG-99",
            "reporter = ghost",
            "project =",
            "project = BUG AND",
            "summary = exact",
            'created >= "yesterday"',
            'issue.property[backtrace].fingerprint = "x"',
            "project = BUG ORDER BY nosuchfield",
        ],
    )
    def test_refused_jql(self, client: Client, jql: str) -> None:
        assert client.refused(jql)

    def test_unknown_value_is_lenient_for_anonymous_on_cloud(self, cloud: Client) -> None:
        answer = requests.get(cloud.jira.url + "search/jql", params={"jql": "project = NOPE"}, timeout=10)
        assert (answer.status_code, answer.json()["issues"]) == (200, [])

    def test_dates_are_in_the_callers_zone(self, client: Client, clock: Clock) -> None:
        clock.now = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
        client.create()
        assert client.found('created >= "2026-09-21 14:13"') == ["BUG-1"]
        assert client.found('created <= "2026-09-21 14:13"') == [], "minutes, so 20 seconds too early"
        client.jira.main_user.time_zone = "Europe/Berlin"
        assert client.found('created >= "2026-09-21 16:14"') == []
        assert client.found('created >= "2026/09/21 16:13"') == ["BUG-1"]

    def test_index_lag(self, client: Client, clock: Clock) -> None:
        client.jira.index_lag = 5
        client.create(labels=["bt-1"])
        assert client.get("issue/BUG-1")["key"] == "BUG-1"
        assert client.found("labels = bt-1") == []
        clock.now += 6
        assert client.found("labels = bt-1") == ["BUG-1"]
        client("PUT", "issue/BUG-1", {"fields": {"labels": ["other"]}})
        assert client.found("labels = bt-1") == ["BUG-1"], "the index still has the old labels"

    def test_index_flicker(self, client: Client) -> None:
        client.jira.index_flicker = True
        client.create(labels=["bt-1"])
        assert [client.found("labels = bt-1") for _ in range(4)] == [["BUG-1"], [], ["BUG-1"], ["BUG-1"]]


class TestAuthentication:
    def test_wrong_secret_on_cloud_looks_anonymous(self, cloud: Client) -> None:
        cloud.create()
        wrong = Client(cloud.jira, (cloud.jira.user, "wrong"))
        cloud.jira.state.captcha_after = None
        assert wrong("GET", "myself").status_code == 401
        for path, status in {
            "project": 200,
            "issue/BUG-1": 404,
            "serverInfo": 200,
            "user/search?query=f": 200,
        }.items():
            answer = wrong("GET", path)
            assert answer.status_code == status
            assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
        assert wrong.get("project") == []
        assert wrong("POST", "issue", new()).status_code == 400
        assert len(cloud.jira.issues) == 1

    def test_wrong_secret_on_data_center(self, data_center: Client) -> None:
        for auth in (("fred", "wrong"), (data_center.jira.main_user.email, data_center.jira.token)):
            answer = Client(data_center.jira, auth)("GET", "project")
            assert answer.status_code == 401
            assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"

    def test_personal_access_token(self, data_center: Client, cloud: Client) -> None:
        def bearer(jira: JiraStandIn, token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(jira.url + "myself", headers=headers, timeout=10).status_code

        assert bearer(data_center.jira, data_center.jira.pat) == 200
        assert bearer(data_center.jira, "nope") == 401
        assert bearer(cloud.jira, cloud.jira.pat) == 401
        as_password = Client(data_center.jira, (data_center.jira.user, data_center.jira.pat))
        assert as_password("GET", "myself").status_code == 401

    def test_captcha_locks_even_the_right_secret(self, client: Client) -> None:
        wrong = Client(client.jira, (client.jira.user, "wrong"))
        for _ in range(3):
            wrong("GET", "myself")
        locked = client("GET", "myself")
        assert locked.headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
        assert locked.status_code == (401 if client.jira.state.cloud else 403)
        denied = locked.headers.get("X-Authentication-Denied-Reason", "")
        assert denied.startswith("CAPTCHA_CHALLENGE") == (not client.jira.state.cloud)

    def test_basic_is_off_by_default_in_jira_11(self) -> None:
        with JiraStandIn("data-center", version="11.0.0") as jira:
            assert Client(jira)("GET", "myself").status_code == 403

    def test_the_log_keeps_no_secret(self, client: Client) -> None:
        client("GET", "myself")
        (exchange,) = client.jira.requests
        secret = base64.b64encode(f"{client.jira.user}:{client.jira.token}".encode()).decode()
        assert secret not in str(exchange)
        assert client.jira.token not in str(exchange)
        assert exchange.headers["Authorization"] == f"Basic {client.jira.user}:***"


class TestFaults:
    def test_dropped_before_and_after_the_effect(self, client: Client) -> None:
        client.jira.faults.add("POST", r"/issue$", drop_before=True)
        with pytest.raises(requests.ConnectionError):
            client.create()
        assert client.jira.issues == {}
        client.jira.faults.add("POST", r"/issue$", drop_after=True)
        with pytest.raises(requests.ConnectionError):
            client.create()
        assert list(client.jira.issues) == ["BUG-1"]
        assert [(e.status, e.executed) for e in client.jira.requests] == [(None, False), (None, True)]
        assert client.create().status_code == 201

    def test_status_after_the_effect(self, client: Client) -> None:
        client.jira.faults.add("POST", r"/issue$", status=502, body="<h1>Bad gateway</h1>", after_effect=True)
        assert client.create().status_code == 502
        assert list(client.jira.issues) == ["BUG-1"]

    def test_truncated_body(self, client: Client) -> None:
        client.jira.faults.add("POST", r"/issue$", truncate=True)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            client.create()
        assert list(client.jira.issues) == ["BUG-1"]

    def test_delay_and_times_and_skip(self, client: Client) -> None:
        client.jira.faults.add("GET", r"/myself$", times=2, skip=1, delay=5)
        assert client("GET", "myself").ok
        for _ in range(2):
            with pytest.raises(requests.ReadTimeout):
                requests.get(client.jira.url + "myself", auth=client.auth, timeout=0.05)
        assert client("GET", "myself").ok
        assert client.jira.faults.pending == 0

    def test_login_page(self, client: Client) -> None:
        client.jira.faults.add("*", "/rest/", page=True)
        answer = client.create()
        assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
        assert client.jira.issues == {}

    def test_named_faults(self, client: Client) -> None:
        faults = client.jira.faults
        faults.rate_limited(retry_after=7)
        limited = client.create()
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
        faults.rate_limited(retry_after=None)
        assert "Retry-After" not in client.create().headers
        faults.unavailable(retry_after=3)
        assert client.create().headers["Retry-After"] == "3"
        faults.server_error()
        assert client.create().status_code == 500
        faults.unauthorized(times=1)
        assert client.create().status_code == 401
        faults.captcha(times=1)
        assert client.create().headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
        assert client.jira.issues == {}
        faults.unauthorized()
        faults.clear()
        assert client.create().status_code == 201
        assert client.jira.count("POST", r"/issue$") == 7

    def test_data_center_rate_limiting(self, data_center: Client, clock: Clock) -> None:
        data_center.jira.limit_rate(limit=2, fill_rate=1, interval=10)
        first = data_center("GET", "myself")
        assert (first.status_code, first.headers["retry-after"]) == (200, "0")
        assert first.headers["X-RateLimit-Remaining"] == "1"
        data_center("GET", "myself")
        refused = data_center("GET", "myself")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        clock.now += 10
        assert data_center("GET", "myself").status_code == 200


class TestPages:
    DESCRIPTION = (
        "h2. Crash in {{parse_it}}\n\n||Attribute||Value||\n|host|a\\|b <script>alert(1)</script>|\n\n"
        "*bold* and \\*not bold\\*, [the error|https://bt.example.com/?a=1&b=2], [x|javascript:alert(1)]\n"
        "{noformat}\n*raw* <b>\n{noformat}\n{code:java}\nint a;\n{code}"
    )

    def test_ticket_page(self, client: Client) -> None:
        client.create(
            summary="<img src=x onerror=alert(1)>", description=self.DESCRIPTION, labels=["Backtrace"]
        )
        client("PUT", "issue/BUG-1/properties/bt", {"x": "<i>"})
        page = requests.get(f"{client.jira.site_url}/browse/BUG-1", timeout=10)
        assert page.status_code == 200
        for wanted in (
            "<h2>Crash in <code>parse_it</code></h2>",
            "<th>Attribute</th><th>Value</th>",
            "<td>host</td><td>a|b &lt;script&gt;alert(1)&lt;/script&gt;</td>",
            "<b>bold</b> and *not bold*",
            '<a href="https://bt.example.com/?a=1&amp;b=2" rel="noopener noreferrer">the error</a>',
            "<pre>*raw* &lt;b&gt;</pre>",
            "<pre>int a;</pre>",
            "&lt;img src=x onerror=alert(1)&gt;",
            "Backtrace",
        ):
            assert wanted in page.text
        for unwanted in ("<script", "<img", 'href="javascript', "<i>"):
            assert unwanted not in page.text

    @pytest.mark.parametrize(
        ("markup", "html"),
        [
            (r"snake_case \_x\_ _slanted_", "<p>snake_case _x_ <i>slanted</i></p>"),
            (r"{{C:\dir \{x\}}}", r"<p><code>C:\dir {x}</code></p>"),
            (r"\{noformat} opens nothing", "<p>{noformat} opens nothing</p>"),
            ("{noformat}left open <b>", "<pre>left open &lt;b&gt;</pre>"),
            (
                r"|one \\\\ line|[a\|b|https://x.example]|",
                '<a href="https://x.example" rel="noopener noreferrer">a|b</a>',
            ),
            ("* a\n** b", '<ul><li class="level1">a</li><li class="level2">b</li></ul>'),
            ("h3. Title\n----", "<h3>Title</h3>\n<hr>"),
        ],
    )
    def test_wiki_markup(self, markup: str, html: str) -> None:
        assert html in render(markup)

    def test_index_page_and_unknown_ticket(self, client: Client) -> None:
        assert "No tickets yet" in requests.get(client.jira.site_url + "/", timeout=10).text
        client.create()
        index = requests.get(client.jira.site_url + "/", timeout=10).text
        assert f'href="{client.jira.site_url}/browse/BUG-1"' in index
        assert requests.get(f"{client.jira.site_url}/browse/BUG-9", timeout=10).status_code == 404

    @pytest.mark.parametrize("flavour", FLAVOURS)
    def test_context_path(self, flavour: Flavour) -> None:
        with JiraStandIn(flavour, context_path="/jira") as jira:
            answer = Client(jira).create()
            assert answer.json()["self"].startswith(jira.url)
            assert "/jira/rest/api/2/" in jira.url
            assert requests.get(f"{jira.site_url}/browse/BUG-1", timeout=10).ok
            outside = jira.url.replace("/jira/", "/")
            assert requests.get(outside + "myself", timeout=10).status_code == 404


@needs_documents
class TestTheJudge:
    """A judge that cannot convict is worthless."""

    @pytest.fixture
    def exchange(self, client: Client) -> Any:
        client.create(labels=["a"])
        assert assert_valid(client.jira.requests, client.jira.state.flavour) == 1
        return client.jira.requests[0]

    @pytest.mark.parametrize(
        "changes",
        [
            {"response": {"id": 10001, "key": "BUG-1"}},
            {"response": ["BUG-1"]},
            {"status": 200},
            {"json": {"fields": "none"}},
            {"json": {"fields": {}, "properties": {"key": "a"}}},
            {"query": {"nosuchparameter": "1"}},
            {"path": "/rest/api/2/nosuchendpoint"},
            {"status": 400, "response": {"errorMessages": "not a list"}},
            {"status": 400, "response": {"oops": "not an error body"}},
        ],
        ids=lambda changes: "-".join(changes),
    )
    def test_wrong_exchanges_are_convicted(
        self, exchange: Any, client: Client, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(ContractViolation):
            assert_valid([altered(exchange, **changes)], client.jira.state.flavour)

    def test_wrong_lists_and_pages_are_convicted(self, client: Client) -> None:
        client.get("project/BUG/versions")
        client.get("issue/createmeta/BUG/issuetypes")
        versions, types = client.jira.requests
        wrong_type = {"issueTypes": [{"id": 1}]} if client.jira.state.cloud else {"values": [{"id": 1}]}
        for wrong in (
            altered(versions, response={"id": "1"}),
            altered(versions, response=[{"id": 1}]),
            altered(types, response=types.response | wrong_type),
            altered(versions, method="POST", status=201),
        ):
            with pytest.raises(ContractViolation):
                assert_valid([wrong], client.jira.state.flavour)
