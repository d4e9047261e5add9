"""docs/architecture.md walks an error event, a webhook and a version through the rooms as the code does."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.builders import ROOT
from tests.documents import walks
from tests.documents.pointers import CORE, pointers_in, section
from tests.documents.walks import Walk
from tests.world.sync_world import MakeSyncWorld

MakeWalk = Callable[[MakeSyncWorld, pytest.MonkeyPatch], Walk]
ARCHITECTURE = ROOT / "docs/architecture.md"
WALKS: dict[str, MakeWalk] = {
    "One error event": walks.error_event,
    "One webhook": walks.webhook,
    "One version": walks.version,
}
IN_PASSING = {"One version": ["One webhook"]}
"""Whose files a walk takes as told."""


def steps(heading: str) -> list[str]:
    return re.findall(r"^\d+\. `([^`]+)`", section(ARCHITECTURE, heading), re.MULTILINE)


def files(heading: str) -> set[str]:
    told = [heading, *IN_PASSING.get(heading, [])]
    named = [each for name in told for each in pointers_in(section(ARCHITECTURE, name))]
    return {each.partition("::")[0] for each in named}


@pytest.mark.parametrize("heading", WALKS)
def test_a_walk_is_the_one_that_the_code_takes(
    heading: str, make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = WALKS[heading](make_sync_world, monkeypatch)
    order = list(taken.entered)
    assert [step for step in steps(heading) if step not in order] == []
    assert steps(heading) == sorted(steps(heading), key=order.index)
    assert set(taken.files) - files(heading) == set(), "entered, and not told"
    if heading not in IN_PASSING:
        untrue = files(heading) - set(taken.files)
        assert {each for each in untrue if not each.startswith("bootstrap/")} == set(), (
            "told, and not entered"
        )


def test_every_room_has_the_reasons_for_its_walls() -> None:
    told = section(ARCHITECTURE, "Rooms and floors")
    rooms = [path for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    names = [path.name if path.suffix else f"{path.name}/" for path in rooms if path.name != "__init__.py"]
    assert "tickets/" in names
    assert [name for name in names if f"`{name}`" not in told] == []
