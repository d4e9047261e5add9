"""A world in which a regression asks for a new ticket, with the queue of error events that it goes through."""

from __future__ import annotations

import json
from typing import Any

from local.jira_stand_in.model import Issue
from tests.builders import group
from tests.world.fix_versions.test_fix_versions import close, invariants, only_issue, world_with
from tests.world.sync_world import PROJECT, MakeSyncWorld, SyncWorld
from tests.world.world import Cut

NEW_TICKET = {"on_regression": "new_ticket"}
STEP = 80
"""Seconds: the lease of a dead process is over by then."""


class Regression:
    """A ticket that was resolved until 2.4, and an error of its group in 2.5."""

    def __init__(self, make: MakeSyncWorld, flavour: str = "cloud", **settings: Any) -> None:
        self.world: SyncWorld = world_with(make, flavour, fixes=NEW_TICKET, **settings)
        self.world.backtrace.attributes |= {"hostname": "none"}
        self.waiting: list[str] = []
        """Bodies that a function received and did not finish."""
        close(self.world, "2.4")
        self.world.settle()
        assert invariants(self.world)
        self.old: Issue = only_issue(self.world)
        self.world.clock.advance(3600)
        self.world.told.clear()
        self.world.forget_calls()

    def see_error(self, **attributes: Any) -> None:
        """Let Backtrace receive the error, and reopen the group for it."""
        self.world.backtrace.receive(
            PROJECT,
            group().fingerprint,
            version="2.5",
            hostname="h",
            callstack=["printf", "main"],
            **attributes,
        )

    def ask(self) -> None:
        """Let a period pass: the poll finds the regression."""
        self.world.poll()

    def fetch(self) -> list[str]:
        """Receive what waits in the queue of error events, and return the bodies."""
        self.waiting += self._take(self.world.events)
        return self.waiting

    def _take(self, queue: str) -> list[str]:
        sqs = self.world._aws.sqs
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def serve(self, attempts: int = 30) -> None:
        """Serve the queue of error events until it is empty."""
        for _ in range(attempts):
            for body in list(self.fetch()):
                if self.world.deliver(self.world.event(body)) == []:
                    self.waiting.remove(body)
            if not self.waiting:
                return
            self.world.clock.advance(15)
        raise AssertionError(f"never done: {self.world.reports[-1]}")

    def go(self) -> None:
        """Let everything happen."""
        self.world.drain()
        self.ask()
        self.serve()
        self.world.settle()
        self.serve()

    def go_and_die(self, cut: int) -> bool:
        """Let everything happen until a process dies at one of its changes; return whether none did."""
        self.world.wire.calls.clear()
        self.world.wire.cut_at = cut
        try:
            self.go()
        except Cut:
            return False
        finally:
            self.world.wire.cut_at = None
        return True

    def revive(self) -> None:
        """Start anew: what a dead process had in hand comes again."""
        self.world.new_process()
        self.world.clock.advance(STEP)
        self.world.release_messages()

    def replay(self) -> None:
        """Put the dead letters back into the queue."""
        self.waiting += self._take(self.world.dead)

    @property
    def new(self) -> Issue:
        """The one ticket that is not the old one."""
        (issue,) = (each for each in self.world.jira.issues.values() if each.id != self.old.id)
        return issue

    def said(self, issue: Issue) -> list[str]:
        return [str(each["body"]) for each in issue.comments]

    def picture(self) -> dict[str, Any]:
        """Return what everybody has now, without times."""
        row, of = self.world.row_of(), self.world.of()
        return {
            "tickets": [
                (
                    issue.key,
                    self.world.status(issue),
                    issue.issue_links,
                    self.said(issue),
                    issue.fields["labels"],
                    json.dumps(issue.properties, sort_keys=True),
                )
                for issue in self.world.jira.issues.values()
            ],
            "row": (
                row.issue,
                row.state,
                row.generation,
                row.linked_in_backtrace,
                row.previous,
                row.follow_up is not None,
                row.synced and (row.synced.state, row.synced.status, row.synced.regressed),
            ),
            "group": (of.state, of.ticket, of.invariants),
            # An event that comes twice may be refused twice.
            "waiting": (
                self.waiting,
                {(letter["Fingerprint"], letter["Reason"]) for letter in self.world.dead_letters()},
                self.world.letters(),
            ),
        }

    def assert_followed(self) -> None:
        """The new ticket has the place of the old one, which it is linked to; nothing is left to be done."""
        world, new = self.world, self.new
        row = world.row_of()
        assert row.issue is not None
        assert (row.issue.id, row.generation, row.previous, row.follow_up) == (new.id, 2, "", None)
        assert row.linked_in_backtrace
        assert new.issue_links == [{"type": "Relates", "outward": self.old.id}]
        assert (world.status(self.old), world.status(new)) == ("Done", "To Do")
        assert (world.of().state, world.of().invariants) == ("in-progress", [])
        assert [entry.get("short") for entry in world.of().ticket] == [None, new.key]
        assert world.dead_letters() == []
