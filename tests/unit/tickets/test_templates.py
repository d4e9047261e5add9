"""`$attribute` in settings text, by table and against a second, slower way to say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtrace_jira.json_types import Histogram
from backtrace_jira.tickets.templates import (
    Rendered,
    attribute_names,
    fill_template,
    template_values,
    top_value,
)
from tests.builders import group

VALUES = {
    "version": "1.2.3",
    "application.version": "9.0",
    "application": "game",
    "error": "E",
    "error.message": "boom",
    "error.message.short": "b",
    "host-name": "web-1",
    "std::what": "what",
    "fingerprint;issues;state": "open",
    "_private": "p",
    "5xx": "502",
    "dollar": "$version $$ $",
    "backslash": r"\1 \g<name> \\ \n",
    "pattern": r".*[a-z]+(?P<x>)$",
    "empty": "",
    "Version": "upper",
}

RENDERED = [
    ("", ""),
    ("no reference", "no reference"),
    ("$version", "1.2.3"),
    ("$Version", "upper"),
    ("v$version!", "v1.2.3!"),
    ("Hostname: $host-name, Version: $version", "Hostname: web-1, Version: 1.2.3"),
    ("$version$version", "1.2.31.2.3"),
    ("$version-$application", "1.2.3-game"),
    ("$version.$application.", "1.2.3.game."),
    ("$application.version", "9.0"),
    ("$application.exe", "game.exe"),
    ("$error.message", "boom"),
    ("$error.message.short", "b"),
    ("$error.message.long", "boom.long"),
    ("$error.messages", "E.messages"),
    ("$error.", "E."),
    ("$error...", "E..."),
    ("$error..message", "E..message"),
    ("Is it $version?", "Is it 1.2.3?"),
    ("It is $version.", "It is 1.2.3."),
    ("$version-", "1.2.3-"),
    ("$version: fine; $version;", "1.2.3: fine; 1.2.3;"),
    ("$version-rc1", "1.2.3-rc1"),
    ("$host-name-2", "web-1-2"),
    ("$std::what", "what"),
    ("$fingerprint;issues;state", "open"),
    ("$_private", "p"),
    ("$$", "$"),
    ("$$version", "$version"),
    ("$$$version", "$1.2.3"),
    ("$$$$", "$$"),
    ("costs $5", "costs $5"),
    ("$5.50 or $0", "$5.50 or $0"),
    ("$5xx", "502"),
    ("$", "$"),
    ("at the end $", "at the end $"),
    ("$ version", "$ version"),
    ("$.version", "$.version"),
    ("$-version", "$-version"),
    ("${version}", "${version}"),
    ("$(version)", "$(version)"),
    ("[$version]", "[1.2.3]"),
    ("é$versioné$version→", "é1.2.3é1.2.3→"),
    ("💥$version💥", "💥1.2.3💥"),
    ("$version\n$application", "1.2.3\ngame"),
    ("$dollar", "$version $$ $"),
    ("$dollar$dollar", "$version $$ $$version $$ $"),
    ("$backslash", r"\1 \g<name> \\ \n"),
    ("$pattern", r".*[a-z]+(?P<x>)$"),
    ("<$empty>", "<>"),
    (r"\$version \1", r"\1.2.3 \1"),
]


@pytest.mark.parametrize(("template", "text"), RENDERED)
def test_known_names_become_their_values(template: str, text: str) -> None:
    assert fill_template(template, VALUES) == Rendered(text, ())


UNKNOWN = [
    ("$nothing", "", ("nothing",)),
    ("<$nothing>", "<>", ("nothing",)),
    ("$versions", "", ("versions",)),
    ("$VERSION", "", ("VERSION",)),
    ("$no.such.name.", ".", ("no.such.name",)),
    ("$b and $a and $b", " and  and ", ("b", "a")),
    ("$a $version $b", " 1.2.3 ", ("a", "b")),
    ("$größe", "öße", ("gr",)),
]


@pytest.mark.parametrize(("template", "text", "unknown"), UNKNOWN)
def test_unknown_names_become_empty_and_are_reported_once(
    template: str, text: str, unknown: tuple[str, ...]
) -> None:
    assert fill_template(template, VALUES) == Rendered(text, unknown)


def test_nothing_known_at_all() -> None:
    assert fill_template("$a$b.c $5 $$", {}) == Rendered(" $5 $", ("a", "b.c"))


def test_each_value_is_treated_and_nothing_else() -> None:
    treated = fill_template("[$version] $error.long $$ $5 $nothing", VALUES, lambda value: f"<{value}>")
    assert treated == Rendered("[<1.2.3>] <E>.long $ $5 ", ("nothing",))


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("", ()),
        ("$version", ("version",)),
        ("$b $a $b", ("b", "a")),
        ("$error.message.", ("error.message",)),
        ("$fingerprint;issues;state", ("fingerprint;issues;state",)),
        ("$$version $5 $5xx $", ()),
        ("$$$version", ("version",)),
    ],
)
def test_names_in_a_template(template: str, names: tuple[str, ...]) -> None:
    assert attribute_names(template) == names


@pytest.mark.parametrize(
    ("histogram", "value"),
    [
        ((), ""),
        ((("only", 1),), "only"),
        ((("1.2.3", 10), ("1.2.2", 1), ("1.1.0", 24)), "1.1.0"),
        ((("first", 7), ("second", 7), ("third", 1)), "first"),
        ((("z", 1), ("a", 7), ("b", 7)), "a"),
        ((("minus", -5), ("zero", 0)), "zero"),
        ((("", 9), ("text", 1)), ""),
    ],
)
def test_the_highest_count_wins_and_ties_go_to_the_first(histogram: Histogram, value: str) -> None:
    assert top_value(histogram) == value


def test_the_groups_own_facts_have_names_too() -> None:
    assert template_values(group()) == {
        "universe": "my_universe",
        "project": "my_project",
        "fingerprint": "8dfcce07a34e418cdf55ceb531084f6acea8ac8a09d388b9eb7633c94c7e4787",
        "application": "my_app.exe",
        "classifiers": "exception",
        "callstack": "printf",
        "occurrences": "35",
        "hosts": "4",
        "guids": "0",
        "group_url": "https://my_universe.sp.backtrace.io/dashboard/my_universe/project/my_project/"
        "group/8dfcce07a34e418c",
        "version": "1.1.0",
        "environment": "production",
        "error.message": "Cannot read property 'x' of undefined",
        "hostname": "web-1",
    }


def test_attributes_come_before_facts_and_what_is_empty_is_unknown() -> None:
    values = template_values(
        group(
            application=None,
            callstack=[],
            classifiers=["a", "b"],
            attributes={"project": [["mine", 1]], "nothing": [], "odd": None, "number": [[1.5, 3]]},
        )
    )
    assert values["project"] == "mine"
    assert values["classifiers"] == "a, b"
    assert values["number"] == "1.5"
    assert not {"application", "callstack", "nothing", "odd"} & set(values)


_WORDS = ["a", "b", "A9", "5", "_", "5a"]
_NAMES = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([".", "-", ":", ";", "::"]).map(lambda separator: separator.join(words))
)
_VALUES = st.dictionaries(_NAMES, st.sampled_from(["", "x", "$a", "$$", "\\1", "é.b", "-"]), max_size=6)
_TEMPLATES = st.lists(
    st.one_of(
        _NAMES.map(lambda name: f"${name}"),
        st.sampled_from(["$", "$$", ".", "-", ":", ";", " ", "a", "5", "é", "\n", "\\", "٣", "{"]),
    ),
    max_size=10,
).map("".join)


def _piecewise(template: str, values: Mapping[str, str]) -> Rendered:
    """Say the rules over again, one character at a time and without a pattern for a whole name."""
    text, unknown, at = "", [], 0
    while at < len(template):
        if template[at] != "$":
            text, at = text + template[at], at + 1
            continue
        if template[at + 1 : at + 2] == "$":
            text, at = text + "$", at + 2
            continue
        ends = _ends_of_names(template, at + 1)
        known = [end for end in ends if template[at + 1 : end] in values]
        if known:
            text, at = text + values[template[at + 1 : known[-1]]], known[-1]
        elif not ends or template[at + 1] in "0123456789":
            end = ends[-1] if ends else at + 1
            text, at = text + template[at:end], end
        else:
            unknown.append(template[at + 1 : ends[-1]])
            at = ends[-1]
    return Rendered(text, tuple(dict.fromkeys(unknown)))


def _ends_of_names(template: str, start: int) -> list[int]:
    """Return where a name that begins at `start` could end: behind each word, not behind a separator."""
    ends = []
    for end in range(start + 1, len(template) + 1):
        candidate = template[start:end]
        if re.search(r"[^A-Za-z0-9_.:;-]", candidate) or candidate[0] in ".:;-":
            break
        behind_word = candidate[-1] not in ".:;-"
        if behind_word and (end == len(template) or not re.match(r"[A-Za-z0-9_]", template[end])):
            ends.append(end)
    return ends


@settings(max_examples=250, deadline=None)
@given(_TEMPLATES, _VALUES)
def test_rendering_agrees_with_the_rules_said_otherwise(template: str, values: dict[str, str]) -> None:
    assert fill_template(template, values) == _piecewise(template, values)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.dictionaries(st.text(max_size=5), st.text(max_size=10), max_size=4))
def test_any_text_can_be_rendered(template: str, values: dict[str, str]) -> None:
    rendered = fill_template(template, values)
    assert set(rendered.unknown) <= set(attribute_names(template))
    if "$" not in template:
        assert rendered == Rendered(template)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_doubled_dollars_keep_any_text_as_it_is(text: str) -> None:
    assert fill_template(text.replace("$", "$$"), VALUES) == Rendered(text)
