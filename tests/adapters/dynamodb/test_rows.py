"""Items as they lie in tables today are read, whatever the classes of the core are called by now."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.dynamodb.rows import link_in, parking_text, parkings_in, record_text, synced_text
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced, NamedVersion, Opener, Standing, VersionsSeen
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State, Status
from backtrace_jira.synchronisation.poll_memory import ProjectVersions, Sweep, TicketVersion
from tests.tables import new_table

RECORD_TEXT = (
    '{"at": 1005.5, "decision": "refused", "reason": "POST /issue: 400", "rule": "action 1", "messages": ["no ü"], '
    '"fields": {"customfield_10010": "Team is required."}, "left_out": ["Team takes one of these: ä"], '
    '"unknown_attributes": ["version"]}'
)
RECORD = Record(
    1005.5,
    Decision.REFUSED,
    "POST /issue: 400",
    "action 1",
    ("no ü",),
    {"customfield_10010": "Team is required."},
    ("Team takes one of these: ä",),
    ("version",),
)
SYNCED_TEXT = (
    '{"state": "resolved", "assignee": "7", "status": ["4", "Fertig ü", "done"], "ticket_assignee": "jane", '
    '"at": 1010.5, "told": ["x"], "problems": ["ü"], "until": ["{\\"a\\": 1}"], "unread": ["2.x"], '
    '"fixes": {"10001": "2.4 1 0"}, "reopens": 0, "regressed": true, "opened": "ours", '
    '"again": [1000.5, 1001.0], "answered": "5f", "doubted": ["version > 2.4.0"], '
    '"versions": {"standing": "waiting", "versions": [{"name": "2.4 ü", "released": false}], "more": 0, '
    '"resolution": "Fixed", "boundary": "version > 2.4"}}'
)
SYNCED = LastSynced(
    state=State.RESOLVED,
    assignee="7",
    status=Status("4", "Fertig ü", "done"),
    ticket_assignee="jane",
    at=1010.5,
    told=("x",),
    problems=("ü",),
    reopen_criteria=('{"a": 1}',),
    unread_versions=("2.x",),
    fix_versions={"10001": "2.4 1 0"},
    reopens=0,
    versions_seen=VersionsSeen(
        Standing.WAITING, (NamedVersion("2.4 ü", False),), resolution="Fixed", boundary="version > 2.4"
    ),
    regressed=True,
    opened_by=Opener.OURS,
    resolved_again=(1000.5, 1001.0),
    answered="5f",
    doubted=("version > 2.4.0",),
)
FULL: dict[str, Any] = {
    "integration": {"S": "u/p/n"},
    "fingerprint": {"S": "8910551e 2e6"},
    "state": {"S": "uncertain"},
    "owner": {"S": "o"},
    "lease_until": {"N": "1075.25"},
    "uncertain_since": {"N": "1.5"},
    "lookups": {"N": "2"},
    "issue_id": {"S": "10001"},
    "issue_key": {"S": "BUG-1"},
    "issue_url": {"S": "https://jira.example/browse/BUG-1"},
    "linked": {"BOOL": True},
    "record": {"S": RECORD_TEXT},
    "decided_at": {"N": "1005.5"},
    "synced": {"S": SYNCED_TEXT},
    "page": {"S": "https://backtrace.example/p"},
    "previous": {"S": "BUG-0"},
    "fired_at": {"N": "1000"},
    "fired_by": {"S": "e"},
    "aggregated": {"N": "0"},
    "expires_at": {"N": "2000"},
    "written_by_a_newer_version": {"L": [{"S": "x"}]},
}
PARKING_TEXT = json.dumps({"until": 1305.5, "refusal": RECORD_TEXT})


@pytest.fixture
def table() -> Any:
    with mock_aws():
        client = boto3.client("dynamodb")
        yield Table(client, new_table(client))


def put(table: Table, integration: str, fingerprint: str, **attributes: Any) -> None:
    key = {"integration": {"S": integration}, "fingerprint": {"S": fingerprint}}
    table.request("put_item", Item={**key, **attributes})


def test_a_link_row_with_everything() -> None:
    assert link_in(FULL) == Link(
        key=LinkKey("u/p/n", "8910551e", "2e6"),
        state=LinkState.UNCERTAIN,
        owner="o",
        lease_until=1075.25,
        uncertain_since=1.5,
        lookups=2,
        issue=Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1"),
        linked_in_backtrace=True,
        record=RECORD,
        synced=SYNCED,
        page="https://backtrace.example/p",
        previous="BUG-0",
    )


def test_a_link_row_with_nothing_but_a_decision() -> None:
    item: dict[str, Any] = {name: FULL[name] for name in ("integration", "fingerprint")}
    item["record"] = {"S": '{"at": 1006.0, "decision": "created"}'}
    expected = Record(1006.0, Decision.CREATED)
    assert link_in(item) == Link(LinkKey("u/p/n", "8910551e", "2e6"), LinkState.RELEASED, record=expected)


RELEASED: dict[str, Any] = {
    "integration": {"S": "u/p/n"},
    "fingerprint": {"S": "8910551e"},
    "state": {"S": "released"},
}
LET_GO = {"S": '{"at": 1006.0, "decision": "unlinked"}'}
REGRESSED = {"S": '{"at": 1006.0, "decision": "regressed"}'}
REFUSED = {"S": '{"at": 1006.0, "decision": "refused"}'}


@pytest.mark.parametrize(
    ("attributes", "generation"),
    [
        ({}, 1),
        ({"record": REFUSED}, 1),
        ({"record": LET_GO}, 2),
        ({"record": REGRESSED}, 2),
        ({"previous": {"S": "BUG-1"}}, 2),
        ({"record": REFUSED, "page": {"S": "https://backtrace.example/p"}}, 2),
        ({"record": REFUSED, "page": {"S": ""}}, 2),
        ({"state": {"S": "creating"}, "page": {"S": ""}}, 2),
        ({"state": {"S": "complete"}, "issue_id": {"S": "10001"}, "page": {"S": ""}}, 1),
        ({"record": LET_GO, "page": {"S": ""}, "generation": {"N": "5"}}, 5),
        ({"issue_id": {"S": "10001"}, "generation": {"N": "3"}}, 3),
    ],
)
def test_a_row_that_let_go_of_a_ticket_before_it_counted_them_has_its_second(
    attributes: dict[str, Any], generation: int
) -> None:
    assert link_in({**RELEASED, **attributes}).generation == generation


@pytest.mark.parametrize(
    ("synced", "is_wanted"),
    [
        ({"synced": {"S": '{"state": "open", "regressed": true}'}}, True),
        ({"synced": {"S": '{"state": "open"}'}}, False),
        ({}, False),
    ],
    ids=["as it was written", "reopened, or another ticket", "another ticket that is not linked yet"],
)
def test_a_follow_up_is_wanted_while_ticket_and_group_agree_on_the_regression(
    synced: dict[str, Any], is_wanted: bool
) -> None:
    """The release before knows no follow-up. While it is put back, it reopens and replaces tickets beside it."""
    item = RELEASED | {"state": {"S": "complete"}, "issue_id": {"S": "10001"}, "record": REGRESSED}
    link = link_in({**item, "follow_up": {"S": '{"wanted_at": 1006.0, "since": 1000.0}'}, **synced})
    assert (link.follow_up is not None, link.is_handed_over) == (is_wanted, is_wanted)


def test_what_the_sides_were_at_linking() -> None:
    item = {**FULL, "synced": {"S": '{"state": "in-progress", "assignee": ""}'}}
    assert link_in(item).synced == LastSynced(State.IN_PROGRESS, "")


@pytest.mark.parametrize("name", ["integration", "fingerprint", "state", "record", "synced", "lease_until"])
def test_an_item_that_is_no_link_is_an_error_that_does_not_show_it(name: str) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        link_in({**FULL, name: {"M": {}}})
    assert "Team is required" not in str(caught.value)


def test_texts_are_written_as_they_always_were() -> None:
    assert record_text(RECORD) == RECORD_TEXT
    assert synced_text(SYNCED) == SYNCED_TEXT
    assert synced_text(LastSynced(State.IN_PROGRESS, "")) == '{"state": "in-progress", "assignee": ""}'
    assert parking_text(Parking(1305.5, RECORD)) == PARKING_TEXT


def test_parking_notes() -> None:
    item: dict[str, Any] = {"integration": {"S": "#parking"}, "fingerprint": {"S": "main"}}
    item["scope *"] = item["scope BUG Bug"] = {"S": PARKING_TEXT}
    assert parkings_in(item) == {"*": Parking(1305.5, RECORD), "BUG Bug": Parking(1305.5, RECORD)}
    assert parkings_in({}) == {}


def test_a_turn_with_notes(table: Table) -> None:
    store = DynamoDBSyncedLinks(table)
    over: dict[str, Any] = {"owner": {"S": "a"}, "until": {"N": "0"}, "expires_at": {"N": "87400"}}
    put(table, "#turn", "main 10001", **over, notes={"SS": ["status 4", "until x"]})
    assert set(store.take_turn(Turn("main", "10001", "b", 1075.0), now=1000).notes) == {"status 4", "until x"}


def test_watermarks_versions_and_screens(table: Table) -> None:
    store = DynamoDBSyncedLinks(table)
    put(table, "#watermark", "jira main/BUG", at={"N": "1000.5"})
    assert store.sweep("jira main/BUG") == Sweep(1000.5)
    put(table, "#fixes", "main 7 10001", facts={"S": "2.4 1 0"})
    assert store.tickets_with_version("main", "7") == [TicketVersion("7", "10001", "2.4 1 0")]
    known = zlib.compress(b'{"facts":{"7":"2.4 1 0"},"recent":{"7":999.5}}')
    put(table, "#versions", "main BUG", at={"N": "1000.5"}, facts={"B": known}, project_id={"S": "10000"})
    expected = ProjectVersions(1000.5, {"7": "2.4 1 0"}, {"7": 999.5}, "10000")
    assert store.project_versions("main", "BUG") == expected
    put(table, "#screen", "main BUG Bug", screen={"S": "{}"}, expires_at={"N": "9"})
    assert DynamoDBTicketLinks(table).load_screen("main", "BUG Bug") == "{}"


HALF = "Next \ud83d"


def test_half_a_surrogate_pair_in_a_stored_text_makes_no_row_unreadable() -> None:
    """A server's words may end in the middle of an emoji, and older releases stored them as they came."""
    raw = {"at": 1.0, "decision": "refused", "reason": HALF, "fields": {"summary": HALF}}
    synced = {"problems": [HALF], "unread": [HALF], "status": ["4", HALF, "done"]}
    for ensure_ascii in (False, True):
        item: Any = {
            "integration": {"S": "u/p/n"},
            "fingerprint": {"S": "f"},
            "page": {"S": HALF},
            "record": {"S": json.dumps(raw, ensure_ascii=ensure_ascii)},
            "synced": {"S": json.dumps(synced, ensure_ascii=ensure_ascii)},
        }
        link = link_in(item)
        assert link.page == "Next ?"
        assert link.record
        assert link.synced
        assert link.record.reason[:5] == link.record.fields["summary"][:5] == "Next "
        assert link.synced.problems[0][:5] == "Next "
        link.record.reason.encode()
        refusal = json.dumps(raw, ensure_ascii=ensure_ascii)
        note: Any = {"scope *": {"S": json.dumps({"until": 1.0, "refusal": refusal})}}
        assert parkings_in(note)["*"].refusal.reason[:5] == "Next "


def test_an_attribute_without_a_value_is_as_if_it_were_not_there() -> None:
    item: Any = {"integration": {"S": "u/p/n"}, "fingerprint": {"S": "f"}}
    empty: Any = {
        name: {"NULL": True} for name in ("page", "lease_until", "record", "synced", "state", "linked")
    }
    assert link_in(item | empty) == link_in(item)


@pytest.mark.parametrize(
    "text",
    [
        '{"next": 5, "rate": 1}',
        '{"rate": 1.0, "a_field_of_tomorrow": true}',
        '{"rate": {"jira": "fast"}}',
        "no JSON",
    ],
)
def test_a_pace_that_another_version_wrote_is_replaced_like_our_own(text: str) -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        table = new_table(client)
        links = DynamoDBTicketLinks(Table(client, table))
        item = {"integration": "#parking", "fingerprint": "main", "pace": text, "paced_by": "them"}
        item |= {"scope BUG/Bug": "a note of tomorrow"}
        client.put_item(TableName=table, Item={name: {"S": value} for name, value in item.items()})
        seen = links.look([], ["main"]).servers["main"]
        assert (seen.parkings, seen.pace.written_by) == ({}, "them")
        ours = Pace(rate=2.5, written_by="us")
        assert links.replace_pace("main", replace(seen.pace, written_by="somebody"), ours) == seen.pace
        assert links.replace_pace("main", seen.pace, ours) == ours == links.server_notes("main").pace


def test_a_row_that_cannot_be_read_does_not_hide_the_others() -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        table = new_table(client)
        links = DynamoDBTicketLinks(Table(client, table))
        broken, whole = LinkKey("u/p/i", "b1"), LinkKey("u/p/i", "b2")
        links.record_unclaimed(whole, RECORD, 9_000)
        item = {"integration": "u/p/i", "fingerprint": "b1", "state": "a state of tomorrow"}
        client.put_item(TableName=table, Item={name: {"S": value} for name, value in item.items()})
        assert set(links.look([broken, whole], []).links) == {whole}
        with pytest.raises(ValueError, match="state"):
            links.claim(Lease(broken, "a", 1000, 1075))
