"""A log line stays one line of JSON, whatever a server or an error sends."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from backtrace_jira import bootstrap
from backtrace_jira.errors import Refused
from backtrace_jira.outcomes import Decision, Outcome

HOSTILE = 'a\n\r\x1b[31mred\x85\u2028\x00\ud800 {"level":"ERROR"}'
LONGEST_LINE = 256 * 1024
"""Bytes that CloudWatch keeps as one."""


@pytest.fixture(autouse=True)
def _new_logger(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    # A logger of this name would keep writing to the output of the test before.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Test")
    for made in (bootstrap.logger, bootstrap.metrics):
        made.cache_clear()
    # Kept from pytest, which reports all that is logged: pytest-xdist dies of half a surrogate pair.
    for handler in logging.root.handlers:
        handler.addFilter(_nothing)
    yield
    for handler in logging.root.handlers:
        handler.removeFilter(_nothing)
    for made in (bootstrap.logger, bootstrap.metrics):
        made.cache_clear()


def _nothing(_: logging.LogRecord) -> bool:
    return False


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE * 30_000], ids=["short", "a megabyte"])
@pytest.mark.parametrize("kind", [Refused, RuntimeError], ids=["expected", "unexpected"])
def test_hostile_words_make_one_line(
    capfd: pytest.CaptureFixture[str], text: str, kind: type[Exception]
) -> None:
    error = kind(text)
    outcome = Outcome(Decision.REFUSED, detail=text, left_out=(text,), error=error)
    try:
        raise error
    except kind:
        bootstrap.report_outcome(outcome, subject="error group")
    told = capfd.readouterr().out
    line, rest = told.split("\n", 1)
    assert rest == ""
    assert len(line.encode()) < LONGEST_LINE
    found = json.loads(line)
    assert (found["message"], found["decision"]) == ("error group: refused", "refused")
    assert found["detail"].startswith("a\n\r\x1b[31mred")
    assert "\x1b" not in line
