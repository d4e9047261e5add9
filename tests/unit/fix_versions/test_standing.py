"""What is kept of a ticket's Fix Versions for people to see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.fix_versions.standing import LONGEST_NAME, MOST_VERSIONS, see_versions
from backtrace_jira.jira.issue import FixVersion
from backtrace_jira.links.last_synced import NamedVersion, Standing, VersionsSeen
from backtrace_jira.states import Status
from tests.builders import integration
from tests.unit.synchronisation.pairs import DOING, DONE, ticket


def seen(
    status: Status = DONE,
    versions: tuple[FixVersion, ...] | None = (),
    resolution: str = "Fixed",
    **fixes: Any,
) -> VersionsSeen | None:
    settings = integration(fix_versions={"enabled": True, **fixes})
    shown = {} if versions is None else {"fixVersions": versions}
    its_ticket = replace(ticket(status, resolution=("1", resolution)), versions=shown)
    return see_versions(its_ticket, settings, boundary_of(its_ticket, settings))


def fix(name: str, *, released: bool = True) -> FixVersion:
    return FixVersion("1", name, released)


@pytest.mark.parametrize(
    ("case", "standing"),
    [
        ({"versions": (fix("2.4"),), "resolution": "Won't Fix"}, Standing.NEVER_REOPENED),
        ({"versions": None}, Standing.NOT_SHOWN),
        ({"versions": ()}, Standing.NO_VERSIONS),
        ({"versions": (), "when": "released"}, Standing.NO_VERSIONS),
        ({"versions": (fix("Next"),)}, Standing.UNREAD),
        ({"versions": (fix("Next", released=False),), "when": "released"}, Standing.UNREAD),
        ({"versions": (fix("2.4", released=False),), "when": "released"}, Standing.WAITING),
        ({"versions": (fix("Next"), fix("2.4", released=False)), "when": "released"}, Standing.WAITING),
        ({"versions": (fix("2.4", released=False),)}, Standing.RESOLVED_UNTIL),
        ({"versions": (fix("2.4"),), "when": "released"}, Standing.RESOLVED_UNTIL),
        ({"versions": (fix("Next"), fix("2.4"))}, Standing.RESOLVED_UNTIL),
    ],
)
def test_how_they_stand(case: dict[str, Any], standing: Standing) -> None:
    found = seen(**case)
    assert found is not None
    assert found.standing is standing
    assert bool(found.boundary) is (standing is Standing.RESOLVED_UNTIL)


def test_where_they_do_not_count_nothing_is_kept() -> None:
    assert seen(DOING, versions=(fix("2.4"),)) is None
    assert seen(versions=(fix("2.4"),), enabled=False) is None


def test_names_and_what_they_come_to() -> None:
    found = seen(versions=(fix("2.4", released=False), fix("2.5")))
    assert found is not None
    assert found.versions == (NamedVersion("2.4", released=False), NamedVersion("2.5"))
    assert "version > 2.5" in found.boundary
    assert found.resolution == "Fixed"


def test_a_row_stays_small() -> None:
    found = seen(versions=tuple(fix(f"{number}." + "9" * 200) for number in range(MOST_VERSIONS + 3)))
    assert found is not None
    assert (len(found.versions), found.more) == (MOST_VERSIONS, 3)
    assert {len(each.name) for each in found.versions} == {LONGEST_NAME}
