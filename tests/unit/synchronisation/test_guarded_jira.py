"""What Jira refuses for everybody is parked, whichever of its methods met it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backtrace_jira.errors import CredentialRefused, Parked, Refused, Throttled
from backtrace_jira.jira.issue import Ticket
from backtrace_jira.links.parking import ParkingGuard
from backtrace_jira.synchronisation.guarded_jira import guard_jira
from backtrace_jira.synchronisation.ports import JiraIssues
from backtrace_jira.times import PAUSE
from tests.builders import integration
from tests.fakes.clock import Clock
from tests.fakes.synced_links import FakeSyncedLinks
from tests.unit.synchronisation.pairs import ticket


class Jira:
    """A Jira that answers, or raises, whatever it is asked."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def _answer(self) -> None:
        if self.error:
            raise self.error

    @property
    def cloud(self) -> bool:
        self._answer()
        return True

    def ticket(self, issue_id: str, *, changes: bool = False) -> Ticket:
        self._answer()
        return ticket()


USES: dict[str, Callable[[JiraIssues], object]] = {
    "property": lambda jira: jira.cloud,
    "method": lambda jira: jira.ticket("10001", changes=True),
}


def attempt(use: str, error: Exception | None) -> tuple[ParkingGuard, Clock, object]:
    clock, settings = Clock(), integration()
    parking = ParkingGuard(FakeSyncedLinks(), clock, trust=30, duration=300)
    jira = guard_jira(Jira(error), settings, parking, clock)  # type: ignore[arg-type]
    if error is None:
        return parking, clock, USES[use](jira)
    with pytest.raises(type(error)):
        USES[use](jira)
    return parking, clock, None


@pytest.mark.parametrize("use", USES)
def test_what_jira_answers_is_passed_on(use: str) -> None:
    _, _, value = attempt(use, None)
    assert value == {"property": True, "method": ticket()}[use]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("after", "pause"), [(7.0, 7.0), (None, PAUSE)])
def test_a_pause_that_jira_asks_for_is_kept(use: str, after: float | None, pause: float) -> None:
    parking, clock, _ = attempt(use, Throttled("later", after=after))
    with pytest.raises(Throttled):
        parking.check(integration(), creates=False)
    clock.advance(pause - 1)
    with pytest.raises(Throttled):
        parking.check(integration(), creates=False)
    clock.advance(1)
    parking.check(integration(), creates=False)


@pytest.mark.parametrize("use", USES)
def test_a_refused_credential_parks_the_connection(use: str) -> None:
    parking, _, _ = attempt(use, CredentialRefused("401", status=401))
    with pytest.raises(Parked):
        parking.check(integration(), creates=False)


@pytest.mark.parametrize("use", USES)
def test_another_refusal_parks_nothing(use: str) -> None:
    parking, _, _ = attempt(use, Refused("400", status=400))
    parking.check(integration(), creates=False)
