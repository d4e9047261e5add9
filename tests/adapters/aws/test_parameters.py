"""Settings out of SSM Parameter Store, as moto emulates it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.errors import InvalidSettings, Unreachable
from backtrace_jira.settings.parameter_names import ParameterNames
from tests.builders import integration

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PREFIX = "/backtrace-jira/test"
CONNECTION = {"name": "main", "jira_api": "https://jira.example/rest/api/2/", "email": "me@example.com"}
UNIVERSE = {"universe": "my_universe", "address": "https://my-universe.sp.backtrace.io"}


@pytest.fixture
def ssm() -> Iterator[SSMClient]:
    with mock_aws():
        yield boto3.client("ssm")


def put(ssm: SSMClient, name: str, value: object, *, secret: bool = False) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    ssm.put_parameter(
        Name=f"{PREFIX}/{name}", Value=text, Type="SecureString" if secret else "String", Overwrite=True
    )


def put_all(ssm: SSMClient) -> None:
    put(ssm, "connections/main", CONNECTION)
    put(ssm, "secrets/jira/main", "jira-token", secret=True)
    put(ssm, "backtrace/my_universe", UNIVERSE)
    put(ssm, "secrets/backtrace/my_universe", "backtrace-token", secret=True)
    put(ssm, "integrations/my_universe/my_project/jira-bugs", integration().model_dump_json())


def configuration(ssm: SSMClient, max_age: int = 300) -> SSMConfiguration[JiraClient, BacktraceClient]:
    return SSMConfiguration(
        ssm,
        ParameterNames(PREFIX),
        max_age=max_age,
        new_jira=JiraClient,
        new_backtrace=BacktraceClient,
    )


def calls_of(ssm: SSMClient) -> list[str]:
    calls: list[str] = []
    ssm.meta.events.register("before-call.ssm", lambda model, **_: calls.append(model.name))
    return calls


def test_integrations_of_a_project_by_name(ssm: SSMClient) -> None:
    put(ssm, "integrations/my_universe/my_project/b", integration(name="b").model_dump_json())
    put(ssm, "integrations/my_universe/my_project/a", integration(name="a").model_dump_json())
    put(ssm, "integrations/my_universe/my_project2/c", integration(name="c").model_dump_json())
    found = configuration(ssm).integrations("my_universe", "my_project")
    assert [each.name for each in found] == ["a", "b"]


def test_more_integrations_than_a_page_holds(ssm: SSMClient) -> None:
    for number in range(23):
        settings = integration(name=f"n{number:02}")
        put(ssm, f"integrations/my_universe/my_project/n{number:02}", settings.model_dump_json())
    assert len(configuration(ssm).integrations("my_universe", "my_project")) == 23


def test_a_project_without_integrations_is_asked_for_once(ssm: SSMClient) -> None:
    settings, calls = configuration(ssm), calls_of(ssm)
    for _ in range(50):
        assert settings.integrations("my_universe", "unknown") == []
    assert calls == ["GetParametersByPath"]


def test_everything_is_read_once_and_clients_are_kept(ssm: SSMClient) -> None:
    put_all(ssm)
    settings, calls = configuration(ssm), calls_of(ssm)
    for _ in range(3):
        (found,) = settings.integrations("my_universe", "my_project")
        assert settings.jira(found) is settings.jira(found)
        assert settings.backtrace("my_universe") is settings.backtrace("my_universe")
    assert len(calls) == 5


def test_settings_are_validated_once_however_many_events_ask_for_them(ssm: SSMClient) -> None:
    put_all(ssm)
    settings = configuration(ssm, max_age=0)
    (first,), (second,) = (settings.integrations("my_universe", "my_project") for _ in range(2))
    assert second is first
    put(
        ssm,
        "integrations/my_universe/my_project/jira-bugs",
        integration(subject="$fingerprint").model_dump_json(),
    )
    (changed,) = settings.integrations("my_universe", "my_project")
    assert changed != first


def test_a_changed_secret_makes_a_new_client_after_the_cache_is_over(ssm: SSMClient) -> None:
    put_all(ssm)
    settings = configuration(ssm, max_age=0)
    (found,) = settings.integrations("my_universe", "my_project")
    before = settings.jira(found)
    assert settings.jira(found) is before
    put(ssm, "secrets/jira/main", "another", secret=True)
    assert settings.jira(found) is not before


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("connections/main", "{", "connections/main: is not JSON"),
        (
            "connections/main",
            {**CONNECTION, "jira_api": "https://s3cret.example/rest/api/3/"},
            "connections/main: jira_api",
        ),
        ("connections/main", {**CONNECTION, "s3cret_key": 1}, "connections/main"),
        ("connections/main", [], "connections/main: body"),
        ("connections/main", None, "connections/main: the parameter is missing"),
        ("secrets/jira/main", None, "secrets/jira/main: the parameter is missing"),
    ],
)
def test_a_broken_parameter_is_named_and_its_value_is_not(
    ssm: SSMClient, parameter: str, value: Any, words: str
) -> None:
    put_all(ssm)
    if value is None:
        ssm.delete_parameter(Name=f"{PREFIX}/{parameter}")
    else:
        put(ssm, parameter, value)
    settings = configuration(ssm)
    (found,) = settings.integrations("my_universe", "my_project")
    with pytest.raises(InvalidSettings) as caught:
        settings.jira(found)
    assert words in str(caught.value)
    assert "s3cret." not in str(caught.value)


def test_one_broken_integration_stops_its_project_and_is_named(ssm: SSMClient) -> None:
    put_all(ssm)
    put(ssm, "integrations/my_universe/my_project/odd", {"name": "odd"})
    with pytest.raises(InvalidSettings, match="my_project/odd: universe: Field required"):
        configuration(ssm).integrations("my_universe", "my_project")


def test_an_integration_in_the_wrong_place_is_refused(ssm: SSMClient) -> None:
    put(ssm, "integrations/my_universe/other/jira-bugs", integration().model_dump_json())
    with pytest.raises(InvalidSettings, match="universe and project must be those of its path"):
        configuration(ssm).integrations("my_universe", "other")


def test_a_missing_backtrace_token_is_named(ssm: SSMClient) -> None:
    put(ssm, "backtrace/my_universe", UNIVERSE)
    with pytest.raises(InvalidSettings, match="secrets/backtrace/my_universe: the parameter is missing"):
        configuration(ssm).backtrace("my_universe")


def test_no_secret_shows_in_a_representation(ssm: SSMClient) -> None:
    put_all(ssm)
    settings = configuration(ssm)
    (found,) = settings.integrations("my_universe", "my_project")
    for client in (settings.jira(found), settings.backtrace("my_universe")):
        assert not re.search("jira-token|backtrace-token", repr(vars(client)))


def test_a_store_that_does_not_answer_is_tried_again(ssm: SSMClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://ssm")

    monkeypatch.setattr(ssm, "get_parameter", down)
    put_all(ssm)
    with pytest.raises(Unreachable):
        configuration(ssm).jira(integration())


def test_a_line_break_at_the_end_of_a_secret_is_left_out_and_one_within_is_refused(ssm: SSMClient) -> None:
    put_all(ssm)
    put(ssm, "secrets/jira/main", "jira-token\n", secret=True)
    assert configuration(ssm).jira(integration())
    put(ssm, "secrets/jira/main", "s3cret\nX-Evil: 1", secret=True)
    with pytest.raises(InvalidSettings, match="control characters") as caught:
        configuration(ssm).jira(integration())
    assert "s3cret" not in str(caught.value)


def test_what_is_read_ahead_serves_every_project(ssm: SSMClient) -> None:
    put_all(ssm)
    other = integration(project="another")
    put(ssm, "integrations/my_universe/another/jira-bugs", other.model_dump_json())
    settings, calls = configuration(ssm), calls_of(ssm)
    settings.read_ahead()
    assert sorted(calls) == ["GetParameter"] * 4 + ["GetParametersByPath"]
    calls.clear()
    for project, count in (("my_project", 1), ("another", 1), ("unknown", 0)):
        assert len(settings.integrations("my_universe", project)) == count
    settings.jira(other)
    settings.backtrace("my_universe")
    assert calls == []


def test_what_is_missing_is_asked_for_once_ahead_and_the_rest_is_read(ssm: SSMClient) -> None:
    put_all(ssm)
    ssm.delete_parameter(Name=f"{PREFIX}/connections/main")
    for number in range(5):
        text = integration(project=f"p{number}").model_dump_json()
        put(ssm, f"integrations/my_universe/p{number}/jira-bugs", text)
    settings, calls = configuration(ssm), calls_of(ssm)
    settings.read_ahead()
    assert sorted(calls) == ["GetParameter"] * 3 + ["GetParametersByPath"]
    with pytest.raises(InvalidSettings, match="connections/main: the parameter is missing"):
        settings.jira(integration())


def test_a_store_that_does_not_answer_is_not_asked_further_ahead(
    ssm: SSMClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_all(ssm)
    asked: list[object] = []

    def down(**arguments: object) -> None:
        asked.append(arguments)
        raise EndpointConnectionError(endpoint_url="https://ssm")

    monkeypatch.setattr(ssm, "get_parameter", down)
    with pytest.raises(Unreachable):
        configuration(ssm).read_ahead()
    assert len(asked) == 1
