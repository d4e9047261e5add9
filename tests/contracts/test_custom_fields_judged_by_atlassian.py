"""What Jira Cloud makes of an error's values in custom fields that it renders, according to Atlassian's own parser."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backtrace_jira.jira import wiki
from backtrace_jira.jira.fields import Field, FieldSchema
from backtrace_jira.tickets.fill_fields import draft_ticket
from tests.builders import group, integration
from tests.contracts.wiki_judge import Judge, adf, hostile

JUDGED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TYPES = "com.atlassian.jira.plugin.system.customfieldtypes"
SCHEMA = FieldSchema(
    "BUG",
    "1",
    "Bug",
    True,
    (
        Field("labels", "Labels", "array", "string", system="labels"),
        Field("description", "Description", "string", system="description"),
        Field("environment", "Environment", "string", system="environment"),
        Field("customfield_1", "Notes", "string", custom=f"{TYPES}:textarea"),
        Field("customfield_2", "Story", "string", custom="com.example.plugin:template-area"),
        Field("customfield_3", "Tags", "string", custom=f"{TYPES}:textarea"),
        Field("customfield_4", "Line", "string", custom=f"{TYPES}:textfield"),
        Field("customfield_5", "Page", "string", custom=f"{TYPES}:url"),
    ),
)
RENDERED = ["environment", "customfield_1", "customfield_2", "description"]
PLAIN = {"paragraph", "text", "hardBreak"}
LIVE = ["!http://evil.example/a.png!", "[help|http://evil.example]", "{panel}x{panel}", "h1. x", "*b*"]


def written(field: str, template: object, schema: FieldSchema | None = SCHEMA, **values: str) -> str:
    """Return the text that a field gets, but for the marker's line."""
    attributes = {name: ((value, 1),) for name, value in values.items() if value}
    error_group = group().model_copy(update={"attributes": attributes})
    made = draft_ticket(error_group, integration(custom_fields={field: template}), "bt-1", schema=schema)
    text = made.fields.get(field, "")
    assert isinstance(text, str)
    return text.removesuffix("Reference: bt-1").rstrip("\n")


def visible(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.replace(wiki.WORD_JOINER, "").split("\n"))
    return "\n".join(line for line in lines if line)


@JUDGED
@given(value=hostile.texts, field=st.sampled_from(RENDERED), known=st.booleans())
def test_a_value_is_shown_and_does_nothing_else(judge: Judge, value: str, field: str, known: bool) -> None:
    # Without any text, a ticket has the standard description, which is markup of ours.
    assume(field != "description" or visible(wiki.clean(value)))
    nodes = judge.parse(written(field, "$value", SCHEMA if known else None, value=value))

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == set()
    assert visible("\n".join(map(adf.text, nodes))) == visible(wiki.clean(value))


@JUDGED
@given(
    first=hostile.texts,
    second=hostile.texts,
    template=st.sampled_from(["$a$b", "$a:$b", "$a//$b", "$a.$b x"]),
)
def test_two_values_do_nothing_together(judge: Judge, first: str, second: str, template: str) -> None:
    nodes = judge.parse(written("environment", template, a=first, b=second))

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == set()


def test_two_values_make_no_address(judge: Judge) -> None:
    nodes = judge.parse(written("environment", "$host:$port", host="http", port="//evil.example/x"))
    assert adf.marks(nodes) == set()


@pytest.mark.parametrize("value", LIVE)
@pytest.mark.parametrize("field", RENDERED)
def test_markup_of_the_settings_own_text_stays(judge: Judge, field: str, value: str) -> None:
    nodes = judge.parse(written(field, "*From the settings:* $value", value=value))

    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == {"strong"}
    assert visible("\n".join(map(adf.text, nodes))) == f"From the settings: {value}"


@pytest.mark.parametrize("value", LIVE)
@pytest.mark.parametrize("field", RENDERED)
def test_raw_leaves_a_value_as_it_is(field: str, value: str) -> None:
    assert written(field, {"text": "$value", "raw": True}, value=value) == value
    assert written(field, {"text": "$value", "raw": False}, value=value) != value


@pytest.mark.parametrize("value", LIVE)
def test_a_line_that_jira_does_not_render_is_not_escaped(value: str) -> None:
    assert written("customfield_4", "$value", value=value) == value
    assert written("customfield_5", "$value", value="https://h.example/a_b[1]") == "https://h.example/a_b[1]"


@pytest.mark.parametrize("value", LIVE)
def test_labels_in_a_text_area_are_shown(judge: Judge, value: str) -> None:
    error_group = group(attributes={"value": [[value, 1]]})
    settings_of = integration(labels_field="customfield_3", custom_fields={"customfield_3": "$value"})
    text = draft_ticket(error_group, settings_of, "bt-1", schema=SCHEMA).fields["customfield_3"]
    assert isinstance(text, str)
    nodes = judge.parse(text)
    assert adf.kinds(nodes) <= PLAIN
    assert adf.marks(nodes) == set()
    assert adf.text(nodes[0]).endswith(" bt-1")
