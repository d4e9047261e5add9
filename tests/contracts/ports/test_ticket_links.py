"""The contract of the link table as tickets are made with it.

Its users rely on this: of many that claim a key one gets it; only who holds a row gives it back; a ticket that was
recorded stays; each event is counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.errors import Busy
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Lease, Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking, ServerNotes
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.integration import DueRule
from backtrace_jira.states import State
from backtrace_jira.tickets.ports import TicketLinks
from tests.fakes.links import FakeTicketLinks
from tests.tables import new_table

PORTS = {TicketLinks: FakeTicketLinks}
BASELINE = LastSynced(state=State.IN_PROGRESS, assignee="")
KEY = LinkKey("my_universe/my_project/jira-bugs", "8910551e27a339e5")
OTHER = LinkKey("my_universe/my_project/jira-bugs", "0123456789abcdef", "t1")
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
REFUSAL = Record(
    1005.5,
    Decision.REFUSED,
    "POST /issue: 400",
    "action 1",
    ("no",),
    {"customfield_10010": "Team is required."},
    ("Team (customfield_10010) takes one of these: ä",),
    ("version",),
    1305.5,
)
CREATED = Record(1006.5, Decision.CREATED)
LATER = Record(1010.5, Decision.POSTPONED, "sent, but no answer came")


@pytest.fixture(params=["fake", "moto", "dynamodb-local"])
def links(request: pytest.FixtureRequest) -> Iterator[TicketLinks]:
    if request.param == "fake":
        yield FakeTicketLinks()
        return
    if request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb")
            yield DynamoDBTicketLinks(Table(client, new_table(client)))
        return
    yield real_links(request.getfixturevalue("dynamodb_local_endpoint"))


@pytest.fixture(params=["fake", "dynamodb-local"])
def atomic_links(request: pytest.FixtureRequest) -> TicketLinks:
    """Give the link store where conditions hold for threads too: moto checks and then writes, without a lock."""
    if request.param == "fake":
        return FakeTicketLinks()
    return real_links(request.getfixturevalue("dynamodb_local_endpoint"))


def real_links(endpoint: str) -> DynamoDBTicketLinks:
    """Return the store on a new table of DynamoDB Local."""
    client = boto3.client("dynamodb", endpoint_url=endpoint, config=Config(max_pool_connections=30))
    return DynamoDBTicketLinks(Table(client, new_table(client)))


def lease(owner: str, now: float = 1000.25, key: LinkKey = KEY) -> Lease:
    return Lease(key, owner, now, now + 75)


def held(store: TicketLinks, key: LinkKey = KEY) -> Link:
    row = store.get(key)
    assert row is not None
    return row


def claimed(store: TicketLinks, wanted: Lease) -> bool:
    row = store.claim(wanted)
    return row.owner == wanted.owner and row.state is LinkState.CREATING


def test_an_unknown_key_has_no_row(links: TicketLinks) -> None:
    assert links.get(KEY) is None


def test_a_new_key_is_claimed_once(links: TicketLinks) -> None:
    assert claimed(links, lease("a"))
    standing = links.claim(lease("b", 1001))
    assert standing == Link(KEY, LinkState.CREATING, owner="a", lease_until=1075.25)
    assert held(links) == standing


def test_keys_do_not_stand_in_each_others_way(links: TicketLinks) -> None:
    other = LinkKey("my_universe/my_project/other", KEY.fingerprint)
    assert claimed(links, lease("a"))
    assert claimed(links, lease("b", key=other))
    links.complete(KEY, ISSUE, CREATED)
    assert held(links, other).issue is None


def test_of_many_claims_at_once_one_succeeds(atomic_links: TicketLinks) -> None:
    with ThreadPoolExecutor(20) as pool:
        ours = list(pool.map(lambda number: claimed(atomic_links, lease(f"owner-{number}")), range(20)))
    assert sum(ours) == 1


def test_a_claim_repeated_by_the_same_owner_is_still_its_own(links: TicketLinks) -> None:
    """The library below repeats a request whose answer was lost."""
    assert claimed(links, lease("a"))
    assert claimed(links, lease("a"))


def test_a_complete_row_stands_in_the_way_with_its_issue(links: TicketLinks) -> None:
    links.claim(lease("a"))
    assert links.complete(KEY, ISSUE, CREATED) == ISSUE
    row = links.claim(lease("b"))
    assert row == Link(KEY, LinkState.COMPLETE, issue=ISSUE, record=CREATED)
    links.mark_linked(KEY, BASELINE)
    row = links.claim(lease("b"))
    assert row == Link(
        KEY, LinkState.COMPLETE, issue=ISSUE, record=CREATED, linked_in_backtrace=True, synced=BASELINE
    )


def test_a_ticket_that_the_row_no_longer_has_is_not_marked_as_linked(links: TicketLinks) -> None:
    links.complete(KEY, ISSUE, CREATED)
    links.mark_linked(KEY, BASELINE, Issue("10000", "BUG-0", "https://jira.example/browse/BUG-0"))
    assert not held(links).linked_in_backtrace
    links.mark_linked(KEY, BASELINE, ISSUE)
    assert held(links).linked_in_backtrace


def test_the_first_issue_recorded_stays(links: TicketLinks) -> None:
    links.complete(KEY, ISSUE, CREATED)
    links.mark_linked(KEY, BASELINE)
    assert links.complete(KEY, Issue("10002", "BUG-2", "https://jira.example/browse/BUG-2"), CREATED) == ISSUE
    assert links.complete(KEY, ISSUE, CREATED) == ISSUE
    assert held(links).linked_in_backtrace


def test_a_ticket_is_recorded_even_where_the_row_is_somebody_elses(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.take_over(held(links), lease("b", 1100))
    assert links.complete(KEY, ISSUE, CREATED) == ISSUE
    assert held(links).state is LinkState.COMPLETE


def test_a_ticket_takes_the_place_of_the_one_before(links: TicketLinks) -> None:
    """Who makes it saw the row with the one before: nothing else may have happened to that since."""
    next_one = Issue("10002", "BUG-2", "https://jira.example/browse/BUG-2")
    seen = Link(KEY, LinkState.CREATING, issue=ISSUE)
    links.complete(KEY, ISSUE, CREATED, "https://backtrace.example/group")
    assert links.complete_follow_up(replace(seen, issue=next_one), ISSUE, CREATED) == ISSUE
    assert links.complete_follow_up(replace(seen, generation=2), next_one, CREATED) == ISSUE
    assert held(links).issue == ISSUE
    assert links.complete_follow_up(seen, next_one, CREATED, "https://backtrace.example/2") == next_one
    row = held(links)
    assert (row.issue, row.previous, row.generation) == (next_one, "BUG-1", 2)
    assert (row.page, row.linked_in_backtrace) == ("https://backtrace.example/2", False)


def test_nothing_is_marked_linked_that_has_no_issue(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.mark_linked(KEY, BASELINE)
    assert not held(links).linked_in_backtrace


def test_a_released_key_can_be_claimed_and_keeps_its_reason_until_then(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.release(lease("a"), REFUSAL)
    row = held(links)
    assert (row.state, row.record) == (LinkState.RELEASED, REFUSAL)
    assert claimed(links, lease("b", 1010))
    assert held(links) == Link(KEY, LinkState.CREATING, owner="b", lease_until=1085, record=REFUSAL)


def test_only_the_owner_releases_and_only_before_it_became_uncertain(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.release(lease("b"), REFUSAL)
    assert held(links).state is LinkState.CREATING
    links.leave_uncertain(lease("a"), LATER, now=1010, until=1020, looked_up=False)
    links.release(lease("a"), REFUSAL)
    assert held(links).state is LinkState.UNCERTAIN


def test_an_expired_row_is_taken_over_once(links: TicketLinks) -> None:
    links.claim(lease("a"))
    seen = held(links)
    assert links.take_over(seen, lease("b", 1100))
    assert not links.take_over(seen, lease("c", 1100))
    row = held(links)
    assert (row.state, row.owner, row.lease_until) == (LinkState.UNCERTAIN, "b", 1175)
    assert row.uncertain_since == 1075.25  # the create it stands for ended with its lease, at the latest


def test_of_many_that_take_over_at_once_one_succeeds(atomic_links: TicketLinks) -> None:
    atomic_links.claim(lease("a"))
    seen = held(atomic_links)
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda n: atomic_links.take_over(seen, lease(f"b{n}", 1100)), range(20)))
    assert sum(taken) == 1


def test_a_complete_row_is_not_taken_over(links: TicketLinks) -> None:
    links.claim(lease("a"))
    seen = held(links)
    links.complete(KEY, ISSUE, CREATED)
    assert not links.take_over(seen, lease("b", 1100))
    assert not links.take_over(held(links), lease("b", 1100))


def test_lookups_are_counted_and_uncertain_since_stays(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.leave_uncertain(lease("a"), LATER, now=1010.5, until=1020, looked_up=False)
    row = held(links)
    assert (row.state, row.lookups, row.uncertain_since, row.lease_until) == (
        LinkState.UNCERTAIN,
        0,
        1010.5,
        1020,
    )
    for number in (1, 2):
        again = lease(f"b{number}", 1020 + number)
        assert links.take_over(held(links), again)
        links.leave_uncertain(again, LATER, now=again.now, until=again.now + 20, looked_up=True)
        assert held(links).lookups == number
    assert held(links).uncertain_since == 1010.5


def test_who_lost_the_row_cannot_give_it_back(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.take_over(held(links), lease("b", 1100))
    before = held(links)
    links.leave_uncertain(lease("a"), LATER, now=1101, until=1101, looked_up=True)
    assert held(links) == before
    links.complete(KEY, ISSUE, CREATED)
    links.leave_uncertain(lease("b", 1100), LATER, now=1101, until=1101, looked_up=True)
    assert held(links).issue == ISSUE


def test_a_new_attempt_forgets_the_lookups_of_the_last(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.leave_uncertain(lease("a"), LATER, now=1010, until=1020, looked_up=True)
    mine = lease("b", 1100)
    assert not links.start_again(mine)
    links.take_over(held(links), mine)
    assert links.start_again(mine)
    assert held(links) == Link(KEY, LinkState.CREATING, owner="b", lease_until=1175, cut_off=1, record=LATER)


def test_deliveries_that_never_gave_the_row_back_are_counted(links: TicketLinks) -> None:
    links.claim(lease("a"))
    for number in range(3):
        assert links.take_over(held(links), lease(f"b{number}", 1100 + 100 * number))
        assert held(links).cut_off == number + 1
    links.leave_uncertain(lease("b2", 1300), LATER, now=1301, until=1310, looked_up=True)
    assert held(links).cut_off == 0


def test_parking_notes_are_by_connection_and_scope(links: TicketLinks) -> None:
    assert links.server_notes("main") == ServerNotes()
    first = Parking(1300.5, REFUSAL)
    links.park("main", "BUG/Bug", first)
    links.park("main", "*", replace(first, until=1400))
    links.park("other", "BUG/Bug", first)
    links.park("main", "BUG/Bug", replace(first, until=1500))
    expected = {"BUG/Bug": replace(first, until=1500), "*": replace(first, until=1400)}
    assert links.server_notes("main").parkings == expected
    assert links.server_notes("other").parkings == {"BUG/Bug": first}


def test_parking_notes_that_are_over_are_forgotten_with_the_next(links: TicketLinks) -> None:
    over, now = Parking(1300.5, REFUSAL), Parking(2000.5, REFUSAL)
    pace = links.replace_pace("main", Pace(), Pace(rate=2.0, written_by="a"))
    for number in range(100):
        links.park("main", f"BUG/Type {number} ä", over)
    links.park("main", "BUG/Bug", now, expired=[f"BUG/Type {number} ä" for number in range(1, 100)])
    assert links.server_notes("main") == ServerNotes({"BUG/Type 0 ä": over, "BUG/Bug": now}, pace)


def test_a_pace_is_replaced_only_as_it_was_seen(links: TicketLinks) -> None:
    first, second = (
        Pace(rate=9.7, next=1000.25, measured=3, written_by="a"),
        Pace(rate=1 / 3, paused_until=1005.125, sure=True, written_by="b"),
    )
    assert links.replace_pace("main", Pace(), first) == first
    assert links.replace_pace("main", Pace(), second) == first
    assert links.server_notes("main").pace == first
    assert links.replace_pace("main", first, second) == second
    # botocore repeats a request whose answer was lost
    assert links.replace_pace("main", first, second) == second
    assert links.server_notes("main") == ServerNotes({}, second)
    assert links.server_notes("other") == ServerNotes()


def test_a_pace_and_parking_notes_do_not_disturb_each_other(links: TicketLinks) -> None:
    parking, pace = Parking(1300.5, REFUSAL), Pace(rate=2.0)
    links.park("main", "*", parking)
    assert links.replace_pace("main", Pace(), pace) == pace
    links.park("main", "BUG/Bug", parking)
    assert links.server_notes("main") == ServerNotes({"*": parking, "BUG/Bug": parking}, pace)


def test_a_look_shows_rows_and_servers_as_they_are_now(links: TicketLinks) -> None:
    parking = Parking(1300.5, REFUSAL)
    links.claim(lease("a"))
    links.park("main", "*", parking)
    links.record_unclaimed(OTHER, LATER, 9_000)
    seen = links.look([KEY, OTHER, replace(KEY, trace="t 1")], ["main", "backtrace my_universe"])
    assert seen.links == {KEY: held(links), OTHER: Link(OTHER, LinkState.RELEASED, record=LATER)}
    assert seen.servers == {
        "main": ServerNotes({"*": parking}),
        "backtrace my_universe": ServerNotes(),
    }


def test_a_look_at_more_than_a_hundred_is_complete(links: TicketLinks) -> None:
    keys = [replace(KEY, fingerprint=f"{number:064x}") for number in range(120)]
    for key in keys[::7]:
        links.record_unclaimed(key, LATER, 9_000)
    assert set(links.look(keys, ["main"]).links) == set(keys[::7])


def test_without_a_record_the_last_one_stays(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.release(lease("a"), None)
    assert held(links) == Link(KEY, LinkState.RELEASED, owner="a")
    links.claim(lease("b"))
    links.release(lease("b"), REFUSAL)
    links.claim(lease("c"))
    links.release(lease("c"), None)
    assert held(links).record == REFUSAL


def test_an_error_has_a_row_of_its_own(links: TicketLinks) -> None:
    first, second = replace(KEY, trace="1e4a"), replace(KEY, trace="1e4b")
    assert claimed(links, lease("a", key=first))
    links.complete(first, ISSUE, CREATED)
    assert claimed(links, lease("b", key=second))
    assert links.get(KEY) is None
    assert held(links, first).key == first


def test_a_held_error_stays_held(links: TicketLinks) -> None:
    links.claim(lease("a"))
    links.hold(lease("b"), REFUSAL, 9000)
    assert held(links).state is LinkState.CREATING
    links.hold(lease("a"), REFUSAL, 9000)
    row = links.claim(lease("c"))
    assert (row.state, row.record) == (LinkState.HELD, REFUSAL)
    assert row.owner != "c"


def test_a_note_is_taken_where_nothing_else_is_known(links: TicketLinks) -> None:
    links.record_unclaimed(KEY, REFUSAL, 9000)
    assert held(links) == Link(KEY, LinkState.RELEASED, record=REFUSAL)
    assert claimed(links, lease("a"))
    links.record_unclaimed(KEY, LATER, 9000)
    assert held(links).record == REFUSAL
    links.complete(KEY, ISSUE, CREATED)
    links.record_unclaimed(KEY, LATER, 9000)
    assert held(links) == Link(KEY, LinkState.COMPLETE, issue=ISSUE, record=CREATED)


def test_screens_are_by_connection_and_scope(links: TicketLinks) -> None:
    assert links.load_screen("main", "BUG/Bug") is None
    links.store_screen("main", "BUG/Bug", "ä", 9000.5)
    links.store_screen("main", "BUG/Task", "b", 9000.5)
    links.store_screen("main", "BUG/Bug", "c", 9000.5)
    assert (links.load_screen("main", "BUG/Bug"), links.load_screen("main", "BUG/Task")) == ("c", "b")
    assert links.load_screen("other", "BUG/Bug") is None


def due(store: TicketLinks, now: float, rule: DueRule, trace: str = "", key: LinkKey = KEY) -> bool:
    return store.count_event(key, trace or f"trace-{now}", now, rule)


def test_frequency_lets_one_event_through_and_then_none_for_its_time(links: TicketLinks) -> None:
    rule = DueRule(frequency=60)
    assert [due(links, now, rule) for now in (1000.5, 1000.75, 1060.25)] == [True, False, False]
    assert [due(links, now, rule) for now in (1060.5, 1060.75, 1121)] == [True, False, True]


def test_threshold_lets_every_so_many_th_event_through(links: TicketLinks) -> None:
    assert [due(links, now, DueRule(threshold=3)) for now in range(1000, 1007)] == [
        False, False, True, False, False, True, False,
    ]  # fmt: skip


def test_the_threshold_counts_from_the_last_that_was_due_and_heeds_no_frequency(links: TicketLinks) -> None:
    rule = DueRule(frequency=60, threshold=3)
    moments = (1000, 1001, 1002, 1003, 1004, 1063, 1064, 1065, 1066)
    assert [due(links, now, rule) for now in moments] == [
        True, False, False, True, False, True, False, False, True,
    ]  # fmt: skip


def test_groups_and_integrations_are_counted_apart_and_traces_together(links: TicketLinks) -> None:
    rule = DueRule(threshold=2)
    assert not due(links, 1, rule)
    assert not due(links, 2, rule, key=LinkKey(KEY.integration, "another"))
    assert not due(links, 3, rule, key=LinkKey("my_universe/my_project/other", KEY.fingerprint))
    assert due(links, 4, rule, key=replace(KEY, trace="1e4a"))


def test_a_counter_is_no_claim_and_does_not_disturb_one(links: TicketLinks) -> None:
    assert not due(links, 1, DueRule(threshold=2))
    assert claimed(links, lease("a"))
    assert due(links, 2, DueRule(threshold=2))
    assert held(links).owner == "a"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(DueRule(threshold=10), 5), (DueRule(frequency=60), 1), (DueRule(60, 10), 5), (DueRule(60, 7), 8)],
)
def test_fifty_at_once_are_each_counted_once(atomic_links: TicketLinks, rule: DueRule, expected: int) -> None:
    def count(number: int) -> bool:
        while True:
            with suppress(Busy):
                return due(atomic_links, 1000.5, rule, f"owner-{number}")

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(count, range(50))) == expected


def test_an_event_that_comes_again_right_away_is_not_counted_again(links: TicketLinks) -> None:
    every_third = DueRule(threshold=3)
    assert not due(links, 1000, every_third, "a")
    assert not due(links, 1001, every_third, "a")
    assert not due(links, 1002, every_third, "b")
    assert due(links, 1003, every_third, "c")
    assert due(links, 1004, every_third, "c")
    by_time = DueRule(frequency=60)
    other = replace(KEY, fingerprint="another")
    assert due(links, 1000, by_time, "a", other)
    assert due(links, 1001, by_time, "a", other)
    assert not due(links, 1002, by_time, "b", other)


def test_a_counter_is_a_row_that_was_never_claimed(links: TicketLinks) -> None:
    due(links, 1, DueRule(threshold=2))
    assert held(links) == Link(KEY, LinkState.RELEASED)
    links.record_unclaimed(KEY, REFUSAL, 9000)
    assert held(links).record == REFUSAL


def test_what_is_repeated_by_the_same_owner_succeeds_again(links: TicketLinks) -> None:
    """The library below repeats a request whose answer was lost."""
    links.claim(lease("a"))
    seen, later = held(links), lease("b", 1100)
    assert links.take_over(seen, later)
    assert links.take_over(seen, later)
    assert links.start_again(later)
    assert links.start_again(later)


def test_a_page_is_kept_with_its_ticket(links: TicketLinks) -> None:
    links.complete(KEY, ISSUE, CREATED, "https://backtrace.example/group")
    links.complete(KEY, ISSUE, CREATED, "https://backtrace.example/another")
    assert held(links).page == "https://backtrace.example/group"
