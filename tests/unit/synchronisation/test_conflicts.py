"""Who wins when a ticket and its groups differ."""

from __future__ import annotations

from typing import Any

import pytest

from backtrace_jira.jira.issue import Change, Ticket
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.pair import Pair
from backtrace_jira.states import State, Status
from backtrace_jira.synchronisation.conflicts import decide_winner, takes_ticket_value
from backtrace_jira.synchronisation.fields import ASSIGNEE, STATE, with_baseline
from backtrace_jira.synchronisation.synced_field import FieldSync, Winner
from backtrace_jira.synchronisation.to_jira import plan_winners
from tests.unit.synchronisation.pairs import (
    BOTH_WAYS,
    DOING,
    DONE,
    LINKED_AT,
    REVIEW,
    SYNCED_AT,
    TODO,
    agreed,
    group,
    pair,
    ticket,
    turn,
)

OPEN, PROGRESS, RESOLVED, MUTED = State.OPEN, State.IN_PROGRESS, State.RESOLVED, State.MUTED
TO_JIRA, TO_BACKTRACE = {"backtrace_to_jira": True}, {"jira_to_backtrace": True}
LATER, LATEST = SYNCED_AT + 10, SYNCED_AT + 20


def won(winner: Winner) -> str:
    return "jira" if winner.is_ticket else "backtrace" if winner.pair else "nobody"


@pytest.mark.parametrize(
    ("status", "at", "state", "modified", "winner"),
    [
        (DOING, 0.0, PROGRESS, 0.0, "nobody"),
        (DOING, 0.0, PROGRESS, LATEST, "nobody"),  # something else of the group changed
        (DONE, LATER, PROGRESS, 0.0, "jira"),
        (REVIEW, 0.0, PROGRESS, 0.0, "nobody"),  # another status of the same meaning
        (DOING, 0.0, RESOLVED, LATER, "backtrace"),
        (DONE, LATER, OPEN, LATEST, "backtrace"),
        (DONE, LATEST, OPEN, LATER, "jira"),
        (DONE, LATER, OPEN, LATER, "jira"),  # a tie
        (DONE, LATER + 0.2, OPEN, LATER + 0.9, "jira"),  # a tie, as Backtrace counts whole seconds
        (DONE, LATER, OPEN, LATER + 1, "backtrace"),
        (DONE, 0.0, OPEN, SYNCED_AT + 49, "jira"),  # no changelog: the ticket's last update counts
        (DONE, 0.0, OPEN, SYNCED_AT + 51, "backtrace"),
        (DOING, LATEST, RESOLVED, LATER, "jira"),  # the ticket was changed and changed back, and later
        (DOING, LATER, RESOLVED, LATEST, "backtrace"),
        (DOING, SYNCED_AT, RESOLVED, SYNCED_AT, "backtrace"),  # the changelog's entry was seen the last time
        (DOING, 1500.0, RESOLVED, 1400.0, "backtrace"),
        (DOING, 0.0, MUTED, LATER, "nobody"),  # muting is the group's own business
        (DONE, LATER, MUTED, LATEST, "jira"),
    ],
)
def test_the_latest_state_wins(status: Status, at: float, state: State, modified: float, winner: str) -> None:
    decided = decide_winner(STATE, ticket(status, at=at), [pair(group(state, modified=modified))], turn())
    assert won(decided) == winner


@pytest.mark.parametrize(
    ("who", "at", "user", "modified", "winner"),
    [
        ("", 0.0, 0, LATER, "nobody"),
        ("jane", LATER, 0, 0.0, "jira"),
        ("", 0.0, 7, LATER, "backtrace"),
        ("jane", LATER, 7, LATEST, "backtrace"),
        ("jane", LATEST, 7, LATER, "jira"),
        ("jane", LATER, 7, LATER, "jira"),
        ("", LATEST, 7, LATER, "jira"),  # assigned and unassigned again
    ],
)
def test_the_latest_assignee_wins(who: str, at: float, user: int, modified: float, winner: str) -> None:
    its_group = group(assignee=user, modified=modified)
    assert won(decide_winner(ASSIGNEE, ticket(assignee=who, at=at), [pair(its_group)], turn())) == winner


@pytest.mark.parametrize("last", ["first", "second", "third"])
def test_the_latest_of_several_groups_wins(last: str) -> None:
    pairs = [
        pair(group(RESOLVED, fingerprint=name * 8, modified=LATEST if name == last else LATER))
        for name in ("first", "second", "third")
    ]
    decided = decide_winner(STATE, ticket(), pairs, turn())
    assert decided.pair
    assert decided.pair.link.key.fingerprint == last * 8


@pytest.mark.parametrize(
    ("sync", "changed", "winner"),
    [
        (TO_JIRA, "ticket", "nobody"),
        (TO_JIRA, "group", "backtrace"),
        (TO_BACKTRACE, "ticket", "jira"),
        (TO_BACKTRACE, "group", "nobody"),
        ({}, "ticket", "nobody"),
        ({}, "group", "nobody"),
        ({**BOTH_WAYS, "fields": ["assignee"]}, "ticket", "nobody"),
        ({**BOTH_WAYS, "fields": ["assignee"]}, "group", "nobody"),
        ({**BOTH_WAYS, "fields": ["state"]}, "ticket", "jira"),
        ({**BOTH_WAYS, "muted": "resolve"}, "muted group", "backtrace"),
        (BOTH_WAYS, "muted group", "nobody"),
    ],
)
def test_only_what_the_settings_want_is_news(sync: dict[str, Any], changed: str, winner: str) -> None:
    states = {"group": RESOLVED, "muted group": MUTED}
    its_pair = pair(group(states.get(changed, PROGRESS), modified=LATER), sync=sync)
    decided = decide_winner(STATE, ticket(DONE if changed == "ticket" else DOING), [its_pair], turn())
    assert won(decided) == winner


@pytest.mark.parametrize(
    ("truth", "status", "state", "winner"),
    [
        ("none", DONE, PROGRESS, "nobody"),
        ("jira", DONE, PROGRESS, "jira"),
        ("backtrace", DONE, PROGRESS, "backtrace"),
        ("jira", DOING, RESOLVED, "jira"),
        ("backtrace", DOING, RESOLVED, "backtrace"),
        ("jira", TODO, PROGRESS, "nobody"),  # a new ticket goes with a group In Progress
        ("backtrace", TODO, OPEN, "nobody"),
        ("jira", DONE, MUTED, "nobody"),
    ],
)
def test_the_source_of_truth_wins_at_linking(truth: str, status: Status, state: State, winner: str) -> None:
    synced = agreed(state, status, at=0.0)
    its_pair = pair(group(state), synced, sync={"on_linking": truth})
    assert won(decide_winner(STATE, ticket(status), [its_pair], turn())) == winner
    later = pair(group(state), agreed(state, status), sync={"on_linking": truth})
    assert won(decide_winner(STATE, ticket(status), [later], turn())) == "nobody"


@pytest.mark.parametrize(
    ("field", "notes", "winner"),
    [
        (STATE, ["status 4"], "nobody"),
        (STATE, ["status 1"], "jira"),
        (STATE, ["assignee jane"], "jira"),
        (ASSIGNEE, ["assignee jane"], "nobody"),
        (ASSIGNEE, ["assignee bob"], "jira"),
        (ASSIGNEE, ["status 4"], "jira"),
        (STATE, [], "jira"),
    ],
)
def test_what_we_may_have_written_ourselves_is_no_news(
    field: FieldSync, notes: list[str], winner: str
) -> None:
    assert won(decide_winner(field, ticket(DONE, "jane"), [pair()], turn(*notes))) == winner


# Who takes the ticket's value


@pytest.mark.parametrize(
    ("winner", "state", "sync", "takes"),
    [
        ("ticket", PROGRESS, BOTH_WAYS, True),  # news to it
        ("ticket", OPEN, BOTH_WAYS, True),  # its own change lost
        ("ticket", OPEN, TO_JIRA, False),
        ("ticket", PROGRESS, TO_JIRA, False),
        ("itself", OPEN, BOTH_WAYS, False),
        ("another", PROGRESS, BOTH_WAYS, True),
        ("nobody", PROGRESS, TO_JIRA, False),
    ],
)
def test_a_group_takes_what_is_news_to_it_or_what_it_lost_against(
    winner: str, state: State, sync: dict[str, Any], takes: bool
) -> None:
    its_pair = pair(group(state), sync=sync)
    another = pair(group(RESOLVED, fingerprint="b" * 64))
    decided = {
        "ticket": Winner(STATE, is_ticket=True),
        "itself": Winner(STATE, pair=its_pair),
        "another": Winner(STATE, pair=another),
        "nobody": Winner(STATE),
    }[winner]
    assert takes_ticket_value(its_pair, ticket(DONE), decided, turn()) is takes


def test_a_group_that_lost_takes_the_value_although_the_ticket_has_its_old_one() -> None:
    its_pair, same = pair(group(OPEN)), ticket(DOING)
    another = pair(group(fingerprint="b" * 64))
    assert takes_ticket_value(its_pair, same, Winner(STATE, is_ticket=True), turn())
    assert takes_ticket_value(its_pair, same, Winner(STATE, pair=another), turn())
    assert not takes_ticket_value(its_pair, same, Winner(STATE), turn())


def test_our_own_write_is_news_to_the_other_groups_of_the_ticket() -> None:
    its_pair, another = pair(), pair(group(RESOLVED, fingerprint="b" * 64))
    noted = turn("status 4")
    assert takes_ticket_value(its_pair, ticket(DONE), Winner(STATE, pair=another), noted)
    assert not takes_ticket_value(its_pair, ticket(DONE), Winner(STATE), noted)


# Baseline


def change(field: str, before: str, at: float) -> Change:
    return Change(field, before, before.upper(), at)


@pytest.mark.parametrize(
    ("synced", "its_ticket", "expected"),
    [
        (
            LastSynced(),
            ticket(DONE, "jane"),
            ("resolved", "7", DONE, "jane"),
        ),
        (
            LastSynced(),
            ticket(DONE, "jane", changes=(change("status", "1", LINKED_AT), change("assignee", "bob", 1500))),
            ("resolved", "7", Status("1", "1", "new"), "bob"),
        ),
        (
            LastSynced(),
            ticket(DONE, "jane", changes=(change("status", "1", LINKED_AT - 1), change("status", "4", 1500))),
            ("resolved", "7", DONE, "jane"),
        ),
        (
            LastSynced(PROGRESS, "3"),
            ticket(DONE, changes=(change("status", "2", 1500), change("status", "3", 1600))),
            ("in-progress", "3", Status("2", "2", "new"), ""),
        ),
        (
            agreed(assignee="3", ticket_assignee="kim"),
            ticket(DONE, "jane", changes=(change("status", "1", 2500),)),
            ("in-progress", "3", DOING, "kim"),
        ),
    ],
    ids=["as it is", "from the changelog", "not from before linking", "the first change", "known already"],
)
def test_the_baseline_is_what_the_sides_were_at_linking(
    synced: LastSynced, its_ticket: Ticket, expected: tuple[object, ...]
) -> None:
    filled = with_baseline(pair(group(RESOLVED, 7), synced), its_ticket).synced
    assert (filled.state, filled.assignee, filled.status, filled.ticket_assignee) == expected


# The ticket


@pytest.mark.parametrize(
    ("reopened", "written"),
    [(False, ["state", "assignee"]), (True, ["assignee"])],
)
def test_what_a_regression_has_reopened_is_not_written_again(reopened: bool, written: list[str]) -> None:
    its_pair: Pair = pair(group(OPEN, 7, modified=LATER))
    winners = plan_winners(ticket(), [its_pair], turn(), reopened_for=its_pair if reopened else None)
    assert [winner.pair for winner in winners] == [its_pair, its_pair]
    assert [str(winner.field.name) for winner in winners if not winner.is_written] == written
