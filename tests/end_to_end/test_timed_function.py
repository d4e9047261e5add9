"""A function in a process of its own does what the others do, and its processor time is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.aws.dynamodb_local import Engine
from local.aws.resources import FunctionSettings
from local.aws.timed_function import TimedFunction
from local.sample import new_group
from local.stack import LocalStack


def test_each_start_and_each_event_has_its_time(engine: Engine | None, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with LocalStack(
        dynamodb=engine, log=log, function=lambda settings: TimedFunction(settings, log)
    ) as stack:
        stack.configure()
        timed = stack.function
        assert isinstance(timed, TimedFunction)
        for _ in range(2):
            stack.publish(new_group())
            assert stack.drain() == 1
    assert len(stack.jira.issues) == 2
    assert len(timed.inits) == 2, "the stack starts it, and configuring it starts it anew"
    assert [len(events) for events in timed.events] == [0, 2]
    assert all(time > 0 for time in (*timed.inits, *timed.events[1]))
    assert "error group: created" in log.read_text()


def test_what_the_handler_raises_comes_through(tmp_path: Path) -> None:
    settings = FunctionSettings("CreateTicket", "f", "create_ticket.handler.lambda_handler", 60, {})
    timed = TimedFunction(settings, tmp_path / "log")
    timed.start()
    with pytest.raises(RuntimeError, match="LINKS_TABLE"):
        timed({"Records": []})
    timed.stop()
    with pytest.raises(RuntimeError, match="not started"):
        timed({"Records": []})


def test_a_handler_that_cannot_be_imported_is_told_at_the_start(tmp_path: Path) -> None:
    timed = TimedFunction(
        FunctionSettings("Gone", "f", "gone.handler.lambda_handler", 60, {}), tmp_path / "log"
    )
    with pytest.raises(RuntimeError, match="does not start"):
        timed.start()
    timed.stop()
