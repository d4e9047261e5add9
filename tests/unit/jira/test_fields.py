"""The field schema: three dialects of create metadata, names to fields, and the cached form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.errors import InvalidField, NeedsAttention
from backtrace_jira.jira import createmeta
from backtrace_jira.jira.fields import AllowedValue, Field, FieldSchema, untyped_field

CAPTURED = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "createmeta"
captured_only = pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captured documents are not here")


def schema(*fields: Field) -> FieldSchema:
    return FieldSchema("BUG", "10001", "Bug", cloud=True, fields=fields)


def text_field(field_id: str, name: str, **more: Any) -> Field:
    return Field(field_id, name, "string", **more)


def one_of(*names: str) -> tuple[AllowedValue, ...]:
    return tuple(AllowedValue(str(100 + number), (name,)) for number, name in enumerate(names))


RAW = {
    "required": True,
    "name": "Colour",
    "hasDefaultValue": False,
    "schema": {"type": "option", "custom": "com.example:select", "customId": 10001},
    "allowedValues": [
        {
            "self": "https://jira.example/1",
            "id": "1",
            "value": "red",
            "children": [{"id": "2", "value": "dark"}],
        },
        {"self": "https://jira.example/3", "id": 3, "name": "blue", "key": "B"},
        {"id": "4", "value": "gone", "disabled": True},
        "green",
        None,
        {},
    ],
}
COLOUR = Field(
    "customfield_10001", "Colour", "option", custom="com.example:select", required=True,
    allowed=(
        AllowedValue("1", ("red",), (AllowedValue("2", ("dark",)),)),
        AllowedValue("3", ("blue", "B")),
        AllowedValue("", ("green",)),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [
        {"fields": [RAW | {"fieldId": COLOUR.id, "key": COLOUR.id}], "total": 1},
        {"fields": [RAW | {"key": COLOUR.id}], "total": 1},
        {"values": [RAW | {"fieldId": COLOUR.id}], "isLast": True},
        {"results": [RAW | {"fieldId": COLOUR.id}]},
        {"fields": {COLOUR.id: RAW}},
        [RAW | {"fieldId": COLOUR.id}],
    ],
)
def test_a_field_reads_the_same_in_every_dialect(page: Any) -> None:
    (item,) = createmeta.read_items(page)
    assert createmeta.read_field(item) == COLOUR


@pytest.mark.parametrize("key", ["values", "issueTypes", "issuetypes", "results"])
def test_issue_types_in_every_dialect(key: str) -> None:
    page = {key: [{"id": "10001", "name": "Bug"}, {"id": 7, "name": "Task"}], "total": 2}
    types = createmeta.read_issue_types(createmeta.read_items(page))
    assert [(each.id, each.name) for each in types] == [("10001", "Bug"), ("7", "Task")]


@pytest.mark.parametrize(
    "page", [None, [], {}, "page", 3, {"values": "x"}, {"fields": [1, None]}, {"fields": {"a": 1}}]
)
def test_what_is_no_page_has_no_items(page: Any) -> None:
    assert createmeta.read_items(page) == []


@pytest.mark.parametrize(
    ("page", "start", "count", "following"),
    [
        ({"total": 3}, 0, 2, 2),
        ({"total": 3}, 2, 1, None),
        ({"total": 3, "isLast": True}, 0, 2, None),
        ({"isLast": False}, 4, 2, 6),
        ({"isLast": False, "total": 9}, 4, 0, None),
        ({"isLast": True}, 4, 2, None),
        ({}, 0, 2, None),
        ([], 0, 2, None),
    ],
)
def test_where_the_next_page_starts(page: Any, start: int, count: int, following: int | None) -> None:
    assert createmeta.next_start(page, start, count) == following


TYPES = [
    createmeta.IssueType("1", "Bug"),
    createmeta.IssueType("2", "bug"),
    createmeta.IssueType("3", "Task"),
]


@pytest.mark.parametrize(
    ("wanted", "found"), [("3", "3"), ("bug", "2"), ("Bug", "1"), ("BUG", "1"), (" task ", "3")]
)
def test_an_issue_type_by_id_then_name_then_any_case(wanted: str, found: str) -> None:
    assert createmeta.choose_issue_type(TYPES, wanted, "BUG").id == found


def test_an_unknown_issue_type_lists_the_types() -> None:
    with pytest.raises(InvalidField, match=r"issuetype: BUG has no issue type .*: Bug, bug, Task$") as caught:
        createmeta.choose_issue_type(TYPES, "Defect", "BUG")
    assert caught.value.allowed == ("Bug", "bug", "Task")


@pytest.mark.parametrize("document", [None, {}, {"projects": []}, {"projects": [{"key": "OTHER"}, None]}])
def test_a_project_that_is_not_listed(document: Any) -> None:
    with pytest.raises(InvalidField, match="BUG does not exist, or this account may not"):
        createmeta.read_old_schema(document, "BUG", "Bug", cloud=False)


def test_a_screen_without_fields_is_no_screen() -> None:
    with pytest.raises(InvalidField, match="may not create"):
        createmeta.make_schema("BUG", TYPES[0], [], cloud=True)


# Names


NAMED = schema(
    text_field("summary", "Summary"),
    text_field("customfield_1", "Team"),
    text_field("customfield_2", "team"),
    text_field("customfield_3", "Severity"),
    text_field("customfield_4", "Region"),
    text_field("customfield_5", "Region"),
    text_field("customfield_6", "customfield_1"),
)


@pytest.mark.parametrize(
    ("name", "field_id"),
    [
        ("customfield_1", "customfield_1"),
        ("Team", "customfield_1"),
        ("team", "customfield_2"),
        ("SEVERITY", "customfield_3"),
        (" Severity ", "customfield_3"),
        ("SUMMARY", "summary"),
    ],
)
def test_a_field_by_id_then_name_then_any_case(name: str, field_id: str) -> None:
    assert NAMED.resolve(name).id == field_id


@pytest.mark.parametrize(
    ("name", "ids"),
    [("Region", {"customfield_4", "customfield_5"}), ("TEAM", {"customfield_1", "customfield_2"})],
)
def test_an_ambiguous_name_lists_the_candidates(name: str, ids: set[str]) -> None:
    with pytest.raises(InvalidField, match=f"{name}: 2 fields have this name") as caught:
        NAMED.resolve(name)
    assert {candidate.split()[0] for candidate in caught.value.allowed} == ids
    assert all(field_id in str(caught.value) for field_id in ids)
    assert isinstance(caught.value, NeedsAttention)


def test_an_unknown_name_suggests_near_ones() -> None:
    with pytest.raises(InvalidField, match=r"did you mean Severity \(customfield_3\)") as caught:
        NAMED.resolve("Serverity")
    assert caught.value.field == "Serverity"


def test_an_unknown_name_with_nothing_near_says_where_to_look() -> None:
    with pytest.raises(
        InvalidField, match="BUG has no such field for Bug; it may not be on the create screen"
    ):
        NAMED.resolve("Quantity of Zeppelins")


@given(st.text(max_size=200))
def test_resolving_fails_with_its_own_error_only(name: str) -> None:
    try:
        NAMED.resolve(name)
    except InvalidField as error:
        assert len(str(error)) < 600  # noqa: PT017 - any name may also be found


def test_what_is_still_missing() -> None:
    fields = schema(
        text_field("summary", "Summary", required=True),
        text_field("a", "A", required=True),
        text_field("b", "B", required=True, has_default=True),
        text_field("c", "C"),
        Field("reporter", "Reporter", "user", required=True),
    )
    assert [field.id for field in fields.missing({"summary"})] == ["a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("customfield_7", Field("customfield_7", "customfield_7", "string")),
        ("Labels", Field("labels", "labels", "array", "string", system="labels")),
        ("fixversions", Field("fixVersions", "fixVersions", "array", "version", system="fixVersions")),
        ("priority", Field("priority", "priority", "priority", system="priority")),
    ],
)
def test_fields_of_a_server_without_create_metadata(name: str, expected: Field) -> None:
    assert untyped_field(name) == expected


# The cache

allowed_values = st.recursive(
    st.builds(AllowedValue, st.text(max_size=6), st.lists(st.text(max_size=9), max_size=3).map(tuple)),
    lambda children: st.builds(
        AllowedValue, st.text(max_size=6), st.just(("parent",)), st.lists(children, max_size=3).map(tuple)
    ),
    max_leaves=6,
)
fields = st.builds(
    Field,
    id=st.text(max_size=9),
    name=st.text(max_size=9),
    type=st.text(max_size=9),
    custom=st.text(max_size=9),
    required=st.booleans(),
    has_default=st.booleans(),
    allowed=st.none() | st.lists(allowed_values, max_size=4).map(tuple),
    unlisted=st.booleans(),
)


@given(st.lists(fields, max_size=5), st.booleans())
def test_what_goes_into_the_cache_comes_out_of_it(found: list[Field], cloud: bool) -> None:
    original = FieldSchema("BUG", "1", "Bug", cloud, tuple(found))
    assert FieldSchema.from_json(original.to_json()) == original


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format":0}',
        '{"format":1}',
        '{"format":1,"of":[],"cloud":1,"lists":[],"fields":[[]]}',
    ],
)
def test_what_nobody_here_wrote_is_no_schema(text: str) -> None:
    assert FieldSchema.from_json(text) is None


def test_a_schema_in_another_format_is_read_anew() -> None:
    raw = json.loads(schema(COLOUR).to_json())
    assert FieldSchema.from_json(json.dumps(raw)) is not None
    assert FieldSchema.from_json(json.dumps(raw | {"format": raw["format"] + 1})) is None


def test_the_longest_lists_are_left_out_of_a_cache_that_is_too_small() -> None:
    versions, few = one_of(*(f"release-{number}-ä" for number in range(20_000))), one_of("red", "blue")
    fields = (
        Field("versions", "Affects", "array", "version", allowed=versions),
        Field("fixVersions", "Fix", "array", "version", allowed=versions),
        Field("customfield_1", "Colour", "option", allowed=few),
        text_field("summary", "Summary"),
    )
    text = schema(*fields).to_json()
    assert len(text.encode()) <= 350_000
    cached = FieldSchema.from_json(text)
    assert cached
    assert [(field.allowed, field.unlisted) for field in cached.fields] == [
        (None, True), (None, True), (few, False), (None, False),
    ]  # fmt: skip


def test_a_list_that_two_fields_share_is_kept_once() -> None:
    versions = one_of(*(f"release-{number}" for number in range(1000)))
    one = schema(Field("versions", "Affects", "array", "version", allowed=versions))
    two = schema(*one.fields, Field("fixVersions", "Fix", "array", "version", allowed=versions))
    assert len(two.to_json()) < 1.1 * len(one.to_json())


def test_a_cache_too_small_for_anything_keeps_the_fields() -> None:
    assert FieldSchema.from_json(schema(COLOUR).to_json(limit=1)) is not None


# Captured from real sites


@captured_only
@pytest.mark.parametrize(("flavour", "project", "count"), [("cloud", "KT", 5), ("server", "HEY", 5)])
def test_captured_documents_are_read_whole(flavour: str, project: str, count: int) -> None:
    document = json.loads((CAPTURED / f"{flavour}.json").read_text())
    raw_types = createmeta.find_project(document, project.lower())["issuetypes"]
    assert len(raw_types) == count
    for raw in raw_types:
        read = createmeta.read_old_schema(document, project, raw["name"].upper(), cloud=flavour == "cloud")
        assert {field.id for field in read.fields} == set(raw["fields"])
        for field in read.fields:
            meta = raw["fields"][field.id]
            assert (field.name, field.required) == (meta["name"], meta["required"])
            assert (field.allowed is None) == ("allowedValues" not in meta)
            assert len(field.allowed or ()) == len(meta.get("allowedValues", ()))
        assert read.resolve("summary").id == read.resolve("SUMMARY").id == "summary"
        assert FieldSchema.from_json(read.to_json()) == read
        assert len(read.to_json()) < len(json.dumps(raw)) / 2
