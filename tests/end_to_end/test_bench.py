"""`make bench` measures built functions in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.aws import built as building
from local.aws.built import Built
from local.aws.dynamodb_local import Engine
from local.aws.resources import FunctionSettings
from local.bench.measured_function import MeasuredFunction
from local.sample import new_group
from local.stack import LocalStack

pytestmark = [
    pytest.mark.built,
    pytest.mark.skipif(building.missing() is not None, reason=str(building.missing())),
]


def test_a_measured_function_tells_what_an_invocation_cost(
    built: Built, engine: Engine | None, tmp_path: Path
) -> None:
    with LocalStack(
        dynamodb=engine,
        function=lambda settings: MeasuredFunction(settings, built),
        log=tmp_path / "log",
    ) as stack:
        stack.configure()
        function = stack.function
        assert isinstance(function, MeasuredFunction)
        function.counts_requests = True
        group = new_group()
        stack.publish(group)
        stack.drain()
        new = function.last
        stack.publish(group)
        stack.drain()
        known = function.last
    assert function.init > 0
    assert (new.counts["Jira"], known.counts.get("Jira", 0)) == (1, 0)
    assert new.counts["write units"] == 4
    assert known.counts["dynamodb"] == 1
    assert "write units" not in known.counts
    assert new.cpu > known.cpu > 0
    assert new.logged > known.logged > 0


def test_what_the_handler_raises_comes_through(built: Built) -> None:
    settings = FunctionSettings("CreateTicket", "f", "create_ticket.handler.lambda_handler", 60, {})
    function = MeasuredFunction(settings, built)
    with pytest.raises(RuntimeError, match="LINKS_TABLE"):
        function({"Records": []})
    function.stop()


def test_a_handler_that_cannot_be_imported_is_told_by_the_first_event(built: Built) -> None:
    function = MeasuredFunction(FunctionSettings("CreateTicket", "f", "gone.handler.main", 60, {}), built)
    with pytest.raises(RuntimeError, match="No module named 'gone'"):
        function({})
    function.stop()
