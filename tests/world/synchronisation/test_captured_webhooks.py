"""Webhook bodies that nobody here wrote, signed, through the whole path."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from local.jira_stand_in.model import Issue
from local.jira_stand_in.webhooks import Delivery
from tests.world.sync_world import SECRET, MakeSyncWorld, SyncWorld

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "webhooks"
CAPTURED = sorted(FOLDER.glob("*.json"))
STATUSES = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
STATES = {"new": "open", "indeterminate": "in-progress", "done": "resolved"}
GROUP = "c" * 64

pytestmark = pytest.mark.skipif(not CAPTURED, reason="the captured webhooks are not here")


def signed(body: bytes) -> Delivery:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Delivery("https://bridge.example/jira/main", {"X-Hub-Signature": f"sha256={digest}"}, body, "")


def items_of(raw: dict[str, Any]) -> dict[str, Any]:
    """Return what the changelog says was changed, by field."""
    return {item["field"].lower(): item for item in (raw.get("changelog") or {}).get("items", [])}


def a_ticket_like(raw: dict[str, Any], world: SyncWorld) -> Issue:
    """Make the issue of a body, with its id, as it was before, linked and in step."""
    issue = world.jira.create_issue("captured")
    known = world.jira.state.issues
    known[raw["issue"]["id"]] = known.pop(issue.id)
    issue.id = raw["issue"]["id"]
    world.jira.add_user("admin", account_id="admin")
    category = raw["issue"]["fields"]["status"]["statusCategory"]["key"]
    before = "In Progress" if category != "indeterminate" else "To Do"
    if world.status(issue) != before:
        world.jira.transition(issue.key, before)
    if items_of(raw).get("assignee", {}).get("from"):
        world.jira.assign(issue.key, "admin")
    world.link(GROUP, issue)
    world.clock.advance(60)
    world.backtrace.seed(
        "my_project", GROUP, state=STATES["indeterminate" if before == "In Progress" else "new"]
    )
    world.poll()
    return issue


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.stem)
def test_a_captured_webhook_has_the_effect_that_it_tells_of(
    make_sync_world: MakeSyncWorld, path: Path
) -> None:
    body = path.read_bytes()
    raw = json.loads(body)
    flavour = "data-center" if path.name.startswith("server") else "cloud"
    people = [{"backtrace_id": 7, "jira": "admin"}]
    world = make_sync_world(flavour, sync={"people": people})
    if "issue" not in raw:
        assert world.receive(signed(body)) == 200
        return
    issue = a_ticket_like(raw, world)
    changed = items_of(raw)
    deleted = raw["webhookEvent"] == "jira:issue_deleted"
    category = raw["issue"]["fields"]["status"]["statusCategory"]["key"]
    real = raw["webhookEvent"] == "jira:issue_updated"
    state, assigned = world.of(GROUP).state, world.assigned(GROUP)
    if deleted:
        world.jira.delete_issue(issue.key)
    if real and "status" in changed:
        world.jira.transition(issue.key, STATUSES[category])
        state = STATES[category]
    if real and "assignee" in changed:
        world.jira.assign(issue.key, "admin" if changed["assignee"]["to"] else None)
        assigned = [7] if changed["assignee"]["to"] else []
    world.forget_calls()
    world.told.clear()
    assert world.receive(signed(body)) == 200
    world.drain()
    assert world.letters() == []
    if deleted:
        assert world.row_of(GROUP).issue is None
        return
    if assigned and state == "open":
        state = "in-progress"
    assert (world.of(GROUP).state, world.assigned(GROUP)) == (state, assigned)
    relevant = real and {"status", "assignee"} & set(changed)
    assert world.calls["jira"] == (1 if relevant else 0)
    assert world.calls["backtrace writes"] == (1 if relevant else 0)
