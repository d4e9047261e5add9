"""Settings text to Jira's JSON: every type of field that is known, and no text that breaks it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtrace_jira.errors import InvalidField
from backtrace_jira.jira import createmeta
from backtrace_jira.jira.field_values import to_field_value
from backtrace_jira.jira.fields import AllowedValue, Field, untyped_field
from local.jira_stand_in.fields import KINDS, PARENT, RESOLUTION, SYSTEM_FIELDS
from local.jira_stand_in.fields import Field as StandInField

CAPTURED = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "createmeta"
ACCOUNT_ID = "5b10a2844c20165700ede21g"
OLD_ACCOUNT_ID = "557058:f58131cb-b67d-43c7-b30d-6b58d40bd077"
PEOPLE = {"fred@example.com": "fred", "Fred F. User": "fred", "anna@example.com": "anna"}


def nobody(_who: str) -> None:
    return None


def sent(field: Field, text: str, *, cloud: bool = False) -> Any:
    return to_field_value(field, text, cloud=cloud, people=PEOPLE.get)


def refusal(field: Field, text: str, *, cloud: bool = False, **more: Any) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        to_field_value(field, text, cloud=cloud, people=nobody, **more)
    assert caught.value.field == field.id
    assert str(field) in str(caught.value)
    return caught.value


def field_of(kind: str, items: str = "", custom: str = "", **more: Any) -> Field:
    return Field("customfield_1", "Thing", kind, items, f"com.example:{custom}" if custom else "", **more)


def values(*names: str) -> tuple[AllowedValue, ...]:
    return tuple(AllowedValue(str(100 + number), (name,)) for number, name in enumerate(names))


# Every type in captured metadata and in the stand-in.
# (type, items, last part of the custom type) -> text and JSON. Without JSON the first allowed value goes in,
# by its name, and comes out as its id; None stands for a field that no text can fill.

EVERY_TYPE: dict[tuple[str, str, str], tuple[str, Any] | str | None] = {
    ("any", "", "gh-epic-link"): ("epic-1", "EPIC-1"),
    ("array", "attachment", ""): None,
    ("array", "component", ""): "several",
    ("array", "group", "multigrouppicker"): ("jira-users, qa", [{"name": "jira-users"}, {"name": "qa"}]),
    ("array", "issuelinks", ""): None,
    ("array", "option", "multicheckboxes"): "several",
    ("array", "option", "multiselect"): "several",
    ("array", "string", ""): ("a b,c", ["a_b", "c"]),
    ("array", "string", "gh-sprint"): ("12", 12),
    ("array", "string", "labels"): ("a b,c", ["a_b", "c"]),
    ("array", "string", "multiselect"): "several",
    ("array", "user", "multiuserpicker"): ("fred@example.com,anna", [{"name": "fred"}, {"name": "anna"}]),
    ("array", "version", ""): "several",
    ("array", "version", "multiversion"): "several",
    ("date", "", ""): ("2019-05-11T23:59:59Z", "2019-05-11"),
    ("date", "", "datepicker"): ("2019-05-11", "2019-05-11"),
    ("datetime", "", "datetime"): ("2019-05-11T10:29:29.908+11:00", "2019-05-11T10:29:29.908+1100"),
    ("group", "", "grouppicker"): ("jira-users", {"name": "jira-users"}),
    ("issuelink", "", ""): ("proj-1", {"key": "PROJ-1"}),
    ("issuetype", "", ""): "one",
    ("number", "", "float"): ("1.5", 1.5),
    ("option", "", "radiobuttons"): "one",
    ("option", "", "select"): "one",
    ("option-with-child", "", "cascadingselect"): "one",
    ("priority", "", ""): "one",
    ("project", "", ""): "one",
    ("project", "", "project"): "one",
    ("resolution", "", ""): "one",
    ("string", "", ""): ("a text", "a text"),
    ("string", "", "gh-epic-label"): ("An\nepic", "An epic"),
    ("string", "", "select"): "one",
    ("string", "", "textarea"): ("two\nlines", "two\nlines"),
    ("string", "", "textfield"): ("two\nlines", "two lines"),
    ("string", "", "url"): ("https://example.com/ ", "https://example.com/"),
    ("user", "", ""): ("fred@example.com", {"name": "fred"}),
    ("user", "", "userpicker"): ("fred@example.com", {"name": "fred"}),
    ("version", "", "version"): "one",
}  # fmt: skip


def captured_fields() -> Iterator[tuple[str, Field]]:
    for path in sorted(CAPTURED.glob("*.json")):
        for project in json.loads(path.read_text())["projects"]:
            for issue_type in project["issuetypes"]:
                for raw in createmeta.read_items({"fields": issue_type["fields"]}):
                    field = createmeta.read_field(raw)
                    assert field
                    yield f"{path.stem} {issue_type['name']} {field.id}", field


def stand_in_fields() -> Iterator[tuple[str, Field]]:
    options = values("red", "blue")
    for name, (kind, items, custom) in KINDS.items():
        listed = custom.endswith(
            ("select", "radiobuttons", "checkboxes", "version", "multiversion", ":project")
        )
        allowed = options if listed else None
        yield (
            f"stand-in custom {name}",
            Field("customfield_1", "Thing", kind, items or "", custom, allowed=allowed),
        )
    for field in (*SYSTEM_FIELDS, PARENT, RESOLUTION):
        yield f"stand-in {field.id}", system_field(field, options)


def system_field(field: StandInField, options: tuple[AllowedValue, ...]) -> Field:
    kinds = ("component", "version", "issuetype", "priority", "project", "resolution")
    listed = (field.items or field.type) in kinds
    return Field(
        field.id, field.name, field.type, field.items or "", "", field.id, allowed=options if listed else None
    )


FIELDS = dict([*captured_fields(), *stand_in_fields()])


def signature(field: Field) -> tuple[str, str, str]:
    return field.type, field.items, field.kind


@pytest.mark.parametrize("name", FIELDS)
def test_every_known_type_of_field(name: str) -> None:
    field = FIELDS[name]
    row = EVERY_TYPE[signature(field)]
    if row is None:
        assert "cannot be filled" in str(refusal(field, "x"))
    elif isinstance(row, tuple):
        assert sent(field, row[0]) == row[1]
    elif not field.allowed:
        assert "Jira lists none" in str(refusal(field, "x"))
    elif row == "one":
        first = field.allowed[0]
        for text in (first.id, *first.names, first.names[0].upper(), f" {first.names[-1].lower()}\n"):
            assert sent(field, text) == {"id": first.id}
        assert "one of these" in str(refusal(field, "no such value"))
    else:
        text = ",".join(value.names[0] for value in field.allowed)
        assert sent(field, text) == [{"id": value.id} for value in field.allowed]
        assert "some of these" in str(refusal(field, f"{text},no such value"))


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captured documents are not here")
def test_the_table_has_no_row_that_nothing_needs() -> None:
    assert {signature(field) for field in FIELDS.values()} == set(EVERY_TYPE)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("text", ["", " ", "\n\t", "\x00"])
def test_an_empty_text_leaves_every_field_out(name: str, text: str) -> None:
    assert sent(FIELDS[name], text) is None


@pytest.mark.parametrize("items", ["string", "option", "version", "user", "group", "number"])
@pytest.mark.parametrize("allowed", [None, values("red")])
def test_an_array_of_nothing_is_left_out(items: str, allowed: Any) -> None:
    assert sent(field_of("array", items, allowed=allowed), " , ,, ") is None


# Each type's own texts


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("number", "5", 5),
        ("number", "-0.5", -0.5),
        ("number", "+7.", 7),
        ("number", ".25", 0.25),
        ("number", "1e3", 1000),
        ("number", "123456789012345678", 123456789012345678.0),
        ("date", "2019-05-11", "2019-05-11"),
        ("date", "20190511", "2019-05-11"),
        ("date", "2019-05-11 23:30:00-05:00", "2019-05-11"),
        ("date", "1557532800", "2019-05-11"),
        ("date", "0001-01-01", "0001-01-01"),
        ("datetime", "2019-05-11", "2019-05-11T00:00:00.000+0000"),
        ("datetime", "2019-05-11 10:29", "2019-05-11T10:29:00.000+0000"),
        ("datetime", "2019-05-11T10:29:29Z", "2019-05-11T10:29:29.000+0000"),
        ("datetime", "2019-05-11T10:29:29.908123-0330", "2019-05-11T10:29:29.908-0330"),
        ("datetime", "1557532800.5", "2019-05-11T00:00:00.500+0000"),
        ("issuelink", "ab_2-17", {"key": "AB_2-17"}),
        ("timetracking", "2h", {"originalEstimate": "2h"}),
        ("timetracking", "1d 4h30m, 1.5h", {"originalEstimate": "1d 4h 30m", "remainingEstimate": "1.5h"}),
        ("timetracking", ",45", {"remainingEstimate": "45"}),
        ("timetracking", ",", None),
        ("group", "a, b", {"name": "a, b"}),
        ("any", "text", "text"),
        ("team", "36885b3c-1bf0", "36885b3c-1bf0"),
    ],
)  # fmt: skip
def test_a_text_that_the_type_takes(kind: str, text: str, expected: Any) -> None:
    found = sent(field_of(kind), text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("number", ["five", "1,5", "0x10", "nan", "inf", "1e999", "1_000", "٣", "--1", "."]),
        ("date", ["tomorrow", "09/Jun/19", "2019-02-30", "2019-13-01", "1", "99999999999"]),
        ("datetime", ["noon", "2019-05-11T25:00", "2019-05-11T10:00+01:02:03"]),
        ("issuelink", ["12", "BUG", "BUG-0", "BUG 1", "BÜG-1", "BUG-1,BUG-2"]),
        ("timetracking", ["two hours", "2h,1h,1h", "2 h x", "-2h", "2y", "1h 5"]),
        ("attachment", ["x"]),
        ("watches", ["x"]),
    ],
)
def test_a_text_that_the_type_does_not_take(kind: str, texts: list[str]) -> None:
    for text in texts:
        refusal(field_of(kind), text)


@pytest.mark.parametrize(
    "kind", ["number", "date", "datetime", "user", "issuelink", "timetracking", "attachment"]
)
def test_an_error_never_repeats_the_text(kind: str) -> None:
    assert "s3cret" not in str(refusal(field_of(kind), "s3cret value"))


@pytest.mark.parametrize("text", ["next", "1.5", "12,13", "-1", "1" * 16])
def test_a_sprint_is_one_number(text: str) -> None:
    assert "the number of one sprint" in str(refusal(field_of("array", "json", "gh-sprint"), text))


def test_texts_are_cut_to_what_jira_takes() -> None:
    assert len(sent(Field("summary", "Summary", "string"), "x" * 300)) == 254
    assert len(sent(field_of("string", "", "textfield"), "x" * 300)) == 255
    assert len(sent(field_of("string", "", "textarea"), "x" * 40_000)) == 32_767
    assert [len(label) for label in sent(field_of("array", "string", "labels"), "x" * 300)] == [255]
    assert len(sent(field_of("string", "", "url"), "https://e/" + "x" * 300)) == 310


def test_equal_labels_become_one() -> None:
    assert sent(Field("labels", "Labels", "array", "string"), "a b, a_b,a  b,c") == ["a_b", "c"]


def test_a_plain_array_of_strings_keeps_blanks() -> None:
    assert sent(field_of("array", "string"), "a b, c") == ["a b", "c"]


@pytest.mark.parametrize(
    ("items", "text", "expected"),
    [("number", "1, 2.5", [1, 2.5]), ("date", "2019-05-11", ["2019-05-11"]), ("json", "a,b", ["a", "b"])],
)
def test_an_array_of_anything(items: str, text: str, expected: Any) -> None:
    assert sent(field_of("array", items), text) == expected


# People


@pytest.mark.parametrize(
    ("cloud", "text", "expected"),
    [
        (True, ACCOUNT_ID, {"accountId": ACCOUNT_ID}),
        (True, OLD_ACCOUNT_ID, {"accountId": OLD_ACCOUNT_ID}),
        (True, "fred@example.com", {"accountId": "fred"}),
        (True, "Fred F. User", {"accountId": "fred"}),
        (False, "jsmith", {"name": "jsmith"}),
        (False, "fred@example.com", {"name": "fred"}),
        (False, "Fred F. User", {"name": "fred"}),
    ],
)
def test_a_user(cloud: bool, text: str, expected: Any) -> None:
    assert sent(field_of("user"), text, cloud=cloud) == expected
    assert sent(field_of("array", "user"), text, cloud=cloud) == [expected]


@pytest.mark.parametrize(
    ("cloud", "text"), [(True, "jsmith"), (True, "x@example.com"), (False, "x@example.com")]
)
def test_a_user_nobody_knows(cloud: bool, text: str) -> None:
    assert "a user whom Jira shows" in str(refusal(field_of("user"), text, cloud=cloud))


def test_a_long_list_of_users_does_not_become_a_long_list_of_requests() -> None:
    asked: list[str] = []
    with pytest.raises(InvalidField, match="at most 20 users"):
        to_field_value(
            field_of("array", "user"), "a@b," * 21, cloud=True, people=lambda who: asked.append(who)
        )
    assert not asked


# Allowed values

COMMAS = values("red", "blue", "red, dark", "a", "a,b", "b,c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red, dark", ["102"]),
        ("RED,DARK", ["102"]),
        ("red,dark,blue", ["102", "101"]),
        ("blue, red, dark", ["101", "102"]),
        ("blue,red", ["101", "100"]),
        ("a,b,c", ["103", "105"]),
        ("a,b,b,c", ["104", "105"]),
        ("a,a,A, ,", ["103"]),
        ("101,red", ["101", "100"]),
    ],
)
def test_values_that_hold_commas_are_found_first(text: str, expected: list[str]) -> None:
    for kind in ("option", "component", "string"):
        found = sent(field_of("array", kind, allowed=COMMAS), text)
        assert found == [{"id": value_id} for value_id in expected]


@pytest.mark.parametrize("text", ["dark", "red,dark,dark", "a,c", "red;blue"])
def test_a_part_that_is_no_value_spoils_the_whole(text: str) -> None:
    assert refusal(field_of("array", "option", allowed=COMMAS), text).allowed[0] == "red"


def test_a_single_choice_is_the_whole_text() -> None:
    assert sent(field_of("option", allowed=COMMAS), "red, dark") == {"id": "102"}
    refusal(field_of("option", allowed=COMMAS), "red,blue")


def test_exact_names_go_before_ids_and_ids_before_other_case() -> None:
    allowed = (
        AllowedValue("1", ("2",)),
        AllowedValue("2", ("1",)),
        AllowedValue("a", ("B",)),
        AllowedValue("b", ("A",)),
    )
    field = field_of("priority", allowed=allowed)
    assert [sent(field, text) for text in ("1", "2", "a", "B", "b")] == [
        {"id": "2"}, {"id": "1"}, {"id": "a"}, {"id": "a"}, {"id": "b"},
    ]  # fmt: skip


def test_names_that_differ_by_case_only() -> None:
    field = field_of("option", allowed=values("red", "RED"))
    assert [sent(field, text) for text in ("red", "RED", "101")] == [
        {"id": "100"},
        {"id": "101"},
        {"id": "101"},
    ]
    assert "has 2 values of this name; write the id of one: red is 100, RED is 101" in str(
        refusal(field, "Red")
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("option", {"value": "A"}),
        ("version", {"name": "A"}),
        ("project", {"key": "A"}),
        ("string", "A"),
        ("any", "A"),
    ],
)
def test_listed_values_without_ids(kind: str, expected: Any) -> None:
    allowed = (AllowedValue("", ("A",)),)
    assert sent(field_of(kind, allowed=allowed), "a") == expected
    assert sent(field_of("array", kind, allowed=allowed), "a") == [expected]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("option", "red", {"value": "red"}),
        ("option", "2", {"value": "2"}),
        ("version", "2", {"name": "2"}),
        ("component", "UI", {"name": "UI"}),
        ("priority", "High", {"name": "High"}),
        ("priority", "3", {"id": "3"}),
        ("resolution", "Done", {"name": "Done"}),
        ("securitylevel", "10000", {"id": "10000"}),
        ("issuetype", "Bug", {"name": "Bug"}),
        ("project", "BUG", {"key": "BUG"}),
        ("project", "10000", {"id": "10000"}),
    ],
)
@pytest.mark.parametrize("unlisted", [False, True])
def test_values_of_a_list_that_jira_or_the_cache_does_not_give(
    kind: str, text: str, expected: Any, unlisted: bool
) -> None:
    assert sent(field_of(kind, unlisted=unlisted), text) == expected
    assert sent(field_of("array", kind, unlisted=unlisted), f"{text}, {text}") == [expected]


PLACES = (
    AllowedValue("1", ("Europe",), values("Rome", "Paris, Texas", "A -> B")),
    AllowedValue("2", ("America, North",), values("Rome")),
    AllowedValue("3", ("x -> y",), values("z")),
    AllowedValue("4", ("None",)),
    AllowedValue("5", ("North",), values("Pole", "pole")),
    AllowedValue("6", ("north",), values("Pole")),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Europe -> Rome", {"id": "1", "child": {"id": "100"}}),
        ("europe->ROME", {"id": "1", "child": {"id": "100"}}),
        ("Europe,Rome", {"id": "1", "child": {"id": "100"}}),
        ("1 -> 101", {"id": "1", "child": {"id": "101"}}),
        ("Europe, Paris, Texas", {"id": "1", "child": {"id": "101"}}),
        ("Europe -> A -> B", {"id": "1", "child": {"id": "102"}}),
        ("America, North, Rome", {"id": "2", "child": {"id": "100"}}),
        ("America, North -> Rome", {"id": "2", "child": {"id": "100"}}),
        ("x -> y -> z", {"id": "3", "child": {"id": "100"}}),
        ("x -> y", {"id": "3"}),
        ("America, North", {"id": "2"}),
        ("Europe ->", {"id": "1"}),
        (" -> ", None),
        (",", None),
    ],
)
def test_a_cascading_select(text: str, expected: Any) -> None:
    assert sent(field_of("option-with-child", "", "cascadingselect", allowed=PLACES), text) == expected


@pytest.mark.parametrize(
    "text",
    ["Asia", "-> Rome", "Europe -> Berlin", "None -> Rome", "Rome", "NORTH -> Pole", "North -> POLE"],
)
def test_a_pair_that_is_not_listed(text: str) -> None:
    error = refusal(field_of("option-with-child", allowed=PLACES), text)
    assert "Europe, Europe -> Rome, " in str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A -> B, C", {"value": "A", "child": {"value": "B, C"}}),
        ("A, B", {"value": "A", "child": {"value": "B"}}),
        ("A", {"value": "A"}),
        ("A ->", {"value": "A"}),
    ],
)
def test_a_cascading_select_without_a_list(text: str, expected: Any) -> None:
    assert sent(field_of("option-with-child"), text) == expected


LONG = "," * 255


@pytest.mark.parametrize(
    "text", ["x," * 16_000, "0," * 16_000 + "x", "->" * 16_000 + "x", "," * 32_000 + "x", "0" * 32_767]
)
@pytest.mark.parametrize(("kind", "items"), [("array", "option"), ("option", ""), ("option-with-child", "")])
def test_a_text_that_is_made_to_take_long_does_not(kind: str, items: str, text: str) -> None:
    started = time.monotonic()
    refusal(field_of(kind, items, allowed=values("0", LONG, *map(str, range(1, 1000)))), text)
    assert time.monotonic() - started < 3


# What an error tells


def test_an_error_names_the_field_what_it_takes_and_where_the_text_comes_from_but_not_the_text() -> None:
    field = field_of("option", allowed=values(*(f"value {number}" for number in range(30))))
    error = refusal(field, "s3cret", attributes=("severity", "error.kind"))
    assert str(error) == (
        "Thing (customfield_1) takes one of these: " + ", ".join(f"value {n}" for n in range(20))
        + ", and 10 more; the text comes from $severity, $error.kind"
    )  # fmt: skip
    assert len(error.allowed) == 30


def test_an_array_says_that_commas_separate() -> None:
    assert "a number such as 5 or 1.5, commas between several" in str(
        refusal(field_of("array", "number"), "x")
    )


# A server without create metadata


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("customfield_9", "a,b", "a,b"),
        ("description", "two\nlines", "two\nlines"),
        ("labels", "a b,c", ["a_b", "c"]),
        ("Components", "UI, Core", [{"name": "UI"}, {"name": "Core"}]),
        ("versions", "1.0", [{"name": "1.0"}]),
        ("fixVersions", "1.0,2", [{"name": "1.0"}, {"name": "2"}]),
        ("priority", "High", {"name": "High"}),
        ("project", "BUG", {"key": "BUG"}),
        ("issuetype", "Bug", {"name": "Bug"}),
        ("assignee", "fred", {"name": "fred"}),
        ("parent", "BUG-1", {"key": "BUG-1"}),
        ("duedate", "2019-05-11", "2019-05-11"),
    ],
)
def test_without_metadata_only_fields_of_every_jira_are_typed(name: str, text: str, expected: Any) -> None:
    assert sent(untyped_field(name), text) == expected


# Any text into any field

KIND = st.sampled_from(
    sorted(
        {kind for kind, _, _ in EVERY_TYPE} | {"securitylevel", "timetracking", "worklog", "new-in-2030", ""}
    )
)
NAME = st.text(alphabet=st.sampled_from("aAbB,-> 12ß\u0130\ud800é"), min_size=1, max_size=6)
LISTED = st.text(alphabet=st.sampled_from("aAbB,-> 12ß\u0130é"), min_size=1, max_size=6)
"""What Jira lists it has stored as UTF-8, which has no half of a pair; what a group says may."""


@st.composite
def allowed_lists(draw: st.DrawFn) -> tuple[AllowedValue, ...]:
    found = []
    for number, names in enumerate(draw(st.lists(st.lists(LISTED, min_size=1, max_size=2), max_size=4))):
        value_id = draw(st.sampled_from(["", f"{number}", f"id-{number}"]))
        children = tuple(
            AllowedValue(f"child-{number}-{index}", (name,))
            for index, name in enumerate(draw(st.lists(LISTED, max_size=2)))
        )
        found.append(AllowedValue(value_id, tuple(names), children))
    return tuple(found)


@st.composite
def any_field(draw: st.DrawFn) -> Field:
    signature = draw(st.sampled_from(sorted(EVERY_TYPE)) | st.tuples(KIND, KIND, st.just("")))
    kind, items, custom = signature
    field_id = draw(st.sampled_from(["customfield_1", "labels", "summary", "assignee", "parent"]))
    allowed = draw(st.none() | allowed_lists())
    return Field(field_id, "Thing", kind, items, f"com.example:{custom}" if custom else "", allowed=allowed)


@st.composite
def field_and_text(draw: st.DrawFn) -> tuple[Field, str]:
    field = draw(any_field())
    listed = [text for value in field.allowed or () for text in (value.id, *value.names)]
    listed += [child.shown for value in field.allowed or () for child in value.children]
    pieces = st.sampled_from([*listed, ",", " -> ", " "]) | NAME | st.text(max_size=8)
    pieces |= st.integers().map(str) | st.floats().map(str) | st.datetimes().map(str) | st.emails()
    return field, "".join(draw(st.lists(pieces, max_size=6)))


NEVER_CHOSEN = ("number", "date", "datetime", "user", "group", "issuelink", "timetracking")


@settings(max_examples=600, deadline=None)
@given(field_and_text(), st.booleans())
@example((Field("customfield_1", "Thing", "array", "option", allowed=values("a", "a,b")), "a,b,c"), True)
def test_no_text_breaks_coercion_and_nothing_outside_the_allowed_values_is_sent(
    case: tuple[Field, str], cloud: bool
) -> None:
    field, text = case
    try:
        found = to_field_value(field, text, cloud=cloud, people=lambda who: "someone" if "@" in who else None)
    except InvalidField as error:
        assert error.field == field.id  # noqa: PT017 - most texts are taken
        return
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    assert found not in ("", [], {})
    chosen_from = field.items if field.type == "array" else field.type
    if field.id == "labels":
        return  # Jira's own labels are free texts, whatever else a server says of them
    if field.allowed and chosen_from not in NEVER_CHOSEN and field.kind not in ("gh-sprint", "gh-epic-link"):
        for value in found if isinstance(found, list) else [found]:
            assert value is None or is_listed(value, field.allowed), (value, field.allowed)


def is_listed(value: Any, allowed: tuple[AllowedValue, ...]) -> bool:
    if not isinstance(value, dict):
        return any(value == listed.shown for listed in allowed)
    rest = dict(value)
    child = rest.pop("child", None)
    ((key, said),) = rest.items()
    fits = [listed for listed in allowed if said == (listed.id if key == "id" else listed.shown)]
    return bool(fits) and (child is None or any(is_listed(child, listed.children) for listed in fits))
