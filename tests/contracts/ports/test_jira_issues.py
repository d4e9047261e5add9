"""The contract of Jira as synchronisation uses it: the fake, and the client on the stand-in of Cloud and Data Center.

Its users rely on this: a ticket is read as it is now; the changelog says what a field was before, and when it changed;
what Jira does not show is None, what it does not let us do is `Refused`; of the tickets that changed, none is missed
between two pages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.errors import CredentialRefused, OutcomeUnknown, Refused
from backtrace_jira.jira.issue import FixVersion, Issue, JiraUser, Ticket, TicketPage, Transition
from backtrace_jira.synchronisation.ports import JiraIssues
from local.jira_stand_in import JiraStandIn
from tests.contracts.openapi import assert_valid
from tests.contracts.ports.jira_site import StandInSite, client_of
from tests.fakes.clock import Clock
from tests.fakes.jira_issues import DOING, DONE, TODO, FakeJiraIssues

PORTS = {JiraIssues: FakeJiraIssues}
Site = FakeJiraIssues | StandInSite


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "fake data-center", "cloud", "data-center"])
def both(request: pytest.FixtureRequest, clock: Clock) -> Iterator[tuple[Site, JiraIssues]]:
    """Give the site, where people do something, and the port."""
    if request.param.startswith("fake"):
        fake = FakeJiraIssues(clock, cloud=request.param == "fake")
        yield fake, fake
        return
    with JiraStandIn(request.param, clock=clock) as jira:
        yield StandInSite(jira), RestJiraIssues(client_of(jira))
        assert_valid(jira.requests, request.param)


@pytest.fixture
def site(both: tuple[Site, JiraIssues]) -> Site:
    return both[0]


@pytest.fixture
def jira(both: tuple[Site, JiraIssues]) -> JiraIssues:
    return both[1]


@pytest.fixture
def issue(site: Site, clock: Clock) -> Issue:
    """Give an issue that was made a minute ago."""
    issue = site.create_issue("it is broken")
    clock.advance(60)
    return issue


def read(jira: JiraIssues, issue: Issue) -> Ticket:
    ticket = jira.ticket(issue.id, changes=True, version_fields=["fixVersions"])
    assert ticket is not None
    return ticket


def step_to(jira: JiraIssues, issue: Issue, name: str) -> Transition:
    return next(step for step in jira.transitions(issue.id) if step.to.name == name)


def test_a_new_ticket_is_not_begun_and_nobodys(jira: JiraIssues, issue: Issue, clock: Clock) -> None:
    ticket = read(jira, issue)
    assert (ticket.issue, ticket.project) == (issue, "BUG")
    assert (ticket.status, ticket.assignee, ticket.assignee_id) == (TODO, None, "")
    assert (ticket.changes, ticket.updated) == ((), clock() - 60)
    assert (ticket.versions, ticket.resolution, ticket.resolved) == ({"fixVersions": ()}, ("", ""), 0.0)


def test_what_was_not_asked_for_is_not_there(jira: JiraIssues, issue: Issue) -> None:
    ticket = jira.ticket(issue.id)
    assert ticket is not None
    assert (ticket.changes, ticket.versions) == (None, {})
    other = jira.ticket(issue.id, version_fields=["Fixed in some field that nobody has"])
    assert other is not None
    assert other.versions == {}


def test_what_jira_does_not_show_is_none_and_cannot_be_changed(jira: JiraIssues) -> None:
    assert jira.ticket("99999") is None
    step = Transition("11", "To Do", TODO)
    for attempt in (
        lambda: jira.transitions("99999"),
        lambda: jira.transition("99999", step, {}),
        lambda: jira.assign("99999", None),
        lambda: jira.comment("99999", "x"),
        lambda: jira.comments("99999"),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert not isinstance(refused.value, CredentialRefused)


def test_the_changelog_says_what_was_before_and_when(
    site: Site, jira: JiraIssues, issue: Issue, clock: Clock
) -> None:
    jane = site.add_user("jane", email="jane@example.com")
    site.move_to(issue.id, DOING)
    clock.advance(60)
    site.assign_to(issue.id, jane)
    clock.advance(60)
    site.assign_to(issue.id, None)
    ticket = read(jira, issue)
    assert [(each.field, each.before, each.at) for each in ticket.changes or ()] == [
        ("status", TODO.id, clock() - 120),
        ("assignee", "", clock() - 60),
        ("assignee", jane.id, clock()),
    ]
    assert (ticket.changes or ())[0].before_name == "To Do"
    assert ticket.changed_at("status") == clock() - 120
    assert (ticket.updated, ticket.status, ticket.assignee) == (clock(), DOING, None)


def test_a_transition_is_taken_from_where_the_ticket_stands(
    jira: JiraIssues, issue: Issue, clock: Clock
) -> None:
    assert {step.to for step in jira.transitions(issue.id)} == {DOING, DONE}
    jira.transition(issue.id, step_to(jira, issue, "Done"), {})
    ticket = read(jira, issue)
    assert (ticket.status, ticket.resolution[1], ticket.resolved) == (DONE, "Done", clock())
    assert {step.to for step in jira.transitions(issue.id)} == {TODO, DOING}
    with pytest.raises(Refused if jira.cloud else OutcomeUnknown):  # Data Center answers 500
        jira.transition(issue.id, Transition("99", "Nowhere", TODO), {})
    jira.transition(issue.id, step_to(jira, issue, "To Do"), {})
    assert read(jira, issue).status == TODO


def test_an_account_that_may_not_transition_is_shown_no_way(
    site: Site, jira: JiraIssues, issue: Issue
) -> None:
    step = step_to(jira, issue, "Done")
    site.deny("TRANSITION_ISSUES")
    assert list(jira.transitions(issue.id)) == []
    with pytest.raises(Refused):
        jira.transition(issue.id, step, {})
    assert read(jira, issue).status == TODO


def test_a_person_is_found_by_the_exact_address_and_assigned(
    site: Site, jira: JiraIssues, issue: Issue
) -> None:
    jane = site.add_user("jane", email="jane@example.com")
    site.add_user("janet", email="janet@example.com")
    assert jira.find_user("Jane@example.com", "BUG") == jane.id
    assert jira.find_user("jan@example.com", "BUG") is None
    jira.assign(issue.id, jane.id)
    assert read(jira, issue).assignee == jane == JiraUser(jane.id, "Jane", "jane@example.com")
    jira.assign(issue.id, None)
    assert read(jira, issue).assignee is None


def test_who_may_not_assign_is_refused_and_still_let_in(site: Site, jira: JiraIssues, issue: Issue) -> None:
    jane = site.add_user("jane", email="jane@example.com")
    with pytest.raises(Refused):
        jira.assign(issue.id, "nobody of this name")
    site.deny("ASSIGN_ISSUES")
    with pytest.raises(Refused) as refused:
        jira.assign(issue.id, jane.id)
    assert not isinstance(refused.value, CredentialRefused)
    assert read(jira, issue).assignee is None


def test_the_latest_comment_comes_first(jira: JiraIssues, issue: Issue, clock: Clock) -> None:
    assert list(jira.comments(issue.id)) == []
    jira.comment(issue.id, "once")
    clock.advance(60)
    jira.comment(issue.id, "and again")
    assert list(jira.comments(issue.id)) == [(clock(), "and again"), (clock() - 60, "once")]


def test_versions_are_as_the_project_has_them_now(site: Site, jira: JiraIssues, issue: Issue) -> None:
    assert list(jira.versions("BUG")) == []
    first, second = site.add_version("2.4"), site.add_version("2.5", released=True)
    site.set_fix_versions(issue.id, first, second)
    assert set(read(jira, issue).versions["fixVersions"]) == {first, second}
    site.change_version(first, released=True)
    released = FixVersion(first.id, "2.4", released=True)
    assert {each.version for each in jira.versions("BUG")} == {released, second}
    assert len({each.project_id for each in jira.versions("BUG")}) == 1
    assert set(read(jira, issue).versions["fixVersions"]) == {released, second}
    with pytest.raises(Refused):
        jira.versions("NONE")


def test_a_field_that_jira_hides_is_not_empty(site: Site, jira: JiraIssues, issue: Issue) -> None:
    site.set_fix_versions(issue.id, site.add_version("2.4"))
    site.hide_fix_versions()
    assert read(jira, issue).versions == {}
    assert [each.versions for each in changed(jira, 10).tickets] == [{}]


def changed(jira: JiraIssues, minutes: int, after: str = "") -> TicketPage:
    page = jira.changed_tickets("BUG", minutes, after, version_fields=["fixVersions"])
    assert page is not None
    return page


def keys(page: TicketPage) -> list[str]:
    return [each.issue.key for each in page.tickets]


def test_what_changed_within_the_minutes_comes_in_the_order_of_the_keys(
    site: Site, jira: JiraIssues, issue: Issue, clock: Clock
) -> None:
    clock.advance(3600)
    second, third = site.create_issue("two"), site.create_issue("three")
    clock.advance(120)
    site.move_to(second.id, DONE)
    clock.advance(30)
    page = changed(jira, 10)
    assert (keys(page), page.next_after) == ([second.key, third.key], "")
    first = page.tickets[0]
    assert (first.status, first.changes, first.versions) == (DONE, None, {"fixVersions": ()})
    assert keys(changed(jira, 120)) == [issue.key, second.key, third.key]


def test_each_page_begins_after_the_last_key_whatever_changes_in_between(
    site: Site, jira: JiraIssues, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.set_page(4, monkeypatch)
    found = [
        site.create_issue(str(number)) for number in range(12)
    ]  # as a text, BUG-10 would come before BUG-9
    pages, after = 0, ""
    seen: list[str] = []
    while pages == 0 or after:
        page = changed(jira, 10, after)
        seen, after, pages = seen + keys(page), page.next_after, pages + 1
        clock.advance(30)
        site.move_to(
            found[0].id, DOING if pages % 2 else DONE
        )  # of the first page: by time, it would be last now
    assert seen == [issue.key for issue in found]
    assert 3 <= pages <= 4


def test_the_key_to_go_on_from_need_not_be_among_the_changed(
    site: Site, jira: JiraIssues, issue: Issue, clock: Clock
) -> None:
    clock.advance(3600)
    second = site.create_issue("two")
    assert keys(changed(jira, 10, issue.key)) == [second.key]


@pytest.mark.parametrize("lost", ["never there", "deleted", "moved"])
def test_where_to_go_on_is_lost_with_the_issue(
    site: Site, jira: JiraIssues, issue: Issue, clock: Clock, lost: str
) -> None:
    """After a move, Jira compares with the keys of the other project, and finds nothing in this one."""
    second = site.create_issue("two")
    clock.advance(30)
    if lost == "deleted":
        site.delete_issue(issue.id)
    elif lost == "moved":
        site.move_issue(issue.id, "OPS")
    assert jira.changed_tickets("BUG", 10, "BUG-99" if lost == "never there" else issue.key) is None
    assert second.key in keys(changed(jira, 10))


def test_the_kind_of_site_is_known(request: pytest.FixtureRequest, jira: JiraIssues) -> None:
    assert jira.cloud is ("data-center" not in request.node.name)


def test_tickets_are_read_together_and_none_that_jira_does_not_show(
    site: Site, jira: JiraIssues, issue: Issue
) -> None:
    second, third, fourth = (site.create_issue(name) for name in ("two", "three", "four"))
    version = site.add_version("2.4")
    site.set_fix_versions(second.id, version)
    site.move_to(second.id, DONE)
    site.move_issue(third.id, "OPS")
    site.delete_issue(fourth.id)
    asked = [issue.id, second.id, third.id, fourth.id, "99999"]
    found = {each.issue.id: each for each in jira.tickets_by_id(asked, version_fields=["fixVersions"])}
    assert set(found) == {issue.id, second.id, third.id}
    assert (found[second.id].status, found[second.id].versions) == (DONE, {"fixVersions": (version,)})
    assert (found[issue.id].issue, found[issue.id].changes) == (issue, None)
    assert (found[third.id].project, found[third.id].issue.key.partition("-")[0]) == ("OPS", "OPS")
    assert list(jira.tickets_by_id([])) == []


def test_more_than_a_hundred_tickets_are_read_together(site: Site, jira: JiraIssues) -> None:
    ids = [site.create_issue(str(number)).id for number in range(130)]
    assert sorted(each.issue.id for each in jira.tickets_by_id(ids)) == sorted(ids)


def test_a_status_has_its_category(jira: JiraIssues) -> None:
    assert [jira.status_category(each.id) for each in (TODO, DOING, DONE)] == ["new", "indeterminate", "done"]
    assert jira.status_category("99999") == ""
