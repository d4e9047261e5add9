"""The contract of Jira as tickets are made in it: the fake, and the client on the stand-in of Cloud and Data Center.

Its users rely on this: a ticket is found by its marker, once the search sees it; an account that may not browse says
so; what a project does not have is named as a field that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.errors import InvalidField, Refused
from backtrace_jira.jira.issue import PROPERTY, Find, TicketDraft
from backtrace_jira.json_types import JSON
from backtrace_jira.tickets.ports import JiraTickets
from local.jira_stand_in import JiraStandIn
from tests.contracts.openapi import assert_valid
from tests.contracts.ports.jira_site import StandInSite, client_of
from tests.fakes.clock import Clock
from tests.fakes.jira_tickets import FakeJiraTickets

PORTS = {JiraTickets: FakeJiraTickets}
MARKER = "bt-0123456789abcdef01234567"
JANE = "jane@example.com"


@dataclass
class Site:
    """The port, and what a test does to the site behind it."""

    port: JiraTickets
    set_lag: Callable[[float], None]
    hide_issues: Callable[[], None]
    add_jane: Callable[[], str]
    """Let her be known; return her id."""
    count_links: Callable[[], int]


def fake(clock: Clock) -> Site:
    jira = FakeJiraTickets(clock)

    def set_lag(seconds: float) -> None:
        jira.lag = seconds

    def hide_issues() -> None:
        jira.browsable = False

    def add_jane() -> str:
        return jira.people.setdefault(JANE, "account-of-jane")

    return Site(jira, set_lag, hide_issues, add_jane, lambda: len(jira.related))


def stand_in(jira: JiraStandIn) -> Site:
    def set_lag(seconds: float) -> None:
        jira.index_lag = seconds

    def count_links() -> int:
        links = {str(sorted(link.items())) for issue in jira.issues.values() for link in issue.issue_links}
        return len(links)

    return Site(
        RestJiraTickets(client_of(jira)),
        set_lag,
        lambda: jira.deny("BROWSE_PROJECTS"),
        lambda: StandInSite(jira).add_user("jane", email=JANE).id,
        count_links,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "cloud", "data-center"])
def site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    if request.param == "fake":
        yield fake(clock)
        return
    with JiraStandIn(request.param, clock=clock) as jira:
        yield stand_in(jira)
        assert_valid(jira.requests, request.param)


OTHER = "bt-fedcba9876543210fedcba98"


def draft(marker: str = MARKER, *labels: str, has_property: bool = True) -> TicketDraft:
    fields: dict[str, JSON] = {
        "project": {"key": "BUG"},
        "issuetype": {"name": "Bug"},
        "summary": "it is broken",
        "labels": [*(labels or [marker])],
    }
    properties: dict[str, JSON] = {PROPERTY: {"marker": marker}} if has_property else {}
    return TicketDraft(fields, properties, marker)


def test_a_ticket_is_found_by_its_marker_latest_first(site: Site, clock: Clock) -> None:
    assert list(site.port.find(MARKER)) == []
    made = []
    for _ in range(3):
        made.append(site.port.create(draft()))
        clock.advance(60)
    site.port.create(draft(OTHER))
    assert [find.issue for find in site.port.find(MARKER)] == made[::-1]
    assert (made[0].key, made[1].key) == ("BUG-1", "BUG-2")
    assert made[0].url.endswith("/browse/BUG-1")


def test_a_find_says_what_its_property_says(site: Site) -> None:
    """A label is copied with a clone, and typed by people; the property is not."""
    ours = site.port.create(draft())
    another = site.port.create(draft(OTHER, MARKER))
    clone = site.port.create(draft(has_property=False))
    assert {find.issue: find.marker for find in site.port.find(MARKER)} == {
        ours: MARKER,
        another: OTHER,
        clone: None,
    }


def test_what_our_account_made_is_found_by_time(site: Site, clock: Clock) -> None:
    """The marker's text may be edited by then; what carries another ticket's marker is surely not ours."""
    site.port.create(draft(MARKER, "too-early"))
    clock.advance(300)
    edited = site.port.create(draft(MARKER, "edited"))
    site.port.create(draft(OTHER))
    plain = site.port.create(draft(OTHER, "plain", has_property=False))
    labelled = site.port.create(draft())
    clock.advance(300)
    site.port.create(draft(MARKER, "too-late"))
    assert list(site.port.find_made(MARKER, (7, 2))) == [
        Find(edited, MARKER),
        Find(plain, None),
        Find(labelled, MARKER),
    ]
    assert list(site.port.find_made(MARKER, (30, 12))) == []
    assert len(site.port.find_made(MARKER, (30, 0))) == 5


def test_the_search_sees_a_ticket_later_than_it_is_made(site: Site, clock: Clock) -> None:
    site.set_lag(30)
    issue = site.port.create(draft())
    assert list(site.port.find(MARKER)) == []
    clock.advance(31)
    assert [find.issue for find in site.port.find(MARKER)] == [issue]


def test_an_account_that_may_not_browse_is_known(site: Site) -> None:
    assert site.port.may_browse("BUG")
    site.hide_issues()
    assert not site.port.may_browse("BUG")


def test_a_create_screen_has_what_every_ticket_needs(site: Site) -> None:
    schema = site.port.field_schema("BUG", "Bug")
    assert schema is not None
    assert (schema.project, schema.issue_type) == ("BUG", "Bug")
    required = {field.id for field in schema.fields if field.required}
    assert {"project", "issuetype", "summary"} <= required


@pytest.mark.parametrize(("project", "issue_type"), [("BUG", "Incident"), ("NONE", "Bug")])
def test_a_screen_that_does_not_exist_is_a_field_that_does_not_fit(
    site: Site, project: str, issue_type: str
) -> None:
    with pytest.raises((InvalidField, Refused)):
        site.port.field_schema(project, issue_type)


def test_two_tickets_are_related_once(site: Site) -> None:
    first, second = site.port.create(draft()), site.port.create(draft())
    for _ in range(2):
        site.port.relate(second, first.key, "Relates")
    assert site.count_links() == 1
    with pytest.raises(Refused):
        site.port.relate(second, "BUG-99", "Relates")


def test_a_comment_is_read_by_the_name_under_which_the_issue_is_known(site: Site, clock: Clock) -> None:
    issue, other = site.port.create(draft()), site.port.create(draft())
    for text in ("first", "second ü"):
        site.port.comment(issue.key, text)
        clock.advance(60)
    found = list(site.port.comments(issue.key))
    assert [text for _, text in found] == ["second ü", "first"]
    assert found[0][0] - found[1][0] == 60
    assert list(site.port.comments(other.id)) == []
    with pytest.raises(Refused):
        site.port.comment("BUG-99", "nobody reads it")


def test_a_person_is_found_by_the_exact_address(site: Site) -> None:
    assert site.port.find_user(JANE, "BUG") is None
    who = site.add_jane()
    assert site.port.find_user("Jane@example.com", "BUG") == who
    assert site.port.find_user("jan@example.com", "BUG") is None
