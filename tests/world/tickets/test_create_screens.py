"""Jira's create screen on the wire: typed fields, and what happens when the screen is not as we knew it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from backtrace_jira.links.link import LinkKey, LinkState
from backtrace_jira.outcomes import Decision
from backtrace_jira.tickets.create_screens import DOUBT, LIFETIME
from local.jira_stand_in import custom_field
from tests.builders import sample_body
from tests.world.world import MakeWorld, World

NUMBERS = itertools.count(1)
SIX: dict[str, tuple[str, str, Any, str]] = {
    "customfield_1": ("Team", "select", ("Red, the first", "Blue"), "Red, the first"),
    "customfield_2": ("Effort", "number", (), "0"),
    "customfield_3": ("Areas", "multiselect", ("a", "b", "c"), "a,C"),
    "customfield_4": ("Found on", "date", (), "2026-05-11"),
    "customfield_5": ("Site", "cascading", {"Europe": ("Paris",)}, "Europe -> Paris"),
    "customfield_6": ("Owner", "user", (), "fred@example.com"),
}


@pytest.fixture(params=["cloud", "data-center"])
def world(request: pytest.FixtureRequest, make_world: MakeWorld) -> World:
    return make_world(request.param)


def another() -> dict[str, Any]:
    """Return the body of a group that is not known yet."""
    return sample_body() | {"fingerprint": f"{next(NUMBERS):064x}"}


def furnish(world: World, *names: str) -> None:
    """Put fields on the screen, and their values into the settings by the fields' names."""
    for field_id in names or SIX:
        name, kind, options, _ = SIX[field_id]
        world.jira.add_field(custom_field(field_id, name, kind, options=options, required=True))
    world.configure(custom_fields={SIX[each][0]: SIX[each][3] for each in names or SIX})
    world.new_process()


def deliver(world: World, body: dict[str, Any] | None = None) -> Decision:
    world.deliver(world.event(body or another()))
    return world.reports[-1].decision


def calls(world: World) -> list[tuple[str, int | None]]:
    found = [
        (f"{each.method} {each.path.rpartition('/rest/api/2')[2]}", each.status)
        for each in world.jira.requests
    ]
    world.jira.clear_log()
    return found


CREATED = [("POST /issue", 201)]


def test_six_required_fields_of_six_types(world: World) -> None:
    furnish(world)
    assert deliver(world) is Decision.CREATED
    (ticket,) = world.jira.issues
    fields = world.jira.read(ticket)
    assert fields["customfield_1"]["value"] == "Red, the first"
    assert fields["customfield_2"] == 0
    assert [each["value"] for each in fields["customfield_3"]] == ["a", "c"]
    assert fields["customfield_4"] == "2026-05-11"
    assert (fields["customfield_5"]["value"], fields["customfield_5"]["child"]["value"]) == (
        "Europe",
        "Paris",
    )
    assert fields["customfield_6"]["displayName"] == "Fred F. User"


def test_a_new_ticket_is_one_call_to_jira_once_the_screen_is_known_to_anybody(world: World) -> None:
    furnish(world)
    deliver(world)
    assert len(calls(world)) > 1
    assert deliver(world) is Decision.CREATED
    assert calls(world) == CREATED
    world.new_process()
    assert deliver(world) is Decision.CREATED
    assert calls(world) == CREATED
    world.clock.advance(LIFETIME + 1)
    deliver(world)
    assert len(calls(world)) > 1


def test_a_warm_new_ticket_is_three_writes_to_the_store_with_typed_fields_too(world: World) -> None:
    furnish(world)
    deliver(world)
    world.wire.calls.clear()
    deliver(world)
    assert world.wire.count("dynamodb UpdateItem") == 3
    assert world.wire.count("dynamodb") == 3 + 1  # the look of the batch


def test_settings_without_typed_fields_ask_for_no_screen(world: World) -> None:
    world.configure(custom_fields={"labels": "Backtrace,$version", "Summary": "$error.message"})
    world.new_process()
    assert deliver(world) is Decision.CREATED
    assert calls(world) == CREATED


def test_a_field_that_left_the_screen_costs_one_refusal_and_no_ticket(world: World) -> None:
    furnish(world, "customfield_1", "customfield_4")
    deliver(world)
    calls(world)
    world.jira.remove_field("customfield_4")
    assert deliver(world) is Decision.CREATED
    made = [each for each in calls(world) if each[0] == "POST /issue"]
    assert made == [("POST /issue", 400), ("POST /issue", 201)]
    assert any("Found on" in each for each in world.reports[-1].left_out)
    assert deliver(world) is Decision.CREATED
    assert calls(world) == CREATED


def test_a_field_that_came_to_the_screen_as_required_is_found_where_the_settings_name_it(
    world: World,
) -> None:
    furnish(world, "customfield_1")
    world.configure(custom_fields={"Team": "Blue", "Found on": "2026-05-11"})
    world.new_process()
    assert deliver(world) is Decision.CREATED
    assert "Found on" in world.reports[-1].left_out[0]
    world.jira.add_field(custom_field("customfield_4", "Found on", "date", required=True))
    calls(world)
    assert deliver(world) is Decision.CREATED
    assert [status for path, status in calls(world) if path == "POST /issue"] == [400, 201]
    assert world.reports[-1].left_out == ()


def test_what_only_jira_can_judge_is_left_out_when_it_refuses_it(world: World) -> None:
    world.jira.add_field(custom_field("customfield_8", "Owner", "user"))
    identity = "5b10a2844c20165700edffff" if world.flavour == "cloud" else "nobody.known"
    world.configure(custom_fields={"Owner": identity})
    world.new_process()
    assert deliver(world) is Decision.CREATED
    assert [status for path, status in calls(world) if path == "POST /issue"] == [400, 201]
    (told,) = world.reports[-1].left_out
    assert told.startswith("customfield_8: Jira refused it: ")
    assert world.store.server_notes("main").parkings == {}
    assert len(world.jira.issues) == 1


def test_what_a_ticket_cannot_do_without_is_not_given_up(world: World) -> None:
    """A validator refuses the description, which holds the reference: without it, nothing could find the ticket."""
    world.jira.faults.add(
        "POST", "/issue$", 1, status=400, body={"errorMessages": [], "errors": {"description": "no"}}
    )
    assert deliver(world) is Decision.DEAD_LETTER
    assert [status for path, status in calls(world) if path == "POST /issue"] == [400]
    assert world.jira.issues == {}


def test_a_required_field_is_refused_in_jiras_words_parked_and_replayed_once_each(world: World) -> None:
    furnish(world, "customfield_1")
    deliver(world)
    calls(world)
    world.jira.add_field(custom_field("customfield_4", "Found on", "date", required=True))
    refused = another()
    assert deliver(world, refused) is Decision.DEAD_LETTER
    assert calls(world) == [("POST /issue", 400)]
    row = world.store.get(LinkKey(world.settings.id, refused["fingerprint"]))
    assert row is not None
    assert row.record is not None
    assert row.record.fields == {"customfield_4": "Found on is required."}
    waiting = [another() for _ in range(5)]
    events = [world.event(body) for body in waiting]
    for event in events:
        assert world.deliver(event) == ["m0"]
        assert world.reports[-1].decision is Decision.PARKED
    assert calls(world) == []
    world.configure(custom_fields=world.settings.custom_fields | {"Found on": "2026-05-11"})
    world.clock.advance(world.timing.parked + 1)
    world.new_process()
    for event in (*events, world.event(world.dead_letters()[0]["body"])):
        for _ in range(2):
            assert world.deliver(event) == []
    assert len(world.jira.issues) == 1 + 6


def test_a_value_that_jira_does_not_list_is_left_out_and_looked_for_again_later(world: World) -> None:
    world.jira.add_field(custom_field("customfield_7", "Release", "select", options=("1.0",)))
    world.configure(custom_fields={"Release": "$version"})
    world.new_process()
    body = {"attributes": {"version": [["2.0", 1]]}}
    assert deliver(world, another() | body) is Decision.CREATED
    assert "takes one of these: 1.0; the text comes from $version" in world.reports[-1].left_out[0]
    with_option = custom_field("customfield_7", "Release", "select", options=("1.0", "2.0"))
    world.jira.add_field(with_option)
    calls(world)
    deliver(world, another() | body)
    assert calls(world) == CREATED  # a storm of such values is no storm of questions
    world.clock.advance(DOUBT + 1)
    deliver(world, another() | body)
    assert world.reports[-1].left_out == ()
    assert world.jira.read(list(world.jira.issues)[-1])["customfield_7"]["value"] == "2.0"


def test_a_required_field_with_a_value_that_jira_does_not_list_is_refused_before_it_is_sent(
    world: World,
) -> None:
    furnish(world, "customfield_1")
    world.configure(custom_fields={"Team": "$team"})
    world.new_process()
    assert deliver(world, another() | {"attributes": {"team": [["Green", 1]]}}) is Decision.DEAD_LETTER
    assert "takes one of these: Red, the first, Blue" in world.dead_letters()[0]["Reason"]
    assert world.jira.count("POST", "/issue$") == 0


def test_an_ambiguous_name_is_refused_with_its_candidates(world: World) -> None:
    for field_id in ("customfield_8", "customfield_9"):
        world.jira.add_field(custom_field(field_id, "Twin"))
    world.configure(custom_fields={"Twin": "x"})
    world.new_process()
    assert deliver(world) is Decision.DEAD_LETTER
    reason = world.dead_letters()[0]["Reason"]
    assert "customfield_8" in reason
    assert "customfield_9" in reason


@pytest.mark.parametrize("field_id", ["labels", "description"])
def test_labels_or_description_may_be_missing_from_the_screen(world: World, field_id: str) -> None:
    world.jira.remove_field(field_id)
    assert deliver(world, sample_body()) is Decision.CREATED
    assert field_id in world.reports[-1].left_out[0]
    world.assert_one_ticket()
    (ticket,) = world.jira.issues
    assert world.key.marker("test") in str(world.jira.read(ticket))
    calls(world)
    assert deliver(world) is Decision.CREATED
    assert calls(world) == CREATED


def test_a_ticket_that_could_not_be_found_again_is_not_made(world: World) -> None:
    world.jira.remove_field("labels")
    world.jira.remove_field("description")
    assert deliver(world) is Decision.DEAD_LETTER
    assert not world.jira.issues


def test_labels_and_description_live_in_other_fields(world: World) -> None:
    world.jira.remove_field("labels")
    world.jira.remove_field("description")
    world.jira.add_field(custom_field("customfield_10", "Marks", "labels", required=True))
    world.jira.add_field(custom_field("customfield_11", "Story", "textarea", required=True))
    world.configure(labels_field="Marks", description_field="Story")
    world.new_process()
    assert deliver(world, sample_body()) is Decision.CREATED
    (ticket,) = world.jira.issues
    fields = world.jira.read(ticket)
    assert fields["customfield_10"] == ["Backtrace", world.key.marker("test")]
    assert "View in Backtrace" in fields["customfield_11"]


def test_a_user_is_looked_up_once(world: World) -> None:
    furnish(world, "customfield_6")
    deliver(world)
    assert any("/user/" in path for path, _ in calls(world))
    world.new_process()
    deliver(world)
    assert calls(world) == CREATED


def test_a_server_that_does_not_tell_its_screens(make_world: MakeWorld) -> None:
    world = make_world("data-center")
    for _ in range(2):
        world.jira.faults.add("GET", "/createmeta", status=404)
    world.jira.add_field(custom_field("customfield_7", "Release"))
    world.configure(custom_fields={"customfield_7": "$version", "priority": "High"})
    world.new_process()
    assert deliver(world, sample_body()) is Decision.CREATED
    (ticket,) = world.jira.issues
    assert world.jira.read(ticket)["priority"]["name"] == "High"
    calls(world)
    world.new_process()
    assert deliver(world) is Decision.CREATED
    assert calls(world) == CREATED  # that there is none is remembered, too


def test_a_project_that_is_not_there_costs_its_questions_once(world: World) -> None:
    world.configure(project_key="NONE", custom_fields={"Team": "Blue"})
    world.new_process()
    assert deliver(world) is Decision.DEAD_LETTER
    assert "NONE" in world.dead_letters()[0]["Reason"]
    calls(world)
    for _ in range(5):
        assert deliver(world) is Decision.PARKED
    assert calls(world) == []


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 429}, {"drop_before": True}, {"truncate": True}]
)
def test_a_screen_that_could_not_be_asked_for_leaves_nothing_uncertain(
    world: World, fault: dict[str, Any]
) -> None:
    furnish(world, "customfield_1")
    world.jira.faults.add("GET", "/createmeta", **fault)
    assert world.deliver() == ["m0"]
    assert world.reports[-1].decision is Decision.POSTPONED
    assert world.row().state is LinkState.RELEASED
    world.clock.advance(120)
    assert world.deliver() == []
    world.assert_one_ticket()


def test_a_label_field_that_no_search_finds_is_no_place_for_the_marker(world: World) -> None:
    world.jira.remove_field("labels")
    world.jira.remove_field("description")
    world.jira.add_field(custom_field("customfield_10", "Marks", "labels"))
    world.configure(labels_field="Marks")
    world.new_process()
    assert deliver(world) is Decision.DEAD_LETTER
    assert not world.jira.issues


def test_a_required_field_without_a_text_is_refused_alone(world: World) -> None:
    furnish(world, "customfield_1")
    world.configure(custom_fields={"Team": "$team"})
    world.new_process()
    assert deliver(world) is Decision.DEAD_LETTER
    assert "Team (customfield_1) is required" in world.dead_letters()[0]["Reason"]
    assert deliver(world, another() | {"attributes": {"team": [["Blue", 1]]}}) is Decision.CREATED


def test_a_screen_that_cannot_be_asked_for_anew_is_waited_for(world: World) -> None:
    furnish(world, "customfield_1", "customfield_4")
    deliver(world)
    world.jira.remove_field("customfield_4")
    world.jira.faults.add("GET", "/createmeta", status=500)
    event = world.event(another())
    assert world.deliver(event) == ["m0"]
    assert world.deliver_until_done(event) is Decision.CREATED
