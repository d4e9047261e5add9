"""The contract of the settings: the fake, and SSM Parameter Store as moto emulates it.

Their users rely on this: integrations come by name; one that is malformed is named, stops its own project, and leaves
the others alone where all are asked for; a client stays the same as long as its settings do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.adapters.backtrace.links import RestBacktraceLinks
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.ports import SyncConfiguration
from backtrace_jira.tickets.ports import Configuration
from tests.builders import integration
from tests.fakes.backtrace import FakeBacktraceGroups, FakeBacktraceLinks
from tests.fakes.clock import Clock
from tests.fakes.configuration import FakeConfiguration
from tests.fakes.jira_issues import FakeJiraIssues
from tests.fakes.jira_tickets import FakeJiraTickets

PORTS = {Configuration: FakeConfiguration, SyncConfiguration: FakeConfiguration}
NAMES = ParameterNames("/backtrace-jira/test")
CONFIGURED = [
    integration(name="b"),
    integration(name="a"),
    integration(project="my_project2", name="c"),
    integration(universe="another", name="d"),
]
Break = Callable[[], None]
"""Let the integration b be malformed from now on."""


def put(name: str, text: str, *, kind: str = "String") -> None:
    client = boto3.client("ssm")
    client.put_parameter(Name=name, Value=text, Type=kind, Overwrite=True)  # type: ignore[arg-type]


def put_all(found: list[Integration]) -> None:
    put(
        NAMES.connection("main"),
        '{"name": "main", "jira_api": "https://j.example/rest/api/2/", "email": "m"}',
    )
    put(NAMES.universe("my_universe"), '{"universe": "my_universe", "address": "https://b.example"}')
    for secret in (NAMES.jira_secret("main"), NAMES.backtrace_secret("my_universe")):
        put(secret, "token", kind="SecureString")
    for each in found:
        put(NAMES.integration(each), each.model_dump_json())


@pytest.fixture(params=["fake", "moto"])
def three(request: pytest.FixtureRequest) -> Iterator[tuple[Configuration, SyncConfiguration, Break]]:
    """Give the port of who makes tickets, the port of who synchronises, and what breaks a setting."""
    if request.param == "fake":
        clock = Clock()
        groups, found = FakeBacktraceGroups(clock), list(CONFIGURED)
        making = FakeConfiguration(found, FakeJiraTickets(clock), FakeBacktraceLinks(groups))
        synchronising = FakeConfiguration(found, FakeJiraIssues(clock), groups)

        def break_fake() -> None:
            found.remove(CONFIGURED[0])
            for each in (making, synchronising):
                each.broken = {(CONFIGURED[0].universe, CONFIGURED[0].project): "my_project/b: is not JSON"}

        yield making, synchronising, break_fake
        return
    with mock_aws():
        put_all(CONFIGURED)
        client = boto3.client("ssm")
        yield (
            SSMConfiguration(
                client,
                NAMES,
                max_age=0,
                new_jira=lambda *made_of: RestJiraTickets(JiraClient(*made_of)),
                new_backtrace=lambda *made_of: RestBacktraceLinks(BacktraceClient(*made_of)),
            ),
            SSMConfiguration(
                client,
                NAMES,
                max_age=0,
                new_jira=lambda *made_of: RestJiraIssues(JiraClient(*made_of)),
                new_backtrace=lambda *made_of: RestBacktraceGroups(BacktraceClient(*made_of)),
            ),
            lambda: put(NAMES.integration(CONFIGURED[0]), "{"),
        )


@pytest.fixture
def making(three: tuple[Configuration, SyncConfiguration, Break]) -> Configuration:
    return three[0]


@pytest.fixture
def synchronising(three: tuple[Configuration, SyncConfiguration, Break]) -> SyncConfiguration:
    return three[1]


@pytest.fixture
def break_b(three: tuple[Configuration, SyncConfiguration, Break]) -> Break:
    return three[2]


def test_integrations_of_a_project_come_by_name(making: Configuration) -> None:
    assert [each.name for each in making.integrations("my_universe", "my_project")] == ["a", "b"]
    assert list(making.integrations("my_universe", "unknown")) == []


def test_an_integration_is_found_by_its_id(synchronising: SyncConfiguration) -> None:
    assert synchronising.integration("my_universe/my_project/a") == CONFIGURED[1]
    assert synchronising.integration("my_universe/my_project/gone") is None


def test_all_integrations_come_by_id(synchronising: SyncConfiguration) -> None:
    found, faults = synchronising.all_integrations()
    assert [each.id for each in found] == sorted(each.id for each in CONFIGURED)
    assert list(faults) == []


def test_a_malformed_integration_is_named_and_stops_no_other_that_is_asked_for_by_its_id(
    making: Configuration, synchronising: SyncConfiguration, break_b: Break
) -> None:
    break_b()
    with pytest.raises(InvalidSettings, match="my_project/b: is not JSON"):
        making.integrations("my_universe", "my_project")
    with pytest.raises(InvalidSettings, match="my_project/b: is not JSON"):
        synchronising.integration("my_universe/my_project/b")
    assert synchronising.integration("my_universe/my_project/a") == CONFIGURED[1]
    assert synchronising.integration("my_universe/my_project2/c") == CONFIGURED[2]
    found, faults = synchronising.all_integrations()
    assert {each.name for each in found} == {"a", "c", "d"}
    assert ["my_project/b: is not JSON" in str(fault) for fault in faults] == [True]


def test_clients_are_kept(making: Configuration, synchronising: SyncConfiguration) -> None:
    assert making.jira(CONFIGURED[1]) is making.jira(CONFIGURED[0])
    assert making.backtrace("my_universe") is making.backtrace("my_universe")
    assert synchronising.jira(CONFIGURED[1]) is synchronising.jira(CONFIGURED[0])
    assert synchronising.backtrace("my_universe") is synchronising.backtrace("my_universe")
