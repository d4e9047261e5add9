"""`backtrace-jira links`: what is told of links, and links that a person makes and cuts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import FollowUp, Lease, Link, LinkKey, LinkState
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State, Status
from tests.cli.checked_site import ID, Site
from tests.cli.conftest import Operator, answered, refuse, shared_session
from tests.tables import new_table

FINGERPRINT = "8910551e27a339e5"
OTHER = "77aa01be2390c0ff"
KEY = LinkKey(ID, FINGERPRINT)
OWN = {"watcher": "_backtrace"}


@pytest.fixture(params=["cloud", "9.12.0", "10.3.0"])
def site(request: pytest.FixtureRequest, operator: Operator) -> Site:
    made: Site = (
        request.getfixturevalue("cloud")
        if request.param == "cloud"
        else request.getfixturevalue("on_site")(request.param)
    )
    made.store()
    made.jira.create_issue("Found by hand")
    made.jira.create_issue("Another")
    return made


@pytest.fixture
def table(operator: Operator) -> Table:
    client = shared_session().client("dynamodb")
    name = new_table(client)
    operator.put("deployment/links_table", name)
    return Table(client, name)


@pytest.fixture
def store(table: Table) -> DynamoDBSyncedLinks:
    return DynamoDBSyncedLinks(table)


@pytest.fixture
def tickets(table: Table) -> DynamoDBTicketLinks:
    return DynamoDBTicketLinks(table)


def told(operator: Operator, *arguments: str, code: int = 0, typing: str | None = None) -> str:
    result = operator.call("links", *arguments, typing=typing)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def report(operator: Operator, *arguments: str, code: int = 0) -> dict[str, Any]:
    result = operator.call("links", *arguments, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def row(store: DynamoDBSyncedLinks, fingerprint: str = FINGERPRINT) -> Link:
    found = store.get(LinkKey(ID, fingerprint))
    assert found is not None
    return found


def column(site: Site, fingerprint: str = FINGERPRINT) -> list[dict[str, Any]]:
    found = site.backtrace.issue("my_project", fingerprint)
    return found.ticket if found else []


def state(site: Site, fingerprint: str = FINGERPRINT) -> str:
    found = site.backtrace.issue("my_project", fingerprint)
    assert found is not None
    return found.state


def linked(tickets: DynamoDBTicketLinks, issue: Issue, key: LinkKey = KEY, age: float = 600) -> None:
    tickets.complete(key, issue, Record(time.time() - age, Decision.CREATED, rule="action 2"))


def lease(key: LinkKey = KEY, age: float = 0) -> Lease:
    now = time.time() - age
    return Lease(key, "a function", now, now + 75)


# ── add ──


def test_an_existing_ticket_is_linked_on_both_sides(site: Site, store: DynamoDBSyncedLinks) -> None:
    text = told(site.operator, "add", "bug-1", FINGERPRINT, OTHER)
    assert f"{FINGERPRINT}: linked to BUG-1" in text
    for fingerprint in (FINGERPRINT, OTHER):
        found = row(store, fingerprint)
        issue = site.jira.issues["BUG-1"]
        assert found.issue == Issue(issue.id, "BUG-1", f"{site.jira.site_url}/browse/BUG-1")
        assert (found.state, found.linked_in_backtrace) == (LinkState.COMPLETE, True)
        assert found.record
        assert (found.record.decision, found.record.reason) == (Decision.LINKED, "linked by hand")
        own, entry = column(site, fingerprint)
        assert own == OWN
        assert (entry["watcher"], entry["short"], entry["url"]) == ("jira-bugs", "BUG-1", found.issue.url)
        assert state(site, fingerprint) == "in-progress"
    assert {link.key.fingerprint for link in store.links_of_issue(issue.id)} == {FINGERPRINT, OTHER}
    assert "linked by hand" in " ".join(site.operator.call("explain", FINGERPRINT).output.split())


def test_adding_twice_changes_nothing(site: Site, store: DynamoDBSyncedLinks) -> None:
    told(site.operator, "add", "BUG-1", FINGERPRINT)
    before, entries = row(store), column(site)
    assert "linked to BUG-1 already" in told(site.operator, "add", "BUG-1", FINGERPRINT)
    assert (row(store), column(site)) == (before, entries)


def test_a_group_that_has_another_ticket_keeps_it_unless_told_otherwise(
    site: Site, store: DynamoDBSyncedLinks
) -> None:
    told(site.operator, "add", "BUG-1", FINGERPRINT)
    before = row(store)
    text = told(site.operator, "add", "BUG-2", FINGERPRINT, OTHER, code=1)
    assert "it is linked to BUG-1 already; --replace links it to BUG-2 instead" in text
    assert "1 of 2 failed" in text
    assert (row(store), [entry.get("short") for entry in column(site)]) == (before, [None, "BUG-1"])
    assert "linked to BUG-2, no longer to BUG-1" in told(
        site.operator, "add", "BUG-2", FINGERPRINT, "--replace"
    )
    assert (row(store).issue or before.issue) != before.issue
    assert [entry.get("short") for entry in column(site)] == [None, "BUG-2"]
    assert state(site) == "in-progress"


@pytest.mark.parametrize("missing", ["BUG-99", "NOPE-1"])
def test_a_ticket_that_nobody_may_see_is_not_linked(
    site: Site, store: DynamoDBSyncedLinks, missing: str
) -> None:
    assert "does not exist, or the account" in told(site.operator, "add", missing, FINGERPRINT, code=1)
    assert store.get(KEY) is None


def test_while_a_ticket_is_being_made_the_group_is_left_alone(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    tickets.claim(lease())
    before = row(store)
    assert "a ticket is being created" in told(cloud.operator, "add", "BUG-1", FINGERPRINT, code=1)
    assert (row(store), column(cloud)) == (before, [])


def test_after_a_create_that_nobody_heard_of_the_label_to_look_for_is_told(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    tickets.claim(lease(age=600))
    assert KEY.marker("dev") in told(cloud.operator, "add", "BUG-1", FINGERPRINT)
    assert row(store).state is LinkState.COMPLETE


def test_while_a_ticket_is_made_that_follows_another_the_link_is_not_cut(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    first = cloud.jira.create_issue("It came back")
    issue = Issue(first.id, first.key, "https://jira.example/browse/BUG-1")
    linked(tickets, issue)
    store.want_follow_up(
        KEY, issue, FollowUp(1.0, 1.0), LastSynced(regressed=True), Record(1.0, Decision.REGRESSED)
    )
    assert "by a new ticket, because the error came back" in told(cloud.operator, "show", FINGERPRINT)
    store.want_follow_up(
        KEY, issue, FollowUp(1.0, 1.0), LastSynced(regressed=True), Record(1.0, Decision.REFUSED)
    )
    assert "is moved back from the dead letters" in told(cloud.operator, "show", FINGERPRINT)
    tickets.claim(replace(lease(), follows=issue.id))
    before = row(store)
    assert "a new ticket is being created" in told(cloud.operator, "remove", FINGERPRINT, "--yes", code=1)
    assert row(store) == before
    assert "by a new ticket that is being created" in told(cloud.operator, "show", FINGERPRINT)


def test_a_group_that_is_held_back_can_be_linked(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    tickets.claim(lease())
    tickets.hold(lease(), Record(1.0, Decision.HELD), time.time() + 99)
    told(cloud.operator, "add", "BUG-1", FINGERPRINT)
    assert row(store).linked_in_backtrace


def test_backtrace_says_no_and_another_run_makes_it_good(cloud: Site, store: DynamoDBSyncedLinks) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    cloud.backtrace.refuse(FINGERPRINT, "\x1b[2Jbusy")
    result = cloud.operator.call("links", "add", "BUG-1", FINGERPRINT)
    assert result.exit_code == 1
    assert "busy" in result.output
    assert "\x1b" not in result.output
    assert not row(store).linked_in_backtrace
    cloud.backtrace.refusals.clear()
    told(cloud.operator, "add", "BUG-1", FINGERPRINT)
    assert row(store).linked_in_backtrace


def test_what_should_be_known_is_told(cloud: Site, store: DynamoDBSyncedLinks) -> None:
    cloud.integration["event"] = "trace"
    cloud.store()
    cloud.jira.add_project("OPS", "Operations")
    cloud.jira.create_issue("Elsewhere", project="OPS")
    text = told(cloud.operator, "add", "OPS-1", FINGERPRINT)
    assert "a ticket for each error" in text


def test_a_refused_credential_is_told_and_nothing_is_claimed(cloud: Site, store: DynamoDBSyncedLinks) -> None:
    cloud.jira_secret = "canary-wrong"
    cloud.store()
    text = told(cloud.operator, "add", "BUG-1", FINGERPRINT, code=1)
    assert "does not accept" in text
    assert "canary" not in text
    assert store.get(KEY) is None


def test_aws_refuses_to_write(
    cloud: Site, store: DynamoDBSyncedLinks, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    refuse(monkeypatch, lambda op, _: answered("AccessDeniedException", op) if op == "UpdateItem" else None)
    assert "may not write to the link table" in told(cloud.operator, "add", "BUG-1", FINGERPRINT, code=1)


# ── remove ──


def test_a_link_is_cut_on_both_sides_and_others_stay(
    site: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    told(site.operator, "add", "BUG-1", FINGERPRINT, OTHER)
    theirs = {"watcher": "jira-bugs", "short": "BUG-9", "url": "https://elsewhere.example/browse/BUG-9"}
    site.backtrace.seed("my_project", FINGERPRINT, ticket=[*column(site), theirs])
    text = told(site.operator, "remove", FINGERPRINT[:6], "--yes")
    assert "BUG-1 is unlinked; the group's next error creates a new ticket" in text
    found = row(store)
    assert (found.issue, found.state, found.linked_in_backtrace, found.synced) == (
        None, LinkState.RELEASED, False, None,
    )  # fmt: skip
    assert found.record
    assert (found.record.decision, found.record.reason) == (Decision.UNLINKED, "unlinked by hand")
    assert column(site) == [OWN, theirs]
    assert state(site) == "in-progress"
    assert row(store, OTHER).issue is not None
    assert tickets.claim(lease()).owner == "a function"


@pytest.mark.parametrize(
    ("before", "assignees", "after"),
    [
        ("in-progress", [], "open"),
        ("in-progress", [{"id": 7, "username": "jo"}], "in-progress"),
        ("resolved", [], "resolved"),
    ],
)
def test_a_group_in_progress_without_ticket_and_assignee_is_open_again(
    cloud: Site, store: DynamoDBSyncedLinks, before: str, assignees: list[Any], after: str
) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    told(cloud.operator, "add", "BUG-1", FINGERPRINT)
    own, entry = column(cloud)
    cloud.backtrace.seed(
        "my_project", FINGERPRINT, state=before, ticket=[{**own, "assignees": assignees}, entry]
    )
    told(cloud.operator, "remove", FINGERPRINT, "--yes")
    assert (state(cloud), len(column(cloud))) == (after, 1)


@pytest.mark.usefixtures("at_terminal")
def test_somebody_is_asked_first(cloud: Site, store: DynamoDBSyncedLinks) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    told(cloud.operator, "add", "BUG-1", FINGERPRINT)
    assert "is linked to BUG-1" in told(cloud.operator, "remove", FINGERPRINT, code=1, typing="n\n")
    assert row(store).issue is not None
    told(cloud.operator, "remove", FINGERPRINT, typing="y\n")
    assert row(store).issue is None


def test_where_nobody_can_be_asked_yes_is_needed(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    linked(tickets, Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1"))
    assert "Add --yes" in told(cloud.operator, "remove", FINGERPRINT, code=2)
    assert row(store).issue is not None
    report(cloud.operator, "remove", FINGERPRINT, code=2)
    assert report(cloud.operator, "remove", FINGERPRINT, "--yes")["groups"][0]["ok"]
    assert "No error group" in told(cloud.operator, "remove", FINGERPRINT, "--yes", code=1)


def test_while_the_ticket_is_being_synchronised_its_link_is_not_cut(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    linked(tickets, Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1"))
    store.take_turn(Turn("main", "10001", "a function", time.time() + 60), now=time.time())
    assert "brings this ticket in step" in told(cloud.operator, "remove", FINGERPRINT, "--yes", code=1)
    assert row(store).issue is not None


def test_what_begins_alike_has_to_be_written_in_full(
    cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    twin = LinkKey(ID, f"{FINGERPRINT}ff")
    for key in (KEY, twin):
        linked(tickets, Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1"), key)
    assert twin.fingerprint in told(cloud.operator, "remove", FINGERPRINT[:8], "--yes", code=2)
    told(cloud.operator, "remove", FINGERPRINT, "--yes")
    assert (row(store).issue, row(store, twin.fingerprint).issue is None) == (None, False)


# ── list and show ──


def test_links_are_listed_newest_first(
    operator: Operator, cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    assert "Nothing is linked yet" in told(operator, "list")
    for number in range(4):
        issue = Issue(str(number), f"BUG-{number}", "https://jira.example")
        linked(tickets, issue, LinkKey(ID, f"{number:016x}"), age=100 - number)
    tickets.mark_linked(LinkKey(ID, f"{3:016x}"), LastSynced(state=State.OPEN))
    tickets.record_unclaimed(LinkKey(ID, "f" * 16), Record(time.time(), Decision.FILTERED), time.time() + 99)
    lines = operator.call("links", "list", "--count", "2").stdout.splitlines()
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    assert [line[:5] for line in cells] == [
        ["fingerprint", "ticket", "state", "in Backtrace", "last decision"],
        [f"{3:016x}", "BUG-3", "complete", "yes", "created"],
        [f"{2:016x}", "BUG-2", "complete", "not yet", "created"],
    ]
    found = report(operator, "list", "--integration", "jira-bugs")["links"]
    assert [each["ticket"]["key"] for each in found] == ["BUG-3", "BUG-2", "BUG-1", "BUG-0"]


def test_everything_on_a_row_is_shown(
    operator: Operator, cloud: Site, store: DynamoDBSyncedLinks, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    issue = Issue("10001", "BUG-7", "https://jira.example/browse/BUG-7")
    for key in (KEY, LinkKey(ID, OTHER)):
        linked(tickets, issue, key)
    synced = LastSynced(
        State.IN_PROGRESS, "7", Status("3", "In \x1b[2JArbeit", "indeterminate"), "", time.time() - 7300,
        ("assigned in Jira: jo in Backtrace",), ("nobody is known",),
    )  # fmt: skip
    store.record_synced(KEY, issue, issue, synced)
    text = told(operator, "show", FINGERPRINT[:6])
    for expected in (
        "ticket | BUG-7 (id 10001)",
        "linked in Backtrace | not yet",
        "created, ",
        "rule | action 2",
        "(2 h ago)",
        "Backtrace was | in-progress",
        "assigned in Backtrace to | 7",
        "Jira was | In [2JArbeit (category indeterminate)",
        "assigned in Jira to | nobody",
        "done then | assigned in Jira: jo in Backtrace",
        "could not be done | nobody is known",
    ):
        assert expected in text
    assert OTHER not in text
    found = report(operator, "show", "bug-7")["links"]
    assert {each["fingerprint"] for each in found} == {FINGERPRINT, OTHER}
    assert next(each for each in found if each["synced"])["synced"]["state"] == "in-progress"


def test_nothing_is_there_to_show(operator: Operator, cloud: Site, store: DynamoDBSyncedLinks) -> None:
    cloud.store()
    assert "There is no link of BUG-7" in told(operator, "show", "BUG-7", code=1)
    assert "There is no link" in told(operator, "show", FINGERPRINT, code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "abc"),
        ("show", FINGERPRINT, "--integration", "nobody"),
        ("list", "--integration", "nobody"),
        ("add", "no-key", FINGERPRINT),
        ("add", "BUG-1", "with blank"),
        ("add", "BUG-1", "x" * 257),
        ("remove", "abc", "--yes"),
    ],
)
def test_wrong_usage(cloud: Site, store: DynamoDBSyncedLinks, arguments: tuple[str, ...]) -> None:
    cloud.store()
    told(cloud.operator, *arguments, code=2)


def test_of_several_integrations_one_has_to_be_named(
    on_site: Callable[..., Site], cloud: Site, store: DynamoDBSyncedLinks
) -> None:
    cloud.store()
    cloud.jira.create_issue("Found by hand")
    cloud.put("integrations/my_universe/my_project/second", cloud.integration | {"name": "second"})
    assert "Name one with --integration" in told(cloud.operator, "add", "BUG-1", FINGERPRINT, code=2)
    told(cloud.operator, "add", "BUG-1", FINGERPRINT, "--integration", "second")
    assert store.get(LinkKey("my_universe/my_project/second", FINGERPRINT))


def test_without_any_integration_the_path_and_region_are_named(operator: Operator, table: Table) -> None:
    text = told(operator, "add", "BUG-1", FINGERPRINT, code=2)
    assert "No integration is stored below /backtrace-jira/dev in eu-west-1. Write it with" in text


def test_nothing_is_deployed(cloud: Site) -> None:
    cloud.store()
    assert "nothing is deployed" in told(cloud.operator, "list", code=1)


# ── integrations whose settings cannot be used ──


def test_links_of_an_integration_whose_settings_are_not_valid_are_shown_with_the_reason(
    cloud: Site, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    linked(tickets, Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1"))
    cloud.put(f"integrations/{ID}", {"name": "jira-bugs"})
    listed = cloud.operator.call("links", "list")
    assert listed.exit_code == 0
    assert FINGERPRINT in listed.stdout
    assert f"{ID}: its settings are not valid, so nobody looks at its links: " in listed.output
    for command in (["links", "show", FINGERPRINT], ["links", "show", "BUG-1"], ["explain", FINGERPRINT]):
        result = cloud.operator.call(*command)
        assert result.exit_code == 0, result.output
        assert "its settings are not valid" in result.stdout
    (found,) = report(cloud.operator, "show", "BUG-1")["links"]
    assert found["integration_problem"].startswith("its settings are not valid")
    assert found["fix_versions"]["enabled"] is None
    assert "its settings are not valid" in told(cloud.operator, "remove", FINGERPRINT, "--yes", code=1)
    assert cloud.backtrace.requests == []


def test_links_of_an_integration_that_is_no_longer_there_are_shown_on_request(
    cloud: Site, tickets: DynamoDBTicketLinks
) -> None:
    cloud.store()
    gone = LinkKey("my_universe/my_project/gone", OTHER)
    linked(tickets, Issue("10002", "BUG-2", "https://jira.example/browse/BUG-2"), gone, age=60)
    linked(tickets, Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1"))
    assert "BUG-2" not in told(cloud.operator, "list")
    assert "add --all" in told(cloud.operator, "show", "BUG-2", code=1)
    text = told(cloud.operator, "list", "--all")
    assert text.index("BUG-2") < text.index("BUG-1")
    assert "my_universe/my_project/gone: it is not in the settings (any more)" in text
    for which in ("BUG-2", OTHER[:8]):
        assert "it is not in the settings" in told(cloud.operator, "show", which, "--all")
    (found,) = report(cloud.operator, "show", "bug-2", "--all")["links"]
    assert found["integration_problem"].startswith("it is not in the settings")
    (valid,) = report(cloud.operator, "show", "BUG-1", "--all")["links"]
    assert valid["integration_problem"] is None
    for arguments in (("list",), ("show", "BUG-2")):
        text = told(cloud.operator, *arguments, "--all", "--integration", "jira-bugs", code=2)
        assert "Leave out --all" in text


@pytest.mark.usefixtures("table")
def test_what_became_of_each_group_has_one_name_for_machines(site: Site) -> None:
    groups = report(site.operator, "add", "BUG-1", FINGERPRINT)["groups"]
    assert [each["outcome"] for each in groups] == ["linked"]
    groups = report(site.operator, "add", "BUG-2", FINGERPRINT, code=1)["groups"]
    assert [each["outcome"] for each in groups] == ["failed"]
    groups = report(site.operator, "remove", FINGERPRINT, "--yes")["groups"]
    assert [each["outcome"] for each in groups] == ["unlinked"]
