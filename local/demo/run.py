"""The demo as a whole: start the stack, play the story, show it, stop the stack."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
import time

from rich.console import Console

from local import CACHE
from local.demo.screen import Progress, new_console, show, show_addresses, show_end
from local.demo.story import Story, play_story
from local.demo.target import Target
from local.sample import new_group, sample_group
from local.stack import LocalStack

LOG = CACHE / "demo.log"
POLL_SECONDS = 0.5
TICK_SECONDS = 5.0


def run(own: Target | None, *, stay: bool, machine: bool) -> int:
    """Return 0 if the story has no problems, else 1."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    console = new_console(quiet=machine)
    progress = Progress(console)
    stack = LocalStack(log=LOG)
    try:
        with progress.shown():
            progress.step("Starting Jira, Backtrace and AWS, with the stack of template.yaml")
            stack.start()
            story = _play(stack, own, progress)
        _show(console, story, machine=machine, lasts=stay or own is not None)
        if stay:
            with contextlib.suppress(KeyboardInterrupt):  # a person ends the demo by Ctrl-C
                _stay(console, stack)
    finally:
        # A thread of the stack may still log when its file is closed: logging would print a traceback at the end.
        logging.raiseExceptions = False
        stack.stop()
    return 1 if story.problems else 0


def _show(console: Console, story: Story, *, machine: bool, lasts: bool) -> None:
    if machine:
        print(json.dumps(story.document(), indent=2), flush=True)
    show(console, story, lasts=lasts)
    show_end(console, story)


def _play(stack: LocalStack, own: Target | None, progress: Progress) -> Story:
    """Play the story with the sample's error group. For a Jira of the user's own, play it with a new group.

    An earlier demo may have made the sample's ticket there already.
    """
    target = own or Target(stack.connection(), stack.jira.token)
    # A page of this Backtrace, so that the ticket has it as a link; the sample's is one of no universe here.
    page = f"{stack.backtrace.url}/dashboard/my_universe/project/my_project/group/8dfcce07a34e418c"
    group = new_group(group_url=page) if own else sample_group(group_url=page)
    return play_story(stack, target, group, progress.step)


def _stay(console: Console, stack: LocalStack) -> None:
    """Serve the queues and run the schedules until a signal comes."""
    show_addresses(console, stack)
    stack.jira.deliver_automatically()
    sys.stdout.flush()
    due = time.monotonic()
    while not threading.Event().wait(POLL_SECONDS):
        with contextlib.suppress(TimeoutError):  # messages that keep coming back are served in the next round
            stack.settle()
        if time.monotonic() >= due:
            due = time.monotonic() + TICK_SECONDS
            _run_schedules(stack)


def _run_schedules(stack: LocalStack) -> None:
    """Run each schedule's function, more often than AWS does: here a person waits for it."""
    for function in stack.schedules:
        with contextlib.suppress(Exception):  # the log has the error, and the next round runs it again
            stack.tick(function)
