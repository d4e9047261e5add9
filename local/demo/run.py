"""The demo as a whole: bring everything up, tell the story, show it, clean up."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time

from rich.console import Console

from local import CACHE
from local.demo.screen import Progress, new_console, show, show_addresses, show_end
from local.demo.story import Story, tell
from local.demo.target import Target
from local.sample import new_group, sample_group
from local.stack import LocalStack

LOG = CACHE / "demo.log"
POLL_SECONDS = 0.5
TICK_SECONDS = 5.0


def run(own: Target | None, *, stay: bool, machine: bool) -> int:
    """Return 0 when all is as it should be, else 1."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    console = new_console(quiet=machine)
    progress = Progress(console)
    stack = LocalStack(log=LOG)
    try:
        with progress.shown():
            progress.step("Starting Jira, Backtrace and AWS, with the stack of template.yaml")
            stack.start()
            story = _story(stack, own, progress)
        _show(console, story, machine=machine, lasts=stay or own is not None)
        if stay:
            with contextlib.suppress(KeyboardInterrupt):  # the way to end this
                _stay(console, stack)
    finally:
        stack.stop()
    return 1 if story.problems else 0


def _show(console: Console, story: Story, *, machine: bool, lasts: bool) -> None:
    if machine:
        print(json.dumps(story.document(), indent=2), flush=True)
    show(console, story, lasts=lasts)
    show_end(console, story)


def _story(stack: LocalStack, own: Target | None, progress: Progress) -> Story:
    """Tell it about the sample; another Jira has perhaps seen that one, so it gets a new error group."""
    target = own or Target(stack.connection(), stack.jira.token)
    group = new_group() if own else sample_group()
    return tell(stack, target, group, progress.step)


def _stay(console: Console, stack: LocalStack) -> None:
    """Go on delivering, and let the clock strike, until a signal comes."""
    show_addresses(console, stack)
    stack.jira.deliver_automatically()
    sys.stdout.flush()
    due = time.monotonic()
    while not threading.Event().wait(POLL_SECONDS):
        with contextlib.suppress(TimeoutError):  # what comes back at once is tried again next time
            stack.settle()
        if time.monotonic() >= due:
            due = time.monotonic() + TICK_SECONDS
            _tick(stack)


def _tick(stack: LocalStack) -> None:
    """Run what runs by a schedule, more often than in AWS: here somebody is watching."""
    for function in stack.schedules:
        with contextlib.suppress(Exception):  # it is in the log, and the next time may be better
            stack.tick(function)
