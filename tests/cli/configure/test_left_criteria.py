"""`backtrace-jira configure`: what becomes of our reopen criteria when Fix Versions are switched off."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest

from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import LinkKey
from backtrace_jira.links.turn import Turn
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from tests.cli.conftest import SETTINGS, Operator, shared_session
from tests.tables import new_table

PROJECT = "my_project"
ID = "my_universe/my_project/jira-bugs"
OURS = {"type": "version_gt", "field": "version", "version": "2.4.0"}
THEIRS = {"type": "timestamp_gt", "timestamp": 1_704_067_200}
GROUPS = [f"{number:064x}" for number in range(3)]
ISSUE = Issue("10001", "BUG-1", "https://jira.example/browse/BUG-1")
TEXT = json.dumps(OURS, sort_keys=True, separators=(",", ":"))
TOLD = "Reopen criteria of ours stand in Backtrace in 3 groups."


class Deployment:
    """A deployment whose integration uses Fix Versions, with three groups that have criteria, and one that has none."""

    def __init__(self, operator: Operator, backtrace: BacktraceStandIn) -> None:
        self.operator, self.backtrace = operator, backtrace
        self.settings = copy.deepcopy(SETTINGS)
        self.settings["backtrace"][0]["address"] = backtrace.url
        self.settings["integrations"][0]["fix_versions"] = {"enabled": True}
        operator.secrets["BACKTRACE_TOKEN_MY_UNIVERSE"] = backtrace.token
        assert operator.configure(self.settings, "--yes").exit_code == 0
        client = shared_session().client("dynamodb")
        table = Table(client, name := new_table(client))
        operator.put("deployment/links_table", name)
        self.links, tickets = DynamoDBSyncedLinks(table), DynamoDBTicketLinks(table)
        for number, fingerprint in enumerate([*GROUPS, "f" * 64]):
            key, issue = LinkKey(ID, fingerprint), Issue(str(10_000 + number), f"BUG-{number}", ISSUE.url)
            criteria = (TEXT,) if fingerprint in GROUPS else ()
            tickets.complete(key, issue, Record(time.time(), Decision.CREATED))
            tickets.mark_linked(key, LastSynced(State.RESOLVED, "", reopen_criteria=criteria))
            backtrace.seed(
                PROJECT, fingerprint, state="resolved", invariants=[THEIRS, *([OURS] if criteria else [])]
            )

    def switch_off(self, *options: str, **more: Any) -> Any:
        self.settings["integrations"][0]["fix_versions"]["enabled"] = False
        return self.operator.configure(self.settings, *options, **more)

    @property
    def is_on(self) -> bool:
        stored = json.loads(self.operator.stored()[f"integrations/{ID}"][1])
        return bool(stored["fix_versions"]["enabled"])

    def standing(self) -> list[list[dict[str, Any]]]:
        found = [self.backtrace.issue(PROJECT, fingerprint) for fingerprint in GROUPS]
        return [group.invariants for group in found if group]

    def remembered(self) -> list[bool]:
        rows = [self.links.get(LinkKey(ID, fingerprint)) for fingerprint in GROUPS]
        return [bool(row and row.synced and row.synced.reopen_criteria) for row in rows]


@pytest.fixture
def deployment(operator: Operator, backtrace: BacktraceStandIn) -> Deployment:
    return Deployment(operator, backtrace)


def test_they_are_removed(deployment: Deployment) -> None:
    result = deployment.switch_off("--yes", "--reopen-criteria", "remove")
    assert result.exit_code == 0, result.output
    assert f"{ID} no longer uses Fix Versions. {TOLD}" in result.output
    assert f"{ID}: reopen criteria removed in 3 groups." in result.output
    assert (deployment.standing(), deployment.remembered()) == ([[THEIRS]] * 3, [False] * 3)
    assert not deployment.is_on
    states = [deployment.backtrace.issue(PROJECT, fingerprint) for fingerprint in GROUPS]
    assert {group.state for group in states if group} == {"resolved"}


def test_they_are_kept_and_no_longer_ours(deployment: Deployment) -> None:
    result = deployment.switch_off("--yes", "--reopen-criteria", "keep")
    assert result.exit_code == 0, result.output
    assert f"{ID}: reopen criteria kept in 3 groups." in result.output
    assert (deployment.standing(), deployment.remembered()) == ([[THEIRS, OURS]] * 3, [False] * 3)
    assert not deployment.is_on
    assert deployment.backtrace.requests == []


def test_a_dry_run_says_how_many_and_does_nothing(deployment: Deployment) -> None:
    for options in ((), ("--reopen-criteria", "remove")):
        result = deployment.switch_off("--dry-run", *options)
        assert result.exit_code == 0, result.output
        assert TOLD in result.output
    assert (deployment.standing(), deployment.remembered()) == ([[THEIRS, OURS]] * 3, [True] * 3)
    assert deployment.is_on
    report = json.loads(deployment.switch_off("--dry-run", "--json").stdout)
    assert report["reopen_criteria"] == [{"integration": ID, "groups": 3, "outcome": None}]


def test_where_nobody_can_be_asked_an_option_has_to_say(deployment: Deployment) -> None:
    for options in (("--yes",), ("--json", "--yes")):
        result = deployment.switch_off(*options)
        assert result.exit_code == 2, result.output
        assert "--reopen-criteria keep or --reopen-criteria remove" in result.output
    assert (deployment.remembered(), deployment.is_on) == ([True] * 3, True)


@pytest.mark.usefixtures("at_terminal")
def test_at_a_terminal_the_operator_is_asked(deployment: Deployment) -> None:
    result = deployment.switch_off(typing="perhaps\nremove\nn\n")
    assert result.exit_code == 1, result.output
    assert "or be removed? (keep/remove): " in result.output
    assert (deployment.standing(), deployment.is_on) == ([[THEIRS, OURS]] * 3, True)
    result = deployment.switch_off(typing="remove\ny\n")
    assert result.exit_code == 0, result.output
    assert (deployment.standing(), deployment.is_on) == ([[THEIRS]] * 3, False)


def test_a_deleted_integration_is_told_apart(deployment: Deployment) -> None:
    others = {**deployment.settings, "integrations": []}
    result = deployment.operator.configure(others, "--yes", "--prune", "--reopen-criteria", "keep")
    assert result.exit_code == 0, result.output
    assert f"{ID} is deleted. {TOLD}" in result.output
    assert (deployment.standing(), deployment.remembered()) == ([[THEIRS, OURS]] * 3, [True] * 3)


def test_those_of_an_integration_are_removed_before_it_is_deleted(deployment: Deployment) -> None:
    others = {**deployment.settings, "integrations": []}
    options = ("--yes", "--prune", "--reopen-criteria", "remove")
    result = deployment.operator.configure(others, *options)
    assert result.exit_code == 2, result.output
    assert f"So first write {ID} with fix_versions.enabled: false" in result.output
    assert (deployment.remembered(), deployment.is_on) == ([True] * 3, True)
    assert deployment.switch_off("--yes", "--reopen-criteria", "remove").exit_code == 0
    assert deployment.operator.configure(others, "--yes", "--prune").exit_code == 0
    assert (deployment.standing(), deployment.remembered()) == ([[THEIRS]] * 3, [False] * 3)


def test_a_run_that_is_cut_off_is_repeated_and_goes_on(deployment: Deployment) -> None:
    deployment.backtrace.refuse(GROUPS[1], "locked")
    result = deployment.switch_off("--yes", "--reopen-criteria", "remove")
    assert result.exit_code == 1
    assert "1 of 3 groups were left as they are" in result.output
    assert "Running the same command again goes on with the rest." in result.output
    assert (deployment.remembered(), deployment.is_on) == ([False, True, False], True)
    deployment.backtrace.refusals.clear()
    result = deployment.switch_off("--yes", "--reopen-criteria", "remove")
    assert result.exit_code == 0, result.output
    assert "in 1 group." in result.output
    assert (deployment.standing(), deployment.is_on) == ([[THEIRS]] * 3, False)


def test_a_ticket_at_which_a_function_is_working_is_left_for_the_next_run(deployment: Deployment) -> None:
    now = time.time()
    deployment.links.take_turn(Turn("main", "10001", "a function", now + 60), now=now)
    result = deployment.switch_off("--yes", "--reopen-criteria", "remove")
    assert result.exit_code == 1
    assert "another invocation brings this ticket in step" in result.output
    assert (deployment.remembered(), deployment.is_on) == ([False, True, False], True)


def test_a_refused_token_is_sent_once(deployment: Deployment) -> None:
    deployment.operator.secrets["BACKTRACE_TOKEN_MY_UNIVERSE"] = "canary-wrong"
    result = deployment.switch_off("--yes", "--reopen-criteria", "remove")
    assert result.exit_code == 1
    assert len(deployment.backtrace.requests) == 1
    assert "canary-wrong" not in result.output
    assert deployment.is_on


def test_nobody_is_asked_where_nothing_stands_or_nothing_changes(deployment: Deployment) -> None:
    deployment.settings["integrations"][0]["subject"] = "another"
    assert deployment.operator.configure(deployment.settings, "--yes").exit_code == 0
    assert deployment.switch_off("--yes", "--reopen-criteria", "remove").exit_code == 0
    deployment.settings["integrations"][0]["fix_versions"]["enabled"] = True
    assert deployment.operator.configure(deployment.settings, "--yes").exit_code == 0
    result = deployment.switch_off("--yes")
    assert result.exit_code == 0, result.output
    assert "Reopen criteria" not in result.output


def test_without_a_deployment_there_are_no_links(operator: Operator, backtrace: BacktraceStandIn) -> None:
    settings = copy.deepcopy(SETTINGS)
    settings["integrations"][0]["fix_versions"] = {"enabled": True}
    assert operator.configure(settings, "--yes").exit_code == 0
    settings["integrations"][0]["fix_versions"]["enabled"] = False
    assert operator.configure(settings, "--yes").exit_code == 0
