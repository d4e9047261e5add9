"""The marker of a link row: a ticket is found again by it, so it must never change."""

from __future__ import annotations

from backtrace_jira.links.link import LinkKey


def test_markers_tell_stage_integration_and_fingerprint_apart() -> None:
    keys = [("u/p/n", "f"), ("u/p/n2", "f"), ("u/p/n", "f2"), ("u/p/nf", ""), ("", "u/p/nf")]
    markers = {LinkKey(*key).marker(stage) for key in keys for stage in ("dev", "prod", "")}
    assert len(markers) == 15
    assert all(len(marker) == 27 and marker.startswith("bt-") for marker in markers)
    assert LinkKey("u/p/n", "f").marker("prod") == LinkKey("u/p/n", "f").marker("prod")


def test_the_marker_of_a_key_never_changes() -> None:
    """A new one would make a second ticket for every group that waits in the middle."""
    assert LinkKey("u/p/n", "f").marker("prod") == "bt-f061d257ed814d3666e4b169"
