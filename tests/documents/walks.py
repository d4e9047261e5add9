"""What is entered, in which order, when an error event, a webhook or a changed version comes in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import pytest

from apply_jira_change import handler as apply_handler
from backtrace_jira.bootstrap import apply_jira_change, create_ticket, poll_fix_versions, receive_webhook
from create_ticket import handler as create_handler
from poll_fix_versions import handler as poll_handler
from receive_webhook import handler as webhook_handler
from tests.builders import ROOT, sample_body
from tests.world.sync_world import MakeSyncWorld, SyncWorld, http_event

CORE = ROOT / "layers/bridge/backtrace_jira"
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)


class Walk:
    """The functions of ours that were entered, as `path/file.py::name`, in the order of their first time."""

    def __init__(self) -> None:
        self.entered: dict[str, None] = {}
        self._names: dict[CodeType, str] = {}

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record what this thread enters."""
        before = sys.getprofile()
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(before)

    @property
    def files(self) -> list[str]:
        """Return the files, in the order in which they were entered."""
        return list(dict.fromkeys(name.partition("::")[0] for name in self.entered))

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            code = frame.f_code
            name = self._names.get(code)
            if name is None:
                name = self._names[code] = _name(code)
            if name:
                self.entered.setdefault(name)


def _name(code: CodeType) -> str:
    """Name a function of ours; what Python makes itself, and what only builds an object, is left out."""
    path = Path(code.co_filename)
    for root in (CORE, ROOT / "functions"):
        if path.is_relative_to(root) and "<" not in code.co_qualname and code.co_name != "__init__":
            shown = path.relative_to(CORE if root == CORE else ROOT)
            return f"{shown}::{code.co_qualname}"
    return ""


def error_event(make: MakeSyncWorld, patch: pytest.MonkeyPatch) -> Walk:
    """An error group that has no ticket."""
    world, walk = make(), Walk()
    _connect(world, patch)
    event = world.event(sample_body())
    with walk.recorded():
        answer = create_handler.lambda_handler(event, CONTEXT)
    assert answer == {"batchItemFailures": []}
    world.assert_one_ticket()
    return walk


def webhook(make: MakeSyncWorld, patch: pytest.MonkeyPatch) -> Walk:
    """A ticket that somebody closes."""
    world, walk = _with_ticket(make, patch), Walk()
    (issue,) = world.jira.issues.values()
    world.jira.transition(issue.key, "Done")
    (delivery,) = world.jira.webhooks.outbox
    with walk.recorded():
        answer = webhook_handler.lambda_handler(http_event(delivery.body, delivery.headers), CONTEXT)
    assert answer["statusCode"] == 200
    (hint,) = world.changes_waiting()
    message = {"eventSource": "aws:sqs", "messageId": "m", "receiptHandle": "h", "body": json.dumps(hint)}
    with walk.recorded():
        answer = apply_handler.lambda_handler({"Records": [message]}, CONTEXT)
    assert answer == {"batchItemFailures": []}
    assert world.of().state == "resolved"
    return walk


def version(make: MakeSyncWorld, patch: pytest.MonkeyPatch) -> Walk:
    """A version that somebody releases, of a ticket that is done."""
    world, walk = _with_ticket(make, patch), Walk()
    (issue,) = world.jira.issues.values()
    fix = world.jira.add_version("2.4", released=False)
    world.jira.edit_issue(issue.key, fixVersions=[{"id": fix.id}])
    world.jira.transition(issue.key, "Done")
    world.settle()
    assert world.of().invariants == []
    world.clock.advance(600)
    world.poll()
    world.jira.change_version(fix, released=True)
    with walk.recorded():
        poll_handler.lambda_handler({}, CONTEXT)
    assert [each["version"] for each in world.of().invariants] == ["2.4.0"]
    return walk


def _with_ticket(make: MakeSyncWorld, patch: pytest.MonkeyPatch) -> SyncWorld:
    world = make(fix_versions={"enabled": True, "when": "released"})
    world.ticket()
    _connect(world, patch)
    return world


def _connect(world: SyncWorld, patch: pytest.MonkeyPatch) -> None:
    """Let the handlers find what the world has wired, and the world's time; nothing is logged or counted."""
    patch.setattr(create_ticket, "deliveries", lambda: world.process)
    patch.setattr(receive_webhook, "intake", lambda: world.intake)
    patch.setattr(receive_webhook, "report", lambda *_: None)
    patch.setattr(apply_jira_change, "deliveries", lambda: world.apply)
    patch.setattr(poll_fix_versions, "poll", lambda: world.polling_jira)
    for handler in (create_handler, apply_handler, poll_handler):
        patch.setattr(handler, "time", SimpleNamespace(time=world.clock))
