"""Faults on the wire: one ticket in the end where one is possible, none lost, none doubled, no sleep."""

from __future__ import annotations

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backtrace_jira.batches import SHORTEST_DELAY
from backtrace_jira.links.link import LinkKey, LinkState
from backtrace_jira.outcomes import NO_INTEGRATION, Decision
from backtrace_jira.settings.integration import Action
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.tickets.templates import top_value
from local.jira_stand_in import custom_field
from tests.builders import group, sample_body
from tests.world.world import PREFIX, MakeWorld, World

NAMES = ParameterNames(PREFIX)


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Nothing may wait for Jira inside the function."""

    def slept(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    request.getfixturevalue("world")  # the stand-ins' own threads may have slept while they started
    monkeypatch.setattr(time, "sleep", slept)


@pytest.fixture(params=["cloud", "data-center"])
def world(request: pytest.FixtureRequest, make_real_world: MakeWorld) -> World:
    return make_real_world(request.param)


def test_the_same_event_twice(world: World) -> None:
    assert world.deliver() == []
    world.jira.clear_log()
    assert world.deliver() == []
    world.new_process()
    assert world.deliver() == []
    assert world.jira.requests == []
    assert [report.decision for report in world.reports] == [Decision.CREATED, Decision.KNOWN, Decision.KNOWN]
    world.assert_one_ticket()


def test_twenty_deliveries_at_once(world: World) -> None:
    events = [world.event() for _ in range(20)]
    processes = []
    for _ in range(4):
        world.new_process()
        processes.append(world.process)
    with ThreadPoolExecutor(20) as pool:
        stay = list(pool.map(world.deliver, events, itertools.cycle(processes)))
    assert sum(not ids for ids in stay) >= 1
    world.assert_one_ticket()
    for event, ids in zip(events, stay, strict=True):
        if ids:
            assert world.deliver_until_done(event) is Decision.KNOWN
    assert world.jira.count("POST", r"/issue$") == 1
    world.assert_one_ticket()


@pytest.mark.parametrize(
    "fault",
    [
        {"drop_after": True},
        {"drop_before": True},
        {"status": 503},
        {"status": 500, "after_effect": True},
        {"status": 502, "after_effect": True, "body": "<html>Bad gateway</html>"},
        {"truncate": True},
    ],
    ids=["cut after", "cut before", "503", "500 after", "502 after", "half an answer"],
)
@pytest.mark.parametrize("index", ["at once", "5 s behind", "30 s behind and flickering"])
def test_an_answer_that_says_nothing(world: World, fault: dict[str, Any], index: str) -> None:
    world.jira.index_lag = {"at once": 0.0, "5 s behind": 5.0}.get(index, 30.0)
    world.jira.index_flicker = "flickering" in index
    world.jira.faults.add("POST", r"/issue$", **fault)
    assert world.deliver() == ["m0"]
    world.deliver_until_done()
    world.assert_one_ticket()
    assert world.dead_letters() == []


def test_429_with_retry_after_comes_back_after_that_time_without_a_lookup(world: World) -> None:
    world.jira.faults.rate_limited(retry_after=33, path=r"/issue$")
    assert world.deliver() == ["m0"]
    assert 32 < world.hidden_for(world.event_handles[-1]) < 33 + SHORTEST_DELAY + 1
    assert world.row().state is LinkState.RELEASED
    world.clock.advance(34)
    assert world.deliver() == []
    assert world.jira.count("POST", "/search") == 0
    world.assert_one_ticket()


def test_400_with_field_errors_is_kept_with_jiras_words_and_replayed_once_mended(world: World) -> None:
    world.jira.add_field(
        custom_field("customfield_4711", "Team", "select", options=("A", "B"), required=True)
    )
    assert world.deliver() == []
    (letter,) = world.dead_letters()
    assert "customfield_4711: Team is required" in letter["Reason"]
    assert letter["Integration"] == world.settings.id
    assert letter["Fingerprint"] == group().fingerprint
    assert json.loads(letter["body"]) == sample_body()
    refusal = world.row().record
    assert refusal is not None
    assert "customfield_4711" in refusal.fields

    parked = world.event(sample_body() | {"fingerprint": "e" * 64})
    assert world.deliver(parked) == ["m0"]
    assert world.jira.count("POST", r"/issue$") == 1  # the second was parked
    world.configure(custom_fields={"Team": "A"})
    world.clock.advance(world.timing.parked + 1)
    world.new_process()
    for letter in world.dead_letters():
        assert world.deliver(world.event(letter["body"])) == []
    assert world.deliver(parked) == []
    assert len(world.jira.issues) == 2


def test_401_is_tried_once_and_nothing_is_lost(world: World) -> None:
    world.put(NAMES.jira_secret("main"), "wr0ng-t0ken", secret=True)
    world.new_process()
    bodies = [sample_body() | {"fingerprint": f"{number:064x}"} for number in range(5)]
    stay = [world.deliver(world.event(body)) for body in bodies]
    assert stay == [[], ["m0"], ["m0"], ["m0"], ["m0"]]  # the others wait for the parking to end
    assert len(world.jira.requests) == 1
    (letter,) = world.dead_letters()
    assert "does not accept this user and token" in letter["Reason"]
    assert "wr0ng" not in json.dumps(letter)
    assert world.jira.issues == {}


def test_search_failing_during_recovery_never_leads_to_a_second_ticket(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    world.jira.faults.add("POST", r"/search", times=8, status=500)
    world.jira.faults.add("POST", r"/search", times=2, drop_before=True)
    assert world.deliver() == ["m0"]
    world.deliver_until_done(attempts=200)
    assert world.jira.count("POST", r"/issue$") == 1
    world.assert_one_ticket()


def test_a_ticket_that_a_person_cloned_and_moved_in_the_meantime_is_still_the_one(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", drop_after=True)
    world.deliver()
    (made,) = world.jira.issues.values()
    world.jira.add_project("OPS", "Operations")
    moved = world.jira.move_issue(made.key, "OPS")
    world.clock.advance(1)
    world.jira.create_issue("clone", labels=list(made.fields["labels"]))
    assert world.deliver_until_done() is Decision.ADOPTED
    row = world.row()
    assert row.issue is not None
    assert (row.issue.id, row.issue.key) == (moved.id, moved.key)


def test_backtrace_failing_in_every_way_leaves_one_ticket_and_is_caught_up(world: World) -> None:
    world.backtrace.faults.add("POST", "/api/query", status=500)
    world.backtrace.faults.add("POST", "/api/issue", drop_after=True)
    world.backtrace.faults.add("POST", "/api/issue", drop_before=True)
    world.backtrace.faults.add("POST", "/api/query", status=200, body="<html/>")
    assert world.deliver() == ["m0"]
    world.deliver_until_done()
    assert world.jira.count("POST", r"/issue$") == 1
    world.assert_one_ticket()


@pytest.mark.parametrize("where", ["error inside the 200", "error of the fingerprint", "wrong token"])
def test_a_refusal_by_backtrace_is_kept_with_its_words(world: World, where: str) -> None:
    if where == "error inside the 200":
        world.backtrace.fail("/api/issue", "no such project 'x'")
    elif where == "error of the fingerprint":
        world.backtrace.refuse(group().fingerprint, "why this one failed")
    else:
        world.put(NAMES.backtrace_secret("my_universe"), "wr0ng", secret=True)
        world.new_process()
    assert world.deliver() == []
    (letter,) = world.dead_letters()
    words = {"wrong token": "invalid token", "error of the fingerprint": "why this one failed"}
    assert words.get(where, "no such project 'x'") in letter["Reason"]
    assert len(world.jira.issues) == 1
    world.backtrace.refusals.clear()
    world.put(NAMES.backtrace_secret("my_universe"), world.backtrace.token, secret=True)
    world.new_process()
    assert world.deliver(world.event(letter["body"])) == []
    assert world.jira.count("POST", r"/issue$") == 1
    world.assert_one_ticket()


def test_what_others_have_written_to_the_group_stays(world: World) -> None:
    others = [
        {"watcher": "_backtrace", "assignees": [{"id": 7}]},
        {"watcher": "github", "short": "#12", "url": "https://github.example/12", "state": "open"},
    ]
    world.backtrace.seed("my_project", group().fingerprint, state="muted", ticket=others, tags="a b")
    world.deliver()
    issue = world.backtrace.issue("my_project", group().fingerprint)
    assert issue is not None
    assert issue.state == "muted"
    assert issue.tags == "a b"
    assert issue.ticket[:2] == others
    assert [entry["watcher"] for entry in issue.ticket] == ["_backtrace", "github", "jira-bugs"]


# Counts on the wire


def test_a_new_ticket_costs_one_jira_call_and_three_writes_to_the_store(world: World) -> None:
    world.deliver(world.event(sample_body() | {"fingerprint": "a" * 64}))  # warm up
    world.jira.clear_log()
    world.wire.calls.clear()
    world.deliver()
    assert [(e.method, e.path.rpartition("/")[2]) for e in world.jira.requests] == [("POST", "issue")]
    assert world.wire.count("dynamodb UpdateItem") == 3
    assert world.wire.count("dynamodb BatchGetItem") == 1  # one for a batch
    assert world.wire.count("dynamodb") == 4
    assert world.wire.count("ssm") == 0
    assert world.wire.count("sqs") == 0
    assert world.wire.count("http POST /api/") == 2


def test_the_first_ticket_of_a_cold_process_costs_one_jira_call_too(world: World) -> None:
    world.deliver()
    assert len(world.jira.requests) == 1
    assert world.wire.count("dynamodb") == 4  # one more, to see whether somebody parked this connection


def test_a_known_group_costs_no_jira_call_and_one_store_request(world: World) -> None:
    world.deliver()
    world.new_process()
    world.wire.calls.clear()
    world.jira.clear_log()
    world.deliver()
    assert world.jira.requests == []
    assert [call for call in world.wire.calls if not call.startswith("ssm")] == ["dynamodb BatchGetItem"]


# Bad input


def test_a_batch_with_one_bad_and_nine_good_events(world: World) -> None:
    bodies: list[dict[str, Any] | str] = [sample_body() | {"fingerprint": f"{n:064x}"} for n in range(9)]
    bodies.insert(3, '{"not": "an error group"}')
    assert world.deliver(world.event(*bodies)) == []
    assert len(world.jira.issues) == 9
    (letter,) = world.dead_letters()
    assert letter["body"] == '{"not": "an error group"}'
    assert letter["Reason"].startswith("not a Backtrace error group: ")


def test_an_unknown_project_is_counted_logged_and_recorded_once(world: World) -> None:
    for _ in range(3):
        assert world.deliver(world.event(sample_body() | {"project": "nobody-configured-this"})) == []
    assert world.reports[-1].decision is Decision.NO_INTEGRATION
    assert (world.wire.count("dynamodb"), world.wire.count("http"), world.wire.count("sqs")) == (1, 0, 0)
    row = world.store.get(LinkKey(NO_INTEGRATION, group().fingerprint))
    assert row is not None
    assert row.record is not None
    assert "my_universe/nobody-configured-this" in row.record.reason
    assert world.dead_letters() == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://jira.s3cret.example/rest/api/3/", "that is not supported"),
        ("https://me:s3cret@jira.example/rest/api/2/", "holds a user name or password"),
        ("http://jira.s3cret.example/rest/api/2/", "write https://"),
        ("https://jira.s3cret.example/", "does not end in /rest/api/2/"),
    ],
)
def test_a_jira_address_that_cannot_be_used(world: World, address: str, words: str) -> None:
    world.put(NAMES.connection("main"), json.dumps({"name": "main", "jira_api": address, "email": "me"}))
    world.new_process()
    assert world.deliver() == []
    (letter,) = world.dead_letters()
    assert "connections/main: jira_api: " in letter["Reason"]
    assert words in letter["Reason"]
    assert "s3cret" not in letter["Reason"]
    world.configure()
    world.new_process()
    assert world.deliver(world.event(letter["body"])) == []
    world.assert_one_ticket()


def test_a_missing_secret_is_named_and_the_event_is_kept(world: World) -> None:
    world.remove(NAMES.jira_secret("main"))
    world.new_process()
    assert world.deliver() == []
    (letter,) = world.dead_letters()
    assert f"{PREFIX}/secrets/jira/main: the parameter is missing" in letter["Reason"]
    assert world.jira.requests == []


def test_hostile_text_reaches_jira_harmless_and_whole(world: World) -> None:
    hostile = "{noformat}|[~fred] [~accountid:5b10] \u202ertl \u0000\ud800 !x.png! {code}\r\nh1. x"
    body = sample_body() | {
        "application": hostile,
        "callstack": [hostile, "x" * 1_000_000, "{noformat}"],
        "classifiers": [hostile] * 100,
        "attributes": {
            hostile: [[hostile, 1]],
            "error.message": [[hostile * 100, 3]],
            "z": [["y" * 99_999, 1]],
        },
    }
    assert world.deliver(world.event_of(body)) == []
    (ticket,) = world.jira.issues.values()
    fields = world.jira.read(ticket.key)
    assert len(fields["description"]) <= 32_767
    assert "\n" not in fields["summary"]
    assert top_value(group().attributes["version"]) == "1.1.0"


def test_a_filtered_event_costs_one_record_that_says_which_action_decided(world: World) -> None:
    actions = [
        {"action": "filter"},
        {"action": "submit", "attribute": "environment", "regex": "^production$"},
    ]
    world.configure(actions=tuple(Action.model_validate(each) for each in actions))
    world.new_process()
    elsewhere = sample_body() | {"fingerprint": "d" * 64, "attributes": {"environment": [["staging", 2]]}}
    for _ in range(3):
        assert world.deliver(world.event(elsewhere)) == []
    assert world.reports[-1].decision is Decision.FILTERED
    assert world.reports[-1].detail == "action 1: filter where * matches .*"
    assert (world.wire.count("dynamodb"), world.wire.count("http")) == (1, 0)
    row = world.store.get(LinkKey(world.settings.id, "d" * 64))
    assert row is not None
    assert row.record is not None
    assert (row.record.decision, row.record.rule) == (Decision.FILTERED, world.reports[-1].detail)
    assert world.deliver() == []
    world.assert_one_ticket()


def test_one_groups_odd_value_costs_its_neighbours_nothing(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", times=3, status=400, body={"errors": {"summary": "no"}})
    poisoned = world.event(sample_body() | {"fingerprint": "a" * 64})
    assert world.deliver(poisoned) == []
    assert len(world.dead_letters()) == 1
    asked = world.jira.count("POST", r"/issue$")
    for _ in range(20):
        assert world.deliver(poisoned) == ["m0"]
        assert world.reports[-1].decision is Decision.PARKED
    assert world.jira.count("POST", r"/issue$") == asked
    world.jira.faults.clear()
    assert world.deliver() == []
    world.assert_one_ticket()
    world.clock.advance(world.timing.parked + 1)
    assert world.deliver(poisoned) == []
    assert len(world.jira.issues) == 2


def test_a_field_that_nobody_fills_stops_all_of_them_before_the_claim(world: World) -> None:
    world.jira.faults.add("POST", r"/issue$", status=400, body={"errors": {"customfield_1": "is required"}})
    assert world.deliver(world.event(sample_body() | {"fingerprint": "a" * 64})) == []
    world.wire.calls.clear()
    assert world.deliver() == ["m0"]
    assert world.wire.changes == ["sqs ChangeMessageVisibilityBatch"]
    assert world.reports[-1].decision is Decision.PARKED
    assert world.deliver_until_done() is Decision.CREATED
    assert len(world.dead_letters()) == 1
    world.assert_one_ticket()


def test_a_body_too_deep_to_read_harms_no_other(world: World) -> None:
    assert world.deliver(world.event("[" * 100_000, sample_body())) == []
    assert len(world.dead_letters()) == 1
    world.assert_one_ticket()


@pytest.mark.parametrize("headers", [{"Retry-After": "0"}, {"X-RateLimit-Reset": "2030-01-01T00:00Z"}])
def test_a_503_that_names_no_time_may_have_made_the_ticket(world: World, headers: dict[str, str]) -> None:
    world.jira.faults.add("POST", r"/issue$", status=503, headers=headers, after_effect=True)
    assert world.deliver() == ["m0"]
    assert world.deliver_until_done() is Decision.ADOPTED
    world.assert_one_ticket()
