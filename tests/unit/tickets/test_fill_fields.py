"""The ticket draft: which fields it has, and that nothing in a group makes it one that Jira refuses."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.jira import wiki
from backtrace_jira.jira.field_values import LONGEST_LINE, LONGEST_SUMMARY, LONGEST_TEXT
from backtrace_jira.jira.issue import TicketDraft
from backtrace_jira.json_types import JSON
from backtrace_jira.tickets.description import describe_group
from backtrace_jira.tickets.fill_fields import draft_ticket
from tests.builders import group, integration

MARKER = "bt-0123456789abcdef01234567"
LINK = "[View in Backtrace|"
ADDRESS = "https://my_universe.sp.backtrace.io"


def draft(error_group: ErrorGroup | None = None, **settings: Any) -> TicketDraft:
    return draft_ticket(error_group or group(), integration(**settings), MARKER, address=ADDRESS)


def text(fields: TicketDraft, name: str) -> str:
    value = fields.fields[name]
    assert isinstance(value, str)
    return value


def labels(fields: TicketDraft, name: str = "labels") -> list[JSON]:
    value = fields.fields[name]
    assert isinstance(value, list)
    return value


DESCRIPTION = """\
[View in Backtrace|https://my_universe.sp.backtrace.io/dashboard/my_universe/project/my_project/group/8dfcce07a34e418c]

|Project|my_universe/my_project|
|Application|my_app.exe|
|Fingerprint|8dfcce07a34e418cdf55ceb531084f6acea8ac8a09d388b9eb7633c94c7e4787|
|First seen|2017-08-17 07:12:06 UTC|
|Last seen|2017-08-17 08:55:26 UTC|
|Occurrences|35|
|Hosts|4|
|Reference|bt-0123456789abcdef01234567|

h3. Classifiers

exception

h3. Call stack

{noformat}
printf
my_fn
main
{noformat}

h3. Attributes

||Attribute||Values (count)||
|environment|production (33) \\\\ staging (1) \\\\ devel (1)|
|error.message|Cannot read property 'x' of undefined (35)|
|hostname|web-1 (20) \\\\ web-2 (10) \\\\ web-3 (4) \\\\ web-4 (1)|
|version|1.1.0 (24) \\\\ 1.2.3 (10) \\\\ 1.2.2 (1)|"""


def test_ticket_of_the_documented_group() -> None:
    made = draft()
    assert made.fields == {
        "project": {"key": "BUG"},
        "issuetype": {"name": "Bug"},
        "summary": "Cannot read property 'x' of undefined in my_app.exe",
        "labels": ["Backtrace", MARKER],
        "description": DESCRIPTION,
    }
    assert made.properties == {
        "backtrace-jira": {
            "integration": "my_universe/my_project/jira-bugs",
            "fingerprint": group().fingerprint,
            "marker": MARKER,
        }
    }
    assert (made.marker, made.unknown_attributes) == (MARKER, ())
    assert set(made.request_body()) == {"fields", "properties"}


class TestRequiredFields:
    """Each comes from its setting; a custom field of the same name overrides it."""

    OVERRIDES: ClassVar[list[tuple[str, str, JSON]]] = [
        ("project", "OPS", {"key": "OPS"}),
        ("project", "10001", {"id": "10001"}),
        ("project", "$environment", {"key": "production"}),
        ("issuetype", "Crash", {"name": "Crash"}),
        ("issuetype", "10100", {"id": "10100"}),
        ("issuetype", " $environment\n", {"name": "production"}),
        ("summary", "$version on\n $hostname", "1.1.0 on web-1"),
        ("labels", "crash", ["crash", MARKER]),
        ("labels", "Backtrace, $version,crash", ["Backtrace", "1.1.0", "crash", MARKER]),
    ]

    @pytest.mark.parametrize(("name", "template", "value"), OVERRIDES)
    @pytest.mark.parametrize("case", [str.lower, str.upper, str.title, lambda name: f" {name} "])
    def test_override(self, name: str, template: str, value: JSON, case: Any) -> None:
        made = draft(custom_fields={case(name): template})
        assert made.fields == {**draft().fields, name: value}

    @pytest.mark.parametrize("name", ["description", "Description", "DESCRIPTION"])
    def test_overridden_description_is_markup_and_keeps_the_marker(self, name: str) -> None:
        made = draft(custom_fields={name: "h2. $version\n*$error.message*"})
        assert made.fields == {
            **draft().fields,
            "description": f"h2. 1.1.0\n*Cannot read property 'x' of undefined*\n\nReference: {MARKER}",
        }

    def test_values_in_an_overridden_description_are_no_markup(self) -> None:
        error_group = group(attributes={"a": [["*x* [~bob] {code}", 1]]})
        made = text(draft(error_group, custom_fields={"description": "*$a*"}), "description")
        assert made == f"*\\*x* \\[\u2060\\~bob] \\{{\u2060code}}*\n\nReference: {MARKER}"

    @pytest.mark.parametrize("part", ["x", "💥", "[~bob]", "\\", "\n"])
    def test_an_overridden_description_is_cut_before_its_marker(self, part: str) -> None:
        error_group = group(attributes={"long": [["x" + part * 40_000 + "x", 1]]})
        made = text(draft(error_group, custom_fields={"description": "$long"}), "description")
        assert made.endswith(f"…\n\nReference: {MARKER}")
        assert wiki.utf16_length(made) <= LONGEST_TEXT

    @pytest.mark.parametrize("name", ["project", "issuetype", "summary", "labels", "description"])
    @pytest.mark.parametrize("template", ["", " \n", "$nothing", " $nothing $less ", "\0"])
    def test_an_override_that_comes_out_empty_overrides_nothing(self, name: str, template: str) -> None:
        assert draft(custom_fields={name: template}).fields == draft().fields

    def test_labels_that_come_out_empty_override_nothing(self) -> None:
        assert draft(custom_fields={"labels": " $nothing, ,$less "}).fields == draft().fields

    def test_settings(self) -> None:
        made = draft(project_key="OPS", issue_type="Crash", subject="It is $version.")
        assert made.fields["project"] == {"key": "OPS"}
        assert made.fields["issuetype"] == {"name": "Crash"}
        assert made.fields["summary"] == "It is 1.1.0."


class TestFieldMapping:
    """Alternate names for labels and description."""

    def test_other_fields_take_labels_and_description(self) -> None:
        made = draft(labels_field="customfield_1", description_field="customfield_2")
        assert set(made.fields) == {"project", "issuetype", "summary", "customfield_1", "customfield_2"}
        assert labels(made, "customfield_1") == ["Backtrace", MARKER]
        assert text(made, "customfield_2") == DESCRIPTION

    def test_the_usual_fields_are_known_in_any_case(self) -> None:
        made = draft(labels_field="Labels", description_field="Description", custom_fields={"LABELS": "a"})
        assert made.fields == {**draft().fields, "labels": ["a", MARKER]}

    def test_a_custom_field_overrides_by_the_mapped_name_too(self) -> None:
        made = draft(
            labels_field="customfield_1",
            description_field="customfield_2",
            custom_fields={"customfield_1": "a b,$version", "customfield_2": "*$version*"},
        )
        assert labels(made, "customfield_1") == ["a_b", "1.1.0", MARKER]
        assert text(made, "customfield_2") == f"*1.1.0*\n\nReference: {MARKER}"
        assert not {"labels", "description"} & set(made.fields)

    def test_the_usual_fields_beside_the_mapped_ones(self) -> None:
        made = draft(
            labels_field="customfield_1",
            description_field="customfield_2",
            custom_fields={"labels": "a,b", "description": "*$version*"},
        )
        assert labels(made, "customfield_1") == ["Backtrace", MARKER]
        assert labels(made) == ["a", "b"]
        assert text(made, "customfield_2") == DESCRIPTION
        assert text(made, "description") == f"*1.1.0*\n\nReference: {MARKER}"


class TestLabels:
    """Blanks are refused by Jira, and so are more than 255 characters."""

    CASES: ClassVar[list[tuple[str, list[str]]]] = [
        ("a,b", ["a", "b"]),
        (" a , ,b,, ", ["a", "b"]),
        ("two words,  three\tmore\nwords ", ["two_words", "three_more_words"]),
        ("a,a,A", ["a", "A"]),
        ("a\u00a0b\u3000c\u2028d", ["a_b_c_d"]),
        ("a\u202eb\x00c", ["abc"]),
        ("$list", ["x", "y_z"]),
        ("$nothing,a", ["a"]),
        (MARKER, []),
    ]

    @pytest.mark.parametrize(("template", "made"), CASES)
    def test_labels(self, template: str, made: list[str]) -> None:
        error_group = group(attributes={"list": [["x, y z", 1]]})
        assert labels(draft(error_group, custom_fields={"labels": template})) == [*made, MARKER]

    @pytest.mark.parametrize("value", ["x" * 256, "💥" * 128, "a b" * 1_000, "x" * 1_000_000])
    def test_length(self, value: str) -> None:
        error_group = group(attributes={"long": [[value, 1]]})
        (long, marker) = labels(draft(error_group, custom_fields={"labels": "$long"}))
        assert isinstance(long, str)
        assert LONGEST_LINE - 1 <= wiki.utf16_length(long) <= LONGEST_LINE == 255
        assert long.endswith("…")
        assert marker == MARKER

    def test_a_label_of_the_longest_length_is_whole(self) -> None:
        assert labels(draft(custom_fields={"labels": "x" * 255}))[0] == "x" * 255


class TestSummary:
    """One line of at most 254 UTF-16 units, never empty."""

    @pytest.mark.parametrize(
        ("subject", "changes", "summary"),
        [
            ("plain", {}, "plain"),
            (
                "$error.message",
                {"attributes": {"error.message": [["a\r\nb\u2028c\x85d\te", 1]]}},
                "a b c d e",
            ),
            ("*$version* [x] {y}", {}, "*1.1.0* [x] {y}"),
            ("$error.message", {"attributes": {}}, "Error in my_app.exe: printf"),
            ("$nothing", {"application": None}, "Error in my_project: printf"),
            ("$nothing", {"callstack": []}, "Error in my_app.exe: 8dfcce07a34e"),
            ("$nothing", {"application": "a\nb", "callstack": ["f\n\x00g"]}, "Error in a b: f g"),
            ("$version", {"attributes": {"version": [["\u202e\x00 \n", 1]]}}, "Error in my_app.exe: printf"),
            ("$$", {}, "$"),
        ],
    )
    def test_summary(self, subject: str, changes: dict[str, Any], summary: str) -> None:
        assert draft(group(**changes), subject=subject).fields["summary"] == summary

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            ("x" * 254, "x" * 254),
            ("x" * 255, "x" * 253 + "…"),
            ("💥" * 127, "💥" * 127),
            ("💥" * 128, "💥" * 126 + "…"),
            ("x" + "💥" * 127, "x" + "💥" * 126 + "…"),
            ("x" * 1_000_000, "x" * 253 + "…"),
        ],
    )
    def test_length(self, value: str, kept: str) -> None:
        error_group = group(attributes={"long": [[value, 1]]})
        assert draft(error_group, subject="$long").fields["summary"] == kept
        assert draft(error_group, custom_fields={"summary": "$long"}).fields["summary"] == kept
        assert LONGEST_SUMMARY == 254

    def test_the_plain_summary_is_short_too(self) -> None:
        made = draft(group(application="x" * 300), subject="$nothing")
        assert wiki.utf16_length(text(made, "summary")) == 254


class TestCustomFields:
    """Other fields: text with values in it."""

    def test_values(self) -> None:
        made = draft(
            custom_fields={
                "customfield_1": "Hostname: $hostname, Version: $version.",
                "Team": "static",
                "customfield_2": " $nothing ",
                "customfield_3": "",
            }
        )
        assert {name: made.fields[name] for name in made.fields if name not in draft().fields} == {
            "customfield_1": "Hostname: web-1, Version: 1.1.0.",
            "Team": "static",
        }

    def test_unknown_attributes_are_collected_from_everywhere(self) -> None:
        made = draft(
            subject="$a $version",
            custom_fields={
                "labels": "$b",
                "description": "$c",
                "customfield_1": "$d.e $a [~x]$f",
                "project": "$g",
            },
        )
        assert sorted(made.unknown_attributes) == ["a", "b", "c", "d.e", "f", "g"]
        assert not re.search(r"\$[a-g]", json.dumps(made.request_body()))

    def test_long_text_is_cut_to_what_jira_takes(self) -> None:
        made = draft(
            group(attributes={"long": [["💥" * 20_000, 1]]}), custom_fields={"customfield_1": "$long"}
        )
        assert LONGEST_TEXT - 1 <= wiki.utf16_length(text(made, "customfield_1")) <= LONGEST_TEXT == 32_767

    @pytest.mark.parametrize(
        ("template", "written"),
        [
            ("$whole", "[\u2060~bob]"),
            ("$spaced", "[\u2060 ~bob]"),
            ("$hidden", "[\u2060~bob]"),
            ("$open$close", "[\u2060~bob]"),
            ("$open $close", "[\u2060 ~bob]"),
            ("[$close", "[\u2060~bob]"),
            ("$open~bob]", "[\u2060~bob]"),
            ("[~$name]", "[\u2060~bob]"),
            ("[~oncall] see $whole", "[~oncall] see [\u2060~bob]"),
            ("[~oncall]$open$close[~oncall]", "[~oncall][\u2060~bob][~oncall]"),
            ("[~accountid:5b10:x] $$5 $name", "[~accountid:5b10:x] $5 bob"),
            ("[x] ~ [y]", "[x] ~ [y]"),
        ],
    )
    def test_only_the_settings_own_text_mentions_anyone(self, template: str, written: str) -> None:
        values = {
            "whole": "[~bob]",
            "spaced": "[ ~bob]",
            "hidden": "[\x00\u202e~bob]",
            "open": "[",
            "close": "~bob]",
            "name": "bob",
        }
        error_group = group(attributes={name: [[value, 1]] for name, value in values.items()})
        raw = {"customfield_1": {"text": template, "raw": True}}
        assert draft(error_group, custom_fields=raw).fields["customfield_1"] == written

    @pytest.mark.parametrize(
        ("template", "written"),
        [
            ("$whole", "\\[\u2060\\~bob]"),
            ("[$blank]", "[\u2060~ bob]"),
            ("[ $blank]", "[\u2060 ~ bob]"),
            ("[~$name]", "[\u2060~bob]"),
            ("$open$blank]", "\\[\u2060~ bob]"),
            ("*[~oncall]* $whole", "*[~oncall]* \\[\u2060\\~bob]"),
        ],
    )
    def test_nor_does_an_overridden_description(self, template: str, written: str) -> None:
        values = {"whole": "[~bob]", "blank": "~ bob", "name": "bob", "open": "["}
        error_group = group(attributes={name: [[value, 1]] for name, value in values.items()})
        made = text(draft(error_group, custom_fields={"description": template}), "description")
        assert made == f"{written}\n\nReference: {MARKER}"


class TestDescription:
    """The main error information."""

    @pytest.mark.parametrize(
        ("url", "linked"),
        [
            ("https://u.sp.backtrace.io/g/1", "https://u.sp.backtrace.io/g/1"),
            ("http://backtrace.local:8080/g/1", "http://backtrace.local:8080/g/1"),
            ("https://u.example/a|b]c", "https://u.example/a%7Cb%5Dc"),
            ("https://u.example/" + "a" * 3_900, "https://u.example/" + "a" * 3_900),
        ],
    )
    def test_link_back(self, url: str, linked: str) -> None:
        address = "/".join(url.split("/")[:3])
        description = describe_group(group(group_url=url), MARKER, address=address)
        assert description.startswith(f"{LINK}{linked}]\n\n|Project|")

    @pytest.mark.parametrize(
        "address",
        [
            "https://u.example",
            "https://u.example/",
            "https://U.example:443",
            "https://u.example/behind/a/proxy",
        ],
    )
    def test_a_page_of_the_universe_is_a_link(self, address: str) -> None:
        page = "https://u.example/dashboard/u/project/p/group/1"
        assert describe_group(group(group_url=page), MARKER, address=address).startswith(f"{LINK}{page}]")

    @pytest.mark.parametrize(
        "page",
        [
            "https://evil.example/g",
            "https://u.example.evil.example/g",
            "https://u.example@evil.example/g",
            "https://evil.example\\@u.example/g",
            "http://u.example/g",
            "https://u.example:8443/g",
            "https://u.example:x/g",
            "https://[u.example/g",
            "https://sub.u.example/g",
            "//u.example/g",
        ],
    )
    def test_a_page_elsewhere_is_shown_and_is_no_link(self, page: str) -> None:
        description = describe_group(group(group_url=page), MARKER, address="https://u.example")
        assert description.startswith(wiki.escape(f"View in Backtrace ({page})"))
        assert not re.search(r"(?<!\\)\[", description)
        assert LINK not in describe_group(group(group_url=page), MARKER)

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)",
            "JavaScript://h.example/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "//u.example/g",
            "/g",
            "u.example/g",
            "https://trusted.example@evil.example/",
            "#anchor",
            "~bob",
        ],
    )
    def test_nothing_else_is_a_link(self, url: str) -> None:
        description = describe_group(group(group_url=url), MARKER, address="https://trusted.example")
        assert description.startswith("View in Backtrace (")
        assert not re.search(r"(?<!\\)\[", description)

    @pytest.mark.parametrize(
        "url",
        [
            None,
            "",
            "https://u.example/" + "a" * 100_000,
            "https://u.example/" + "é" * 3_000,
            "javascript:" + "a" * 100_000,
        ],
    )
    def test_no_address_or_one_that_is_too_long(self, url: str | None) -> None:
        assert describe_group(group(group_url=url), MARKER, address="https://u.example").startswith(
            "|Project|"
        )

    @pytest.mark.parametrize(
        ("moment", "shown"),
        [
            (0, "1970-01-01 00:00:00 UTC"),
            (1502953926.9, "2017-08-17 07:12:06 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (1502953926000, r"1502953926000.0"),
            (1e20, "1e+20"),
            (float("inf"), "inf"),
            (float("nan"), "nan"),
        ],
    )
    def test_times_are_utc_and_a_number_that_is_no_time_is_shown(self, moment: float, shown: str) -> None:
        description = describe_group(group(timestamp=[moment, 1502960126]), MARKER)
        assert f"|First seen|{shown}|\n|Last seen|2017-08-17 08:55:26 UTC|\n" in description

    @pytest.fixture
    def _far_away(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
        monkeypatch.undo()
        time.tzset()

    @pytest.mark.usefixtures("_far_away")
    def test_times_do_not_depend_on_the_machine(self) -> None:
        assert describe_group(group(), MARKER, address=ADDRESS) == DESCRIPTION

    def test_what_is_not_known_has_no_line(self) -> None:
        bare = ErrorGroup(universe="u", project="p", fingerprint="f")
        assert describe_group(bare, MARKER) == f"|Project|u/p|\n|Fingerprint|f|\n|Reference|{MARKER}|"

    def test_facts(self) -> None:
        description = describe_group(
            group(guids=7, hosts=3, occurrences=1, classifiers=["a", "b\nc"]), MARKER
        )
        for line in ("|Occurrences|1|", "|Hosts|3|", "|GUIDs|7|", "a, b c"):
            assert line in description.split("\n")

    def test_attributes_are_sorted_and_their_values_counted(self) -> None:
        counted = [["few", 1], ["most", 9], ["tie-1", 5], ["tie-2", 5], ["x", 2], ["y", 1], ["z", 0]]
        description = describe_group(
            group(attributes={"b": [["1", 2]], "a": counted, "none": [], "B": "x"}), MARKER
        )
        assert description.endswith(
            "||Attribute||Values (count)||\n"
            "|B|x (1)|\n"
            "|a|most (9) \\\\ tie-1 (5) \\\\ tie-2 (5) \\\\ x (2) \\\\ few (1) \\\\ … 2 more|\n"
            "|b|1 (2)|"
        )

    def test_five_values_are_all_of_five(self) -> None:
        description = describe_group(group(attributes={"a": [[str(n), 1] for n in range(5)]}), MARKER)
        assert "more" not in description

    def test_without_attributes_or_call_stack_there_is_no_heading_for_them(self) -> None:
        assert "Attributes" not in describe_group(group(attributes={"a": []}), MARKER)
        assert "Call stack" not in describe_group(group(callstack=["", "\n"]), MARKER)

    def test_the_call_stack_takes_the_room_that_attributes_leave(self) -> None:
        long_stack = [f"frame {number}" for number in range(5_000)]
        many = {f"attribute {number:04}": [["x" * 100, 1]] for number in range(1_000)}
        alone = describe_group(group(callstack=long_stack, attributes={}), MARKER, address=ADDRESS)
        both = describe_group(group(callstack=long_stack, attributes=many), MARKER)
        short = describe_group(group(callstack=["main"], attributes=many), MARKER)
        assert 32_000 < len(alone) <= 32_767
        assert alone.startswith(DESCRIPTION[:100])
        assert 32_000 < len(both) <= 32_767
        shares = [len(part) for part in both.split("h3. Attributes")]
        assert shares[0] > 20_000
        assert shares[1] > 10_000
        assert len(short.split("h3. Attributes")[1]) > 30_000
        for description in (both, short):
            assert re.search(r"\|… \d{3} more\| \|\Z", description)

    def test_a_text_that_just_fits_is_whole(self) -> None:
        frame = len(describe_group(group(callstack=["x"], attributes={}), MARKER)) - 1
        room = 32_767 - frame - len("\n\nh3. Attributes\n\n")  # kept free even where there are none
        whole = describe_group(group(callstack=["x" * room], attributes={}), MARKER)
        assert "…" not in whole
        assert len(whole) > 32_700


def written_for_jira(made: TicketDraft) -> dict[str, Any]:
    """Return the body as Jira reads it; raises where it is not JSON in UTF-8."""
    body: dict[str, Any] = json.loads(
        json.dumps(made.request_body(), ensure_ascii=False, allow_nan=False).encode()
    )
    assert body == made.request_body()
    return body


def assert_jira_takes(made: TicketDraft) -> None:
    """Hold a draft to the limits and text rules of Jira, whatever the group was."""
    fields = written_for_jira(made)["fields"]
    summary, description = fields["summary"], fields["description"]
    assert summary.strip()
    assert len(summary.splitlines()) == 1
    assert wiki.utf16_length(summary) <= 254
    assert wiki.utf16_length(description) <= 32_767
    assert MARKER in description
    assert MARKER in fields["labels"]
    for label in fields["labels"]:
        assert label
        assert not re.search(r"\s", label)
        assert wiki.utf16_length(label) <= 255
    tags = [line for line in description.split("\n") if line == "{noformat}"]
    assert len(tags) == description.count("{noformat}")
    assert len(tags) % 2 == 0
    assert len(tags) <= 2
    assert all(value not in ("", [], None) for value in fields.values())
    shown = re.sub(r"(?s)\{noformat\}\n.*\n\{noformat\}", "", description)
    for value in (shown, fields.get("customfield_1", "")):
        assert not re.search(r"\[\s*~", value)
        assert wiki.utf16_length(value) <= 32_767
    for value in (summary, description, *fields["labels"], fields.get("customfield_1", "")):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f\ud800-\udfff]", value)


_ACTIVE = [
    "{noformat}",
    "{NoFormat:title=x}",
    "{code}",
    "|",
    "||",
    "\\",
    "\\\\",
    "h1. ",
    "* ",
    "!x.png!",
    "&lt;",
]
_MENTIONS = [
    "[~user]",
    "[ ~x]",
    "[\t~x]",
    "[",
    "~",
    "]",
    "https://h.example/",
    "javascript:",
    "$version",
    "$$",
    ",",
]
_NOT_TEXT = [
    "\x00",
    "\x1b[31m",
    "\r\n",
    "\n",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\ud83d",
    "\udca5",
    "💥",
]
_HOSTILE = st.lists(
    st.one_of(
        st.sampled_from([*_ACTIVE, *_MENTIONS, *_NOT_TEXT]),
        st.text(max_size=6),
        st.sampled_from(["[~x]", "💥", "{noformat}\n", "|", "\\", "!", " \n", "a b "]).map(
            lambda part: part * 3_000
        ),
    ),
    max_size=5,
).map("".join)
_GROUPS = st.builds(
    lambda changes, many: group().model_copy(
        update=changes
        | {
            "attributes": changes["attributes"]
            | {f"{many}{n}": ((many, n),) for n in range(200 if many else 0)}
        }
    ),
    st.fixed_dictionaries(
        {
            "application": st.none() | _HOSTILE,
            "group_url": st.none() | _HOSTILE | _HOSTILE.map(lambda tail: f"https://h.example/{tail}"),
            "callstack": st.lists(_HOSTILE, max_size=4).map(tuple),
            "classifiers": st.lists(_HOSTILE, max_size=4).map(tuple),
            "timestamp": st.none() | st.tuples(st.floats(), st.floats()),
            "occurrences": st.sampled_from([0, 1, -1, 10**400]),
            "attributes": st.dictionaries(
                st.sampled_from(["a", "b"]) | _HOSTILE,
                st.lists(st.tuples(_HOSTILE, st.integers()), max_size=7).map(tuple),
                max_size=4,
            ),
        }
    ),
    st.sampled_from(["", "", "attribute "]) | _HOSTILE,
)
_TEMPLATES = st.sampled_from(
    ["$a", "$a$b", "[$a] $b", "$a,$b", "$a $callstack", "{$application}", "$nothing", "é"]
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(_GROUPS, _TEMPLATES, st.none() | _TEMPLATES)
def test_no_group_makes_a_draft_that_jira_refuses(
    error_group: ErrorGroup, template: str, description: str | None
) -> None:
    custom = {"labels": template, "customfield_1": template}
    if description:
        custom["description"] = description
    made = draft(error_group, subject=template, custom_fields=custom)
    assert_jira_takes(made)


MEGABYTE = 1_000_000
HUGE: dict[str, dict[str, Any]] = {
    "one frame": {"callstack": ["x" * MEGABYTE]},
    "many frames": {"callstack": ["frame {noformat} [~bob]"] * 45_000},
    "blank frames": {"callstack": ["", " "] * 400_000},
    "one backslash after another": {
        "callstack": ["\\" * MEGABYTE],
        "attributes": {"a": [["\\" * 200_000, 1]]},
    },
    "a value": {"attributes": {"a": [["[~bob]|" * 140_000, 1]]}},
    "a name": {"attributes": {"{noformat}|" * 90_000: [["x", 1]]}},
    "many attributes": {"attributes": {f"name {n:05}": [["value", n]] for n in range(8_000)}},
    "many values": {"attributes": {"a": [[f"value {n}", n] for n in range(60_000)]}},
    "an address": {"group_url": "https://h.example/" + "|" * MEGABYTE},
    "an address of another kind": {"group_url": "javascript:" + "[" * 500_000},
    "an application": {"application": "&#" * 500_000},
    "classifiers": {"classifiers": ["[~bob]"] * 150_000},
}


@pytest.mark.parametrize("changes", HUGE.values(), ids=HUGE)
def test_a_megabyte_is_gone_over_a_few_times_only(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Count what is cleaned, escaped and measured, which all work grows with."""
    error_group = group(**changes)
    size = len(error_group.model_dump_json())
    seen = 0

    def counted(name: str) -> None:
        original = getattr(wiki, name)

        def count(value: str, *rest: Any) -> Any:
            nonlocal seen
            seen += len(value)
            return original(value, *rest)

        monkeypatch.setattr(wiki, name, count)

    for name in ("clean", "utf16_length", "_escape_line"):
        counted(name)
    description = describe_group(error_group, MARKER)
    assert seen < 12 * size + 100_000
    monkeypatch.undo()
    assert wiki.utf16_length(description) <= 32_767
    assert_jira_takes(
        draft(error_group, subject="$a", custom_fields={"customfield_1": "$a", "labels": "$b,x"})
    )


@pytest.mark.parametrize("subject", ["$nothing in $nowhere", "$nothing", "$a $a"])
def test_a_subject_of_unknown_attributes_only_is_replaced(subject: str) -> None:
    draft = draft_ticket(group(), integration(subject=subject), "bt-1")
    assert draft.fields["summary"] == "Error in my_app.exe: printf"


def test_a_subject_with_one_known_attribute_stays() -> None:
    draft = draft_ticket(group(), integration(subject="$nothing in $application"), "bt-1")
    assert draft.fields["summary"] == "in my_app.exe"
