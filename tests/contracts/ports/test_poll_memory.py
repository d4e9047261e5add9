"""The contract of what the polls remember.

Its users rely on this: page by page, each link that stays is met, once in a round; a round is moved on by one run only;
a project is known until a whole round has not met it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.dynamodb.poll_memory import DynamoDBPollMemory
from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import Lease, LinkKey
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.synchronisation.poll_memory import LinkPage, PollNotes
from backtrace_jira.synchronisation.ports import PollMemory, SyncedLinks
from backtrace_jira.tickets.ports import TicketLinks
from tests.fakes.links import FakeTable, FakeTicketLinks
from tests.fakes.poll_memory import FakePollMemory
from tests.fakes.synced_links import FakeSyncedLinks
from tests.tables import INDEXES, INDEXES_BEFORE, new_table

PORTS = {PollMemory: FakePollMemory}
RECORD = Record(1000.0, Decision.CREATED)
BUG, OPS, OTHER = ("main", "BUG"), ("main", "OPS"), ("second", "BUG")


@pytest.fixture(params=["fake", "moto", "dynamodb-local", "dynamodb-local, indexes of the release before"])
def three(request: pytest.FixtureRequest) -> Iterator[tuple[PollMemory, TicketLinks, SyncedLinks]]:
    """Give the memory, and two stores of links on the same table."""
    if request.param == "fake":
        shared = FakeTable()
        yield FakePollMemory(shared), FakeTicketLinks(shared), FakeSyncedLinks(shared)
        return
    if request.param == "moto":
        with mock_aws():
            table = Table(client := boto3.client("dynamodb"), new_table(client))
            yield DynamoDBPollMemory(table), DynamoDBTicketLinks(table), DynamoDBSyncedLinks(table)
        return
    client = boto3.client("dynamodb", endpoint_url=request.getfixturevalue("dynamodb_local_endpoint"))
    before = request.param.endswith("before")
    table = Table(client, new_table(client, INDEXES_BEFORE if before else INDEXES))
    yield DynamoDBPollMemory(table), DynamoDBTicketLinks(table), DynamoDBSyncedLinks(table)


@pytest.fixture
def memory(three: tuple[PollMemory, TicketLinks, SyncedLinks]) -> PollMemory:
    return three[0]


@pytest.fixture
def tickets(three: tuple[PollMemory, TicketLinks, SyncedLinks]) -> TicketLinks:
    return three[1]


@pytest.fixture
def links(three: tuple[PollMemory, TicketLinks, SyncedLinks]) -> SyncedLinks:
    return three[2]


def key(number: int) -> LinkKey:
    return LinkKey("u/p/n", f"{number:064x}")


def issue(number: int) -> Issue:
    return Issue(str(10_000 + number), f"BUG-{number}", "x")


def walk(memory: PollMemory, most: int) -> Iterator[LinkPage]:
    after = ""
    while True:
        page = memory.links_after(after, most)
        yield page
        after = page.next_after
        if not after:
            return


@pytest.mark.parametrize("most", [1, 3, 7, 100])
def test_page_by_page_each_link_is_met_once(memory: PollMemory, tickets: TicketLinks, most: int) -> None:
    for number in range(12):
        tickets.complete(key(number), issue(number // 3), RECORD)
    tickets.claim(Lease(key(90), "owner", 1000.0, 1075.0))
    pages = list(walk(memory, most))
    assert Counter(link.key for page in pages for link in page.links) == Counter(map(key, range(12)))
    assert all(len(page.links) <= most for page in pages)
    ids = [link.issue.id for page in pages for link in page.links if link.issue]
    assert len([1 for here, before in zip(ids, [None, *ids], strict=False) if here != before]) == 4


def test_without_links_there_is_one_empty_page(memory: PollMemory) -> None:
    assert list(walk(memory, 100)) == [LinkPage([])]


def test_what_is_cut_meanwhile_costs_no_other_link(
    memory: PollMemory, tickets: TicketLinks, links: SyncedLinks
) -> None:
    """The link at which a page ended is cut: its place is still one to go on from."""
    for number in range(9):
        tickets.complete(key(number), issue(number), RECORD)
    met: list[LinkKey] = []
    after, pages = "", 0
    while pages == 0 or after:
        page = memory.links_after(after, 2)
        met += [link.key for link in page.links]
        for link in page.links[-1:]:
            assert link.issue
            links.unlink(link.key, link.issue.id, RECORD)
        after, pages = page.next_after, pages + 1
    assert sorted(met, key=str) == [key(number) for number in range(9)]


def test_nothing_is_known_at_first(memory: PollMemory) -> None:
    assert memory.notes() == PollNotes()
    assert memory.notes().projects == frozenset()


def test_a_round_goes_on_where_it_was_and_ends_with_how_long_it_took(memory: PollMemory) -> None:
    memory.advance_round(memory.notes(), "a", now=1000.5, seen=[])
    assert (memory.notes().after, memory.notes().began) == ("a", 1000.5)
    memory.advance_round(memory.notes(), "b", now=1300.0, seen=[])
    assert (memory.notes().after, memory.notes().began) == ("b", 1000.5)
    memory.advance_round(memory.notes(), "", now=1600.0, seen=[])
    assert memory.notes() == PollNotes(took=599.5)


def test_of_two_runs_one_moves_the_round(memory: PollMemory) -> None:
    slow = memory.notes()
    memory.advance_round(memory.notes(), "a", now=1000, seen=[])
    memory.advance_round(memory.notes(), "b", now=1001, seen=[])
    memory.advance_round(slow, "a", now=1002, seen=[])
    assert memory.notes().after == "b"
    slow = memory.notes()
    memory.advance_round(memory.notes(), "", now=1003, seen=[])
    memory.advance_round(slow, "c", now=1004, seen=[BUG])
    assert memory.notes() == PollNotes(took=3)


def test_a_project_is_known_until_a_whole_round_has_not_met_it(memory: PollMemory) -> None:
    memory.learn_projects([BUG])
    assert memory.notes().projects == {BUG}
    memory.advance_round(memory.notes(), "a", now=1000, seen=[OTHER])
    assert memory.notes().projects == {BUG, OTHER}
    memory.advance_round(memory.notes(), "", now=1001, seen=[])
    assert memory.notes().projects == {BUG, OTHER}
    memory.advance_round(memory.notes(), "", now=1002, seen=[OPS])
    assert memory.notes().projects == {OPS}
    memory.advance_round(memory.notes(), "", now=1003, seen=[])
    assert memory.notes().projects == frozenset()


def test_a_project_that_is_met_while_a_round_ends_is_kept(memory: PollMemory) -> None:
    memory.learn_projects([BUG])
    ending = memory.notes()
    memory.learn_projects([OPS, OTHER])
    memory.advance_round(ending, "", now=1000, seen=[OTHER])
    assert memory.notes().projects == {BUG, OPS, OTHER}
    memory.advance_round(memory.notes(), "", now=1001, seen=[])
    assert memory.notes().projects == {OPS}


def test_who_is_first_is_kept_for_each_schedule(memory: PollMemory) -> None:
    memory.begin_with("jira", "jira main/BUG")
    memory.begin_with("backtrace", "backtrace u/p")
    memory.begin_with("jira", "links")
    assert memory.notes().first == {"jira": "links", "backtrace": "backtrace u/p"}
    memory.begin_with("jira", "")
    assert memory.notes() == PollNotes(first={"backtrace": "backtrace u/p"})
    memory.advance_round(memory.notes(), "a", now=1000, seen=[])
    assert memory.notes().after == "a"
