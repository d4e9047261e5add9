"""What a poll costs follows what changed, not how many links there are: counted at Jira and at DynamoDB Local."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from backtrace_jira.adapters.dynamodb.rows import synced_text
from backtrace_jira.links.last_synced import LastSynced, NamedVersion, Standing, VersionsSeen
from backtrace_jira.states import State, Status
from local.jira_stand_in.model import Issue, Version
from tests.world.fix_versions.test_fix_versions import later
from tests.world.sync_world import PERIOD, PROJECT, MakeSyncWorld, SyncWorld

CHANGES = ("released", "unreleased", "renamed", "deleted", "merged", "other version", "reopened")
VERSIONS = 40
"""Of the project, which other tickets have."""
BATCH = 25
GROUPS = 10
"""Of each ticket."""


def fingerprint_of(change: str) -> str:
    return f"{CHANGES.index(change):064x}"


class Scene:
    """Seven tickets, each with a version of its own, and so many links that have nothing to do with them."""

    def __init__(self, world: SyncWorld, links: int) -> None:
        self.world = world
        self.others = [world.jira.add_version(f"1.{number}") for number in range(VERSIONS)]
        self.versions: dict[str, Version] = {}
        self.issues: dict[str, Issue] = {}
        for number, change in enumerate(CHANGES):
            released = change not in ("released", "reopened")
            version = world.jira.add_version(f"2.{number}", released=released)
            issue = world.ticket(fingerprint_of(change))
            world.jira.edit_issue(issue.key, fixVersions=[{"id": version.id}])
            world.jira.transition(issue.key, "Done")
            self.versions[change], self.issues[change] = version, issue
        world.jira.webhooks.outbox.clear()
        self._write(links)
        for _ in range(4):  # until nothing is recent any more
            world.poll()
        world.told.clear()

    def _write(self, links: int) -> None:
        """Write the links and what is known of their versions as they stand after years of use."""
        client = boto3.client("dynamodb")
        items = self._items(links)
        batches: list[list[Any]] = []
        while batch := [item for _, item in zip(range(BATCH), items, strict=False)]:
            batches.append(batch)

        def put(batch: list[Any]) -> None:
            left: Any = {self.world.table: [{"PutRequest": {"Item": item}} for item in batch]}
            while left:
                left = client.batch_write_item(RequestItems=left).get("UnprocessedItems")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put, batches))

    def _items(self, links: int) -> Iterator[dict[str, Any]]:
        for ticket in range(links // GROUPS):
            version = self.others[ticket % VERSIONS]
            issue = self.world.jira.create_issue("fixed long ago")
            self.world.jira.edit_issue(issue.key, fixVersions=[{"id": version.id}])
            self.world.jira.transition(issue.key, "Done")
            name = f"main {version.id} {issue.id}"
            facts = {"S": _facts(version)}
            yield {"integration": {"S": "#fixes"}, "fingerprint": {"S": name}, "facts": facts}
            for number in range(GROUPS):
                yield self._link(issue, version, f"{GROUPS * ticket + number + 1000:064x}")

    def _link(self, issue: Issue, version: Version, fingerprint: str) -> dict[str, Any]:
        """Return the row of a link that is in step, and let its group be so."""
        done, url = Status("10001", "Done", "done"), f"{self.world.jira.site_url}/browse/{issue.key}"
        seen = VersionsSeen(
            Standing.WAITING, (NamedVersion(version.name, version.released),), resolution="Done"
        )
        synced = LastSynced(
            State.RESOLVED,
            "",
            done,
            "",
            1.0,
            fix_versions={version.id: _facts(version)},
            reopens=0,
            versions_seen=seen,
        )
        entry = {"watcher": self.world.settings.name, "short": issue.key, "url": url, "state": "resolved"}
        column = [{"watcher": "_backtrace"}, entry]
        self.world.backtrace.seed(PROJECT, fingerprint, state="resolved", ticket=column)
        return {
            "integration": {"S": self.world.settings.id},
            "fingerprint": {"S": fingerprint},
            "state": {"S": "complete"},
            "issue_id": {"S": issue.id},
            "issue_key": {"S": issue.key},
            "issue_url": {"S": url},
            "linked": {"BOOL": True},
            "synced": {"S": synced_text(synced)},
        }

    def change_everything(self) -> None:
        jira, versions = self.world.jira, self.versions
        jira.change_version(versions["released"], released=True)
        jira.change_version(versions["unreleased"], released=False)
        jira.change_version(versions["renamed"], name="3.2")
        jira.delete_version(versions["deleted"])
        jira.merge_version(versions["merged"], self.others[0])
        jira.edit_issue(self.issues["other version"].key, fixVersions=[{"id": self.others[1].id}])
        jira.transition(self.issues["reopened"].key, "In Progress")
        jira.webhooks.outbox.clear()

    def poll(self) -> dict[str, int]:
        """Let one poll run and return what it cost."""
        world = self.world
        world.clock.advance(PERIOD)
        world.forget_calls()
        world.polling_jira(deadline=world.clock() + 300)
        return {
            "Jira": len(world.jira.requests),
            "Backtrace": len(world.backtrace.requests),
            "Backtrace writes": world.backtrace.count("/api/issue"),
            "DynamoDB": world.wire.count("dynamodb"),
            "SQS": world.wire.count("sqs"),
        }

    def boundaries(self) -> dict[str, Any]:
        return {change: self.world.of(fingerprint_of(change)).invariants for change in CHANGES}


def _facts(version: Version) -> str:
    from backtrace_jira.jira.issue import FixVersion

    return FixVersion(version.id, version.name, version.released, version.archived).facts


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_the_same_changes_cost_the_same_however_many_links_there_are(
    make_real_sync_world: MakeSyncWorld, many: int
) -> None:
    busy, quiet = [], []
    for links in (10, many):
        world = make_real_sync_world(fix_versions={"enabled": True, "when": "released"})
        scene = Scene(world, links)
        assert scene.boundaries() == {
            change: [] if change in ("released", "reopened") else [later(f"2.{number}")]
            for number, change in enumerate(CHANGES)
        }
        quiet.append(scene.poll())
        scene.change_everything()
        busy.append(scene.poll())
        assert scene.boundaries() == {
            "released": [later("2.0")],
            "unreleased": [],
            "renamed": [later("3.2")],
            "deleted": [],
            "merged": [],  # into one that is not released
            "other version": [],
            "reopened": [],
        }
        assert world.of(fingerprint_of("reopened")).state == "in-progress"
        assert world.told
        assert {outcome.error for outcome in world.told} == {None}
    assert quiet[0] == quiet[1] == {"Jira": 3, "Backtrace": 1, "Backtrace writes": 0, "DynamoDB": 8, "SQS": 0}
    assert busy[0] == busy[1]
    assert busy[0]["Backtrace writes"] == 7
    assert (
        busy[0]["Jira"] <= 3 + 7
    )  # the list, the search, the share of the round, and one look at each ticket
    assert busy[0]["DynamoDB"] <= 8 + 7 * 14
    assert busy[0]["SQS"] == 0


@pytest.mark.parametrize("flavour", ["cloud", "data-center"])
def test_the_first_poll_of_a_project_asks_no_more(make_sync_world: MakeSyncWorld, flavour: str) -> None:
    world = make_sync_world(flavour, fix_versions={"enabled": True})
    for number in range(45):
        world.jira.add_version(f"1.{number}")
    world.ticket()
    world.clock.advance(PERIOD)
    world.forget_calls()
    world.polling_jira(deadline=world.clock() + 300)
    assert world.jira.count("GET", "/version$") == 1
    assert world.wire.count("dynamodb Query") <= 3
