"""Whatever an integration may hold reaches the functions as it was written in the file."""

from __future__ import annotations

from typing import Any, NoReturn

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtrace_jira.adapters.aws.parameters import SSMConfiguration
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from tests.cli.conftest import PREFIX, SETTINGS, Operator

# Parameter Store and YAML take any text; a surrogate on its own is none.
UNUSUAL_BREAKS = "\x85\u2028\u2029"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
filled = texts.map(str.strip).filter(bool)
names = st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True)
integrations = st.builds(
    Integration,
    universe=st.just("my_universe"),
    project=names,
    name=names,
    connection=st.just("main"),
    project_key=filled,
    issue_type=filled,
    subject=filled | st.sampled_from(["{{$error}}", "NO", "1.10", "~", "null", "a: b # c", "'", "$", "{{{{"]),
    labels_field=filled,
    description_field=filled,
    custom_fields=st.dictionaries(filled, texts, max_size=4),
)


def refuse(*_: object) -> NoReturn:
    raise AssertionError("no client is made here")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(integration=integrations)
def test_an_integration_arrives_as_it_is(operator: Operator, integration: Integration) -> None:
    file: dict[str, Any] = SETTINGS | {"integrations": [integration.model_dump(mode="json")]}
    # PyYAML writes the line breaks of YAML 1.1 that are not ASCII in a way that it reads as blanks.
    as_it_is = not any(char in integration.model_dump_json() for char in UNUSUAL_BREAKS)
    result = operator.configure(yaml.safe_dump(file, allow_unicode=as_it_is), "--yes", "--prune")
    assert result.exit_code == 0, result.output
    configuration = SSMConfiguration(
        operator.ssm, ParameterNames(PREFIX), max_age=0, new_jira=refuse, new_backtrace=refuse
    )
    assert list(configuration.integrations("my_universe", integration.project)) == [integration]
