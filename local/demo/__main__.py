"""`make demo` and `make up`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from local.aws.environment import without_account
from local.demo.target import Target, WrongSettings, own_jira

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 as it should be, 1 not so, 2 wrong settings, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        target = own_jira(os.environ)
    except WrongSettings as error:
        print(error, file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        if not options.json:
            print("backtrace-jira on this machine: one event, one ticket\n", flush=True)
        with without_account():
            return _run(target, stay=options.stay, machine=options.json)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(target: Target | None, *, stay: bool, machine: bool) -> int:
    """Import what is slow to import, now that the settings can be used."""
    from local.aws.descriptions import read_once

    with read_once():
        from local.demo.run import run

        return run(target, stay=stay, machine=machine)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.demo",
        description="Show one event becoming one ticket on this machine. JIRA_URL, JIRA_USER, JIRA_TOKEN, "
        "JIRA_PROJECT_KEY and perhaps JIRA_ISSUE_TYPE in the environment name a Jira of your own.",
    )
    parser.add_argument("--stay", action="store_true", help="stay up until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    return parser


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Begin to clean up; from now on nothing disturbs that."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
