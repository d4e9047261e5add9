"""A Backtrace that runs on one machine: the issue API on the wire, in memory, with faults to inject.

`POST /api/query` reads and writes the table `issues`, groups error reports and describes the attributes of a project,
`POST /api/issue` writes state, tags, tickets and invariants. Nothing changes by itself but what an error report does to
a resolved group whose reopen criteria it meets: the rules between tickets, assignees and states are the caller's.
Source of the shapes: backtrace-labs/backtrace-forensics (plugins/backtrace-forensics-issues) and
backtrace-labs/backtrace-morgue, the public clients. Where neither shows an error's code, it is 1 here.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from local.backtrace_stand_in.api import create_app, error_body
from local.backtrace_stand_in.invariants import Order, violated
from local.backtrace_stand_in.issues_table import FORMATS, Issue
from local.backtrace_stand_in.objects import Report
from local.http.edge import Edge, Exchange
from local.http.faults import Fault, Faults
from local.http.serving import Serving

__all__ = ["BacktraceStandIn", "Fault", "Issue", "Order"]

ATTRIBUTES = {
    "timestamp": "unix_timestamp",
    "fingerprint": "sha256",
    "callstack": "callstack",
    "classifiers": "labels",
    "application": "none",
    "application.version": "semver",
    "environment": "none",
    "error.message": "none",
    "hostname": "none",
    "version": "semver",
}
"""The attributes that a project indexes unless a test names others, with the format of each."""


class BacktraceStandIn:
    """A Backtrace on 127.0.0.1 at a free port, started by `start()` or as a context manager.

    It has one universe with one project; `faults` and `requests` are those of the Jira stand-in.
    """

    def __init__(
        self,
        universe: str = "my_universe",
        project: str = "my_project",
        token: str = "token-of-backtrace",  # noqa: S107 - opens nothing but this stand-in
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.universe = universe
        self.token = token
        self.clock = clock
        self.lock = threading.RLock()
        self.projects: dict[str, dict[str, Issue]] = {project: {}}
        self.reports: dict[str, list[Report]] = {project: []}
        """Errors by project, as they came."""
        self.attributes = dict(ATTRIBUTES)
        """Attributes that the projects index, with their formats."""
        self.refusals: dict[str, str] = {}
        """Fingerprints that cannot be written, and what is said inside the 200."""
        self.order = Order.PACKAGING
        """How it compares versions."""
        self.rewords_invariants = False
        """Whether it gives invariants back in other words than it was told."""
        self.drops_invariants = False
        """Whether it takes invariants and does not store them."""
        self.faults = Faults()
        now = lambda: self.clock()  # noqa: E731, PLW0108 - a test may set another clock
        self._edge = Edge(create_app(self), self.faults, clock=now, lock=threading.RLock())
        self._serving = Serving(self._edge)

    def start(self) -> Self:
        self._edge.stopping.clear()
        self._serving.start()
        return self

    def stop(self) -> None:
        self._edge.stopping.set()
        self._serving.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._serving.url

    # The request log

    @property
    def requests(self) -> list[Exchange]:
        return list(self._edge.exchanges)

    def count(self, path: str) -> int:
        """Count the requests whose path matches a regular expression."""
        return sum(1 for exchange in self.requests if re.search(path, exchange.path))

    def forget_requests_after(self, count: int) -> None:
        """Cut the log off after so many requests."""
        del self._edge.exchanges[count:]

    def clear_log(self) -> None:
        self._edge.exchanges.clear()

    # Faults beyond those of `faults`

    def fail(self, path: str, message: str, times: int | None = 1) -> Fault:
        """Answer 200 with an error inside, as Backtrace does."""
        return self.faults.add("POST", path, times, status=200, body=error_body(message))

    def refuse(self, fingerprint: str, message: str) -> None:
        """Let writes to one fingerprint fail inside the 200, beside others that succeed."""
        self.refusals[fingerprint] = message

    # Issues, as Backtrace's own screens would change them

    def add_project(self, name: str) -> None:
        self.projects.setdefault(name, {})
        self.reports.setdefault(name, [])

    def issue(self, project: str, fingerprint: str) -> Issue | None:
        """Return a row, None where nobody has written one."""
        with self.lock:
            return self.projects.get(project, {}).get(fingerprint)

    def seed(self, project: str, fingerprint: str, **columns: Any) -> Issue:
        """Create or change a row; `columns` are attributes of `Issue`."""
        with self.lock:
            self.add_project(project)
            return self.write(project, fingerprint, columns)

    def receive(
        self, project: str, fingerprint: str, *, timestamp: float | None = None, **attributes: Any
    ) -> Issue | None:
        """Take an error report; a resolved or muted group whose reopen criteria it meets is open again."""
        with self.lock:
            at = int(self.clock() if timestamp is None else timestamp)
            report = Report(fingerprint, at, attributes)
            self.reports.setdefault(project, []).append(report)
            row = self.projects[project].get(fingerprint)
            met = (
                violated(row, at, attributes, self.order)
                if row and row.state in ("resolved", "muted")
                else None
            )
            if row is None or met is None:
                return row
            columns = {
                "state": "open",
                "invariant_reopen_count": row.invariant_reopen_count + 1,
                "invariant_reopen_last_time": int(self.clock()),
                "invariant_last_violated": json.dumps(met),
            }
            return self.write(project, fingerprint, columns)

    def write(self, project: str, fingerprint: str, columns: dict[str, Any]) -> Issue:
        """Set columns of a row, which comes to be with its first write."""
        rows = self.projects[project]
        row = rows.setdefault(fingerprint, Issue(len(rows) + 1, fingerprint))
        row.last_modified = int(self.clock())
        for name, value in columns.items():
            if name not in FORMATS:
                raise AttributeError(name)
            setattr(row, name, value)
        return row
