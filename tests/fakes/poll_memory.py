"""What the polls remember, and the links in pages, in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import replace

from backtrace_jira.links.link import Link
from backtrace_jira.synchronisation.poll_memory import JiraProject, LinkPage, PollNotes
from tests.fakes.links import FakeTable


class FakePollMemory:
    """The `PollMemory` port on a table in memory."""

    def __init__(self, table: FakeTable | None = None) -> None:
        self.table = table or FakeTable()
        self.kept = PollNotes()

    def notes(self) -> PollNotes:
        return self.kept

    def links_after(self, after: str, most: int) -> LinkPage:
        found = sorted((row for row in self.table.rows.values() if row.issue), key=_place)
        left = [row for row in found if not after or _place(row) > tuple(json.loads(after))]
        page = left[:most]
        return LinkPage(page, json.dumps(_place(page[-1])) if len(page) == most else "")

    def advance_round(
        self, before: PollNotes, after: str, *, now: float, seen: Collection[JiraProject]
    ) -> None:
        if before.after != self.kept.after:
            return
        began, met = before.began or now, before.seen | set(seen)
        if after:
            self.kept = replace(self.kept, after=after, began=began, seen=self.kept.seen | met)
        else:
            others = self.kept.seen - met
            self.kept = replace(
                self.kept, after="", began=0.0, took=now - began, seen=others, seen_before=frozenset(met)
            )

    def learn_projects(self, projects: Collection[JiraProject]) -> None:
        self.kept = replace(self.kept, seen=self.kept.seen | set(projects))

    def begin_with(self, schedule: str, first: str) -> None:
        kept = {name: each for name, each in self.kept.first.items() if name != schedule}
        self.kept = replace(self.kept, first={**kept, **({schedule: first} if first else {})})


def _place(row: Link) -> tuple[str, ...]:
    """Return a place that says nothing to people, as DynamoDB's says nothing."""
    assert row.issue is not None
    key = row.key
    hashed = hashlib.sha256(row.issue.id.encode()).hexdigest()
    return hashed, key.integration, f"{key.fingerprint} {key.trace}".strip()
