"""Broken settings files: each mistake is found at its place, and no value is ever repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from backtrace_jira_cli.configure.settings_file import read_settings
from backtrace_jira_cli.configure.yaml_reader import LARGEST_FILE, read_yaml
from tests.cli.conftest import Operator

CANARY = "canary7f3a9"
URL = "https://canary7f3a9.example.com/rest/api/2/"
CONNECTION = f"  - name: main\n    jira_api: {URL}\n    email: {CANARY}@example.com\n"
UNIVERSE = f"  - universe: u\n    address: https://{CANARY}.example.com\n"
INTEGRATION = (
    f"  - universe: u\n    project: {CANARY}\n    name: one\n    connection: main\n"
    f"    project_key: {CANARY}\n    subject: {CANARY}\n"
)
WHOLE = f"connections:\n{CONNECTION}backtrace:\n{UNIVERSE}integrations:\n{INTEGRATION}"

Expected = list[tuple[str, int, str]]


def changed(old: str, new: str) -> str:
    assert WHOLE.count(old) == 1
    return WHOLE.replace(old, new)


def connection(text: str) -> str:
    return f"connections:\n{text}"


BROKEN: dict[str, tuple[str | bytes, Expected]] = {
    "empty": ("# nothing\n", [("the file", 0, "is empty")]),
    "no mapping": (f"- {CANARY}\n", [("the file", 1, "group of lines")]),
    "a text": (f"{CANARY}\n", [("the file", 1, "group of lines")]),
    "unknown section": (f"{WHOLE}extra: {CANARY}\n", [("extra", 15, "connections, backtrace, integrations")]),
    "misspelt key": (
        changed("project_key:", "project_kye:"),
        [
            ("integrations[0].project_key", 9, "is missing: Project Key"),
            ("integrations[0].project_kye", 13, "did you mean project_key?"),
        ],
    ),
    "section is a text": (f"connections: {CANARY}\n", [("connections", 1, "has to be a list")]),
    "section is empty": ("connections:\n", [("connections", 1, "is empty")]),
    "item is a text": (f"connections:\n  - {CANARY}\n", [("connections[0]", 2, "group of lines")]),
    "API version": (
        changed("/rest/api/2/", "/rest/api/3/"),
        [("connections[0].jira_api", 3, "/rest/api/2/")],
    ),
    "no API path": (
        changed("/rest/api/2/", f"/{CANARY}"),
        [("connections[0].jira_api", 3, "does not end in /rest/api/2/")],
    ),
    "password in the URL": (
        connection(f"  - name: a\n    jira_api: https://me:{CANARY}@x.com/rest/api/2\n    email: e\n"),
        [("connections[0].jira_api", 3, "user name or password")],
    ),
    "not encrypted": (
        changed(f"address: https://{CANARY}", f"address: http://{CANARY}"),
        [("backtrace[0].address", 7, "not encrypted")],
    ),
    "name with a slash": (
        connection(f"  - name: {CANARY}/x\n    jira_api: {URL}\n    email: e\n"),
        [("connections[0].name", 2, "1 to 64")],
    ),
    "no e-mail": (
        connection(f"  - name: main\n    jira_api: {URL}\n"),
        [("connections[0]", 2, "email is required")],
    ),
    "credential is the token": (
        connection(f"  - name: main\n    jira_api: {URL}\n    email: e\n    credential: {CANARY}\n"),
        [("connections[0].credential", 5, "'api_token', 'password' or 'personal_access_token'")],
    ),
    "a token": (
        changed(f"{CANARY}@example.com\n", f"{CANARY}@example.com\n    token: {CANARY}\n"),
        [("connections[0].token", 5, "BACKTRACE_JIRA_TOKEN_<CONNECTION NAME>")],
    ),
    "secrets everywhere": (
        f"{WHOLE}    apiToken: {CANARY}\n    my-secret: [{CANARY}]\npassword: {CANARY}\n",
        [
            ("integrations[0].apiToken", 15, "secrets don't belong"),
            ("integrations[0].my-secret", 16, "secrets don't belong"),
            ("password", 17, "secrets don't belong"),
        ],
    ),
    "empty value": (changed(f"subject: {CANARY}", "subject:"), [("integrations[0].subject", 14, "is empty")]),
    "blank value": (
        changed(f"subject: {CANARY}", "subject: ' '"),
        [("integrations[0].subject", 14, "is empty")],
    ),
    "value is a list": (
        changed(f"subject: {CANARY}", f"subject: [{CANARY}]"),
        [("integrations[0].subject", 14, "one text")],
    ),
    "custom field is a list": (
        f"{WHOLE}    custom_fields:\n      Fix Version/s:\n        - {CANARY}\n",
        [('integrations[0].custom_fields["Fix Version/s"]', 16, "one text")],
    ),
    "custom field is a group with an unknown key": (
        f"{WHOLE}    custom_fields:\n      Notes:\n        text: a\n        row: {CANARY}\n",
        [("integrations[0].custom_fields.Notes.row", 18, "did you mean raw?")],
    ),
    "custom field is a group without a text": (
        f"{WHOLE}    custom_fields:\n      Notes:\n        raw: true\n",
        [("integrations[0].custom_fields.Notes.text", 16, "is missing: The text")],
    ),
    "custom field without a name": (
        f"{WHOLE}    custom_fields:\n      '': {CANARY}\n",
        [('integrations[0].custom_fields[""]', 16, "is empty")],
    ),
    "custom field that hides itself": (
        f'{WHOLE}    custom_fields:\n      "\\e[2J": [{CANARY}]\n',
        [('integrations[0].custom_fields["?[2J"]', 16, "one text")],
    ),
    "key twice": (
        changed("    name: one\n", f"    name: one\n    name: {CANARY}\n"),
        [("integrations[0].name", 12, "first in line 11")],
    ),
    "section twice": (f"{WHOLE}backtrace: []\n", [("backtrace", 15, "first in line 5")]),
    "connection twice": (
        changed(CONNECTION, CONNECTION * 2),
        [("connections[1].name", 5, "has the name of connections[0] (line 2)")],
    ),
    "universe twice": (
        changed(UNIVERSE, UNIVERSE * 2),
        [("backtrace[1].universe", 8, "has the universe of backtrace[0] (line 6)")],
    ),
    "integration twice": (
        WHOLE + INTEGRATION,
        [("integrations[1].name", 17, "universe and project and name of integrations[0] (line 9)")],
    ),
    "one variable for two secrets": (
        changed(CONNECTION, CONNECTION + CONNECTION.replace("main", "MAIN")),
        [("connections[1].name", 5, "same environment variable as connections[0]")],
    ),
    "tab": (f"connections:\n\t- name: {CANARY}\n", [("the file", 2, "a tab")]),
    "colon in a text": (changed(f"subject: {CANARY}", f"subject: {CANARY}: x"), [("the file", 14, "quotes")]),
    "text with a star": (
        changed(f"subject: {CANARY}", f"subject: *{CANARY}"),
        [("the file", 14, "starts with *")],
    ),
    "text with an at": (
        changed(f"subject: {CANARY}", f"subject: @{CANARY}"),
        [("the file", 14, "starts with @")],
    ),
    "text with an exclamation mark": (
        changed(f"subject: {CANARY}", f"subject: !{CANARY} x"),
        [("integrations[0].subject", 14, "starts with !")],
    ),
    "text in braces": (
        changed(f"subject: {CANARY}", f"subject: {{{{{CANARY}}}}}"),
        [("integrations[0].subject", 14, "a key that is a list or a group")],
    ),
    "python object": (
        changed(f"subject: {CANARY}", f"subject: !!python/object/apply:os.system [{CANARY}]"),
        [("integrations[0].subject", 14, "carries a YAML tag")],
    ),
    "open quote": (changed(f"subject: {CANARY}", f'subject: "{CANARY}'), [("the file", 15, "never closed")]),
    "open bracket": (
        changed(f"subject: {CANARY}", f"subject: [{CANARY}"),
        [("the file", 15, "never closed")],
    ),
    "indented wrongly": (changed("    name: one", "   name: one"), [("the file", 11, "is indented wrongly")]),
    "second document": (f"{WHOLE}---\nx: {CANARY}\n", [("the file", 15, "second document")]),
    "anchor to itself": ("connections: &a [*a]\n", [("connections[0]", 1, "refers to itself")]),
    "too large": (f"# {CANARY}\n" * (LARGEST_FILE // 10), [("the file", 0, "larger than")]),
    "too deep": ("[" * 1000, [("the file", 0, "nested too deeply")]),
    "bomb": (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
        [("the file", 0, "expands to more than")],
    ),
    "Latin-1": (f"# {CANARY}\n# caf\xe9\n".encode("latin-1"), [("the file", 2, "UTF-8")]),
    "control character": (f"connections: []\n# {CANARY}\x07\n", [("the file", 2, "control character")]),
    "too much for a parameter": (
        changed(f"subject: {CANARY}", f"subject: {CANARY * 800}"),
        [("integrations[0]", 9, "a parameter holds 8,192")],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file(name: str, operator: Operator, requests: list[tuple[str, str]]) -> None:
    text, expected = BROKEN[name]
    operator.secrets = {}
    report = operator.configure(text, "--yes", "--json")
    shown = operator.configure(text, "--yes")
    assert (report.exit_code, shown.exit_code, requests) == (2, 2, [])
    assert CANARY not in report.output + shown.output
    faults = [(fault.where, fault.line, fault.expected) for fault in read_settings(_raw(text)).faults]
    for where, line, says in expected:
        match = [fault for fault in faults if fault[:2] == (where, line) and says in fault[2]]
        assert match, faults
        assert f"{where} " in shown.stderr
        assert match[0][2] in shown.stderr
    wheres = {fault[0] for fault in faults}
    assert wheres <= {where for where, _, _ in expected}, faults


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def test_the_whole_file_is_valid() -> None:
    assert read_settings(WHOLE.encode()).faults == ()


def test_every_mistake_is_listed_at_once(operator: Operator) -> None:
    text = (
        f"connections:\n  - name: {CANARY} x\n    jira_api: {CANARY}\n    secret: {CANARY}\n"
        f"backtrace:\n  - universe: u\nintegrations:\n  - universe: v\n    project_key: {CANARY}\n"
        f"    project_key: {CANARY}\n"
    )
    report = operator.json(text)
    assert sorted((fault["line"], fault["where"]) for fault in report["faults"]) == [
        (2, "connections[0].name"),
        (3, "connections[0].jira_api"),
        (4, "connections[0].secret"),
        (6, "backtrace[0].address"),
        (8, "integrations[0].connection"),
        (8, "integrations[0].name"),
        (8, "integrations[0].project"),
        (8, "integrations[0].subject"),
        (8, "integrations[0].universe"),
        (10, "integrations[0].project_key"),
    ]


@pytest.mark.parametrize(
    "written", ["NO", "on", "123", "0x1F", "1.10", "1_000", "2026-01-01", "12:30:45", ".inf", "=", "<<"]
)
def test_a_value_is_taken_as_it_is_written(written: str) -> None:
    reading = read_settings(changed(f"project_key: {CANARY}", f"project_key: {written}").encode())
    assert reading.settings is not None, reading.faults
    assert reading.settings.integrations[0].project_key == written


def test_a_custom_field_with_live_markup() -> None:
    text = f"{WHOLE}    custom_fields:\n      a: b\n      Notes:\n        text: $c\n        raw: true\n"
    reading = read_settings(text.encode())
    assert reading.settings is not None, reading.faults
    (integration,) = reading.settings.integrations
    assert integration.field_texts == {"a": "b", "Notes": "$c"}
    assert [integration.is_raw(name) for name in ("a", "Notes")] == [False, True]
    assert type(integration).model_validate_json(integration.model_dump_json()) == integration


def test_anchors_and_merges() -> None:
    text = f"{WHOLE}    custom_fields: &fields\n      a: b\n".replace(
        "  - universe: u\n    project", "  - &first\n    universe: u\n    project"
    )
    text += "  - <<: *first\n    name: two\n"
    text += "  - <<: [*first]\n    name: three\n    custom_fields:\n      <<: *fields\n      a: c\n"
    reading = read_settings(text.encode())
    assert reading.settings is not None, reading.faults
    assert [(one.name, one.custom_fields) for one in reading.settings.integrations] == [
        ("one", {"a": "b"}),
        ("two", {"a": "b"}),
        ("three", {"a": "c"}),
    ]


def test_lines_are_those_of_the_item_and_not_of_what_it_merges() -> None:
    document = read_yaml(b"a: &a\n  x: 1\nb:\n  <<: *a\n  x: 2\n")
    assert document.data == {"a": {"x": "1"}, "b": {"x": "2"}}
    assert document.lines["b", "x"] == 5


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert read_settings(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode()).faults == ()


def test_the_example_file_is_valid() -> None:
    example = Path(__file__).parents[3] / "docs/settings.example.yaml"
    reading = read_settings(example.read_bytes())
    assert (reading.faults, reading.references) == ((), ())
