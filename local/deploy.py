"""`make deploy`: `sam deploy`, in as many updates as the link table's indexes need.

CloudFormation creates or deletes one index of a table in an update, and refuses an update with more. So whoever comes
from a release with other indexes gets them one after the other: first the new ones, each filled by DynamoDB before the
next step, then without the old ones. What runs meanwhile is the new code, which reads the old index until the new one
is filled. A deployment that is broken off goes on where it was when it is called again.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from local import ROOT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
TABLE = "Links"
"""The table's logical id in the template."""
PAUSE = 10
"""Seconds between two looks at an index that DynamoDB fills."""

Index: TypeAlias = "Mapping[str, Any]"
"""Name, keys and projection, as a template and as DynamoDB have them."""
Sam: TypeAlias = Callable[[Path], None]
"""Deploys a template that was built."""


def main(stage: str) -> None:
    """Deploy what was built.

    Args:
        stage: a configuration of samconfig.toml.
    """
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())[stage]
    settings = {**config.get("global", {}).get("parameters", {}), **config["deploy"]["parameters"]}
    session = boto3.Session(profile_name=settings.get("profile"), region_name=settings.get("region"))
    table = find_table(session.client("cloudformation"), settings["stack_name"])

    def sam(template: Path) -> None:
        subprocess.run(["sam", "deploy", "--config-env", stage, "--template-file", str(template)], check=True)

    try:
        deploy(BUILT, table, session.client("dynamodb"), sam)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)


def find_table(cloudformation: Any, stack: str) -> str | None:
    """Return the name of the stack's link table; None if there is no such stack yet."""
    try:
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=TABLE)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def deploy(built: Path, table: str | None, dynamodb: DynamoDBClient, sam: Sam) -> None:
    """Deploy a template, in one update for each index that comes or goes.

    Raises:
        SystemExit: an update was not made, for example because the operator did not confirm it.
    """
    template = yaml_parse(built.read_text())
    properties = template["Resources"][TABLE]["Properties"]
    described = _wait_until_active(dynamodb, table) if table else {}
    present = _indexes(described)
    definitions = [*properties["AttributeDefinitions"], *described.get("AttributeDefinitions", [])]
    updates = plan_updates(present, properties["GlobalSecondaryIndexes"]) if table else []
    for number, indexes in enumerate(updates[:-1], start=1):
        names = [index["IndexName"] for index in indexes]
        print(
            f"Update {number} of {len(updates)}: the link table gets the indexes {', '.join(names)}.",
            flush=True,
        )
        properties["GlobalSecondaryIndexes"] = list(indexes)
        properties["AttributeDefinitions"] = _definitions_of_keys(definitions, [properties, *indexes])
        # Beside the built one: the paths of the functions' code in it begin there.
        partial = built.with_name("partial.json")
        partial.write_text(json.dumps(template))
        sam(partial)
        if _indexes(_wait_until_active(dynamodb, str(table))) != _sort_by_name(indexes):
            sys.exit("The link table does not have the indexes of this update. Call `make deploy` again.")
    sam(built)


def plan_updates(present: Sequence[Index], wanted: Sequence[Index]) -> list[Sequence[Index]]:
    """Return the indexes that the table has after each update, the last with those that are wanted.

    New ones come before old ones go, so that a ticket can be found all the time.
    """
    indexes = list(present)
    updates: list[Sequence[Index]] = []
    for index in wanted:
        if index not in present:
            indexes = [*indexes, index]
            updates.append(indexes)
    for index in present:
        if index not in wanted:
            indexes = [each for each in indexes if each != index]
            updates.append(indexes)
    return updates or [wanted]


def _indexes(described: Mapping[str, Any]) -> list[Index]:
    return _sort_by_name(described.get("GlobalSecondaryIndexes", []))


def _sort_by_name(indexes: Sequence[Index]) -> list[Index]:
    """Return what a template says of indexes, by name; DynamoDB has them in any order."""
    told = [{name: index[name] for name in ("IndexName", "KeySchema", "Projection")} for index in indexes]
    return sorted(told, key=lambda index: str(index["IndexName"]))


def _definitions_of_keys(definitions: Sequence[Index], keyed: Sequence[Index]) -> list[Index]:
    """Return the definitions of the attributes that are keys; DynamoDB takes no others."""
    keys = {key["AttributeName"] for each in keyed for key in each["KeySchema"]}
    by_name = {each["AttributeName"]: each for each in definitions}
    return [by_name[name] for name in by_name if name in keys]


def _wait_until_active(dynamodb: DynamoDBClient, table: str) -> Any:
    """Wait until DynamoDB neither fills nor deletes an index; return the table's description."""
    while True:
        described: Any = dynamodb.describe_table(TableName=table)["Table"]
        status = {each["IndexStatus"] for each in described.get("GlobalSecondaryIndexes", [])}
        if status | {described["TableStatus"]} == {"ACTIVE"}:
            return described
        print("DynamoDB is working on an index; this takes minutes, with many links longer.", flush=True)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1])
