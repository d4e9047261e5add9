"""README is held to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from backtrace_jira.outcomes import Decision
from backtrace_jira_cli.configure.settings_file import SettingsFile

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "deploy"} <= named
    assert named <= targets


def test_every_local_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_decision_is_explained_and_none_is_made_up() -> None:
    assert [
        decision for decision in Decision if f"`{decision}`" not in README.replace("decision: ", "")
    ] == []
    assert set(re.findall(r"`decision: ([a-z_]+)`", README)) <= set(Decision)


def test_the_settings_shown_are_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    settings = SettingsFile.model_validate(yaml.safe_load(block))
    assert settings.integrations[0].subject == "$error.message in $application"
