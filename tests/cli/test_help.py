"""`--help` is complete, its examples work, and it does not wait for AWS's library."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from backtrace_jira_cli.app import app
from backtrace_jira_cli.exits import Exit

ROOT = Path(__file__).parents[2]


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS: dict[str, Any] = dict(commands(typer.main.get_command(app)))


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert result.exit_code == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", result.output)


def examples_of(command: str) -> list[list[str]]:
    text = re.sub(r"\\\s*\n", " ", help_of(*command.split()))
    return [shlex.split(line) for line in re.findall(r"^\s*\$ (backtrace-jira .+?)\s*$", text, re.MULTILINE)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    text = help_of(*command.split())
    for parameter in COMMANDS[command].params:
        assert parameter.help, parameter.name
        assert all(name in text for name in parameter.opts if name.startswith("-"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_example_is_a_valid_call(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("settings.yaml").write_text("connections: []\n")
    examples = examples_of(command)
    assert examples
    for _, *words in examples:
        name = max((each for each in COMMANDS if words[: len(each.split())] == each.split()), key=len)
        COMMANDS[name].make_context(name, words[len(name.split()) :])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_exit_code_is_explained(command: str) -> None:
    lines = help_of(*command.split()).partition("Exit codes:")[2].splitlines()
    for code in Exit:
        assert any(line.strip().startswith(f"{int(code)} ") for line in lines)


def test_version_and_no_command() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("backtrace-jira ")
    assert "configure" in CliRunner().invoke(app, []).output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_no_aws_library(command: str) -> None:
    script = (
        "import sys\nfrom backtrace_jira_cli.app import app\n"
        f"app({[*command.split(), '--help']}, standalone_mode=False)\n"
        "print([name for name in ('boto3', 'botocore', 'backtrace_jira', 'yaml') if name in sys.modules])"
    )
    env = os.environ | {"PYTHONPATH": f"{ROOT}/layers/bridge:{ROOT}/cli"}
    ran = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
