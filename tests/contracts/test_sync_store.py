"""The link table as synchronisation uses it: moto and AWS's own engine behave alike."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.dynamodb_sync import REMEMBERED, DynamoDBSync
from backtrace_jira.errors import Busy
from backtrace_jira.model import Decision, Issue, LinkKey, LinkState, Record
from backtrace_jira.states import State, Status
from backtrace_jira.synced import Synced
from backtrace_jira.turns import Turn
from tests.tables import new_table

ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
RECORD = Record(1000.0, Decision.CREATED)
FIRST = LinkKey("u/p/n", "a" * 64)
SECOND = LinkKey("u/q/m", "b" * 64)
SYNCED = Synced(
    State.RESOLVED, "7", Status("4", "Done", "done"), "jane", at=1010.5, told=("x",), problems=("ü",)
)


@pytest.fixture(params=["moto", "dynamodb-local"])
def store(request: pytest.FixtureRequest) -> Iterator[DynamoDBSync]:
    if request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb")
            yield DynamoDBSync(client, new_table(client))
        return
    client = boto3.client("dynamodb", endpoint_url=request.getfixturevalue("dynamodb_local_endpoint"))
    yield DynamoDBSync(client, new_table(client))


def turn(owner: str = "a", until: float = 1075.0) -> Turn:
    return Turn("main", "10001", owner, until)


def test_links_are_found_by_their_ticket(store: DynamoDBSync) -> None:
    assert store.links_of_issue("10001") == []
    store.complete(FIRST, ISSUE, RECORD)
    store.complete(SECOND, ISSUE, RECORD)
    store.complete(LinkKey("u/p/n", "c" * 64), Issue("10002", "BUG-2", "x"), RECORD)
    assert {link.key for link in store.links_of_issue("10001")} == {FIRST, SECOND}


def test_links_are_found_by_their_group(store: DynamoDBSync) -> None:
    store.complete(FIRST, ISSUE, RECORD)
    store.complete(LinkKey("u/p/n", "a" * 64, "2e6"), Issue("10002", "BUG-2", "x"), RECORD)
    store.complete(LinkKey("u/p/n", "a" * 64 + "f"), Issue("10003", "BUG-3", "x"), RECORD)
    store.note(LinkKey("u/p/n", "d" * 64), RECORD, 2000)
    found = store.links_of_group("u/p/n", "a" * 64)
    assert {link.issue.id for link in found if link.issue} == {"10001", "10002"}
    assert store.links_of_group("u/p/n", "d" * 64) == []


def test_what_was_agreed_on_is_kept_whole(store: DynamoDBSync) -> None:
    store.complete(FIRST, ISSUE, RECORD)
    moved = Issue("10001", "OPS-7", "https://jira.example/browse/OPS-7")
    assert store.record_synced(FIRST, ISSUE, moved, SYNCED)
    link = store.get(FIRST)
    assert link is not None
    assert (link.synced, link.issue, link.state, link.record) == (SYNCED, moved, LinkState.COMPLETE, RECORD)


def test_nothing_is_recorded_on_a_link_that_holds_another_ticket(store: DynamoDBSync) -> None:
    store.complete(FIRST, ISSUE, RECORD)
    other = Issue("10009", "BUG-9", "x")
    assert not store.record_synced(FIRST, other, other, SYNCED)
    assert not store.unlink(FIRST, "10009", RECORD)
    link = store.get(FIRST)
    assert link is not None
    assert (link.issue, link.synced) == (ISSUE, None)


def test_a_baseline_is_recorded_once(store: DynamoDBSync) -> None:
    store.complete(FIRST, ISSUE, RECORD)
    store.mark_linked(FIRST, Synced(State.IN_PROGRESS, ""))
    store.mark_linked(FIRST, Synced(State.RESOLVED, "7"))
    link = store.get(FIRST)
    assert link is not None
    assert link.synced == Synced(State.IN_PROGRESS, "")


def test_an_unlinked_group_may_have_a_new_ticket(store: DynamoDBSync) -> None:
    store.complete(FIRST, ISSUE, RECORD)
    store.mark_linked(FIRST, SYNCED)
    why = Record(1100.0, Decision.UNLINKED, "deleted")
    assert store.unlink(FIRST, "10001", why)
    link = store.get(FIRST)
    assert link is not None
    assert (link.state, link.issue, link.synced, link.linked_in_backtrace, link.record) == (
        LinkState.RELEASED,
        None,
        None,
        False,
        why,
    )
    assert store.links_of_issue("10001") == []
    again = Issue("10002", "BUG-2", "https://jira.example/browse/BUG-2")
    assert store.complete(FIRST, again, RECORD) == again


def test_one_at_a_time_has_the_turn(store: DynamoDBSync) -> None:
    assert store.take_turn(turn(), now=1000) == turn()
    with pytest.raises(Busy) as busy:
        store.take_turn(turn("b"), now=1010)
    assert busy.value.after == 15
    store.take_turn(Turn("other", "10001", "b", 1075), now=1010)
    store.end_turn(turn(), done=True)
    assert store.take_turn(turn("b"), now=1010).notes == ()


def test_a_turn_that_was_cut_off_leaves_its_notes(store: DynamoDBSync) -> None:
    store.take_turn(turn(), now=1000)
    store.take_note(turn(), "status 4")
    store.take_note(turn(), "assignee jane")
    assert set(store.take_turn(turn("b", 1200), now=1076).notes) == {"status 4", "assignee jane"}
    with pytest.raises(Busy):
        store.take_note(turn(), "status 5")
    store.end_turn(turn(), done=True)  # it is somebody else's
    with pytest.raises(Busy):
        store.take_turn(turn("c"), now=1080)
    store.end_turn(turn("b"), done=False)
    assert set(store.take_turn(turn("c", 1300), now=1081).notes) == {"status 4", "assignee jane"}
    store.end_turn(turn("c"), done=True)
    assert store.take_turn(turn("d"), now=1082).notes == ()


def test_old_notes_say_nothing(store: DynamoDBSync) -> None:
    store.take_turn(turn(), now=1000)
    store.take_note(turn(), "status 4")
    later = 1001 + REMEMBERED
    assert store.take_turn(turn("b", later + 75), now=later).notes == ()


def test_a_watermark_never_goes_back(store: DynamoDBSync) -> None:
    assert store.watermark("jira main/BUG") is None
    store.advance("jira main/BUG", 1000.5)
    store.advance("jira main/BUG", 900)
    assert store.watermark("jira main/BUG") == 1000.5
    store.advance("jira main/BUG", 1100)
    assert store.watermark("jira main/BUG") == 1100
    assert store.watermark("jira main/OPS") is None
