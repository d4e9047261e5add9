"""The names of a stage's parameters."""

from __future__ import annotations

import pytest

from backtrace_jira.settings.parameter_names import ParameterNames
from tests.builders import integration


@pytest.mark.parametrize("prefix", ["/backtrace-jira/prod", "/backtrace-jira/prod/"])
def test_every_parameter_name_begins_with_the_stages_prefix(prefix: str) -> None:
    names = ParameterNames(prefix)
    assert names.integrations("u", "p") == "/backtrace-jira/prod/integrations/u/p"
    assert names.integration(integration()) == (
        "/backtrace-jira/prod/integrations/my_universe/my_project/jira-bugs"
    )
    assert names.connection("main") == "/backtrace-jira/prod/connections/main"
    assert names.universe("u") == "/backtrace-jira/prod/backtrace/u"
    assert names.jira_secret("main") == "/backtrace-jira/prod/secrets/jira/main"
    assert names.backtrace_secret("u") == "/backtrace-jira/prod/secrets/backtrace/u"
