"""Whatever happens in whatever order, ticket and groups come to what the Fix Versions and the errors seen ask for.

People change Fix Versions, tickets and their own reopen criteria; errors are told by Backtrace, by events, by both or
by none; webhooks come late, twice or never; functions die; servers hang, throttle and refuse. Two groups have one
ticket. What must be, `model` says: the code has no part in it.

The model leaves open
- whether an error is a regression that was seen before the ticket had the boundary that it is past;
- whether a criterion that a person set just like one of ours reopens the ticket, or the group is resolved again;
- whether an error within a few seconds of a closing counts: what people do is twenty seconds apart;
- what becomes of a reopening that Jira refuses in so many words;
- whether a muted group stays muted once its ticket was reopened and closed again before anybody looked;
- the order of changes of a group's state and of its ticket (`tests/world/synchronisation/test_convergence.py` has it):
  a person changes a group's state only when everything is in line, and the ticket's only after that was carried.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from local.jira_stand_in.model import Version
from tests.builders import group, sample_body
from tests.world.fix_versions.model import (
    PLACES,
    SEEN,
    Boundary,
    Closing,
    Fix,
    Rules,
    Seen,
    boundary_of,
    plain,
    take,
)
from tests.world.histories import HarshHistories, histories, number, world_maker  # noqa: F401 - a fixture
from tests.world.sync_world import EVENTS, PROJECT

FIRST, SECOND = group().fingerprint, "e" * 64
GROUPS = (FIRST, SECOND)
PROJECTS = ("BUG", "OPS")
NAMES = sorted(PLACES)
OWN: tuple[dict[str, Any], ...] = (
    {"type": "timestamp_gt", "timestamp": 9_999_999_999},
    {"type": "regular_expression", "field": "hostname", "pattern": "^watched$"},
    {"type": "version_gt", "field": "version", "version": "2.0"},
)
"""Reopen criteria that people set: one that no error meets, one that some do, and one that may be ours, too."""
VERSION_EVENTS = tuple(
    f"jira:version_{what}" for what in ("created", "released", "unreleased", "updated", "deleted", "merged")
)
APART = 20.0
"""Seconds from one edit to the next: clocks are compared to a few seconds only."""
PERIODS = 2
"""After so many, everything must be in line."""


class FixVersionsAndRegressions(HarshHistories):
    """What people do, and what must come of it."""

    @initialize(
        flavour=st.sampled_from(["cloud", "data-center"]),
        several=st.sampled_from(["lines", "lines", "highest", "lowest"]),
        seen_in=st.sampled_from(["version_gt", "version_gt", "version_ge"]),
        when=st.sampled_from(["resolved", "resolved", "released"]),
        fix=st.sampled_from([None, *NAMES[:-1]]),
        rewords=st.booleans(),
    )
    def start(
        self, flavour: str, several: str, seen_in: str, when: str, fix: str | None, rewords: bool
    ) -> None:
        fixes = {"enabled": True, "several": several, "seen_in": seen_in, "when": when}
        world = self.make(flavour, fix_versions=fixes)
        world.jira.add_project("OPS", "Operations")
        world.jira.add_user("fred")
        world.backtrace.rewords_invariants = rewords
        world.hook.events = (*EVENTS, *VERSION_EVENTS)
        self.asked_for = Rules(several, seen_in, when)
        self.issue = world.ticket(FIRST)
        world.link(SECOND, self.issue)
        self.closing: Closing | None = None
        self.closings: list[Closing] = []
        self.is_wanted_done = False
        self.carried: str | None = None
        self.muted: set[str] = set()
        self.were_muted: set[str] = set()
        self.own: dict[str, list[dict[str, Any]]] = {each: [] for each in GROUPS}
        self.events: list[dict[str, Any]] = []
        self.seen: Counter[tuple[str, str]] = Counter()
        world.jira.transition(self.issue.key, "In Progress")
        world.settle()
        if fix:
            self._add_fix(fix, is_released=True)
            self._give_status("Done")
            world.settle()

    # People

    @precondition(lambda self: self.carried is None)
    @rule(
        name=st.sampled_from(["Done", "Done", "In Progress", "To Do"]), fix=st.none() | st.sampled_from(NAMES)
    )
    def the_ticket_is_moved_on(self, name: str, fix: str | None) -> None:
        """Give the ticket another status; who closes it often adds a Fix Version."""
        if fix and name == "Done":
            self._add_fix(fix, is_released=True)
        self._give_status(name)

    @rule(name=st.sampled_from(NAMES), is_released=st.booleans(), added=st.booleans(), number=number)
    def fix_versions_are_added_and_removed(
        self, name: str, is_released: bool, added: bool, number: int
    ) -> None:
        ids = self._fix_ids()
        if added:
            self._add_fix(name, is_released=is_released)
        elif ids:
            self._set_fixes(set(ids) - {ids[number % len(ids)]})

    @precondition(lambda self: self._versions())
    @rule(
        how=st.sampled_from(
            ["rename", "rename", "release", "unrelease", "archive", "delete", "swap", "merge"]
        ),
        of_ticket=st.booleans(),
        number=number,
        other=number,
        name=st.sampled_from(NAMES),
    )
    def a_version_is_changed(self, how: str, of_ticket: bool, number: int, other: int, name: str) -> None:
        jira, versions = self.world.jira, self._versions()
        own = [each for each in versions if of_ticket and each.id in self._fix_ids()] or versions
        version, into = own[number % len(own)], versions[other % len(versions)]
        self._edited()
        if how == "rename" and not self._version(name):
            jira.change_version(version, name=name)
        elif how in ("release", "unrelease"):
            jira.change_version(version, released=how == "release")
        elif how == "archive":
            jira.change_version(version, archived=True)
        elif how == "delete":
            jira.delete_version(version)
        elif how in ("swap", "merge") and version is not into:
            (jira.delete_version if how == "swap" else jira.merge_version)(version, into)

    @rule()
    def the_ticket_is_moved_to_the_other_project(self) -> None:
        self._edited()
        other = PROJECTS[1 - PROJECTS.index(self.issue.project.key)]
        self.world.jira.move_issue(self.issue.key, other)

    @rule(second=st.booleans(), own=st.sampled_from(OWN), gone=st.booleans(), number=number)
    def people_set_and_remove_criteria(
        self, second: bool, own: dict[str, Any], gone: bool, number: int
    ) -> None:
        fingerprint = GROUPS[second]
        column, owned = list(self.world.of(fingerprint).invariants), self.own[fingerprint]
        self._edited()
        if not gone:
            owned.append(own)
            column.append(own)
        elif owned:
            take(column, owned.pop(number % len(owned)))
        self.world.backtrace.seed(PROJECT, fingerprint, invariants=column)

    @rule(then=st.sampled_from([None, None, "open", "resolved", "muted"]), second=st.booleans())
    def everything_comes_in_line(self, then: str | None, second: bool) -> None:
        """Check; and then somebody may change a group's state."""
        self._come_in_line()
        fingerprint, is_done = GROUPS[second], self.closing is not None
        if then is None or self._is_muted(fingerprint):
            return
        if then == "muted":
            self._edited()
            self.world.set_state(then, fingerprint)
            self.muted.add(fingerprint)
            self._come_in_line()
        elif (then == "resolved") is not is_done:
            self._edited()
            self.world.set_state(then, fingerprint)
            self.carried, self.is_wanted_done = then, then == "resolved"

    # Errors

    @rule(version=st.sampled_from(SEEN), second=st.booleans(), watched=st.booleans(), tells=st.booleans())
    def an_error_comes(self, version: str, second: bool, watched: bool, tells: bool) -> None:
        """Let an error come in, sometimes one that people wait for."""
        self._see(version, GROUPS[second], watched=watched, tells=tells)

    @rule(
        fix=st.sampled_from(NAMES),
        looks=st.booleans(),
        number=number,
        second=st.booleans(),
        tells=st.booleans(),
    )
    def a_fix_fails(self, fix: str, looks: bool, number: int, second: bool, tells: bool) -> None:
        """Let an error past the boundary come, of a ticket that was perhaps closed a moment ago."""
        if self.closing is None and self.carried is None:
            self._add_fix(fix, is_released=True)
            self._give_status("Done")
            if looks:
                self.time_passes_and_it_is_polled()
        past = [each for each in SEEN if self._boundary().is_past(each)]
        if self.closing and past:
            self._see(past[number % len(past)], GROUPS[second], watched=False, tells=tells)

    def _see(self, version: str, fingerprint: str, *, watched: bool, tells: bool) -> None:
        host = "watched" if watched and not self._is_muted(fingerprint) else "other"
        boundary = self._boundary()
        self._edited()
        before = self.world.of(fingerprint).invariant_reopen_count
        row = self.world.backtrace.receive(PROJECT, fingerprint, version=version, hostname=host)
        assert row
        self.seen[fingerprint, version] += 1
        if tells:
            self.events.append(self._event(fingerprint))
        if self.closing and row.state != "muted":
            self.closing.errors.append(Seen(fingerprint, version, self.world.clock(), boundary))
        if row.invariant_reopen_count > before:
            self._note_reopening(fingerprint, plain(json.loads(str(row.invariant_last_violated))))

    def _note_reopening(self, fingerprint: str, met: dict[str, Any]) -> None:
        """Note that Backtrace has reopened a group, if it was for a criterion of people's own."""
        self.muted.discard(fingerprint)
        if self.closing and met in OWN[:2]:
            self.closing.reopened_by_people.add(fingerprint)
        elif self.closing and met in self.own[fingerprint]:
            self.closing.may_regress.add(fingerprint)

    def _event(self, fingerprint: str) -> dict[str, Any]:
        found = [[version, count] for (of, version), count in self.seen.items() if of == fingerprint]
        first = int(self.world.clock())
        changed = {"fingerprint": fingerprint, "timestamp": [first, first], "attributes": {"version": found}}
        return sample_body() | changed

    @precondition(lambda self: self.events)
    @rule(number=number, twice=st.booleans(), at=st.none() | st.integers(0, 3))
    def an_event_comes(self, number: int, twice: bool, at: int | None) -> None:
        body = self.events[number % len(self.events)]
        event = self.world.event(body)
        with self.running():
            lived = self._dies(99 if at is None else at, lambda: self.world.deliver(event))
        if lived and not twice:
            self.events.remove(body)

    # What must be

    @contextmanager
    def running(self) -> Iterator[None]:
        self._note_possible()
        yield
        self._observe()

    def _note_possible(self) -> None:
        """Note which groups a function may see coming back, if it looks now."""
        if self.closing:
            self.closing.may_regress |= {error.group for error in self.closing.past(self._boundary())}

    def _observe(self) -> None:
        """Whatever a function did to the ticket had a reason."""
        is_done = self.world.status(self.issue) == "Done"
        if self.closing and not is_done:
            of = self.closing
            is_regression = bool(of.may_regress or of.reopened_by_people)
            assert is_regression or self.carried == "open", self._tell("reopened for nothing")
            of.is_reopened = is_regression and self.carried is None
        elif is_done and not self.closing:
            assert self.carried == "resolved", self._tell("closed for nothing")
        if is_done is not (self.closing is not None):
            self.carried, self.is_wanted_done = None, is_done
            self._open_or_close()
        most = Counter(each for of in self.closings for each in of.may_regress | of.reopened_by_people)
        comments = self._comments()
        assert all(comments[each] <= most[each] for each in GROUPS), self._tell(f"{comments} of {most}")

    def _open_or_close(self) -> None:
        self.closing = None if self.closing else Closing(self.world.clock())
        if self.closing:
            self.closings.append(self.closing)
        else:
            self.were_muted |= self.muted
            self.muted.clear()

    def teardown(self) -> None:
        if not hasattr(self, "closings"):
            return
        self._come_in_line()
        world = self.world
        comments = self._comments()
        assert comments.total() >= sum(of.is_reopened for of in self.closings), self._tell(
            "a comment is missing"
        )
        world.forget_calls()
        for _ in range(2):
            world.settle()
        written = world.jira.count("POST", "/(transitions|comment)$") + world.calls["backtrace writes"]
        assert written == 0, self._tell("it does not come to rest")
        assert world.letters() == []
        assert list(world.jira.issues) == [self.issue.key], "one ticket"

    def _come_in_line(self) -> None:
        """Let servers answer, events come and periods pass; then everything is as the model says."""
        world = self.world
        self.let_heal()
        world.clock.advance(3700)  # longer than any outage, and than nobody is offered what it has refused
        with self.running():
            for body in self.events:
                world.deliver_until_done(world.event(body))
            self.events.clear()
            world.drain(rounds=40)
        for _ in range(PERIODS):
            with self.running():
                world.poll()
        self._check()

    def _check(self) -> None:
        boundary, of = self._boundary(), self.closing
        assert (of is not None) is self.is_wanted_done, self._tell("the last word does not hold")
        assert self.carried is None, self._tell("a group's change was not carried")
        for fingerprint in GROUPS:
            self._check_group(fingerprint, boundary if of and not self._is_muted(fingerprint) else Boundary())
        if of:
            missed = [each for each in of.past(boundary) if each.before.is_past(each.version)]
            assert not missed, self._tell(f"not reopened for {missed}")
            assert not of.reopened_by_people, self._tell("not reopened for a person's criterion")

    def _check_group(self, fingerprint: str, boundary: Boundary) -> None:
        row = self.world.of(fingerprint)
        ours = list(row.invariants)
        for own in self.own[fingerprint]:
            take(ours, own)
        assert boundary.is_told_by(ours), self._tell("criteria that are ours")
        assert row.state == "muted" or fingerprint not in self.muted, self._tell("a muted group")
        if row.state != "muted" or fingerprint not in self.muted | self.were_muted:
            assert (row.state == "resolved") is (self.closing is not None), self._tell("a group's state")

    def _is_muted(self, fingerprint: str) -> bool:
        return self.world.of(fingerprint).state == "muted"

    # Parts

    def _edited(self) -> None:
        self.world.clock.advance(APART)

    def _boundary(self) -> Boundary:
        by_id = {version.id: version for version in self._versions()}
        fixes = [Fix(by_id[id_].name, by_id[id_].released) for id_ in self._fix_ids()]
        return boundary_of(fixes, self.asked_for)

    def _versions(self) -> list[Version]:
        return self.issue.project.versions

    def _version(self, name: str) -> Version | None:
        return next((version for version in self._versions() if version.name == name), None)

    def _fix_ids(self) -> list[str]:
        return [each["id"] for each in self.issue.fields.get("fixVersions") or ()]

    def _set_fixes(self, ids: set[str]) -> None:
        if ids != set(self._fix_ids()):
            self._edited()
            self.world.jira.edit_issue(self.issue.key, fixVersions=[{"id": id_} for id_ in sorted(ids)])

    def _add_fix(self, name: str, *, is_released: bool) -> None:
        project = self.issue.project.key
        version = self._version(name) or self.world.jira.add_version(name, project, released=is_released)
        self._set_fixes({*self._fix_ids(), version.id})

    def _give_status(self, name: str) -> None:
        if self.world.status(self.issue) != name:
            self._edited()
            self.world.jira.transition(self.issue.key, name, by="fred")
            self.is_wanted_done = name == "Done"
            if self.is_wanted_done is not (self.closing is not None):
                self._open_or_close()

    def _comments(self) -> Counter[str]:
        texts = [str(each["body"]) for each in self.issue.comments]
        return Counter({each: sum(each[:12] in text for text in texts) for each in GROUPS})

    def _tell(self, what: str) -> str:
        groups = [(self.world.of(each).state, self.world.of(each).invariants) for each in GROUPS]
        told = [each.detail for each in self.world.told[-4:]]
        fixes = [version.name for version in self._versions() if version.id in self._fix_ids()]
        return f"{what}: {self.world.status(self.issue)} {fixes} {groups} {self.closing} {told}"


class InShort(FixVersionsAndRegressions):
    """The same, for every run of the tests."""


InShort.TestCase.settings = histories(3, steps=15, asked=None)
FixVersionsAndRegressions.TestCase.settings = histories(25)
TestInShort = InShort.TestCase
TestConvergence = pytest.mark.long(FixVersionsAndRegressions.TestCase)
