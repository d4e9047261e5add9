"""README is held to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from backtrace_jira_cli.configure.settings_file import SettingsFile

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "deploy"} <= named
    assert named <= targets


def test_it_is_a_front_page() -> None:
    assert len(README.splitlines()) <= 120


def test_the_settings_shown_are_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    settings = SettingsFile.model_validate(yaml.safe_load(block))
    assert settings.integrations[0].subject == "$error.message in $application"
