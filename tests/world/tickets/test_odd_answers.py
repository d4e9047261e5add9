"""Words of Jira's that no sane server sends, and some do."""

from __future__ import annotations

from tests.builders import sample_body
from tests.world.world import MakeWorld


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
