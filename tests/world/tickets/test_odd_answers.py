"""Words of Jira's that no sane server sends, and some do."""

from __future__ import annotations

import base64
import logging

import pytest

from tests.builders import sample_body
from tests.world.world import Flavour, MakeWorld


def test_half_a_surrogate_pair_in_jira_s_words_stops_nobody(make_real_world: MakeWorld) -> None:
    """Jira cuts its sentences by length, in the middle of an emoji too; DynamoDB Local stores such a text as it is."""
    world = make_real_world()
    words = {"errorMessages": ["too long \ud83d"], "errors": {"summary": "abc \ud83d"}}
    world.jira.faults.add("POST", r"/issue$", status=400, body=words)
    assert world.deliver() == []
    (letter,) = world.dead_letters()
    assert "abc �" in letter["Reason"]
    world.new_process()
    world.clock.advance(world.timing.parked + 1)
    assert world.deliver(world.event(sample_body() | {"fingerprint": "e" * 64})) == []
    assert world.deliver() == []
    assert len(world.jira.issues) == 2


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_a_proxy_that_repeats_our_headers_puts_no_credential_into_reasons_rows_and_logs(
    make_world: MakeWorld, flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    world = make_world(flavour)
    caplog.set_level(logging.DEBUG, "backtrace_jira")
    token = world.jira.token
    pair = base64.b64encode(f"{world.jira.user}:{token}".encode()).decode()
    words = {"errorMessages": [f"not forwarded: Authorization: Basic {pair} ({token})"]}
    world.jira.faults.add("POST", r"/issue$", status=400, body=words)
    assert world.deliver() == []
    (letter,) = world.dead_letters()
    assert "not forwarded: Authorization: Basic *** (***)" in letter["Reason"]
    row = world.row()
    assert row.record is not None
    kept = f"{letter} {row} {row.record} {world.reports} {caplog.text}"
    for secret in (token, pair):
        assert secret not in kept
