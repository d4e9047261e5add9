"""Which status stands for which state, and which transition comes next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.jira.fields import AllowedValue, Field
from backtrace_jira.jira.issue import Transition
from backtrace_jira.settings.synchronisation import Sync
from backtrace_jira.states import EXACT, NEAR, SAME, State, Status, rank_status, state_of
from backtrace_jira.synchronisation.workflow import MOST_HOPS, Way

TODO, DOING, REVIEW, DONE, CLOSED = (
    Status("1", "To Do", "new"),
    Status("2", "In Progress", "indeterminate"),
    Status("3", "In Review", "indeterminate"),
    Status("4", "Done", "done"),
    Status("5", "Closed", "done"),
)


def step(to: Status, *fields: Field) -> Transition:
    return Transition(f"to{to.id}", f"to {to.name}", to, fields)


@pytest.mark.parametrize(
    ("status", "named", "state"),
    [
        (TODO, {}, State.OPEN),
        (DOING, {}, State.IN_PROGRESS),
        (DONE, {}, State.RESOLVED),
        (Status("9", "?", "undefined"), {}, State.OPEN),
        (Status("9", "?", "in-flight"), {}, State.IN_PROGRESS),
        (Status("9", "?", ""), {}, State.IN_PROGRESS),
        (DONE, {"done": State.MUTED}, State.MUTED),
        (DONE, {"4": State.OPEN}, State.OPEN),
        (DONE, {"Closed": State.OPEN}, State.RESOLVED),
    ],
)
def test_what_a_status_means(status: Status, named: dict[str, State], state: State) -> None:
    assert state_of(status, named) is state


@pytest.mark.parametrize(
    ("status", "wanted", "rank"),
    [
        (CLOSED, State.RESOLVED, EXACT),
        (DONE, State.RESOLVED, SAME),
        (DOING, State.RESOLVED, None),
        (TODO, State.OPEN, SAME),
        (DOING, State.OPEN, NEAR),
        (DONE, State.OPEN, None),
        (TODO, State.IN_PROGRESS, NEAR),
        (REVIEW, State.IN_PROGRESS, SAME),
    ],
)
def test_how_well_a_status_will_do(status: Status, wanted: State, rank: int | None) -> None:
    assert rank_status(status, wanted, named={}, preferred={State.RESOLVED: "closed"}) == rank


@pytest.mark.parametrize(
    ("wanted", "now", "steps", "to"),
    [
        (State.RESOLVED, TODO, [DOING, DONE, CLOSED], DONE),
        (State.RESOLVED, TODO, [DOING, REVIEW], DOING),
        (State.RESOLVED, DOING, [TODO, REVIEW], REVIEW),
        (State.RESOLVED, DOING, [], None),
        (State.OPEN, DONE, [DOING, TODO], TODO),
        (State.OPEN, DONE, [DOING, CLOSED], DOING),
        (State.OPEN, DOING, [REVIEW, DONE], None),
        (State.OPEN, DONE, [CLOSED], None),
        (State.IN_PROGRESS, DONE, [TODO], TODO),
        (State.IN_PROGRESS, TODO, [DONE, DOING], DOING),
    ],
)
def test_the_next_transition(wanted: State, now: Status, steps: list[Status], to: Status | None) -> None:
    found = Way(wanted, Sync()).next_step(now, [step(each) for each in steps], [])
    assert (found and found.to) == to


def test_a_transition_whose_screen_can_be_filled_is_preferred() -> None:
    cause = Field("customfield_1", "Cause", "string", required=True)
    found = Way(State.RESOLVED, Sync()).next_step(TODO, [step(DONE, cause), step(CLOSED)], [])
    assert found is not None
    assert found.to == CLOSED


STATUSES = [TODO, DOING, REVIEW, DONE, CLOSED, Status("6", "Blocked", "indeterminate")]


@given(
    st.dictionaries(st.sampled_from(STATUSES), st.lists(st.sampled_from(STATUSES), unique=True)),
    st.sampled_from(STATUSES),
    st.sampled_from([State.OPEN, State.IN_PROGRESS, State.RESOLVED]),
)
def test_any_workflow_comes_to_an_end(
    workflow: dict[Status, list[Status]], now: Status, wanted: State
) -> None:
    """In a bounded number of hops, never twice through a status, never through one that is done."""
    way, passed = Way(wanted, Sync()), [now]
    while not way.has_arrived(passed[-1]):
        steps = [step(to) for to in workflow.get(passed[-1], []) if to != passed[-1]]
        found = way.next_step(passed[-1], steps, [each.id for each in passed])
        if found is None:
            break
        passed.append(found.to)
    assert len(passed) <= MOST_HOPS + 2
    assert len({each.id for each in passed}) == len(passed)
    assert all(each.category != "done" for each in passed[1:-1])
    if any(way.has_arrived(to) for to in workflow.get(now, [])):
        assert way.has_arrived(passed[-1])


def test_what_a_screen_is_given() -> None:
    resolution = Field(
        "resolution",
        "Resolution",
        "resolution",
        required=True,
        allowed=(AllowedValue("1", ("Won't Do",)), AllowedValue("2", ("Fixed",))),
    )
    one = Field("customfield_2", "Team", "option", required=True, allowed=(AllowedValue("7", ("Core",)),))
    given_default = Field("customfield_3", "Other", "string", required=True, has_default=True)
    way = Way(State.RESOLVED, Sync())
    screen = way.fill_screen(step(DONE, resolution, one, given_default), cloud=True, find_user=lambda _: None)
    assert screen == {"resolution": {"id": "2"}, "customfield_2": {"id": "7"}}
    way = Way(State.RESOLVED, Sync(transition_fields={"RESOLUTION": "won't do", "Nowhere": "x"}))
    assert way.fill_screen(step(DONE, resolution), cloud=True, find_user=lambda _: None) == {
        "resolution": {"id": "1"}
    }
