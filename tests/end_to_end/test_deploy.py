"""`make deploy` from the release before: the indexes come and go one at a time, and every ticket is found meanwhile."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from backtrace_jira.adapters.dynamodb.synced_links import DynamoDBSyncedLinks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision, Record
from local import ROOT, deploy
from tests.tables import INDEXES, INDEXES_BEFORE, new_table

BUILT = ROOT / "template.yaml"
STACK = "backtrace-jira-test"
OLD_ROWS = 30


class CloudFormation:
    """Updates a table as CloudFormation does: one index in an update, and it does not wait until it is filled."""

    def __init__(self, client: Any, table: str) -> None:
        self.client = client
        self.table = table
        self.store = DynamoDBSyncedLinks(Table(client, table))
        self.updates: list[list[str]] = []
        self.refuses = False

    def sam(self, template: Path) -> None:
        wanted = yaml_parse(template.read_text())["Resources"]["Links"]["Properties"]
        if self.refuses:
            return
        self.updates.append(sorted(index["IndexName"] for index in wanted["GlobalSecondaryIndexes"]))
        present = self.indexes()
        new = [each for each in wanted["GlobalSecondaryIndexes"] if each["IndexName"] not in present]
        old = present - {each["IndexName"] for each in wanted["GlobalSecondaryIndexes"]}
        assert len(new) + len(old) <= 1, (
            "Cannot perform more than one GSI creation or deletion in a single update"
        )
        changes = [{"Create": each} for each in new] + [{"Delete": {"IndexName": each}} for each in old]
        if changes:
            self.client.update_table(
                TableName=self.table,
                AttributeDefinitions=wanted["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=changes,
            )
        self.assert_found()

    def indexes(self) -> set[str]:
        described = self.client.describe_table(TableName=self.table)["Table"]["GlobalSecondaryIndexes"]
        return {each["IndexName"] for each in described if each["IndexStatus"] != "DELETING"}

    def assert_found(self) -> None:
        assert len(self.store.links_of_issue("10001")) == OLD_ROWS


@pytest.fixture
def before(dynamodb_local_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    """Give a deployment of the release before, with links."""
    monkeypatch.setattr(deploy, "PAUSE", 0.1)
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local_endpoint)
    table = new_table(client, INDEXES_BEFORE)
    links = DynamoDBTicketLinks(Table(client, table))
    for number in range(OLD_ROWS):
        key = LinkKey("u/p/n", f"{number:064x}")
        links.complete(key, Issue("10001", "BUG-1", "x"), Record(1000.0, Decision.CREATED))
    made = CloudFormation(client, table)
    made.assert_found()
    return made


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Give the template where a build leaves it."""
    path = tmp_path / "template.yaml"
    path.write_text(BUILT.read_text())
    return path


def test_one_call_brings_a_deployment_of_the_release_before_to_the_indexes_of_this_one(
    before: CloudFormation, built: Path
) -> None:
    deploy.deploy(built, before.table, before.client, before.sam)
    assert before.updates == [
        ["ByIssue", "ByTicket", "RecentDecisions"],
        ["ByTicket", "RecentDecisions"],
        ["ByTicket"],
    ]
    before.assert_found()
    deploy.deploy(built, before.table, before.client, before.sam)
    assert len(before.updates) == 4


def test_a_deployment_that_was_broken_off_goes_on(before: CloudFormation, built: Path) -> None:
    def dies(template: Path) -> None:
        before.sam(template)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        deploy.deploy(built, before.table, before.client, dies)
    deploy.deploy(built, before.table, before.client, before.sam)
    assert before.updates[1:] == [["ByTicket", "RecentDecisions"], ["ByTicket"]]


def test_an_update_that_nobody_confirmed_is_not_waited_for(before: CloudFormation, built: Path) -> None:
    before.refuses = True
    with pytest.raises(SystemExit, match="make deploy"):
        deploy.deploy(built, before.table, before.client, before.sam)


def test_a_new_deployment_takes_one_update(built: Path) -> None:
    deployed: list[Path] = []
    deploy.deploy(built, None, boto3.client("dynamodb"), deployed.append)
    assert deployed == [built]


@pytest.fixture
def cloudformation() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cloudformation")


def test_the_table_is_found_by_its_stack(cloudformation: Any) -> None:
    assert deploy.find_table(cloudformation, STACK) is None
    table = yaml_parse(BUILT.read_text())["Resources"]["Links"]
    table["Properties"].pop("DeletionProtectionEnabled")
    body = json.dumps({"Resources": {"Links": table}})
    cloudformation.create_stack(StackName=STACK, TemplateBody=body)
    assert deploy.find_table(cloudformation, STACK) in boto3.client("dynamodb").list_tables()["TableNames"]


def test_sam_deploys_the_stage_s_configuration_and_its_failure_is_make_s(
    cloudformation: Any, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []

    def run(command: list[str], *, check: bool) -> None:
        called.append(command)
        if check and "prod" in command:
            raise subprocess.CalledProcessError(7, command)

    monkeypatch.setattr(deploy, "BUILT", built)
    monkeypatch.setattr(subprocess, "run", run)
    deploy.main("dev")
    assert called == [["sam", "deploy", "--config-env", "dev", "--template-file", str(built)]]
    with pytest.raises(SystemExit) as ended:
        deploy.main("prod")
    assert ended.value.code == 7


@pytest.mark.parametrize(
    ("present", "wanted", "updates"),
    [
        ("", "A", ["A"]),
        ("A", "A", ["A"]),
        ("A", "B", ["AB", "B"]),
        ("AB", "C", ["ABC", "BC", "C"]),
        ("AB", "BC", ["ABC", "BC"]),
    ],
)
def test_indexes_come_before_others_go(present: str, wanted: str, updates: list[str]) -> None:
    def indexes(names: str) -> list[deploy.Index]:
        return [{"IndexName": name} for name in names]

    planned = deploy.plan_updates(indexes(present), indexes(wanted))
    assert planned == [indexes(names) for names in updates]


def test_the_indexes_of_the_tests_are_those_of_the_template() -> None:
    assert (
        yaml_parse(BUILT.read_text())["Resources"]["Links"]["Properties"]["GlobalSecondaryIndexes"] == INDEXES
    )
