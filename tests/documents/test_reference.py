"""The references say what the settings models and the operator's command say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from backtrace_jira_cli.configure.settings_file import SettingsFile
from docs.write_reference import documents, main, readers

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", documents())
def test_the_document_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path], "run: make docs"


def test_every_key_is_in_the_reference_with_a_meaning() -> None:
    text = documents()["docs/settings.md"]
    for section in SettingsFile.model_fields.values():
        model = section.annotation.__args__[0]  # type: ignore[union-attr]
        for key, field in model.model_fields.items():
            assert field.description
            assert f"| `{key}` | {'yes' if field.is_required() else 'no'} |" in text


def test_the_schema_accepts_the_example_and_refuses_unknown_keys() -> None:
    schema = json.loads(documents()["docs/settings.schema.json"])
    example = yaml.safe_load((ROOT / "docs/settings.example.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(example)
    example["connections"][0]["token"] = "x"
    assert not validator.is_valid(example)


def test_every_command_and_option_is_in_the_reference_with_a_meaning() -> None:
    text = documents()["docs/commands.md"]
    groups = {"links": ("list", "show", "check", "add", "remove"), "webhook": ("install", "status", "remove")}
    names = ["configure", "check", "explain", *(f"{one} {two}" for one in groups for two in groups[one])]
    assert re.findall(r"^## `backtrace-jira (.+)`$", text, re.MULTILINE) == names
    rows = re.findall(r"^\| (`.+`) \| (.*) \|$", text, re.MULTILINE)
    assert ("`--dry-run`", "Show what would change. Write nothing, ask nothing.") in rows
    assert [name for name, meaning in rows if not meaning] == []


@pytest.mark.parametrize("key", ["sync", "fix_versions"])
def test_the_settings_shown_for_a_part_of_an_integration_are_valid(key: str) -> None:
    shown = re.findall(r"^```yaml\n(    .*?)```", documents()["docs/settings.md"], re.MULTILINE | re.DOTALL)
    (part,) = [yaml.safe_load(text) for text in shown if key in yaml.safe_load(text)]
    example = yaml.safe_load((ROOT / "docs/settings.example.yaml").read_text(encoding="utf-8"))
    example["integrations"][0] |= part
    settings = SettingsFile.model_validate(example)
    assert (
        getattr(settings.integrations[0], key).model_dump(exclude_unset=True, mode="json").keys()
        == part[key].keys()
    )


def test_who_reads_what_comes_from_the_template() -> None:
    assert "secrets/jira/" in readers(ROOT / "template.yaml")["create_ticket"]


def test_writing_the_documents(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for path in ("template.yaml", "docs/settings.example.yaml"):
        (tmp_path / path).write_bytes((ROOT / path).read_bytes())
    main(tmp_path)
    for path, text in documents().items():
        assert (tmp_path / path).read_text(encoding="utf-8") == text
