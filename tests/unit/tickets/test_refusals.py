"""Whom a refusal concerns."""

from __future__ import annotations

import pytest

from backtrace_jira.errors import Refused
from backtrace_jira.jira.issue import TicketDraft
from backtrace_jira.json_types import JSON
from backtrace_jira.tickets.refusals import MOST_IN_A_ROW, RefusedInARow, concerns_everybody

FIELDS: dict[str, JSON] = {"project": {"key": "BUG"}, "summary": "x", "labels": ["a"]}


def draft(*left_out: str) -> TicketDraft:
    return TicketDraft(FIELDS, {}, "bt-1", left_out=left_out)


@pytest.mark.parametrize(
    ("status", "fields", "sent", "everybody"),
    [
        pytest.param(400, {"summary": "too long"}, draft(), False, id="a value of this group"),
        pytest.param(400, {"labels": "no blanks"}, draft("Team: empty"), False, id="a value, and one left out"),
        pytest.param(400, {}, draft(), False, id="no field named"),
        pytest.param(400, {"project": "no such project"}, draft(), True, id="project"),
        pytest.param(400, {"issuetype": "no such type"}, draft(), True, id="issue type"),
        pytest.param(400, {"customfield_1": "is required"}, draft(), True, id="required, and nobody has a value"),
        pytest.param(
            400, {"customfield_1": "is required"}, draft("Team: empty"), False, id="required, and this group has none"
        ),
        pytest.param(
            400, {"customfield_1": "is required", "summary": "too long"}, draft(), False, id="required, and a value"
        ),
        pytest.param(403, {}, draft(), True, id="permission"),
        pytest.param(404, {}, draft(), True, id="address"),
        pytest.param(302, {}, draft(), True, id="sign-on"),
        pytest.param(413, {}, draft(), False, id="too large"),
        pytest.param(0, {"project": "not shown"}, None, True, id="create screen"),
        pytest.param(400, {}, None, True, id="create screen, of a Data Center"),
    ],
)  # fmt: skip
def test_whom_a_refusal_concerns(
    status: int, fields: dict[str, str], sent: TicketDraft | None, everybody: bool
) -> None:
    assert concerns_everybody(Refused("no", status=status, fields=fields), sent) is everybody


def test_many_groups_refused_one_after_the_other_concern_everybody() -> None:
    row = RefusedInARow()
    told = [row.count("BUG/Bug", number) for number in range(MOST_IN_A_ROW)]
    assert told == [False] * (MOST_IN_A_ROW - 1) + [True]
    assert not row.count("OPS/Bug", 1)
    row.start_anew("BUG/Bug")
    assert not row.count("BUG/Bug", 99)


def test_one_group_that_is_refused_again_and_again_is_one() -> None:
    row = RefusedInARow()
    assert not any(row.count("BUG/Bug", 1) for _ in range(50))
