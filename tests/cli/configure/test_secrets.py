"""Secrets: where they come from, and that they show nowhere."""

from __future__ import annotations

import copy
import logging
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import (
    BACKTRACE_TOKEN,
    JIRA_TOKEN,
    PREFIX,
    SECRETS,
    SETTINGS,
    Operator,
    answered,
    refuse,
)

ROOT = Path(__file__).parents[3]


def jira_secret(operator: Operator) -> str:
    return operator.stored()["secrets/jira/main"][1]


def with_credential(kind: str) -> dict[str, object]:
    settings = copy.deepcopy(SETTINGS)
    settings["connections"][0]["credential"] = kind
    return settings


def test_no_secret_in_output_or_logs(operator: Operator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outputs = [
        operator.configure(SETTINGS, *options).output for options in (["--yes"], ["--json"], ["--dry-run"])
    ]
    for secret in (JIRA_TOKEN, BACKTRACE_TOKEN):
        assert secret not in "".join(outputs) + caplog.text


def test_a_stored_secret_is_kept(operator: Operator, requests: list[tuple[str, str]]) -> None:
    operator.configure(SETTINGS, "--yes")
    operator.secrets = {}
    requests.clear()
    result = operator.configure(SETTINGS, "--yes")
    assert (result.exit_code, requests) == (0, [])
    assert result.stdout.count("| kept") == 2


def test_a_variable_comes_before_what_is_stored(operator: Operator) -> None:
    operator.configure(SETTINGS, "--yes")
    operator.secrets["BACKTRACE_JIRA_TOKEN_MAIN"] = " another\r\n"
    operator.configure(SETTINGS, "--yes")
    assert jira_secret(operator) == "another"


def test_without_a_terminal_the_missing_variables_are_named(
    operator: Operator, requests: list[tuple[str, str]]
) -> None:
    operator.secrets = {}
    report = operator.json(SETTINGS, "--yes")
    assert (report["exit_code"], requests) == (2, [])
    assert [fault["where"] for fault in report["faults"]] == sorted(SECRETS)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "  \n",
        "two words",
        "line\nend",
        "zero\u200bwidth",
        "umlaut-ä",
        "bell\x07",
        "{{x}}",
        "x" * 5000,
        "lone\udc80",
    ],
    ids=ascii,
)
def test_what_cannot_be_a_token_is_refused(
    operator: Operator, requests: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    operator.secrets = {"BACKTRACE_JIRA_TOKEN_MAIN": bad, "BACKTRACE_TOKEN_MY_UNIVERSE": "fine"}
    result = operator.configure(SETTINGS, "--yes")
    assert (result.exit_code, requests) == (2, [])
    assert "BACKTRACE_JIRA_TOKEN_MAIN" in result.stderr
    assert not bad.strip() or bad not in result.output


def test_a_password_may_have_more_and_is_deprecated(operator: Operator) -> None:
    operator.secrets["BACKTRACE_JIRA_TOKEN_MAIN"] = "correct horse ä"
    result = operator.configure(with_credential("password"), "--yes")
    assert jira_secret(operator) == "correct horse ä"
    assert "deprecated" in result.stderr


@pytest.mark.usefixtures("at_terminal")
def test_at_a_terminal_it_is_asked_for(operator: Operator) -> None:
    operator.secrets = {}
    result = operator.configure(SETTINGS, typing=f"\n{JIRA_TOKEN}\n{BACKTRACE_TOKEN} \ny\n")
    assert result.exit_code == 0
    assert "API token of Jira connection main" in result.stderr
    assert "The secret that you typed is empty." in result.stderr
    assert jira_secret(operator) == JIRA_TOKEN
    assert JIRA_TOKEN not in result.output


@pytest.mark.usefixtures("at_terminal")
def test_it_is_not_asked_for_for_ever(operator: Operator) -> None:
    operator.secrets = {}
    result = operator.configure(SETTINGS, typing="two words\n" * 3)
    assert (result.exit_code, operator.stored()) == (1, {})


@pytest.mark.usefixtures("at_terminal")
def test_stored_secrets_are_asked_for_on_request(operator: Operator) -> None:
    operator.configure(SETTINGS, "--yes")
    operator.secrets = {}
    operator.configure(SETTINGS, "--ask-secrets", typing=f"another\n{BACKTRACE_TOKEN}\ny\n")
    assert jira_secret(operator) == "another"
    assert operator.stored()["secrets/backtrace/my_universe"][1] == BACKTRACE_TOKEN


def test_a_stored_secret_that_may_not_be_read_is_written_again(
    operator: Operator, requests: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.configure(SETTINGS, "--yes")
    requests.clear()
    denied = answered("AccessDeniedException", "GetParameter")
    refuse(monkeypatch, lambda operation, _: denied if operation == "GetParameter" else None)
    operator.configure(SETTINGS, "--yes")
    assert requests == [
        ("PutParameter", "secrets/jira/main"),
        ("PutParameter", "secrets/backtrace/my_universe"),
    ]


def test_what_is_listed_is_not_decrypted(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    operator.configure(SETTINGS, "--yes")
    from backtrace_jira_cli.deployment.parameter_store import ParameterStore

    stored = ParameterStore(operator.ssm).read(PREFIX)
    assert stored[f"{PREFIX}/secrets/jira/main"].text == ""
    assert JIRA_TOKEN not in repr(stored)


SCRIPT = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that the prompt finds the terminal as /dev/tty
from moto import mock_aws
from backtrace_jira_cli.app import app
with mock_aws():
    app(sys.argv[1:])
"""


def test_what_is_typed_at_a_real_terminal_does_not_show(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("backtrace:\n  - universe: u\n    address: https://example.com\n")
    ours, theirs = pty.openpty()
    env = os.environ | {"PYTHONPATH": f"{ROOT}/layers/bridge:{ROOT}/cli", "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-c", SCRIPT, "configure", str(file)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    )
    os.close(theirs)
    try:
        screen = _until(ours, "universe u")
        os.write(ours, b"canary-typed\n")
        screen += _until(ours, "[y/N]")
        os.write(ours, b"y\n")
        screen += _until(ours, "Done")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "as typed" in screen
    assert "canary-typed" not in screen


def _until(terminal: int, text: str, seconds: float = 30) -> str:
    """Read the terminal until a text has come."""
    seen, deadline = "", time.monotonic() + seconds
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.5)[0]:
            seen += os.read(terminal, 4096).decode()
    return seen
