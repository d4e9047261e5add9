"""Messages of the queue `jira-changes`: one class writes and reads them, also those that wait there since before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.synchronisation.jira_change import JiraChange

IDS = st.from_regex(r"[0-9]{1,12}", fullmatch=True)


@pytest.mark.parametrize(
    ("body", "change"),
    [
        (
            '{"connection": "main", "issue_id": "10001", "event": "jira:issue_updated", "fields": ["state", "moved"]}',
            JiraChange("main", "10001", event="jira:issue_updated", fields=("state", "moved")),
        ),
        (
            '{"connection": "main", "project_id": "10000", "event": "jira:version_released", "fields": []}',
            JiraChange("main", project_id="10000", event="jira:version_released"),
        ),
        (
            '{"connection": "main", "issue_id": "10001", "event": "look", "fields": [], "reason": "late"}',
            JiraChange("main", "10001", event="look", reason="late"),
        ),
        (
            '{"connection": "main", "issue_id": "10001", "event": "regression", "fields": [], "reason": "seen in 2.5"}',
            JiraChange("main", "10001", event="regression", reason="seen in 2.5"),
        ),
        (
            '{"connection": "main", "issue_id": "10001", "event": "regression", "fields": [], "reason": "seen in 2.5", '
            '"integration": "u/p/n", "fingerprint": "8910551e", "sighting": "5f"}',
            JiraChange("main", "10001", "", "regression", (), "seen in 2.5", "u/p/n", "8910551e", "5f"),
        ),
        ('{"issue_id": "10001", "fields": null, "more": 1}', JiraChange("", "10001")),
    ],
)
def test_messages_that_wait_in_a_queue_are_read(body: str, change: JiraChange) -> None:
    assert JiraChange.from_json(body) == change


@given(st.text(), IDS, st.booleans(), st.text(), st.lists(st.text()), st.tuples(*[st.text()] * 4))
def test_what_is_written_is_read(
    connection: str, id_: str, project: bool, event: str, fields: list[str], texts: tuple[str, str, str, str]
) -> None:
    issue_id, project_id = ("", id_) if project else (id_, "")
    change = JiraChange(connection, issue_id, project_id, event, tuple(fields), *texts)
    assert JiraChange.from_json(change.to_json()) == change


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "{}", '{"issue_id": 1}', '{"issue_id": "x"}', '{"project_id": ""}', "[" * 9999],
)
def test_what_is_none_of_ours_is_refused(body: str) -> None:
    with pytest.raises(InvalidEvent, match="not a change of a Jira ticket"):
        JiraChange.from_json(body)


def test_messages_of_one_ticket_follow_each_other() -> None:
    told = JiraChange("main", "10001", event="jira:issue_updated")
    assert told.group == JiraChange("main", "10001", event="look").group
    assert (
        len({told.group, JiraChange("main", "10002").group, JiraChange("main", project_id="10001").group})
        == 3
    )
