"""Workflows that teams have: several hops, screens, resolutions, permissions, and servers that answer oddly."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.outcomes import Decision
from local.jira_stand_in.fields import Field, custom_field
from local.jira_stand_in.model import Issue, Status, Transition, Workflow
from local.jira_stand_in.wire import resolutions
from tests.world.checkpoint import checkpoint
from tests.world.sync_world import MakeSyncWorld, SyncWorld
from tests.world.world import Cut

TODO = Status("1", "To Do", "new")
DOING = Status("2", "In Progress", "indeterminate")
REVIEW = Status("3", "In Review", "indeterminate")
DONE = Status("4", "Done", "done")
CLOSED = Status("5", "Closed", "done")
BLOCKED = Status("6", "Blocked", "indeterminate")


def step(number: int, to: Status, *sources: Status, **settings: Any) -> Transition:
    return Transition(str(number), f"to {to.name}", to.id, tuple(source.id for source in sources), **settings)


def three_hops(**done: Any) -> Workflow:
    """To Do, In Progress, In Review, Done, one after the other, and back to the beginning."""
    return Workflow(
        [TODO, DOING, REVIEW, DONE],
        [
            step(11, DOING, TODO),
            step(12, REVIEW, DOING),
            step(13, DONE, REVIEW, **({"sets_resolution": "Done"} | done)),
            step(14, TODO, DOING, DONE),
        ],
    )


def resolution_field(*, required: bool) -> Field:
    schema = {"type": "resolution", "system": "resolution"}
    return Field("resolution", "Resolution", schema, required, tuple(resolutions()))


ROOT_CAUSE = custom_field("customfield_10077", "Root cause", required=True)


def progressing(make: MakeSyncWorld, flavour: str = "cloud", **settings: Any) -> tuple[SyncWorld, Issue]:
    world = make(flavour, **settings)
    issue = world.ticket()
    world.settle()
    world.told.clear()
    world.forget_calls()
    return world, issue


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_three_hops_to_done_and_one_back(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, issue = progressing(make_sync_world, flavour, workflow=three_hops())
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    assert "To Do → In Progress → In Review → Done" in world.told[0].detail
    world.forget_calls()
    world.settle()
    assert world.calls["backtrace writes"] == world.calls["jira writes"] == 0
    assert world.of().state == "resolved"
    world.set_state("open")
    world.poll()
    assert world.status(issue) == "To Do"


def test_hops_can_be_named(make_sync_world: MakeSyncWorld) -> None:
    workflow = three_hops()
    workflow.statuses.append(BLOCKED)
    workflow.transitions.insert(0, step(20, BLOCKED, TODO, DOING))
    world, issue = progressing(
        make_sync_world, workflow=workflow, sync={"via": {"resolved": ["In Progress", "In Review"]}}
    )
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    assert "Blocked" not in world.told[0].detail


def test_a_way_that_ends_nowhere_is_reported_and_not_tried_again(make_sync_world: MakeSyncWorld) -> None:
    workflow = three_hops()
    workflow.transitions = [each for each in workflow.transitions if each.to != DONE.id]
    world, _ = progressing(make_sync_world, workflow=workflow)
    world.set_state("resolved")
    world.poll()
    assert world.told[0].decision is Decision.REFUSED
    assert "In Review" in world.told[0].detail
    world.forget_calls()
    world.settle()
    assert world.calls["jira writes"] == 0
    assert world.changes_waiting() == world.letters() == []


def test_a_process_that_dies_between_hops_is_gone_on_with(make_sync_world: MakeSyncWorld) -> None:
    """The ticket is In Progress by then, which nobody chose: it must not be taken for news."""
    world, issue = progressing(make_sync_world, workflow=three_hops())
    begin_again = checkpoint(world)
    for cut in range(60):
        begin_again()
        world.set_state("resolved")
        world.clock.advance(300)
        world.wire.cut_at = len(world.wire.changes) + cut
        try:
            world.polling(deadline=world.clock() + 300)
            break
        except Cut:
            pass
        world.wire.cut_at = None
        world.new_process()
        world.clock.advance(80)
        world.settle()
        world.settle()
        assert (world.status(issue), world.of().state) == ("Done", "resolved"), f"cut at {cut}"
    assert cut > 10


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
@pytest.mark.parametrize(("named", "chosen"), [({}, "Done"), ({"Resolution": "won't do"}, "Won't Do")])
def test_a_screen_that_demands_a_resolution_gets_one(
    make_sync_world: MakeSyncWorld, flavour: str, named: dict[str, str], chosen: str
) -> None:
    screen = {"resolution": resolution_field(required=True)}
    workflow = three_hops(screen=screen, sets_resolution=None)
    world, issue = progressing(make_sync_world, flavour, workflow=workflow, sync={"transition_fields": named})
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    assert world.jira.read(issue.key)["resolution"]["name"] == chosen


def test_reopening_clears_the_resolution_where_the_screen_has_it(make_sync_world: MakeSyncWorld) -> None:
    workflow = three_hops()
    workflow.transitions[-1].screen = {"resolution": resolution_field(required=False)}
    world, issue = progressing(make_sync_world, workflow=workflow)
    world.set_state("resolved")
    world.poll()
    assert world.jira.read(issue.key)["resolution"]["name"] == "Done"
    world.set_state("open")
    world.poll()
    assert world.status(issue) == "To Do"
    assert world.jira.read(issue.key)["resolution"] is None


def test_a_field_that_nobody_knows_a_value_for_is_named(make_sync_world: MakeSyncWorld) -> None:
    world, issue = progressing(make_sync_world, workflow=three_hops(screen={ROOT_CAUSE.id: ROOT_CAUSE}))
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "In Review"
    assert "Root cause (customfield_10077)" in world.told[0].detail
    assert "transition_fields" in world.told[0].detail


def test_a_setting_fills_it(make_sync_world: MakeSyncWorld) -> None:
    world, issue = progressing(
        make_sync_world,
        workflow=three_hops(screen={ROOT_CAUSE.id: ROOT_CAUSE}),
        sync={"transition_fields": {"root cause": "fixed in Backtrace"}},
    )
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    assert world.jira.state.issues[issue.id].fields["customfield_10077"] == "fixed in Backtrace"


DEMANDED = {
    "worklog": Field(
        "worklog",
        "Log Work",
        {"type": "array", "items": "worklog", "system": "worklog"},
        True,
        None,
        ("add",),
    ),
    "comment": Field(
        "comment", "Comment", {"type": "comments-page", "system": "comment"}, True, None, ("add",)
    ),
    "assignee": Field("assignee", "Assignee", {"type": "user", "system": "assignee"}, True),
}


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_a_screen_that_demands_work_a_comment_and_an_assignee_gets_them(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    world, issue = progressing(make_sync_world, flavour, workflow=three_hops(screen=DEMANDED))
    user = world.jira.state.find_user(world.jira.main_user)
    fields = {"Log Work": "1m", "comment": "done in Backtrace", "Assignee": user.email}
    world.configure(sync=world.settings.sync.model_copy(update={"transition_fields": fields}))
    world.new_process()
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    stored = world.jira.state.issues[issue.id]
    assert stored.worklogs == ["1m"]
    assert [str(each["body"]) for each in stored.comments] == ["done in Backtrace"]
    assert world.assignee(issue) == user.email


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_without_a_setting_the_demanded_work_is_named(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    screen = {"worklog": DEMANDED["worklog"]}
    world, issue = progressing(make_sync_world, flavour, workflow=three_hops(screen=screen))
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "In Review"
    assert "Log Work (worklog): the screen of transition" in world.told[0].detail


def test_the_status_that_the_settings_name_is_preferred(make_sync_world: MakeSyncWorld) -> None:
    workflow = Workflow(
        [TODO, DONE, CLOSED], [step(1, DONE, TODO), step(2, CLOSED, TODO), step(3, TODO, CLOSED)]
    )
    world, issue = progressing(make_sync_world, workflow=workflow, sync={"statuses": {"resolved": "closed"}})
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Closed"


def test_a_workflow_without_such_a_status_goes_to_the_next_best(make_sync_world: MakeSyncWorld) -> None:
    workflow = Workflow([DOING, DONE], [step(1, DONE, DOING, sets_resolution="Done"), step(2, DOING, DONE)])
    world, issue = progressing(make_sync_world, workflow=workflow)
    world.set_state("resolved")
    world.poll()
    world.set_state("open")
    world.poll()
    assert world.status(issue) == "In Progress"
    world.settle()
    assert world.of().state == "open"


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_an_account_that_may_not_transition_is_reported(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world, issue = progressing(make_sync_world, flavour)
    world.jira.deny("TRANSITION_ISSUES")
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "To Do"
    assert world.told[0].decision is Decision.REFUSED
    assert "may take" in world.told[0].detail
    world.forget_calls()
    world.poll()
    assert world.calls["jira writes"] == 0


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_an_account_that_may_not_assign_is_reported_and_not_locked_out(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    """Data Center answers 401, which otherwise means that the credential is refused."""
    world, issue = progressing(make_sync_world, flavour)
    world.jira.add_user("jane", email="jane@example.com")
    world.jira.deny("ASSIGN_ISSUES")
    world.set_assignee({"id": 7, "email": "jane@example.com"})
    world.poll()
    assert world.told[0].decision is Decision.REFUSED
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"


@pytest.mark.parametrize(("flavour", "status"), [("cloud", 409), ("data-center", 500)])
def test_a_transition_that_somebody_else_was_in_the_way_of_is_tried_again(
    make_sync_world: MakeSyncWorld, flavour: str, status: int
) -> None:
    world, issue = progressing(make_sync_world, flavour)
    body = {"errorMessages": ["conflict"], "errors": {}}
    world.jira.faults.add("POST", "/transitions", 1, status=status, body=body)
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    assert {each.decision for each in world.told} >= {Decision.POSTPONED, Decision.SYNCED}
    assert world.letters() == []


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_a_transition_whose_answer_was_lost_is_not_taken_twice(
    make_sync_world: MakeSyncWorld, flavour: str
) -> None:
    world, issue = progressing(make_sync_world, flavour)
    world.jira.faults.add("POST", "/transitions", 1, drop_after=True)
    world.set_state("resolved")
    world.poll()
    assert world.status(issue) == "Done"
    assert world.jira.count("POST", "/transitions") == 1
    assert world.of().state == "resolved"


# Cost on the wire


def test_what_a_webhook_costs(make_sync_world: MakeSyncWorld) -> None:
    world, issue = progressing(make_sync_world)
    world.jira.create_issue("nobody's")
    stranger = world.jira.create_issue("another")
    world.jira.transition(stranger.key, "Done")
    world.jira.edit_issue(issue.key, labels=["x"])
    world.jira.comment(issue.key, "hello")
    world.forget_calls()
    world.deliver_webhooks()
    assert world.wire.count("dynamodb") == 2  # of the stranger's transition: is it known, and that it is now
    world.drain()
    assert world.calls["jira"] == world.calls["backtrace"] == 0
    world.jira.transition(issue.key, "Done")
    world.forget_calls()
    world.deliver_webhooks()
    assert world.calls["jira"] == world.calls["backtrace"] == 0
    world.drain()
    assert (world.calls["jira"], world.calls["backtrace writes"]) == (1, 1)
    assert world.calls["backtrace"] == 2  # what is there has to be read: a write replaces the whole column


def test_a_quiet_poll_asks_each_project_once(make_sync_world: MakeSyncWorld) -> None:
    world, _ = progressing(make_sync_world)
    world.clock.advance(3600)
    world.poll()
    world.forget_calls()
    world.poll()
    assert (world.calls["jira"], world.calls["backtrace"]) == (
        2,
        2,
    )  # each project, and the links of the round
    # Two watermarks, read and moved; whether Jira may be asked; what the polls remember, twice; and the round's page:
    # the index, the rows, and its place.
    assert world.wire.count("dynamodb") == 10
