"""The expression that finds a version in a name: each example of the documents, and those that cannot work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from backtrace_jira.fix_versions.boundary import boundary_of
from backtrace_jira.settings.fix_versions import FixVersions
from tests.builders import integration
from tests.unit.synchronisation.pairs import DONE, ticket

DOCUMENT = (Path(__file__).parents[3] / "docs" / "versions.md").read_text()
EXAMPLES = re.findall(r"^\| `` (.+?) `` \| `(.+?)` \| (?:`(.+?)`|not read) \|", DOCUMENT, re.MULTILINE)
"""Expression, name, and what is told."""
IN_SETTINGS = [str(each) for each in FixVersions.model_fields["regex"].examples or ()]


def test_each_example_of_the_settings_is_in_the_table() -> None:
    assert IN_SETTINGS
    assert set(IN_SETTINGS) <= {regex for regex, _, told in EXAMPLES if told}


@pytest.mark.parametrize(("regex", "name", "told"), EXAMPLES)
def test_the_table_of_examples_holds(regex: str, name: str, told: str) -> None:
    its_integration = integration(fix_versions={"enabled": True, "regex": regex})
    boundary = boundary_of(ticket(DONE, versions=(name,)), its_integration)
    assert [each.version.told for each in boundary.criteria] == ([told] if told else [])


@pytest.mark.parametrize(
    "regex",
    [
        r"[0-9]+(\.[0-9]+)+", r"(\.[0-9]+)*", r"([0-9]+){2,}", r"([0-9]+){2}", r"([0-9]+){0,3}", r"([0-9]+)+?",
        r"(?:v([0-9.]+))+", r"(?P<version>[0-9]+\.?)+", r"(?<version>[0-9]+\.?)+", r"\((a)+\)", r"[(](a)+",
        r"[]()](a)+", r"[^]()](a)+", r"[[:alpha:](](a)+", r"\Q(\E(a)+", r"(?i)(a)+", r"(?i:(a))*", r"((a)b)+",
        r"(?:(?:(a)b)c)+",
    ],
)  # fmt: skip
def test_an_expression_whose_group_repeats_is_refused(regex: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FixVersions(regex=regex)
    assert "its first group repeats, so it holds only the last part that it found" in str(caught.value)
    assert "(?:" in str(caught.value)


@pytest.mark.parametrize(
    "regex",
    [
        r"[0-9]+(?:\.[0-9]+)+", r"([0-9]+(\.[0-9]+)+)", r"([0-9]+(?:\.[0-9]+)+)", r"([0-9.]+) *$", r"(?:v)+([0-9.]+)",
        r"\(+([0-9.]+)\)+", r"([0-9.]+)?", r"([0-9.]+){1}", r"([0-9.]+){0,1}", r"(?:v([0-9.]+))?", r"[(a)]+([0-9.]+)",
        r"([0-9.]+)\+", r"([0-9.]+)[*]", r"\Q(a)+\E([0-9.]+)", r"([0-9]+)\)+", r"(a)|(b)+", r"(a)b+", r"(a){,2}", "",
        r"(?i)([0-9.]+)", r"([)]+[0-9.]+)", r"\\([0-9.]+)\\+",
    ],
)  # fmt: skip
def test_another_is_taken(regex: str) -> None:
    assert FixVersions(regex=regex).regex == regex
