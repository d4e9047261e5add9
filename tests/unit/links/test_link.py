"""The marker of a link row: a ticket is found again by it, so it must never change."""

from __future__ import annotations

from backtrace_jira.links.link import LinkKey, is_marker


def test_markers_tell_stage_integration_and_fingerprint_apart() -> None:
    keys = [("u/p/n", "f"), ("u/p/n2", "f"), ("u/p/n", "f2"), ("u/p/nf", ""), ("", "u/p/nf")]
    markers = {LinkKey(*key).marker(stage) for key in keys for stage in ("dev", "prod", "")}
    assert len(markers) == 15
    assert all(len(marker) == 27 and marker.startswith("bt-") for marker in markers)
    assert LinkKey("u/p/n", "f").marker("prod") == LinkKey("u/p/n", "f").marker("prod")


def test_the_marker_of_a_key_never_changes() -> None:
    """A new one would make a second ticket for every group that waits in the middle."""
    assert LinkKey("u/p/n", "f").marker("prod") == "bt-f061d257ed814d3666e4b169"
    assert LinkKey("u/p/n", "f").marker("prod", 1) == LinkKey("u/p/n", "f").marker("prod")
    assert LinkKey("u/p/n", "f").marker("prod", 2) == "bt-5588481917f9d7e09ca698ca"


def test_each_ticket_of_a_key_has_a_marker_of_its_own() -> None:
    keys = [LinkKey("u/p/n", "f"), LinkKey("u/p/n", "f", "2"), LinkKey("u/p/n", "f", "x")]
    markers = [key.marker("prod", generation) for key in keys for generation in (1, 2, 3, 12)]
    assert len(set(markers)) == 12
    assert all(map(is_marker, markers))


def test_other_labels_are_no_markers() -> None:
    labels = ("Backtrace", "bt-1", "bt-" + "g" * 24, "bt-" + "0" * 25, "x bt-" + "0" * 24, "")
    assert not any(map(is_marker, labels))
