"""A function's environment is read whole, and what is wrong with it is named."""

from __future__ import annotations

import pytest

from backtrace_jira.bootstrap.environment import CreateTicketEnvironment, read_environment
from backtrace_jira.errors import InvalidSettings

ENV = {
    "STAGE": "dev",
    "SETTINGS_PREFIX": "/backtrace-jira/dev",
    "LINKS_TABLE": "links",
    "ERROR_EVENTS_QUEUE_URL": "https://sqs/events",
    "DEAD_LETTERS_URL": "https://sqs/dead",
    "JIRA_CHANGES_QUEUE_URL": "https://sqs/changes.fifo",
    "SEARCH_SETTLE_SECONDS": "90",
    "PATH": "/usr/bin",
}


def test_every_variable_is_read_as_what_it_is() -> None:
    read = read_environment(CreateTicketEnvironment, ENV | {"SEARCH_SETTLE_SECONDS": "45"})
    assert (read.stage, read.links_table) == ("dev", "links")
    assert (read.search_settle_seconds, read.settings_max_age_seconds) == (45.0, 300)


def test_all_that_is_missing_is_named() -> None:
    env = {name: value for name, value in ENV.items() if name not in ("LINKS_TABLE", "STAGE")}
    with pytest.raises(InvalidSettings) as caught:
        read_environment(CreateTicketEnvironment, env)
    assert "LINKS_TABLE" in str(caught.value)
    assert "STAGE" in str(caught.value)
    assert "DEAD_LETTERS_URL" not in str(caught.value)


def test_what_is_no_number_is_named_without_its_value() -> None:
    with pytest.raises(InvalidSettings, match="SEARCH_SETTLE_SECONDS is no number") as caught:
        read_environment(CreateTicketEnvironment, ENV | {"SEARCH_SETTLE_SECONDS": "s3cret"})
    assert "s3cret" not in str(caught.value)
