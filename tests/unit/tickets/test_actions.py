"""Submit, filter and mention: the ordered actions of Common Settings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.settings.integration import Action
from backtrace_jira.tickets.actions import apply_actions
from backtrace_jira.tickets.description import describe_group
from backtrace_jira.tickets.fill_fields import draft_ticket
from tests.builders import group, integration

FILTER_ALL = {"action": "filter"}
SUBMIT_NYC = {"action": "submit", "attribute": "datacenter", "regex": "nyc"}


def actions(*raw: dict[str, Any]) -> tuple[Action, ...]:
    return tuple(Action.model_validate(each) for each in raw)


def with_attributes(**attributes: list[list[Any]]) -> ErrorGroup:
    return group(attributes=attributes)


NYC = with_attributes(datacenter=[["ams", 30], ["nyc", 1]], version=[["1.0", 31]])
AMS = with_attributes(datacenter=[["ams", 30]], version=[["2.0", 31]])


@pytest.mark.parametrize(
    ("raw", "of_nyc", "of_ams"),
    [
        ([], True, True),
        ([FILTER_ALL, SUBMIT_NYC], True, False),  # the worked example of Common Settings
        ([SUBMIT_NYC, FILTER_ALL], False, False),
        ([SUBMIT_NYC], True, True),
        ([{**SUBMIT_NYC, "action": "filter"}], False, True),
        ([{"action": "filter", "attribute": "datacenter", "regex": "^n"}], False, True),
        ([{"action": "filter", "attribute": "datacenter", "regex": "yc$"}], False, True),
        ([{"action": "filter", "attribute": "datacenter", "regex": "^y"}], True, True),
        ([{"action": "filter", "attribute": "nowhere", "regex": ".*"}], True, True),
        ([{"action": "filter", "attribute": "*", "regex": "^2\\.0$"}], True, False),
        ([FILTER_ALL, SUBMIT_NYC, {"action": "filter", "attribute": "version", "regex": "^1"}], False, False),
        (
            [FILTER_ALL, {"action": "mention", "attribute": "*", "regex": ".*", "target": "fred"}],
            False,
            False,
        ),
        ([{"action": "filter", "attribute": "application", "regex": "my_app"}], False, False),
        ([{"action": "filter", "attribute": "datacenter", "regex": ""}], False, False),
    ],
)
def test_the_last_match_decides(raw: list[dict[str, Any]], of_nyc: bool, of_ams: bool) -> None:
    assert apply_actions(NYC, actions(*raw)).submit is of_nyc
    assert apply_actions(AMS, actions(*raw)).submit is of_ams


def test_the_verdict_names_the_action_that_decided() -> None:
    assert apply_actions(AMS, actions(FILTER_ALL, SUBMIT_NYC)).reason == "action 1: filter where * matches .*"
    assert (
        apply_actions(NYC, actions(FILTER_ALL, SUBMIT_NYC)).reason
        == "action 2: submit where datacenter matches nyc"
    )
    assert apply_actions(NYC, ()).reason == ""


def test_a_value_that_no_object_has_does_not_match() -> None:
    assert (
        apply_actions(with_attributes(datacenter=[["nyc", 0]]), actions(FILTER_ALL, SUBMIT_NYC)).submit
        is False
    )


def test_every_matching_mention_is_made_once_in_order() -> None:
    raw = [
        {"action": "mention", "attribute": "version", "regex": "^1", "target": "accountid:5b10"},
        {"action": "mention", "attribute": "datacenter", "regex": "nyc", "target": "fred"},
        {"action": "mention", "attribute": "datacenter", "regex": "ams", "target": "fred"},
    ]
    assert apply_actions(NYC, actions(*raw)).mentions == ("accountid:5b10", "fred")
    assert apply_actions(AMS, actions(*raw)).mentions == ("fred",)


def test_a_mention_is_the_only_one_in_the_ticket() -> None:
    hostile = group(application="[~admin]", callstack=["[~accountid:1]"], classifiers=["[~root]"])
    text = str(draft_ticket(hostile, integration(), "bt-1", ["fred"]).fields["description"])
    assert re.findall(r"\[~[^\]]*\]", text) == ["[~fred]"]


@pytest.mark.parametrize(
    "raw",
    [
        {"action": "mention"},
        {"action": "submit", "target": "fred"},
        {"action": "mention", "target": "fred] [~admin"},
        {"action": "mention", "target": "a\nb"},
        {"action": "delete"},
        {"action": "submit", "regex": "("},
        {"action": "submit", "regex": "(?=x)"},
        {"action": "submit", "regex": "(a)\\1"},
        {"action": "submit", "unknown": 1},
    ],
)
def test_an_action_that_cannot_work_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Action.model_validate(raw)


def test_no_expression_runs_away() -> None:
    """The classic that takes a backtracking engine longer than the universe has."""
    evil = with_attributes(datacenter=[["a" * 5_000 + "b", 1]])
    raw = {"action": "filter", "attribute": "datacenter", "regex": "^(a+)+$"}
    assert apply_actions(evil, actions(raw)).submit is True


@given(
    st.lists(
        st.tuples(st.sampled_from(["submit", "filter"]), st.sampled_from(["nyc", "ams", "xyz", ".*"])),
        max_size=8,
    )
)
def test_the_last_match_decides_for_any_list(rules: list[tuple[str, str]]) -> None:
    raw = [{"action": kind, "attribute": "datacenter", "regex": regex} for kind, regex in rules]
    matching = [kind for kind, regex in rules if re.search(regex, "nyc") or re.search(regex, "ams")]
    assert apply_actions(NYC, actions(*raw)).submit is (not matching or matching[-1] == "submit")


# Display settings


@pytest.mark.parametrize(
    ("display", "shown", "hidden"),
    [
        ({}, ["h3. Classifiers", "h3. Call stack", "h3. Attributes", "|hostname|"], []),
        ({"classifiers": False}, ["h3. Call stack", "h3. Attributes"], ["h3. Classifiers"]),
        ({"callstack": False}, ["h3. Classifiers", "h3. Attributes"], ["h3. Call stack", "{noformat}"]),
        ({"attributes": False}, ["h3. Classifiers", "h3. Call stack"], ["h3. Attributes", "|version|"]),
        ({"attribute_list": ["version"]}, ["|version|"], ["|environment|", "|hostname|"]),
        ({"attribute_list": ["nowhere"]}, [], ["h3. Attributes"]),
        ({"include_hostname": False}, ["|version|", "|environment|"], ["|hostname|"]),
        (
            {"attribute_list": ["hostname", "version"], "include_hostname": False},
            ["|version|"],
            ["|hostname|"],
        ),
    ],
)
def test_the_body_shows_what_the_display_settings_say(
    display: dict[str, Any], shown: list[str], hidden: list[str]
) -> None:
    settings = integration(display=display)
    text = describe_group(group(), "bt-1", settings.display)
    assert "View in Backtrace" in text
    assert "bt-1" in text
    assert [part for part in shown if part not in text] == []
    assert [part for part in hidden if part in text] == []


def test_listed_attributes_come_in_the_order_of_the_list() -> None:
    text = describe_group(
        group(), "bt-1", integration(display={"attribute_list": ["version", "environment"]}).display
    )
    assert text.index("|version|") < text.index("|environment|")
