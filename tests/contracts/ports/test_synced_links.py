"""The contract of the link table as synchronisation uses it.

Its users rely on this: a link is changed only while it holds the ticket that was looked at; one of several has the
turn, and what it noted outlives it; a watermark never goes back; a ticket is found by each version that it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.dynamodb.synced_links import NOTES_REMEMBERED, DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced, NamedVersion, Standing, VersionsSeen
from backtrace_jira.links.link import FollowUp, Lease, Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking, ServerNotes, ServerStore
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State, Status
from backtrace_jira.synchronisation.poll_memory import ProjectVersions, Sweep, TicketVersion
from backtrace_jira.synchronisation.ports import SyncedLinks
from backtrace_jira.tickets.ports import TicketLinks
from tests.fakes.links import FakeTable, FakeTicketLinks
from tests.fakes.synced_links import FakeSyncedLinks
from tests.tables import INDEXES, INDEXES_BEFORE, new_table

PORTS = {SyncedLinks: FakeSyncedLinks, ServerStore: FakeSyncedLinks}
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
RECORD = Record(1000.0, Decision.CREATED)
FIRST = LinkKey("u/p/n", "a" * 64)
SECOND = LinkKey("u/q/m", "b" * 64)
SYNCED = LastSynced(
    State.RESOLVED,
    "7",
    Status("4", "Done", "done"),
    "jane",
    at=1010.5,
    told=("x",),
    problems=("ü",),
    versions_seen=VersionsSeen(Standing.NO_VERSIONS, (NamedVersion("2.4"),)),
)


@pytest.fixture(params=["fake", "moto", "dynamodb-local", "dynamodb-local, indexes of the release before"])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[SyncedLinks, TicketLinks]]:
    """Give the store of who synchronises and of who makes tickets, on the same table."""
    if request.param == "fake":
        shared = FakeTable()
        yield FakeSyncedLinks(shared), FakeTicketLinks(shared)
        return
    if request.param == "moto":
        with mock_aws():
            table = Table(client := boto3.client("dynamodb"), new_table(client))
            yield DynamoDBSyncedLinks(table), DynamoDBTicketLinks(table)
        return
    client = boto3.client("dynamodb", endpoint_url=request.getfixturevalue("dynamodb_local_endpoint"))
    before = request.param.endswith("before")
    table = Table(client, new_table(client, INDEXES_BEFORE if before else INDEXES))
    yield DynamoDBSyncedLinks(table), DynamoDBTicketLinks(table)


@pytest.fixture
def store(both: tuple[SyncedLinks, TicketLinks]) -> SyncedLinks:
    return both[0]


@pytest.fixture
def tickets(both: tuple[SyncedLinks, TicketLinks]) -> TicketLinks:
    return both[1]


def turn(owner: str = "a", until: float = 1075.0) -> Turn:
    return Turn("main", "10001", owner, until)


def test_all_linked_tickets_are_listed_and_nothing_else(store: SyncedLinks, tickets: TicketLinks) -> None:
    assert set(store.linked_issues()) == set()
    tickets.complete(FIRST, ISSUE, RECORD)
    tickets.complete(SECOND, ISSUE, RECORD)
    tickets.complete(LinkKey("u/p/n", "c" * 64), Issue("10002", "BUG-2", "x"), RECORD)
    tickets.claim(Lease(LinkKey("u/p/n", "d" * 64), "owner", 1000.0, 1075.0))
    assert set(store.linked_issues()) == {"10001", "10002"}
    store.unlink(FIRST, "10001", RECORD)
    assert set(store.linked_issues()) == {"10001", "10002"}
    store.unlink(SECOND, "10001", RECORD)
    assert set(store.linked_issues()) == {"10002"}


def test_links_are_found_by_their_ticket(store: SyncedLinks, tickets: TicketLinks) -> None:
    assert store.links_of_issue("10001") == []
    tickets.complete(FIRST, ISSUE, RECORD)
    tickets.complete(SECOND, ISSUE, RECORD)
    tickets.complete(LinkKey("u/p/n", "c" * 64), Issue("10002", "BUG-2", "x"), RECORD)
    assert {link.key for link in store.links_of_issue("10001")} == {FIRST, SECOND}


def test_a_ticket_may_have_any_number_of_links(store: SyncedLinks, tickets: TicketLinks) -> None:
    keys = [LinkKey("u/p/n", f"{number:064x}") for number in range(120)]
    for key in keys:
        tickets.complete(key, ISSUE, RECORD)
    assert [link.key for link in store.links_of_issue("10001")] == keys


def test_links_of_a_ticket_are_read_as_they_are_now(store: SyncedLinks, tickets: TicketLinks) -> None:
    """What they last agreed on decides whether a ticket has news, so no copy of a row will do."""
    tickets.complete(FIRST, ISSUE, RECORD)
    for state in (State.OPEN, State.RESOLVED):
        agreed = LastSynced(state, "7")
        store.record_synced(FIRST, ISSUE, ISSUE, agreed)
        assert [link.synced for link in store.links_of_issue("10001")] == [agreed]


def test_links_are_found_by_their_group(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    tickets.complete(LinkKey("u/p/n", "a" * 64, "2e6"), Issue("10002", "BUG-2", "x"), RECORD)
    tickets.complete(LinkKey("u/p/n", "a" * 64 + "f"), Issue("10003", "BUG-3", "x"), RECORD)
    tickets.record_unclaimed(LinkKey("u/p/n", "d" * 64), RECORD, 2000)
    found = store.links_of_group("u/p/n", "a" * 64)
    assert {link.issue.id for link in found if link.issue} == {"10001", "10002"}
    assert store.links_of_group("u/p/n", "d" * 64) == []


def test_what_was_agreed_on_is_kept_whole(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    moved = Issue("10001", "OPS-7", "https://jira.example/browse/OPS-7")
    assert store.record_synced(FIRST, ISSUE, moved, SYNCED)
    link = store.get(FIRST)
    assert link is not None
    assert (link.synced, link.issue, link.state, link.record) == (SYNCED, moved, LinkState.COMPLETE, RECORD)


def test_nothing_is_recorded_on_a_link_that_holds_another_ticket(
    store: SyncedLinks, tickets: TicketLinks
) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    other = Issue("10009", "BUG-9", "x")
    assert not store.record_synced(FIRST, other, other, SYNCED)
    assert not store.unlink(FIRST, "10009", RECORD)
    link = store.get(FIRST)
    assert link is not None
    assert (link.issue, link.synced) == (ISSUE, None)


def test_a_baseline_is_recorded_once(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    tickets.mark_linked(FIRST, LastSynced(State.IN_PROGRESS, ""))
    tickets.mark_linked(FIRST, LastSynced(State.RESOLVED, "7"))
    link = store.get(FIRST)
    assert link is not None
    assert link.synced == LastSynced(State.IN_PROGRESS, "")


def test_an_unlinked_group_may_have_a_new_ticket(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    tickets.mark_linked(FIRST, SYNCED)
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
    assert tickets.complete(FIRST, again, RECORD) == again


def test_one_at_a_time_has_the_turn(store: SyncedLinks) -> None:
    assert store.take_turn(turn(), now=1000) == turn()
    with pytest.raises(Busy) as busy:
        store.take_turn(turn("b"), now=1010)
    assert busy.value.after == 15
    store.take_turn(Turn("other", "10001", "b", 1075), now=1010)
    store.end_turn(turn(), done=True)
    assert store.take_turn(turn("b"), now=1010).notes == ()


def test_a_turn_that_was_cut_off_leaves_its_notes(store: SyncedLinks) -> None:
    store.take_turn(turn(), now=1000)
    store.add_note(turn(), "status 4")
    store.add_note(turn(), "assignee jane")
    assert set(store.take_turn(turn("b", 1200), now=1076).notes) == {"status 4", "assignee jane"}
    with pytest.raises(Busy):
        store.add_note(turn(), "status 5")
    store.end_turn(turn(), done=True)  # it is somebody else's
    with pytest.raises(Busy):
        store.take_turn(turn("c"), now=1080)
    store.end_turn(turn("b"), done=False)
    assert set(store.take_turn(turn("c", 1300), now=1081).notes) == {"status 4", "assignee jane"}
    store.end_turn(turn("c"), done=True)
    assert store.take_turn(turn("d"), now=1082).notes == ()


def test_old_notes_say_nothing(store: SyncedLinks) -> None:
    store.take_turn(turn(), now=1000)
    store.add_note(turn(), "status 4")
    later = 1001 + NOTES_REMEMBERED
    assert store.take_turn(turn("b", later + 75), now=later).notes == ()


def test_a_watermark_never_goes_back(store: SyncedLinks) -> None:
    assert store.sweep("jira main/BUG") is None
    store.advance_watermark("jira main/BUG", 1000.5)
    store.advance_watermark("jira main/BUG", 900)
    assert store.sweep("jira main/BUG") == Sweep(1000.5)
    store.advance_watermark("jira main/BUG", 1100)
    assert store.sweep("jira main/BUG") == Sweep(1100)
    assert store.sweep("jira main/OPS") is None


def test_a_sweep_begins_at_the_watermark_and_is_over_when_that_moves(store: SyncedLinks) -> None:
    name, half = "jira main/BUG", Sweep(1000.5, 2000.25, "BUG-7")
    assert store.sweep(name) is None
    store.advance_watermark(name, 1000.5)
    assert store.sweep(name) == Sweep(1000.5)
    store.record_sweep(name, half)
    assert store.sweep(name) == half
    store.advance_watermark(name, 900)
    assert store.sweep(name) == half
    store.advance_watermark(name, 1700.25)
    assert store.sweep(name) == Sweep(1700.25)
    store.record_sweep(name, half)  # a run that is late: another one has finished meanwhile
    assert store.sweep(name) == Sweep(1700.25)


def test_a_sweep_that_ends_where_it_began_is_over(store: SyncedLinks) -> None:
    store.record_sweep("jira main/BUG", Sweep(1000.5, 1300.5, "BUG-7"))
    store.advance_watermark("jira main/BUG", 1000.5)
    assert store.sweep("jira main/BUG") == Sweep(1000.5)


def test_the_first_sweep_is_recorded_without_a_watermark(store: SyncedLinks) -> None:
    half = Sweep(1000.5, 2000.25, "BUG-7")
    store.record_sweep("jira main/BUG", half)
    assert (store.sweep("jira main/BUG"), store.sweep("jira main/OPS")) == (half, None)


WANTED = FollowUp(wanted_at=1100.5, since=1050.25)
WHY = Record(1100.0, Decision.REGRESSED, "seen again in 2.5")
SECOND_TICKET = Issue("10002", "BUG-2", "https://jira.example/browse/BUG-2")


def lease_that_follows(owner: str = "a", now: float = 1200.0) -> Lease:
    return Lease(FIRST, owner, now, now + 75, ISSUE.id)


def row_of(store: SyncedLinks) -> Link:
    row = store.get(FIRST)
    assert row is not None
    return row


def want(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD, "https://backtrace.example/group")
    tickets.mark_linked(FIRST, LastSynced(State.IN_PROGRESS, ""))
    assert store.want_follow_up(FIRST, ISSUE, WANTED, replace(SYNCED, regressed=True), WHY)


def test_a_ticket_that_is_to_be_followed_stays_until_it_is(store: SyncedLinks, tickets: TicketLinks) -> None:
    assert not store.want_follow_up(FIRST, ISSUE, WANTED, SYNCED, WHY)
    want(store, tickets)
    assert not store.want_follow_up(FIRST, SECOND_TICKET, WANTED, SYNCED, WHY)
    row = row_of(store)
    assert (row.issue, row.state, row.linked_in_backtrace) == (ISSUE, LinkState.COMPLETE, True)
    assert (row.follow_up, row.record, row.generation, row.next_generation) == (WANTED, WHY, 1, 2)
    assert row.is_handed_over
    claimed = tickets.claim(lease_that_follows())
    assert (claimed.state, claimed.owner, claimed.follows) == (LinkState.CREATING, "a", ISSUE.id)
    assert [link.key for link in store.links_of_issue(ISSUE.id)] == [FIRST]
    assert not store.want_follow_up(FIRST, ISSUE, WANTED, SYNCED, WHY)  # it is being made
    made = Record(1210.0, Decision.CREATED)
    assert tickets.complete_follow_up(claimed, SECOND_TICKET, made) == SECOND_TICKET
    assert row_of(store) == Link(
        FIRST,
        LinkState.COMPLETE,
        issue=SECOND_TICKET,
        record=made,
        page="https://backtrace.example/group",
        previous=ISSUE.key,
        generation=2,
    )
    assert store.links_of_issue(ISSUE.id) == []
    late = Issue("10003", "BUG-3", "x")
    assert tickets.complete_follow_up(claimed, late, made) == SECOND_TICKET  # the first to be recorded stays
    tickets.mark_linked(FIRST, LastSynced(State.IN_PROGRESS, ""))
    assert row_of(store).previous == ""


def test_a_follow_up_is_claimed_once_and_only_where_it_is_wanted(
    store: SyncedLinks, tickets: TicketLinks
) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    assert tickets.claim(lease_that_follows()).state is LinkState.COMPLETE
    store.want_follow_up(FIRST, ISSUE, WANTED, replace(SYNCED, regressed=True), WHY)
    assert tickets.claim(replace(lease_that_follows(), follows="10009")).state is LinkState.COMPLETE
    assert tickets.claim(replace(lease_that_follows(), follows="")).state is LinkState.COMPLETE
    assert tickets.claim(lease_that_follows()).owner == "a"
    assert tickets.claim(lease_that_follows()).owner == "a"  # botocore may repeat a request
    assert tickets.claim(lease_that_follows("b")).owner == "a"


def test_a_follow_up_that_was_not_made_leaves_the_ticket_before(
    store: SyncedLinks, tickets: TicketLinks
) -> None:
    want(store, tickets)
    tickets.claim(lease_that_follows())
    no = Record(1210.0, Decision.REFUSED, "customfield_1 is required")
    tickets.release(lease_that_follows(), no)
    row = row_of(store)
    assert (row.state, row.issue, row.record, row.follow_up, row.lease_until) == (
        LinkState.COMPLETE,
        ISSUE,
        no,
        WANTED,
        0.0,
    )
    assert not row.is_handed_over
    assert tickets.claim(lease_that_follows("b")).owner == "b"


def test_a_follow_up_whose_answer_is_lost_is_taken_over(store: SyncedLinks, tickets: TicketLinks) -> None:
    want(store, tickets)
    tickets.claim(lease_that_follows())
    tickets.leave_uncertain(lease_that_follows(), RECORD, now=1210, until=1220, looked_up=False)
    seen = row_of(store)
    assert (seen.state, seen.issue, seen.next_generation) == (LinkState.UNCERTAIN, ISSUE, 2)
    mine = lease_that_follows("b", 1300.0)
    assert tickets.take_over(seen, mine)
    assert not tickets.take_over(seen, lease_that_follows("c", 1301.0))
    assert tickets.start_again(mine)
    assert tickets.complete_follow_up(row_of(store), SECOND_TICKET, RECORD) == SECOND_TICKET
    assert not tickets.take_over(seen, lease_that_follows("d", 1400.0))


def test_a_regression_that_is_over_wants_no_follow_up(store: SyncedLinks, tickets: TicketLinks) -> None:
    want(store, tickets)
    store.record_synced(FIRST, ISSUE, ISSUE, replace(SYNCED, regressed=True))
    assert row_of(store).follow_up == WANTED
    store.record_synced(FIRST, ISSUE, ISSUE, replace(SYNCED, regressed=False))
    assert row_of(store).follow_up is None


def test_unlinked_while_it_is_followed_leaves_doubt(store: SyncedLinks, tickets: TicketLinks) -> None:
    want(store, tickets)
    claimed = tickets.claim(lease_that_follows())
    assert store.unlink(FIRST, ISSUE.id, WHY)
    row = row_of(store)
    assert (row.state, row.issue, row.uncertain_since) == (LinkState.UNCERTAIN, None, 1275.0)
    assert (row.follow_up, row.next_generation) == (None, claimed.next_generation)
    with pytest.raises(Busy):
        tickets.complete_follow_up(claimed, SECOND_TICKET, RECORD)
    tickets.release(lease_that_follows(), WHY)  # it is no longer theirs
    assert row_of(store) == row
    assert tickets.take_over(row, Lease(FIRST, "b", 1300.0, 1375.0))
    assert tickets.complete(FIRST, SECOND_TICKET, RECORD, generation=row.generation) == SECOND_TICKET


def test_tickets_are_found_by_the_versions_they_have(store: SyncedLinks) -> None:
    store.record_versions("main", "10001", {"7": "2.4", "8": "2.5"}, {})
    store.record_versions("main", "10002", {"7": "2.4"}, {})
    store.record_versions("main", "10003", {"77": "3.0"}, {})
    store.record_versions("other", "10001", {"7": "x"}, {})
    found = {(f.version_id, f.issue_id, f.facts) for f in store.tickets_with_version("main", "7")}
    assert found == {("7", "10001", "2.4"), ("7", "10002", "2.4")}
    assert len(store.tickets_with_version("main")) == 4
    store.record_versions("main", "10001", {"7": "2.4.1"}, {"7": "2.4", "8": "2.5"})
    assert {(f.issue_id, f.facts) for f in store.tickets_with_version("main", "7")} == {
        ("10001", "2.4.1"),
        ("10002", "2.4"),
    }
    assert store.tickets_with_version("main", "8") == []
    store.forget_version("main", TicketVersion("7", "10002", "whatever it was"))
    store.forget_version("main", TicketVersion("7", "10002", "2.4"))
    assert [f.issue_id for f in store.tickets_with_version("main", "7")] == ["10001"]
    assert [f.facts for f in store.tickets_with_version("other")] == ["x"]


def test_what_is_followed_is_no_link(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    store.record_versions("main", "10001", {"7": "2.4"}, {})
    store.record_project_versions("main", "BUG", ProjectVersions(1000.0, {"7": "2.4"}, {}))
    assert [link.key for link in store.links_of_issue("10001")] == [FIRST]


def test_many_followers_come_over_several_pages(store: SyncedLinks) -> None:
    facts = "2.4 " + "ü" * 3000  # a page of DynamoDB ends after 1 MB
    for number in range(200):
        store.record_versions("main", str(number), {"7": facts}, {})
    assert {f.issue_id for f in store.tickets_with_version("main", "7")} == {
        str(number) for number in range(200)
    }


def test_versions_of_a_project_are_kept_as_they_were_listed_last(store: SyncedLinks) -> None:
    assert store.project_versions("main", "BUG") is None
    later = ProjectVersions(1010.5, {"7": "2.4 ü", "8": "2.5"}, {"8": 1009.25}, "10000")
    store.record_project_versions("main", "BUG", later)
    store.record_project_versions("main", "BUG", ProjectVersions(1000.0, {"7": "2.3"}, {}, "10000"))
    assert store.project_versions("main", "BUG") == later
    newest = ProjectVersions(1020.0, {}, {}, "10000")
    store.record_project_versions("main", "BUG", newest)
    assert store.project_versions("main", "BUG") == newest
    assert store.project_versions("main", "OPS") is None
    assert store.project_versions("other", "BUG") is None


def test_versions_of_a_huge_project_fit_in_one_item(store: SyncedLinks) -> None:
    facts = {
        str(10_000 + number): f"Release {number // 100}.{number % 100} 1 0 10000" for number in range(20_000)
    }
    versions = ProjectVersions(1000.0, facts, {})
    store.record_project_versions("main", "BUG", versions)
    assert store.project_versions("main", "BUG") == versions


def test_the_next_ticket_still_knows_the_one_before_it(store: SyncedLinks, tickets: TicketLinks) -> None:
    want(store, tickets)
    tickets.complete_follow_up(tickets.claim(lease_that_follows()), SECOND_TICKET, RECORD)
    store.unlink(FIRST, "10002", RECORD)
    claimed = tickets.claim(Lease(FIRST, "a", 1200.0, 1275.0))
    assert (claimed.owner, claimed.previous, claimed.generation) == ("a", "BUG-1", 3)
    tickets.complete(FIRST, Issue("10003", "BUG-3", "x"), RECORD, generation=3)
    assert row_of(store).previous == "BUG-1"
    tickets.mark_linked(FIRST, LastSynced(State.IN_PROGRESS, ""))
    assert row_of(store).previous == ""


def test_each_ticket_that_a_row_lets_go_of_counts(store: SyncedLinks, tickets: TicketLinks) -> None:
    """A look-up for the next ticket must not find this one, so no two tickets of a row have one generation."""
    tickets.complete(FIRST, ISSUE, RECORD)
    assert getattr(store.get(FIRST), "generation", None) == 1
    store.unlink(FIRST, ISSUE.id, RECORD)
    assert tickets.claim(Lease(FIRST, "a", 1200.0, 1275.0)).generation == 2
    with pytest.raises(Busy):  # a process that made the first one is late
        tickets.complete(FIRST, Issue("10009", "BUG-9", "x"), RECORD, generation=1)
    second = Issue("10002", "BUG-2", "x")
    assert tickets.complete(FIRST, second, RECORD, generation=2) == second
    assert tickets.complete(FIRST, Issue("10009", "BUG-9", "x"), RECORD, generation=1) == second
    store.unlink(FIRST, second.id, RECORD)
    assert not store.unlink(FIRST, second.id, RECORD)
    assert getattr(store.get(FIRST), "generation", None) == 3


def test_nobody_records_over_why_a_link_was_cut(store: SyncedLinks, tickets: TicketLinks) -> None:
    tickets.complete(FIRST, ISSUE, RECORD)
    why = Record(1100.0, Decision.UNLINKED, "deleted")
    store.unlink(FIRST, "10001", why)
    tickets.record_unclaimed(FIRST, Record(1200.0, Decision.FILTERED), 9000)
    assert getattr(store.get(FIRST), "record", None) == why


def test_who_makes_tickets_and_who_synchronises_heed_each_others_parking_notes(
    store: SyncedLinks, tickets: TicketLinks
) -> None:
    assert store.server_notes("main") == ServerNotes()
    refused = Parking(1300.5, Record(1000.0, Decision.REFUSED, "401"))
    store.park("main", "*", refused)
    tickets.park("main", "BUG/Bug", refused)
    assert store.server_notes("main") == tickets.server_notes("main")
    assert store.server_notes("main").parkings == {"*": refused, "BUG/Bug": refused}
    assert store.server_notes("other") == ServerNotes()


def test_who_makes_tickets_and_who_synchronises_keep_one_pace(
    store: SyncedLinks, tickets: TicketLinks
) -> None:
    first, second = Pace(rate=1.0, written_by="a"), Pace(rate=2.0, written_by="b")
    assert store.replace_pace("main", Pace(), first) == first
    assert tickets.replace_pace("main", Pace(), second) == first
    assert tickets.replace_pace("main", first, second) == store.server_notes("main").pace == second


def test_a_turn_that_is_repeated_by_the_same_owner_is_still_its_own(store: SyncedLinks) -> None:
    store.take_turn(turn(), now=1000)
    store.add_note(turn(), "status 4")
    store.add_note(turn(), "status 4")
    assert store.take_turn(turn(), now=1001).notes == ("status 4",)


@pytest.mark.parametrize(("now", "after"), [(1074.5, 1), (1070, 5), (1000, 15)])
def test_who_waits_for_a_turn_comes_back_when_it_may_be_over(
    store: SyncedLinks, now: float, after: float
) -> None:
    store.take_turn(turn(), now=1000)
    with pytest.raises(Busy) as busy:
        store.take_turn(turn("b"), now=now)
    assert busy.value.after == after
