"""Outcomes as the log shows them."""

from __future__ import annotations

import pytest

from backtrace_jira.errors import Busy, Refused
from backtrace_jira.jira.issue import Issue
from backtrace_jira.outcomes import Decision, Outcome

CANARY = "canary-8f1b"


def test_log_fields_leave_out_what_is_empty() -> None:
    assert Outcome(Decision.INVALID).log_fields() == {"decision": "invalid"}
    issue = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
    outcome = Outcome(Decision.CREATED, "f", "u/p/n", issue, "d", ("a",), ("b",), ValueError(CANARY))
    assert outcome.log_fields() == {
        "decision": "created",
        "integration": "u/p/n",
        "fingerprint": "f",
        "issue_key": "BUG-1",
        "detail": "d",
        "unknown_attributes": ["a"],
        "left_out": ["b"],
    }


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Outcome(Decision.CREATED), "info"),
        (Outcome(Decision.FILTERED), "info"),
        (Outcome(Decision.REFUSED), "warning"),
        (Outcome(Decision.REFUSED, error=Refused("no", status=400)), "warning"),
        (Outcome(Decision.POSTPONED, error=Busy("later")), "warning"),
        (Outcome(Decision.DEAD_LETTER), "error"),
        (Outcome(Decision.DEAD_LETTER, error=Busy("too often")), "error"),
        (Outcome(Decision.POSTPONED, error=ValueError(CANARY)), "error"),
    ],
)
def test_the_log_level_says_whether_a_person_must_act(outcome: Outcome, level: str) -> None:
    assert outcome.log_level == level
