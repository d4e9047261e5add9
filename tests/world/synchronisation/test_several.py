"""One ticket in several integrations, one id on several sites, settings that come and go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backtrace_jira.jira.issue import Issue as Linked
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import LinkKey, LinkState
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.states import State
from local.jira_stand_in import JiraStandIn
from local.jira_stand_in.model import Issue
from tests.builders import group
from tests.world.sync_world import MakeSyncWorld, SyncWorld
from tests.world.world import PREFIX

OTHER = "e" * 64
NAMES = ParameterNames(PREFIX)


def another_integration(world: SyncWorld, issue: Issue, **changes: Any) -> LinkKey:
    """Link a group of another Backtrace project, through an integration of its own, to the same ticket."""
    sync = world.settings.sync.model_copy(update=changes.pop("sync", {}))
    settings = world.settings.model_copy(
        update={"project": "second", "name": "other", "sync": sync, **changes}
    )
    world.put(NAMES.integration(settings), settings.model_dump_json())
    world.new_process()
    linked = Linked(issue.id, issue.key, f"{world.jira.site_url}/browse/{issue.key}")
    key = LinkKey(settings.id, OTHER)
    world.store.complete(key, linked, Record(world.clock(), Decision.LINKED))
    entry = {"watcher": "other", "short": issue.key, "url": linked.url, "state": "open"}
    world.backtrace.seed("second", OTHER, state="in-progress", ticket=[{"watcher": "_backtrace"}, entry])
    world.store.mark_linked(key, LastSynced(State.IN_PROGRESS, ""))
    return key


def second_state(world: SyncWorld) -> str:
    found = world.backtrace.issue("second", OTHER)
    assert found is not None
    return found.state


def started(make: MakeSyncWorld) -> tuple[SyncWorld, Issue]:
    world = make()
    issue = world.ticket()
    world.jira.transition(issue.key, "In Progress")
    world.settle()
    return world, issue


def test_groups_of_two_projects_follow_one_ticket(make_sync_world: MakeSyncWorld) -> None:
    world, issue = started(make_sync_world)
    another_integration(world, issue)
    world.clock.advance(10)
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.of().state == second_state(world) == "resolved"
    world.backtrace.seed("second", OTHER, state="open")
    world.poll()
    assert (world.status(issue), world.of().state) == ("To Do", "open")


def test_each_integration_has_its_own_directions(make_sync_world: MakeSyncWorld) -> None:
    world, issue = started(make_sync_world)
    another_integration(world, issue, sync={"jira_to_backtrace": False})
    world.clock.advance(10)
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert (world.of().state, second_state(world)) == ("resolved", "in-progress")
    world.clock.advance(10)
    world.backtrace.seed("second", OTHER, state="open")
    world.poll()
    assert (world.status(issue), world.of().state) == ("To Do", "open")


def test_a_deleted_ticket_is_unlinked_everywhere(make_sync_world: MakeSyncWorld) -> None:
    world, issue = started(make_sync_world)
    key = another_integration(world, issue)
    world.jira.delete_issue(issue.key)
    world.settle()
    row = world.links.get(key)
    assert row is not None
    assert row.state is world.row_of().state is LinkState.RELEASED
    assert second_state(world) == "open"


def test_the_same_id_on_another_site_is_another_ticket(make_sync_world: MakeSyncWorld) -> None:
    world, issue = started(make_sync_world)
    with JiraStandIn("cloud", clock=world.clock) as second:
        there = second.create_issue("another")
        known = second.state.issues
        known[issue.id] = known.pop(there.id)
        there.id = issue.id
        key = another_integration(world, there, connection="second")
        connection = {"name": "second", "jira_api": second.url, "email": second.user}
        world.put(NAMES.connection("second"), json.dumps(connection))
        world.put(NAMES.jira_secret("second"), second.token, secret=True)
        row = world.links.get(key)
        assert row is not None
        assert row.issue is not None
        world.new_process()
        second.clear_log()
        world.jira.transition(issue.key, "Done")
        world.deliver_webhooks()
        world.drain()
        assert (world.of().state, second_state(world)) == ("resolved", "in-progress")
        assert second.requests == []


def test_an_integration_that_is_gone_takes_its_links_out_of_the_game(make_sync_world: MakeSyncWorld) -> None:
    world, issue = started(make_sync_world)
    world.remove(NAMES.integration(world.settings))
    world.new_process()
    world.forget_calls()
    world.jira.transition(issue.key, "Done")
    world.set_state("open")
    world.settle()
    assert (world.of().state, world.status(issue)) == ("open", "Done")
    assert world.calls["jira"] == world.calls["backtrace"] == 0
    assert world.letters() == []


def test_a_connection_may_be_called_something_else(make_sync_world: MakeSyncWorld) -> None:
    world, issue = started(make_sync_world)
    connection = {"name": "renamed", "jira_api": world.jira.url, "email": world.jira.user}
    world.put(NAMES.connection("renamed"), json.dumps(connection))
    world.put(NAMES.jira_secret("renamed"), world.jira.token, secret=True)
    world.configure(connection="renamed")
    world.new_process()
    world.jira.transition(issue.key, "Done")
    world.jira.webhooks.outbox.clear()
    world.poll()
    assert world.of().state == "resolved"


def test_synchronisation_that_is_switched_on_later_begins_with_what_is_there(
    make_sync_world: MakeSyncWorld,
) -> None:
    world = make_sync_world(sync={"backtrace_to_jira": False, "jira_to_backtrace": False})
    issue = world.ticket()
    world.clock.advance(30 * 24 * 3600)
    sync = world.settings.sync.model_copy(update={"backtrace_to_jira": True, "jira_to_backtrace": True})
    world.configure(sync=sync)
    world.new_process()
    world.forget_calls()
    world.settle()
    assert (world.status(issue), world.of().state) == ("To Do", "in-progress")
    assert world.calls["jira writes"] == world.calls["backtrace writes"] == 0
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"


@pytest.mark.parametrize("who", [{"accountId": "gone", "displayName": "Former user", "active": False}, {}])
def test_an_assignee_whom_jira_hardly_tells_of(make_sync_world: MakeSyncWorld, who: dict[str, Any]) -> None:
    """A deleted or hidden user has no e-mail, and perhaps not even an id."""
    world, issue = started(make_sync_world)
    status = {"id": "10001", "name": "Done", "statusCategory": {"id": 3, "key": "done"}}
    fields = {"status": status, "assignee": who, "updated": None}
    world.jira.faults.add(
        "GET", f"/issue/{issue.id}$", 1, status=200, body={"id": issue.id, "key": issue.key, "fields": fields}
    )
    world.jira.transition(issue.key, "Done")
    world.deliver_webhooks()
    world.drain()
    assert world.of().state == "resolved"
    assert world.assigned() == []
    assert world.row_of().issue is not None
    assert world.of(group().fingerprint).ticket[1]["short"] == issue.key


@pytest.mark.parametrize(
    "body",
    ["<html>log in</html>", {}, [], {"id": "1"}, {"id": "1", "key": "X-1", "fields": None}, None],
)
def test_an_answer_that_is_no_issue_is_asked_for_again(make_sync_world: MakeSyncWorld, body: Any) -> None:
    world, issue = started(make_sync_world)
    world.jira.faults.add("GET", f"/issue/{issue.id}$", 1, status=200, body=body)
    world.jira.transition(issue.key, "Done")
    world.deliver_webhooks()
    world.drain()
    if isinstance(body, str):  # a sign-on page: somebody has to look
        assert "page" in world.letters()[0]["Reason"]
        return
    assert world.of().state == "resolved"
    assert world.letters() == []
