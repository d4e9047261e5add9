"""A create without an answer is looked up: only its own ticket is adopted, whatever else carries the marker."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.adapters.dynamodb.items import key_of
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.links.link import LinkKey, LinkState
from backtrace_jira.outcomes import Decision, Record
from local.jira_stand_in.model import Issue
from tests.world.world import MakeWorld, World

LOST = {"lost after": {"drop_after": True}, "lost before": {"drop_before": True}}
lost = pytest.mark.parametrize("fault", LOST.values(), ids=LOST)


@pytest.fixture(params=["cloud", "data-center"])
def world(request: pytest.FixtureRequest, make_real_world: MakeWorld) -> World:
    return make_real_world(request.param)


def release_ticket(world: World) -> Issue:
    """Make the group's first ticket, and unlink it as `links remove` does."""
    assert world.deliver() == []
    (old,) = world.jira.issues.values()
    links = DynamoDBSyncedLinks(Table(world._aws.dynamodb, world.table))
    assert links.unlink(world.key, old.id, Record(world.clock(), Decision.UNLINKED, "unlinked by hand"))
    world.backtrace.seed(
        "my_project", world.key.fingerprint, ticket=[{"watcher": "_backtrace"}], state="open"
    )
    world.clock.advance(600)
    return old


def forget_generation(world: World) -> None:
    """Leave the row as the release before this one stored it."""
    world._aws.dynamodb.update_item(
        TableName=world.table, Key=key_of(world.key), UpdateExpression="REMOVE generation"
    )


def assert_only_new_ticket(world: World, *others: Issue) -> Issue:
    """The row and Backtrace have the one ticket that is not among the others."""
    (new,) = [issue for issue in world.jira.issues.values() if issue.id not in {each.id for each in others}]
    row = world.row()
    assert row.issue is not None
    assert (row.state, row.issue.id, row.linked_in_backtrace) == (LinkState.COMPLETE, new.id, True)
    assert world.dead_letters() == []
    return new


@lost
def test_a_ticket_that_the_row_let_go_of_is_never_adopted(world: World, fault: dict[str, Any]) -> None:
    old = release_ticket(world)
    world.jira.faults.add("POST", r"/issue$", **fault)
    assert world.deliver() == ["m0"]
    world.deliver_until_done()
    assert_only_new_ticket(world, old)


@lost
@pytest.mark.parametrize("refused", [False, True], ids=["released", "released, then refused"])
def test_nor_one_that_it_let_go_of_in_an_older_release(
    world: World, fault: dict[str, Any], refused: bool
) -> None:
    old = release_ticket(world)
    forget_generation(world)
    if refused:
        world.jira.faults.add("POST", r"/issue$", status=400, body={"errors": {"summary": "no"}})
        world.deliver()
        (letter,) = world.dead_letters()
        world._aws.sqs.purge_queue(QueueUrl=world.dead)
        assert letter["Fingerprint"] == world.key.fingerprint
        forget_generation(world)
        world.clock.advance(world.timing.parked + 1)
    world.jira.faults.add("POST", r"/issue$", **fault)
    assert world.deliver() == ["m0"]
    world.deliver_until_done()
    assert_only_new_ticket(world, old)


def test_what_an_older_release_was_creating_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gave the marker of the first ticket to the second one, too."""
    first = release_ticket(world)
    forget_generation(world)
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    with monkeypatch.context() as older:
        only_marker = world.key.marker("test")
        older.setattr(LinkKey, "marker", lambda *_: only_marker)
        assert world.deliver() == ["m0"]
    assert world.row().state is LinkState.UNCERTAIN
    world.deliver_until_done()
    second = assert_only_new_ticket(world, first)
    assert only_marker in second.fields["labels"]
    assert world.row().generation == 2


def test_a_released_row_of_an_older_release_goes_on_counting(world: World) -> None:
    first = release_ticket(world)
    forget_generation(world)
    assert world.deliver() == []
    second = assert_only_new_ticket(world, first)
    links = DynamoDBSyncedLinks(Table(world._aws.dynamodb, world.table))
    links.unlink(world.key, second.id, Record(world.clock(), Decision.UNLINKED))
    world.jira.faults.add("POST", r"/issue$", drop_before=True)
    assert world.deliver() == ["m0"]
    world.deliver_until_done()
    assert_only_new_ticket(world, first, second)


def test_what_is_deployed_finds_its_tickets(world: World) -> None:
    """A create of the release before is looked up by this one: the marker of a first ticket is the same text."""
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    assert world.deliver() == ["m0"]
    forget_generation(world)
    (made,) = world.jira.issues.values()
    assert world.key.marker("test") in made.fields["labels"]
    assert world.deliver_until_done() is Decision.ADOPTED
    world.assert_one_ticket()


@lost
@pytest.mark.parametrize("where", ["label", "description"])
def test_an_older_ticket_that_quotes_the_marker_is_not_adopted(
    world: World, fault: dict[str, Any], where: str
) -> None:
    marker = world.key.marker("test")
    quoted: dict[str, Any] = (
        {"labels": [marker]} if where == "label" else {"description": f"as in the ticket with {marker}"}
    )
    older = [world.jira.create_issue("older", **quoted) for _ in range(3)]
    world.clock.advance(3600)
    world.jira.faults.add("POST", r"/issue$", **fault)
    assert world.deliver() == ["m0"]
    world.deliver_until_done()
    assert_only_new_ticket(world, *older)


@pytest.mark.parametrize("moved", [False, True], ids=["stays", "moved"])
def test_a_ticket_whose_label_and_text_were_edited_is_adopted(world: World, moved: bool) -> None:
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    assert world.deliver() == ["m0"]
    (made,) = world.jira.issues.values()
    world.jira.edit_issue(made.key, labels=["triaged"], description="somebody's own words", summary="new")
    if moved:
        world.jira.add_project("OPS", "Operations")
        made = world.jira.move_issue(made.key, "OPS")
    assert world.deliver_until_done() is Decision.ADOPTED
    assert_only_new_ticket(world)


def test_a_ticket_without_its_property_is_adopted_where_our_account_made_it(world: World) -> None:
    """Should a Jira not keep the property of a create, its ticket is known by the label, its maker and its time."""
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    assert world.deliver() == ["m0"]
    (made,) = world.jira.issues.values()
    made.properties.clear()
    assert world.deliver_until_done() is Decision.ADOPTED
    world.assert_one_ticket()


def make_double(world: World) -> list[Issue]:
    """Lose the answer to a create, and let there be a second ticket with the same marker and property."""
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    assert world.deliver() == ["m0"]
    (made,) = world.jira.issues.values()
    world.clock.advance(1)
    double = world.jira.create_issue("double", labels=list(made.fields["labels"]))
    double.properties.update(made.properties)
    return [made, double]


def test_two_finds_are_told_and_neither_is_adopted(world: World) -> None:
    made, double = make_double(world)
    world.clock.advance(world.timing.between_lookups)
    assert world.deliver() == []
    row = world.row()
    assert (row.issue, row.state) == (None, LinkState.UNCERTAIN)
    assert row.record is not None
    assert row.record.decision is Decision.REFUSED
    for text in (row.record.reason, world.dead_letters()[0]["Reason"]):
        assert made.key in text
        assert double.key in text
        assert "backtrace-jira links add" in text
    assert len(world.jira.issues) == 2


def test_further_events_of_an_ambiguous_group_ask_jira_once_in_a_while(world: World) -> None:
    make_double(world)
    world.clock.advance(world.timing.between_lookups)
    assert world.deliver() == []
    searches = world.jira.count("POST", "/search")
    for _ in range(10):
        assert world.deliver() == ["m0"]
    assert world.jira.count("POST", "/search") == searches
    assert len(world.jira.issues) == 2


def test_one_of_two_that_is_deleted_ends_the_ambiguity(world: World) -> None:
    made, double = make_double(world)
    world.clock.advance(world.timing.between_lookups)
    assert world.deliver() == []
    world.jira.delete_issue(double.key)
    world.clock.advance(world.timing.parked + 1)
    assert world.deliver_until_done() is Decision.ADOPTED
    row = world.row()
    assert row.issue is not None
    assert row.issue.id == made.id
