"""The storm of `make storm` that runs on the whole stack, small."""

from __future__ import annotations

import pytest

from local.storm.wire import OnTheWire


@pytest.mark.long
def test_a_storm_on_the_wire_loses_nothing() -> None:
    report = OnTheWire("wire", events=60, groups=20, rate=5).run()
    # Not the calls that Jira refused: how many there are depends on how fast this machine is just now.
    missed = {figure.what for figure in report.figures if figure.missed} - {"calls that Jira refused"}
    assert missed == set()
    assert report.measured("tickets") == 20
    assert sum(report.timeline.each("main served")) == 20
