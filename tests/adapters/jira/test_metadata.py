"""Create metadata and users against the stand-in, in every dialect; what coercion makes of it, Jira accepts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from backtrace_jira.adapters.http import Timeouts
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.errors import CredentialRefused, InvalidField, OutcomeUnknown, Refused, Throttled
from backtrace_jira.jira.field_values import to_field_value
from backtrace_jira.jira.fields import Field, FieldSchema, untyped_field
from backtrace_jira.jira.issue import TicketDraft
from backtrace_jira.json_types import JSON
from backtrace_jira.settings.connection import Connection
from local.jira_stand_in import JiraStandIn, User, custom_field
from local.jira_stand_in.fields import KINDS

QUICK = Timeouts(connect=2, read=2, total=4)

# Cloud; a server with the old metadata only; one with both; one with the new only.
DIALECTS = {"cloud": "10.3.0", "8.0": "8.0.0", "8.13": "8.13.0", "10.3": "10.3.0"}


@pytest.fixture(params=DIALECTS)
def jira(request: pytest.FixtureRequest) -> Iterator[JiraStandIn]:
    cloud = request.param == "cloud"
    with JiraStandIn(
        "cloud" if cloud else "data-center",
        context_path="" if cloud else "/jira",
        version=DIALECTS[request.param],
    ) as stand_in:
        yield stand_in


@pytest.fixture
def data_center() -> Iterator[JiraStandIn]:
    with JiraStandIn("data-center") as stand_in:
        yield stand_in


@pytest.fixture
def cloud() -> Iterator[JiraStandIn]:
    with JiraStandIn("cloud") as stand_in:
        yield stand_in


def client_of(jira: JiraStandIn, token: str | None = None) -> RestJiraTickets:
    connection = Connection(name="main", jira_api=jira.url, email=jira.user)
    return RestJiraTickets(JiraClient(connection, SecretStr(token or jira.token), timeouts=QUICK))


def make_schema(jira: JiraStandIn, issue_type: str = "Bug") -> FieldSchema:
    found = client_of(jira).field_schema("BUG", issue_type)
    assert found is not None
    return found


def paths(jira: JiraStandIn) -> list[str]:
    return [exchange.path.partition("/rest/api/2")[2] for exchange in jira.requests]


# The schema


def test_the_screen_of_an_issue_type(jira: JiraStandIn) -> None:
    jira.add_field(
        custom_field("customfield_10010", "Colour", "select", options=["red", "blue"], required=True)
    )
    jira.add_field(custom_field("customfield_10011", "Only on tasks"), issue_type="Task")
    jira.remove_field("environment")
    found = make_schema(jira, "bUG")
    assert (found.project, found.issue_type, found.cloud) == ("BUG", "Bug", jira.state.cloud)
    colour = found.resolve("colour")
    assert (colour.id, colour.required, colour.allowed_names()) == (
        "customfield_10010",
        True,
        ("red", "blue"),
    )
    shown = {field.id for field in jira.project().issue_types[0].screen.values() if field.on_screen}
    assert {field.id for field in found.fields} == shown
    assert not {"environment", "customfield_10011"} & shown
    assert found.missing({"project", "issuetype", "summary"}) == (colour,)


def test_each_server_is_asked_in_the_dialect_it_speaks(jira: JiraStandIn) -> None:
    found = make_schema(jira, "Task")
    new = ["/issue/createmeta/BUG/issuetypes", f"/issue/createmeta/BUG/issuetypes/{found.issue_type_id}"]
    old = ["/issue/createmeta/BUG/issuetypes", "/issue/createmeta", "/issue/createmeta"]
    assert paths(jira) == ["/serverInfo", *(old if jira.state.version[:2] == (8, 0) else new)]


def test_screens_and_types_of_many_pages(jira: JiraStandIn) -> None:
    types = [f"Type {number}" for number in range(205)]
    fields = [custom_field(f"customfield_{number}", f"Field {number}") for number in range(10_000, 10_450)]
    jira.add_project("BIG", "Many of each", issue_types=types, fields=fields)
    found = client_of(jira).field_schema("BIG", "type 204")
    assert found is not None
    assert found.issue_type == "Type 204"
    assert {field.id for field in fields} <= {field.id for field in found.fields}
    assert len({field.id for field in found.fields}) == len(found.fields)


def test_a_key_is_quoted(jira: JiraStandIn) -> None:
    with contextlib.suppress(InvalidField, Refused):
        assert client_of(jira).field_schema("../../myself?", "Bug") is None
    assert "/myself" not in paths(jira)


def test_an_unknown_project(jira: JiraStandIn) -> None:
    """Data Center answers 400 in the new dialect; the old one lists no project."""
    with pytest.raises((InvalidField, Refused), match=r"NOPE|createmeta") as caught:
        client_of(jira).field_schema("NOPE", "Bug")
    words = (
        "NOPE does not exist, or this account may not"
        if isinstance(caught.value, InvalidField)
        else "400, No project"
    )
    assert words in str(caught.value)


def test_a_project_in_which_the_account_may_not_create(jira: JiraStandIn) -> None:
    jira.deny("CREATE_ISSUES")
    with pytest.raises((InvalidField, Refused)):
        client_of(jira).field_schema("BUG", "Bug")


def test_an_unknown_issue_type_lists_those_of_the_project(jira: JiraStandIn) -> None:
    with pytest.raises(InvalidField, match="it has: Bug, Task, Story, Epic"):
        client_of(jira).field_schema("BUG", "Defect")


def test_a_server_without_create_metadata_has_no_schema() -> None:
    with JiraStandIn("data-center", version="8.0.0") as jira:
        jira.state.old_createmeta_disabled = True
        assert client_of(jira).field_schema("BUG", "Bug") is None


@pytest.mark.parametrize("status", [404, 405])
def test_a_missing_endpoint_leads_to_the_old_one(status: int) -> None:
    with JiraStandIn("data-center", version="8.13.0") as jira:
        jira.faults.add("GET", r"/issuetypes$", status=status)
        assert make_schema(jira).resolve("summary")


def test_cloud_without_any_metadata_is_a_refusal(cloud: JiraStandIn) -> None:
    """Cloud always has it: an untyped_field ticket would be refused too."""
    for path in (r"/issuetypes$", r"/createmeta$"):
        cloud.faults.add("GET", path, status=404, body={"errorMessages": ["No project could be found"]})
    with pytest.raises(Refused, match="No project could be found"):
        client_of(cloud).field_schema("BUG", "Bug")


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 429}, Throttled),
        ({"status": 500}, OutcomeUnknown),
        ({"truncate": True}, OutcomeUnknown),
        ({"status": 200, "body": []}, InvalidField),
        ({"status": 200, "body": {"errorMessages": []}}, InvalidField),
        ({"status": 403, "body": {"errorMessages": ["No"]}}, Refused),
        ({"page": True}, Refused),
    ],
)
@pytest.mark.parametrize("path", [r"/issuetypes$", r"/issuetypes/\d+$"])
def test_answers_that_are_no_metadata(
    cloud: JiraStandIn, path: str, fault: dict[str, Any], meaning: type[Exception]
) -> None:
    cloud.faults.add("GET", path, **fault)
    with pytest.raises(meaning) as caught:
        client_of(cloud).field_schema("BUG", "Bug")
    assert type(caught.value) is meaning


def test_pages_without_an_end_are_given_up(cloud: JiraStandIn) -> None:
    page = {"issueTypes": [{"id": "1", "name": "x"}], "startAt": 0, "maxResults": 1, "total": 10**6}
    for _ in range(60):
        cloud.faults.add("GET", r"/issuetypes$", status=200, body=page)
    with pytest.raises(OutcomeUnknown, match="no last page after 50"):
        client_of(cloud).field_schema("BUG", "Bug")


def test_a_wrong_token_stops_at_once(jira: JiraStandIn) -> None:
    with pytest.raises(CredentialRefused):
        client_of(jira, token="wrong").field_schema("BUG", "Bug")
    with pytest.raises(CredentialRefused):
        client_of(jira, token="wrong").find_user("fred@example.com", "BUG")


# Users


def identity(jira: JiraStandIn, user: User) -> str:
    return user.account_id if jira.state.cloud else user.name


@pytest.mark.parametrize("who", ["anna@example.com", "ANNA@example.com", "Anna Anders"])
def test_a_user_by_address_or_full_name(jira: JiraStandIn, who: str) -> None:
    anna = jira.add_user("anna", display_name="Anna Anders")
    jira.add_user("anna2", email="anna@example.com.au", display_name="Anna Anders-Brown")
    assert client_of(jira).find_user(who, "BUG") == identity(jira, anna)
    assert jira.count("GET", r"/user/search$") == 0


@pytest.mark.parametrize("visibility", ["hidden", "masked"])
def test_a_user_whose_address_does_not_show(jira: JiraStandIn, visibility: Any) -> None:
    anna = jira.add_user("anna", email_visibility=visibility)
    assert client_of(jira).find_user("anna@example.com", "BUG") == identity(jira, anna)
    assert client_of(jira).find_user("anna@example", "BUG") is None


def test_a_user_who_may_not_be_assigned_is_found_among_all(jira: JiraStandIn) -> None:
    anna = jira.add_user("anna")
    jira.deny("ASSIGNABLE_USER", user=anna)
    assert client_of(jira).find_user("anna@example.com", "BUG") == identity(jira, anna)
    assert jira.count("GET", r"/user/search$") == 1


@pytest.mark.parametrize("who", ["anna@example.co", "Anna", "ann", "nobody@example.com", " "])
def test_nobody_is_found_by_a_part_or_by_a_name_that_two_have(jira: JiraStandIn, who: str) -> None:
    jira.add_user("a1", email="anna@example.com", display_name="Anna")
    jira.add_user("a2", email="anna@example.org", display_name="Anna")
    assert client_of(jira).find_user(who, "BUG") is None


def test_a_login_name_is_found_on_data_center(data_center: JiraStandIn) -> None:
    data_center.add_user("anna anders", email="a@example.com")
    assert client_of(data_center).find_user("Anna Anders", "BUG") == "anna anders"


def test_without_the_permission_to_browse_users_nobody_is_found(jira: JiraStandIn) -> None:
    jira.deny("USER_PICKER")
    assert client_of(jira).find_user("fred@example.com", "BUG") is None


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_search_that_is_not_permitted_leads_to_the_other(jira: JiraStandIn, status: int) -> None:
    jira.faults.add("GET", r"/assignable/search$", status=status, body={"errorMessages": ["No"]})
    assert client_of(jira).find_user("fred@example.com", "BUG") == identity(jira, jira.main_user)


def test_a_search_that_must_wait_waits(jira: JiraStandIn) -> None:
    jira.faults.add("GET", r"/assignable/search$", status=429)
    with pytest.raises(Throttled):
        client_of(jira).find_user("fred@example.com", "BUG")


# Value in, JSON out, and Jira takes it

OPTIONS = ["red", "blue", "red, dark"]
# kind -> options, text, and what Jira then holds: the text of the value or values, or the number.
CUSTOM: dict[str, tuple[Any, str, Any]] = {
    "text": ((), "two\nlines", "two lines"),
    "textarea": ((), "two\nlines", "two\nlines"),
    "url": ((), "https://example.com/", "https://example.com/"),
    "number": ((), "1.5", 1.5),
    "date": ((), "2019-05-11T10:29:29Z", "2019-05-11"),
    "datetime": ((), "2019-05-11T10:29:29Z", "2019-05-11T10:29:29.000+0000"),
    "select": (OPTIONS, "RED, dark", "red, dark"),
    "radio": (OPTIONS, "blue", "blue"),
    "multiselect": (OPTIONS, "blue,red, dark", ["blue", "red, dark"]),
    "checkboxes": (OPTIONS, "red", ["red"]),
    "cascading": ({"Europe": ["Rome"], "Asia": []}, "europe -> rome", "Europe/Rome"),
    "user": ((), "fred@example.com", "Fred F. User"),
    "users": ((), "fred@example.com, anna", ["Fred F. User", "Anna"]),
    "group": ((), "jira-users", "jira-users"),
    "groups": ((), "jira-users", ["jira-users"]),
    "version": ((), "1.0", "1.0"),
    "versions": ((), "1.0, 2.0, beta", ["1.0", "2.0, beta"]),
    "labels": ((), "a b,c", ["a_b", "c"]),
    "project": ((), "bug", "Bug tracker"),
    "sprint": ((), "12", ["Sprint 12"]),
    "epic-link": ((), "bug-1", "BUG-1"),
    "legacy-select": (OPTIONS, "blue", "blue"),
    "legacy-multiselect": (OPTIONS, "red,blue", ["red", "blue"]),
}
SYSTEM: dict[str, tuple[str, Any]] = {
    "summary": ("A\nsummary", "A summary"),
    "description": ("two\nlines", "two\nlines"),
    "environment": ("text", "text"),
    "priority": ("high", "High"),
    "labels": ("a b,c", ["a_b", "c"]),
    "assignee": ("fred@example.com", "Fred F. User"),
    "reporter": ("anna", "Anna"),
    "components": ("UI", ["UI"]),
    "fixVersions": ("1.0", ["1.0"]),
    "versions": ("2.0, beta, 1.0", ["2.0, beta", "1.0"]),
    "duedate": ("2019-05-11", "2019-05-11"),
}


def furnish(jira: JiraStandIn) -> None:
    jira.add_user("anna", display_name="Anna")
    jira.add_version("1.0")
    jira.add_version("2.0, beta")
    jira.add_component("UI")
    jira.create_issue("An epic", issue_type="Epic")


def stored(jira: JiraStandIn, field: Field, text: str) -> Any:
    """Create a ticket with one coerced field and return what Jira then shows in it."""
    client = client_of(jira)

    def people(who: str) -> str | None:
        return client.find_user(who, "BUG")

    fields: dict[str, JSON] = {
        "project": {"key": "BUG"},
        "issuetype": {"name": "Bug"},
        "summary": "A summary",
    }
    fields[field.id] = to_field_value(field, text, cloud=jira.state.cloud, people=people)
    issue = client.create(TicketDraft(fields=fields, properties={}, marker=""))
    return shown(jira.read(issue.key)[field.id])


def shown(value: Any) -> Any:
    if isinstance(value, list):
        return [shown(item) for item in value]
    if not isinstance(value, dict):
        return value
    own = next(value[key] for key in ("displayName", "name", "value", "key") if key in value)
    return f"{own}/{shown(value['child'])}" if "child" in value else own


def test_every_kind_of_custom_field_is_here() -> None:
    assert set(CUSTOM) == set(KINDS)


@pytest.mark.parametrize("kind", CUSTOM)
def test_jira_takes_every_kind_of_custom_field(jira: JiraStandIn, kind: str) -> None:
    options, text, expected = CUSTOM[kind]
    furnish(jira)
    jira.add_field(custom_field("customfield_10010", "Thing", kind, options=options, required=True))
    assert stored(jira, make_schema(jira).resolve("thing"), text) == expected


@pytest.mark.parametrize("field_id", SYSTEM)
def test_jira_takes_every_system_field(jira: JiraStandIn, field_id: str) -> None:
    text, expected = SYSTEM[field_id]
    furnish(jira)
    assert stored(jira, make_schema(jira).resolve(field_id), text) == expected


@pytest.mark.parametrize("field_id", SYSTEM)
def test_jira_takes_system_fields_without_metadata(data_center: JiraStandIn, field_id: str) -> None:
    text, expected = SYSTEM[field_id]
    furnish(data_center)
    if field_id in ("priority", "versions"):  # nobody there to mend the case, or to tell what a comma is
        text, expected = {"priority": ("High", "High"), "versions": ("1.0", ["1.0"])}[field_id]
    assert stored(data_center, untyped_field(field_id), text) == expected


def test_jira_takes_the_cached_schemas_values_too(jira: JiraStandIn) -> None:
    """With the lists left out, the names are sent instead of the ids."""
    furnish(jira)
    jira.add_field(custom_field("customfield_10010", "Thing", "cascading", options={"Europe": ["Rome"]}))
    cached = FieldSchema.from_json(make_schema(jira).to_json(limit=1))
    assert cached is not None
    for name, text, expected in (
        ("Thing", "Europe -> Rome", "Europe/Rome"),
        ("fixVersions", "1.0", ["1.0"]),
        ("components", "UI", ["UI"]),
        ("priority", "High", "High"),
    ):
        field = cached.resolve(name)
        assert field.unlisted
        assert stored(jira, field, text) == expected


def test_a_sub_task_has_a_parent(jira: JiraStandIn) -> None:
    jira.add_project("SUB", "With sub-tasks", issue_types=["Bug", "Sub-task"])
    jira.create_issue("The parent", project="SUB")
    client = client_of(jira)
    found = client.field_schema("SUB", "sub-task")
    assert found is not None
    (missing,) = found.missing({"project", "issuetype", "summary"})
    fields: dict[str, JSON] = {
        "project": {"key": "SUB"},
        "issuetype": {"id": found.issue_type_id},
        "summary": "A part",
        missing.id: to_field_value(missing, "sub-1", cloud=found.cloud, people=lambda _: None),
    }
    assert client.create(TicketDraft(fields=fields, properties={}, marker="")).key == "SUB-2"
