"""What one `POST /issue` sends."""

from __future__ import annotations

from backtrace_jira.jira.issue import TicketDraft


def test_body_of_a_draft() -> None:
    draft = TicketDraft({"summary": "s"}, {"backtrace-jira": {"marker": "m"}}, "m", ("nothing",))
    assert draft.request_body() == {
        "fields": {"summary": "s"},
        "properties": [{"key": "backtrace-jira", "value": {"marker": "m"}}],
    }
