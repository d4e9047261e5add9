"""What a contributor is told, and what looks after the project, name what there is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from configparser import ConfigParser
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from backtrace_jira.settings.parameter_names import ParameterNames
from tests.builders import ROOT
from tests.documents.template import FUNCTIONS, PSEUDO, granted, resource_of

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
WORKFLOW = ROOT / ".github/workflows/ci.yml"
FORMS = sorted(path for path in ROOT.glob(".github/ISSUE_TEMPLATE/*.yml") if path.name != "config.yml")
YAML = sorted([*ROOT.glob("*.y*ml"), *ROOT.glob(".pre-commit*.yaml"), *ROOT.glob(".github/**/*.yml")])


def read(path: Path) -> Any:
    return yaml_parse(path.read_text(encoding="utf-8"))  # it knows CloudFormation's tags, too


def commands_of(target: str) -> list[str]:
    """Return what a target runs of .venv, in order, without what stands in front (variables)."""
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    return [line.split("$(BIN)/", 1)[1] for line in recipe[1].splitlines() if "$(BIN)/" in line]


@pytest.mark.parametrize("path", YAML, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_yaml_can_be_read(path: Path) -> None:
    assert read(path)


# CI


def test_the_workflow_runs_what_anybody_can_run_and_nothing_else() -> None:
    (job,) = read(WORKFLOW)["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert job["timeout-minutes"] <= 60


def test_the_workflow_may_read_the_source_and_no_more() -> None:
    workflow = read(WORKFLOW)
    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML takes the key `on` for true
    assert "secrets." not in WORKFLOW.read_text()


def test_ci_has_the_oldest_python_that_is_supported_and_lambda_s() -> None:
    (job,) = read(WORKFLOW)["jobs"].values()
    versions = next(step["with"] for step in job["steps"] if "python-version" in step.get("with", {}))
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(
        ">="
    )
    deployed = read(ROOT / "template.yaml")["Globals"]["Function"]["Runtime"].removeprefix("python")
    assert versions["python-version"].split() == [deployed, oldest]


def test_ci_runs_the_test_command_of_the_readme_and_the_linters() -> None:
    called = re.findall(r"^make (\w+)", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert {"test", "check"} <= set(called) <= TARGETS
    assert re.search(r"^make test ", (ROOT / "README.md").read_text(), re.MULTILINE)


# What a contributor is told


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", ".github/PULL_REQUEST_TEMPLATE.md"]
)
def test_make_targets_that_a_document_names_exist(name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / name).read_text(), re.MULTILINE))
    assert named <= TARGETS


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+)", listed, re.MULTILINE)) == TARGETS


def test_every_target_is_phony() -> None:
    phony = {name for line in re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE) for name in line.split()}
    assert phony == TARGETS


def test_each_folder_of_tests_has_its_line() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.name for path in ROOT.glob("tests/*/") if any(path.glob("**/*.py"))}
    assert [name for name in sorted(folders) if f"`tests/{name}/" not in text] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_what_the_platform_asks_for(form: Path) -> None:
    read_form = read(form)
    assert read_form["name"]
    assert read_form["description"]
    fields = [field for field in read_form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids)) > 0
    assert all(field["attributes"]["label"] for field in fields if field["type"] != "checkboxes")


# Hooks and editors


def test_hooks_run_commands_of_make_check() -> None:
    hooks = [hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in hooks] == [
        command for command in commands_of("check") if command.split()[0] in ("ruff", "mypy", "codespell")
    ]
    assert not any(hook["pass_filenames"] for hook in hooks)


def test_editors_break_lines_where_ruff_does() -> None:
    settings = ConfigParser()
    settings.read_string("[root]\n" + (ROOT / ".editorconfig").read_text())
    limit = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["line-length"]
    assert settings["*.py"].getint("max_line_length") == limit


def test_what_is_marked_as_written_by_a_command_exists() -> None:
    marked = re.findall(r"^(\S+) linguist-generated$", (ROOT / ".gitattributes").read_text(), re.MULTILINE)
    assert marked
    assert [path for path in marked if not (ROOT / path).is_file()] == []


def test_the_update_bot_looks_where_pins_are() -> None:
    (pip,) = [
        each
        for each in read(ROOT / ".github/dependabot.yml")["updates"]
        if each["package-ecosystem"] == "pip"
    ]
    assert all(any((ROOT / folder.lstrip("/")).glob("requirements*.txt")) for folder in pip["directories"])


# Secrets


def secrets_of_the_document() -> list[tuple[str, set[str]]]:
    """Return the parameters of SECURITY.md, and the functions that may read each."""
    rows = re.findall(r"^\| .+ \| `(/.+)` \| (.+) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    return [(name, set(re.findall(r"`(\w+)`", readers))) for name, readers in rows]


@pytest.mark.parametrize(("parameter", "readers"), secrets_of_the_document())
def test_a_secret_may_be_read_by_the_functions_that_the_document_names(
    parameter: str, readers: set[str]
) -> None:
    name = re.sub(r"<\w+>", "x", parameter.replace("<stage>", "dev"))
    arn = f"arn:aws:ssm:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:parameter{name}"
    may_read = {
        function
        for function in FUNCTIONS
        if any(
            fnmatchcase(arn, place) for place in granted(f"{resource_of(function)}Role")["ssm:GetParameter"]
        )
    }
    assert may_read == readers


def test_the_document_has_every_secret() -> None:
    names = ParameterNames("/backtrace-jira/<stage>")
    assert [name for name, _ in secrets_of_the_document()] == [
        names.jira_secret("<connection>"),
        names.backtrace_secret("<universe>"),
        names.webhook_secret("<connection>"),
    ]
