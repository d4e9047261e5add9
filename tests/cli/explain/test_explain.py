"""`backtrace-jira explain`: what an operator reads about each kind of decision."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import FollowUp, Lease, LinkKey
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking
from backtrace_jira.outcomes import NO_INTEGRATION, Decision, Record
from backtrace_jira.settings.integration import DueRule
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.states import State, Status
from tests.builders import integration
from tests.cli.conftest import PREFIX, Operator, shared_session
from tests.tables import new_table
from tests.unit.synchronisation.pairs import DONE, ticket

NAMES = ParameterNames(PREFIX)
FINGERPRINT = "8910551e27a339e5"
SETTINGS = integration()
BASELINE = LastSynced(state=State.IN_PROGRESS, assignee="")
KEY = LinkKey(SETTINGS.id, FINGERPRINT)
ISSUE = Issue("10001", "BUG-7", "https://jira.example/browse/BUG-7")


@pytest.fixture
def links(operator: Operator) -> DynamoDBTicketLinks:
    client = shared_session().client("dynamodb")
    table = new_table(client)
    for name, value in (
        (NAMES.integration(SETTINGS), SETTINGS.model_dump_json()),
        (NAMES.deployment("links_table"), table),
    ):
        operator.ssm.put_parameter(Name=name, Value=value, Type="String")
    return DynamoDBTicketLinks(Table(client, table))


def record(decision: Decision, *, age: float = 600, **more: Any) -> Record:
    return Record(time.time() - age, decision, **more)


def lease(key: LinkKey = KEY) -> Lease:
    return Lease(key, "a", time.time(), time.time() + 75)


def told(operator: Operator, *arguments: str, code: int = 0) -> str:
    result = operator.call("explain", *arguments)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def refusal() -> Record:
    return record(
        Decision.REFUSED,
        reason="POST /issue: 400, customfield_10010: Team is required.",
        rule="action 2: submit where datacenter matches nyc",
        messages=("Look here.",),
        fields={"customfield_10010": "Team is required."},
    )


def test_a_refusal_is_told_in_jiras_words_with_its_rule_and_its_parking(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    refused = refusal()
    links.claim(lease())
    links.release(lease(), refused)
    until = time.time() + 200
    links.park("main", SETTINGS.parking_scope, Parking(until, refused))
    links.park("main", "OTHER/Bug", Parking(until + 999, refused))
    text = told(operator, FINGERPRINT)
    for expected in (
        SETTINGS.id,
        "No ticket: refused",
        "(10 min ago)",
        "field customfield_10010 | Team is required.",
        "Jira's words | Look here.",
        "rule | action 2: submit where datacenter matches nyc",
        time.strftime("parked until | %Y-%m-%d %H:%M:%S UTC", time.gmtime(until)),
        "Start DLQ redrive",
    ):
        assert expected in text
    (found,) = json.loads(operator.call("explain", FINGERPRINT, "--json").stdout)["decisions"]
    assert found["record"]["fields"] == refused.fields
    assert found["parked_until"] == until
    assert (found["ticket"], found["state"]) == (None, "released")


def test_a_ticket_is_told_with_its_address_and_what_it_does_without(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    made = record(
        Decision.CREATED, age=7300, left_out=("Release: takes one of these",), unknown_attributes=("team",)
    )
    links.complete(KEY, ISSUE, made)
    text = told(operator, FINGERPRINT[:6])
    assert "BUG-7 was created" in text
    assert "(2 h ago): https://jira.example/browse/BUG-7; not yet linked in Backtrace" in text
    assert "left out | Release: takes one of these" in text
    assert "unknown attribute | $team" in text
    links.mark_linked(KEY, BASELINE)
    assert "not yet linked" not in told(operator, FINGERPRINT)


def test_a_boundary_that_orders_of_versions_read_differently_is_told(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    links.complete(KEY, ISSUE, record(Decision.CREATED))
    lines = boundary_of(
        ticket(DONE, versions=("4.2.1.7", "4.1.3")), integration(fix_versions={"enabled": True})
    )
    links.mark_linked(KEY, replace(BASELINE, reopen_criteria=lines.reopen_criteria or ()))
    text = told(operator, FINGERPRINT)
    assert "Backtrace was told | version > 4.2.1.7 or version > 4.1.3 in 4.1.x" in text
    assert "in Backtrace | not every order of versions reads 4.2.1.7 alike: strict semver" in text
    assert text.count("not every order") == 1


def test_what_could_not_be_carried_to_the_other_side_is_told(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    links.complete(KEY, ISSUE, record(Decision.CREATED))
    links.mark_linked(
        KEY,
        LastSynced(
            State.RESOLVED,
            "",
            Status("3", "In Review", "indeterminate"),
            "",
            at=time.time() - 60,
            told=("resolved in Backtrace: To Do → In Review in Jira",),
            problems=("no transition leads on from In Review",),
        ),
    )
    text = told(operator, FINGERPRINT)
    assert "could not be done | no transition leads on from In Review" in text
    assert "Jira was | In Review" in text
    assert "It is tried again by itself, once an hour at most" in text
    (found,) = json.loads(operator.call("explain", FINGERPRINT, "--json").stdout)["decisions"]
    assert found["synced"]["problems"] == ["no transition leads on from In Review"]


def test_a_create_that_nobody_is_at_any_more_is_not_being_made(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    now = time.time()
    links.claim(Lease(KEY, "dead", now - 100, now - 25))
    text = told(operator, FINGERPRINT)
    assert "being created right now" not in text
    assert "Jira did not answer the create request" in text


def test_a_look_up_that_was_refused_wants_attention(operator: Operator, links: DynamoDBTicketLinks) -> None:
    mine = lease()
    links.claim(mine)
    links.leave_uncertain(
        mine,
        record(Decision.REFUSED, reason="401"),
        now=time.time(),
        until=time.time() + 20,
        looked_up=False,
    )
    assert "Start DLQ redrive" in told(operator, FINGERPRINT)


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (Decision.PARKED, "No ticket yet: parked"),
        (Decision.POSTPONED, "No ticket yet: postponed"),
        (Decision.REFUSED, "No ticket: refused"),
    ],
)
def test_what_gave_its_claim_back(
    operator: Operator, links: DynamoDBTicketLinks, decision: Decision, expected: str
) -> None:
    links.claim(lease())
    links.release(lease(), record(decision, reason="why not"))
    text = told(operator, FINGERPRINT)
    assert expected in text
    assert "reason | why not" in text


def test_what_never_claimed(operator: Operator, links: DynamoDBTicketLinks) -> None:
    links.record_unclaimed(
        KEY, record(Decision.FILTERED, rule="action 1: filter where * matches .*"), time.time() + 99
    )
    links.record_unclaimed(
        LinkKey(NO_INTEGRATION, "f" * 16),
        record(Decision.NO_INTEGRATION, reason="none for u/p"),
        time.time() + 99,
    )
    assert "an action of the settings filtered the error" in told(operator, FINGERPRINT)
    assert "the project has no integration" in told(operator, "f" * 16)


def test_a_held_trace_beside_one_that_has_a_ticket(operator: Operator, links: DynamoDBTicketLinks) -> None:
    first, second = LinkKey(SETTINGS.id, FINGERPRINT, "1"), LinkKey(SETTINGS.id, FINGERPRINT, "2")
    links.count_event(first, "a", time.time(), DueRule(60, 9))
    links.complete(first, ISSUE, record(Decision.CREATED))
    links.claim(lease(second))
    links.hold(
        lease(second), record(Decision.HELD, age=5, reason="held back: less than 60 s"), time.time() + 99
    )
    found = json.loads(operator.call("explain", FINGERPRINT, "--json").stdout)["decisions"]
    assert [(each["trace"], each["state"]) for each in found] == [("2", "held"), ("1", "complete")]


def test_what_is_not_over(operator: Operator, links: DynamoDBTicketLinks) -> None:
    links.claim(lease())
    assert "being created right now" in told(operator, FINGERPRINT)
    held = lease()
    other = LinkKey(SETTINGS.id, "e" * 16)
    links.claim(Lease(other, "a", held.now, held.until))
    links.leave_uncertain(
        Lease(other, "a", held.now, held.until),
        record(Decision.POSTPONED, reason="cut off"),
        now=held.now,
        until=held.until,
        looked_up=True,
    )
    assert (
        "Jira did not answer the create request; the function looks for its ticket (1 times so far)"
        in told(operator, "e" * 16)
    )


def test_nothing_is_known(operator: Operator, links: DynamoDBTicketLinks) -> None:
    text = told(operator, "0123456789", code=1)
    assert "Nothing is recorded of a group that begins with 0123456789" in text
    assert SETTINGS.id in text


@pytest.mark.parametrize(
    ("server", "pace", "expected"),
    [
        ("main", {"rate": 2.0}, "Jira connection main takes 2.0 calls a second."),
        ("main", {"rate": 0.1}, "Jira connection main takes a call every 10 s."),
        ("main", {"paused_for": 600.0}, "Jira connection main asked for a pause; nothing is sent for"),
        (
            "main",
            {"paused_for": 600.0, "outages": 3},
            "Jira connection main does not answer, or refuses every call; nothing is sent for",
        ),
        (
            "main",
            {"outages": 3},
            "Jira connection main does not answer, or refuses every call; one call tries it.",
        ),
        (
            f"backtrace {SETTINGS.universe}",
            {"outages": 3},
            f"Backtrace universe {SETTINGS.universe} does not answer",
        ),
    ],
)
def test_a_group_that_waits_has_no_record_but_its_servers_say_what_for(
    operator: Operator, links: DynamoDBTicketLinks, server: str, pace: dict[str, Any], expected: str
) -> None:
    pause = pace.pop("paused_for", 0.0)
    links.replace_pace(server, Pace(), Pace(**pace, paused_until=time.time() + pause if pause else 0.0))
    assert expected in told(operator, FINGERPRINT, code=1)
    links.claim(lease())
    links.release(lease(), record(Decision.POSTPONED, reason="Jira was busy"))
    assert f"now | {expected.removesuffix('.')}" in told(operator, FINGERPRINT)


def test_a_group_that_waits_because_its_like_is_parked(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    links.park("main", SETTINGS.parking_scope, Parking(time.time() + 200, refusal()))
    links.park("main", "*", Parking(time.time() - 1, refusal()))
    text = told(operator, FINGERPRINT, code=1)
    assert f"Jira connection main is not asked for tickets of {SETTINGS.parking_scope} until" in text
    assert "customfield_10010: Team is required." in text
    assert "every ticket" not in text


def test_a_group_that_was_refused_for_its_own_values_is_told_until_when(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    until = time.time() + 200
    links.claim(lease())
    links.release(lease(), record(Decision.REFUSED, reason="400", until=until))
    assert time.strftime("parked until | %Y-%m-%d %H:%M:%S UTC", time.gmtime(until)) in told(
        operator, FINGERPRINT
    )


def test_recent_decisions_newest_first(operator: Operator, links: DynamoDBTicketLinks) -> None:
    assert "Nothing has been decided yet" in told(operator, "--recent")
    for number in range(5):
        key = LinkKey(SETTINGS.id, f"{number:016x}")
        links.complete(key, Issue("1", f"BUG-{number}", ""), record(Decision.CREATED, age=100 - number))
    links.park("main", "*", Parking(time.time() + 99, refusal()))
    links.store_screen("main", "BUG/Bug", "{}", time.time() + 99)
    links.replace_pace("main", Pace(), Pace(rate=2.0))
    parked, paced, *lines = operator.call("explain", "--recent", "--count", "3").stdout.splitlines()
    assert parked.startswith("Jira connection main is not asked for every ticket until")
    assert paced == "Jira connection main takes 2.0 calls a second."
    assert [line.rpartition("| ")[2] for line in lines] == ["ticket or reason", "BUG-4", "BUG-3", "BUG-2"]
    found = json.loads(operator.call("explain", "--recent", "--json").stdout)["now"]
    assert found == [parked.removesuffix("."), paced.removesuffix(".")]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ((), "list the last decisions with --recent"),
        ((FINGERPRINT, "--recent"), "Leave out --recent, or the fingerprint."),
        (("abc",), "at least the first 6 characters"),
        ((FINGERPRINT, "--integration", "nobody"), "No integration is called nobody"),
    ],
)
def test_wrong_usage_says_what_to_do(
    operator: Operator, links: DynamoDBTicketLinks, arguments: tuple[str, ...], advice: str
) -> None:
    assert advice in told(operator, *arguments, code=2)


def test_a_stage_that_is_not_deployed(operator: Operator) -> None:
    assert "nothing is deployed as this stage" in told(operator, FINGERPRINT, code=1)


def test_configure_leaves_the_deployments_parameters_alone(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    from tests.cli.conftest import SETTINGS as FILE

    result = operator.configure(FILE, "--yes", "--prune")
    assert result.exit_code == 0, result.output
    assert "deployment/links_table" in operator.stored()
    assert "deployment" not in result.output


def uncertain(links: DynamoDBTicketLinks, why: Record) -> None:
    links.claim(lease())
    held = links.get(KEY)
    assert held is not None
    links.leave_uncertain(
        Lease(KEY, "a", time.time(), held.lease_until),
        why,
        now=time.time(),
        until=time.time(),
        looked_up=False,
    )


def test_two_tickets_that_may_be_the_one_are_told_with_the_choice(
    operator: Operator, links: DynamoDBTicketLinks
) -> None:
    choice = f"BUG-1 and BUG-2 may each be its ticket; backtrace-jira links add BUG-1 {FINGERPRINT}"
    uncertain(links, record(Decision.REFUSED, reason=choice))
    text = told(operator, FINGERPRINT)
    assert choice in text
    assert "do what the reason asks for" in text


def test_a_ticket_that_is_to_be_followed(operator: Operator, links: DynamoDBTicketLinks) -> None:
    synced = DynamoDBSyncedLinks(links._table)
    asked = FollowUp(time.time(), time.time() - 3600)
    links.complete(KEY, ISSUE, record(Decision.CREATED))
    agreed = replace(BASELINE, regressed=True)
    synced.want_follow_up(KEY, ISSUE, asked, agreed, record(Decision.REGRESSED, reason="seen again in 2.5"))
    text = told(operator, FINGERPRINT)
    assert "The error came back after BUG-7 was closed" in text
    assert "a new ticket is on its way" in text
    mine = replace(lease(), follows=ISSUE.id)
    links.claim(mine)
    links.release(mine, refusal())
    text = told(operator, FINGERPRINT)
    assert "a new ticket was refused" in text
    assert "or reopen BUG-7" in text
    assert "field customfield_10010 | Team is required." in text
