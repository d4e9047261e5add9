"""One contract for the link store, run against the in-memory fake, moto and DynamoDB Local."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from backtrace_jira.model import Issue, Link, LinkKey, LinkState, Parking, Refusal
from backtrace_jira.ports import Lease, LinkStore

KEY = LinkKey("my_universe/my_project/jira-bugs", "8910551e27a339e5")
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
REFUSAL = Refusal(1005.5, "POST /issue: 400", ("no",), {"customfield_10010": "Team is required."})


def lease(owner: str, now: float = 1000.25, key: LinkKey = KEY) -> Lease:
    return Lease(key, owner, now, now + 75)


def held(store: LinkStore, key: LinkKey = KEY) -> Link:
    row = store.get(key)
    assert row is not None
    return row


def test_an_unknown_key_has_no_row(links: LinkStore) -> None:
    assert links.get(KEY) is None


def test_a_new_key_is_claimed_once(links: LinkStore) -> None:
    assert links.claim(lease("a")) is None
    standing = links.claim(lease("b", 1001))
    assert standing == Link(KEY, LinkState.CREATING, owner="a", lease_until=1075.25)
    assert held(links) == standing


def test_keys_do_not_stand_in_each_others_way(links: LinkStore) -> None:
    other = LinkKey("my_universe/my_project/other", KEY.fingerprint)
    assert links.claim(lease("a")) is None
    assert links.claim(lease("b", key=other)) is None
    links.complete(KEY, ISSUE)
    assert held(links, other).issue is None


def test_of_many_claims_at_once_one_succeeds(atomic_links: LinkStore) -> None:
    with ThreadPoolExecutor(20) as pool:
        rows = list(pool.map(lambda number: atomic_links.claim(lease(f"owner-{number}")), range(20)))
    assert sum(row is None for row in rows) == 1


def test_a_claim_repeated_by_the_same_owner_is_still_its_own(links: LinkStore) -> None:
    """The library below repeats a request whose answer was lost."""
    assert links.claim(lease("a")) is None
    assert links.claim(lease("a")) is None


def test_a_complete_row_stands_in_the_way_with_its_issue(links: LinkStore) -> None:
    links.claim(lease("a"))
    assert links.complete(KEY, ISSUE) == ISSUE
    row = links.claim(lease("b"))
    assert row == Link(KEY, LinkState.COMPLETE, issue=ISSUE)
    links.mark_linked(KEY)
    row = links.claim(lease("b"))
    assert row == Link(KEY, LinkState.COMPLETE, issue=ISSUE, linked_in_backtrace=True)


def test_the_first_issue_recorded_stays(links: LinkStore) -> None:
    links.complete(KEY, ISSUE)
    links.mark_linked(KEY)
    assert links.complete(KEY, Issue("10002", "BUG-2", "https://jira.example/browse/BUG-2")) == ISSUE
    assert links.complete(KEY, ISSUE) == ISSUE
    assert held(links).linked_in_backtrace


def test_a_ticket_is_recorded_even_where_the_row_is_somebody_elses(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.take_over(held(links), lease("b", 1100))
    assert links.complete(KEY, ISSUE) == ISSUE
    assert held(links).state is LinkState.COMPLETE


def test_nothing_is_marked_linked_that_has_no_issue(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.mark_linked(KEY)
    assert not held(links).linked_in_backtrace


def test_a_released_key_can_be_claimed_and_keeps_its_reason_until_then(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.release(lease("a"), REFUSAL)
    row = held(links)
    assert (row.state, row.refusal) == (LinkState.RELEASED, REFUSAL)
    assert links.claim(lease("b", 1010)) is None
    assert held(links) == Link(KEY, LinkState.CREATING, owner="b", lease_until=1085)


def test_only_the_owner_releases_and_only_before_it_became_uncertain(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.release(lease("b"), REFUSAL)
    assert held(links).state is LinkState.CREATING
    links.leave_uncertain(lease("a"), now=1010, until=1020, looked_up=False)
    links.release(lease("a"), REFUSAL)
    assert held(links).state is LinkState.UNCERTAIN


def test_an_expired_row_is_taken_over_once(links: LinkStore) -> None:
    links.claim(lease("a"))
    seen = held(links)
    assert links.take_over(seen, lease("b", 1100))
    assert not links.take_over(seen, lease("c", 1100))
    row = held(links)
    assert (row.state, row.owner, row.lease_until) == (LinkState.UNCERTAIN, "b", 1175)
    assert row.uncertain_since == 1075.25  # the create it stands for ended with its lease, at the latest


def test_of_many_that_take_over_at_once_one_succeeds(atomic_links: LinkStore) -> None:
    atomic_links.claim(lease("a"))
    seen = held(atomic_links)
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda n: atomic_links.take_over(seen, lease(f"b{n}", 1100)), range(20)))
    assert sum(taken) == 1


def test_a_complete_row_is_not_taken_over(links: LinkStore) -> None:
    links.claim(lease("a"))
    seen = held(links)
    links.complete(KEY, ISSUE)
    assert not links.take_over(seen, lease("b", 1100))
    assert not links.take_over(held(links), lease("b", 1100))


def test_lookups_are_counted_and_uncertain_since_stays(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.leave_uncertain(lease("a"), now=1010.5, until=1020, looked_up=False)
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
        links.leave_uncertain(again, now=again.now, until=again.now + 20, looked_up=True)
        assert held(links).lookups == number
    assert held(links).uncertain_since == 1010.5


def test_who_lost_the_row_cannot_give_it_back(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.take_over(held(links), lease("b", 1100))
    before = held(links)
    links.leave_uncertain(lease("a"), now=1101, until=1101, looked_up=True)
    assert held(links) == before
    links.complete(KEY, ISSUE)
    links.leave_uncertain(lease("b", 1100), now=1101, until=1101, looked_up=True)
    assert held(links).issue == ISSUE


def test_a_new_attempt_forgets_the_lookups_of_the_last(links: LinkStore) -> None:
    links.claim(lease("a"))
    links.leave_uncertain(lease("a"), now=1010, until=1020, looked_up=True)
    mine = lease("b", 1100)
    assert not links.start_again(mine)
    links.take_over(held(links), mine)
    assert links.start_again(mine)
    assert held(links) == Link(KEY, LinkState.CREATING, owner="b", lease_until=1175)


def test_parking_notes_are_by_connection_and_scope(links: LinkStore) -> None:
    assert links.parkings("main") == {}
    first = Parking(1300.5, REFUSAL)
    links.park("main", "BUG/Bug", first)
    links.park("main", "*", replace(first, until=1400))
    links.park("other", "BUG/Bug", first)
    links.park("main", "BUG/Bug", replace(first, until=1500))
    assert links.parkings("main") == {"BUG/Bug": replace(first, until=1500), "*": replace(first, until=1400)}
    assert links.parkings("other") == {"BUG/Bug": first}
