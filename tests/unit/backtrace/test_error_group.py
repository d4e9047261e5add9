"""The error group as it may arrive: a body is read, or refused in a sentence, and nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtrace_jira.backtrace.error_group import ErrorGroup, attribute_text, read_error_group
from backtrace_jira.errors import InvalidEvent
from backtrace_jira.json_types import Histogram
from tests.builders import sample_body

CANARY = "canary-8f1b"
LEAST = {"universe": "u", "project": "p", "fingerprint": "f"}


def read(**changes: Any) -> ErrorGroup:
    return read_error_group(json.dumps(LEAST | changes))


def raw(json_text: str) -> str:
    """Return the least body with members that json.dumps would not write."""
    return json.dumps(LEAST)[:-1] + ", " + json_text + "}"


def refused(body: str | bytes) -> str:
    with pytest.raises(InvalidEvent) as caught:
        read_error_group(body)
    text = str(caught.value)
    assert caught.value.__cause__ is None, "the cause holds the input"
    assert caught.value.__suppress_context__
    return text


def test_the_documented_body() -> None:
    assert read_error_group(json.dumps(sample_body())) == ErrorGroup(
        universe="my_universe",
        project="my_project",
        application="my_app.exe",
        fingerprint="8dfcce07a34e418cdf55ceb531084f6acea8ac8a09d388b9eb7633c94c7e4787",
        group_url="https://my_universe.sp.backtrace.io/dashboard/my_universe/project/my_project/"
        "group/8dfcce07a34e418c",
        callstack=("printf", "my_fn", "main"),
        occurrences=35,
        object_id="2e6",
        timestamp=(1502953926, 1502960126),
        classifiers=("exception",),
        hosts=4,
        guids=0,
        attributes={
            "version": [["1.2.3", 10], ["1.2.2", 1], ["1.1.0", 24]],
            "environment": [["production", 33], ["staging", 1], ["devel", 1]],
            "error.message": [["Cannot read property 'x' of undefined", 35]],
            "hostname": [["web-1", 20], ["web-2", 10], ["web-3", 4], ["web-4", 1]],
        },
    )
    group = read_error_group(json.dumps(sample_body()).encode())
    assert group.attributes["version"] == (("1.2.3", 10), ("1.2.2", 1), ("1.1.0", 24))


def test_the_least_body_and_nulls() -> None:
    nothing = read()
    optional = [name for name in ErrorGroup.model_fields if name not in LEAST]
    assert read(**dict.fromkeys(optional)) == nothing
    assert (nothing.callstack, nothing.classifiers, nothing.attributes) == ((), (), {})
    assert (nothing.occurrences, nothing.hosts, nothing.guids) == (0, 0, 0)
    assert (nothing.application, nothing.group_url, nothing.timestamp) == (None, None, None)


def test_undocumented_fields_are_left_aside() -> None:
    group = read(href="https://u.sp.backtrace.io/", state={"new": [1]}, model_config=1, marker="x")
    assert group == read()
    assert set(group.model_dump()) == set(ErrorGroup.model_fields) - {"follow_up"}


def test_a_group_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().fingerprint = "other"  # type: ignore[misc]


HISTOGRAMS: list[tuple[str, Histogram]] = [
    ('[["1.2.3", 10], ["1.2.2", 1]]', (("1.2.3", 10), ("1.2.2", 1))),
    ("[]", ()),
    ("null", ()),
    ("{}", ()),
    ('{"a": 1}', ()),
    ('"text"', (("text", 1),)),
    ("5", (("5", 1),)),
    ("1.5", (("1.5", 1),)),
    ("true", (("true", 1),)),
    ("[[null, 5]]", ()),
    ("[[1, 5], [1.5, 4], [true, 3], [false, 2]]", (("1", 5), ("1.5", 4), ("true", 3), ("false", 2))),
    ('[["a", null], ["b", "5"], ["c", [1]], ["d", {}]]', ()),
    ('[["a", 2.9], ["b", true]]', (("a", 2), ("b", 1))),
    ('[["a", -3], ["b", 0]]', (("a", -3), ("b", 0))),
    ('[["a", NaN], ["b", Infinity], ["c", -Infinity], ["d", 1e400], ["e", -1e400], ["f", 1]]', (("f", 1),)),
    (f'[["a", {10**18}], ["b", {10**400}], ["c", {-(10**18)}], ["d", {10**18 - 1}]]', (("d", 10**18 - 1),)),
    ('[["a"], [], ["a", 1, 2], "a", 5, null, {"a": 1}, [["a", 1], 1], ["b", 1]]', (("b", 1),)),
    ("[[[[]]], [[[1]]]]", ()),
    ('[["", 1], ["same", 1], ["same", 2]]', (("", 1), ("same", 1), ("same", 2))),
    ("[[NaN, 1], [Infinity, 2]]", (("nan", 1), ("inf", 2))),
    (r'[["\u0000\u202e[~bob]", 1]]', (("\0\u202e[~bob]", 1),)),
]


@pytest.mark.parametrize(("written", "kept"), HISTOGRAMS)
def test_one_odd_attribute_costs_nobody_a_ticket(written: str, kept: Histogram) -> None:
    group = read_error_group(raw(f'"attributes": {{"odd": {written}, "version": [["1", 2]]}}'))
    assert group.attributes == {"odd": kept, "version": (("1", 2),)}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (None, ()),
        ([], ()),
        ("alone", ("alone",)),
        (["a", "", "b"], ("a", "", "b")),
        (["a", None, 5, 1.5, True], ("a", "5", "1.5", "true")),
    ],
)
@pytest.mark.parametrize("field", ["callstack", "classifiers"])
def test_lists_of_texts(field: str, written: object, kept: tuple[str, ...]) -> None:
    assert getattr(read(**{field: written}), field) == kept


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (1, "1"), (1.5, "1.5"), ("x", "x")]
)
def test_scalars_as_backtrace_shows_them(value: object, text: str) -> None:
    assert attribute_text(value) == text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (r"\ud83d", "\ufffd"),
        (r"\uDCA5", "\ufffd"),
        (r"a\uD83Db", "a\ufffdb"),
        (r"\ud83d\ud83d\udca5", "\ufffd\U0001f4a5"),
        (r"\udca5\ud83d", "\ufffd\ufffd"),
        (r"\ud83d\udca5", "\U0001f4a5"),
        (r"\\ud83d", r"\ud83d"),
        (r"\\\ud83d", "\\\ufffd"),
        (r"\u00e9\n\"\/", 'é\n"/'),
    ],
)
def test_half_a_surrogate_pair_costs_nobody_a_ticket(written: str, kept: str) -> None:
    body = raw(f'"application": "{written}", "attributes": {{"{written}": [["{written}", 1]]}}')
    for form in (body, body.encode()):
        group = read_error_group(form)
        assert group.application == kept
        assert group.attributes == {kept: ((kept, 1),)}


def test_half_a_pair_is_no_part_of_a_fingerprint() -> None:
    assert refused(r'{"universe": "u", "project": "p", "fingerprint": "f\ud83d"}').count("fingerprint: ") == 1


def test_a_very_long_call_stack_is_kept_whole() -> None:
    group = read(callstack=["x" * 1_000_000, *["frame"] * 10_000])
    assert len(group.callstack) == 10_001
    assert len(group.callstack[0]) == 1_000_000


NOT_A_BODY: list[tuple[str | bytes, str]] = [
    ("", "body: Invalid JSON"),
    (b"", "body: Invalid JSON"),
    (" \n", "body: Invalid JSON"),
    ("{", "body: Invalid JSON"),
    (f"{{'{CANARY}': 1}}", "body: Invalid JSON"),
    (json.dumps(LEAST) + CANARY, "body: Invalid JSON"),
    (json.dumps(LEAST)[:-1] + f', "{CANARY}', "body: Invalid JSON"),
    (raw(f'"application": "{CANARY}\n"'), "body: Invalid JSON"),
    (raw(f'"application": "{CANARY}\ud83d"'), "body: Invalid JSON"),
    (b'{"universe": "' + CANARY.encode() + b'\xff"}', "body: Invalid JSON"),
    (b"\xef\xbb\xbf" + json.dumps(LEAST).encode(), "body: Invalid JSON"),
    ("\ufeff" + json.dumps(LEAST), "body: Invalid JSON"),
    (json.dumps(LEAST).encode("utf-16"), "body: Invalid JSON"),
    ("[" * 100_000, "body: Invalid JSON"),
    (raw('"x": ' + "[" * 100_000 + "]" * 100_000), "body: Invalid JSON"),
    (raw('"x": ' + '{"a":' * 100_000 + "1" + "}" * 100_000), "body: Invalid JSON"),
    (raw('"occurrences": ' + "9" * 5_000), "body: Invalid JSON"),
    (raw('"attributes": {"a": [[' + "9" * 5_000 + ", 1]]}"), "body: Invalid JSON"),
    ("[]", "body: Input should be an object"),
    (f'["{CANARY}"]', "body: Input should be an object"),
    (json.dumps([LEAST]), "body: Input should be an object"),
    (f'"{CANARY}"', "body: Input should be an object"),
    ("null", "body: Input should be an object"),
    ("5", "body: Input should be an object"),
]


@pytest.mark.parametrize(("body", "fault"), NOT_A_BODY)
def test_what_is_no_body_is_said_in_a_sentence(body: str | bytes, fault: str) -> None:
    said = refused(body)
    assert said.startswith(f"not a Backtrace error group: {fault}")
    assert CANARY not in said
    assert len(said.splitlines()) == 1
    assert len(said) < 200


WRONG_FIELDS: list[tuple[str, list[object]]] = [
    (
        "universe",
        [None, "", 5, [CANARY], {CANARY: 1}, f"{CANARY}/x", f"{CANARY} x", f"{CANARY}\n", "x" * 129],
    ),
    ("project", [None, "", 5, [CANARY], {CANARY: 1}, f"{CANARY}/x", "../x", f"{CANARY}\0", "é", "x" * 129]),
    ("fingerprint", [None, "", 5, [CANARY], f"{CANARY} x", f"{CANARY}\n", f"{CANARY}é", "\x7f", "x" * 257]),
    ("application", [5, [CANARY], {CANARY: CANARY}, True]),
    ("group_url", [5, [CANARY], {CANARY: CANARY}]),
    ("callstack", [5, {CANARY: CANARY}, True]),
    ("classifiers", [5, {CANARY: CANARY}]),
    ("occurrences", [CANARY, 3.5, [CANARY], {CANARY: 1}, float("nan"), float("inf"), 1e30]),
    ("hosts", [CANARY, 3.5, [CANARY], {CANARY: 1}]),
    ("guids", [CANARY, 3.5, [CANARY], {CANARY: 1}]),
    ("timestamp", [5, CANARY, {CANARY: 1}, [], [1], [1, 2, 3], [None, 1], [CANARY, 1], [[CANARY], 1]]),
    ("attributes", [5, CANARY, True, [], [["version", [[CANARY, 1]]]]]),
]


@pytest.mark.parametrize(
    ("field", "wrong"), [(field, wrong) for field, values in WRONG_FIELDS for wrong in values]
)
def test_a_wrong_field_is_named_and_its_value_is_not(field: str, wrong: object) -> None:
    said = refused(json.dumps(LEAST | {field: wrong}))
    assert said.startswith(f"not a Backtrace error group: {field}")
    assert CANARY not in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("field", list(LEAST))
def test_a_missing_name_is_named(field: str) -> None:
    body = {name: value for name, value in LEAST.items() if name != field}
    assert refused(json.dumps(body)) == f"not a Backtrace error group: {field}: Field required"


def test_many_faults_stay_one_short_line() -> None:
    said = refused(json.dumps({name: {CANARY: [CANARY]} for name in ErrorGroup.model_fields}))
    assert said.count(";") == 4
    assert "universe: " in said
    assert CANARY not in said
    assert len(said) < 500


@pytest.mark.parametrize(
    "fine",
    [
        {"universe": "A-z_0.9", "project": "x" * 128},
        {"fingerprint": "x" * 256},
        {"fingerprint": "!~#/$"},
        {"occurrences": 10**30, "hosts": "4"},
        {"timestamp": [1.5, 2]},
        {"timestamp": [float("inf"), float("nan")]},
        {"timestamp": [10**400, -5]},
    ],
)
def test_unusual_but_fine(fine: dict[str, object]) -> None:
    assert isinstance(read(**fine), ErrorGroup)


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**18, 10**309, -(10**400), 2**63, 2**64]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "a\udfff", "$version", "{noformat}", "[~bob]", "\x00"]),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
_FIELDS = st.sampled_from([*ErrorGroup.model_fields, "href"])
_PAIRS = st.lists(st.lists(_JSON, min_size=2, max_size=2) | _JSON, max_size=4)
_BODIES = st.one_of(
    _JSON,
    st.dictionaries(_FIELDS, _JSON, max_size=6).map(lambda changes: sample_body() | changes),
    st.dictionaries(st.text(max_size=4), _PAIRS | _JSON, max_size=4).map(
        lambda attributes: LEAST | {"attributes": attributes}
    ),
)


@settings(max_examples=250, deadline=None)
@given(_BODIES, st.booleans())
@example(LEAST | {"attributes": {"a": [["x", float("inf")]]}, "timestamp": [float("nan"), 10**400]}, True)
def test_any_json_is_a_group_or_refused(body: object, as_bytes: bool) -> None:
    text = json.dumps(body)
    try:
        group = read_error_group(text.encode() if as_bytes else text)
    except InvalidEvent as error:
        fields = {*ErrorGroup.model_fields, "body"}
        faults = str(error).removeprefix("not a Backtrace error group: ").split("; ")
        assert {fault.split(":")[0].split(".")[0] for fault in faults} <= fields
        return
    assert all(
        isinstance(value, str) and type(count) is int
        for pairs in group.attributes.values()
        for value, count in pairs
    )
    group.model_dump_json().encode()


@settings(max_examples=150, deadline=None)
@given(st.text() | st.binary() | st.text(alphabet='{}[]",:0e-\\ud8'))
def test_any_text_is_a_group_or_refused(body: str | bytes) -> None:
    try:
        read_error_group(body)
    except InvalidEvent as error:
        assert str(error).startswith("not a Backtrace error group: ")  # noqa: PT017
