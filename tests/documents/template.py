"""template.yaml as it is and as sam expands it, read for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.builders import ROOT

ADAPTERS = ROOT / "layers/bridge/backtrace_jira/adapters"
FUNCTION = "AWS::Serverless::Function"
FUNCTIONS = [path.parent.name for path in sorted(ROOT.glob("functions/*/handler.py"))]

PSEUDO = {"AWS::Region": "eu-central-1", "AWS::Partition": "aws", "AWS::AccountId": "123456789012"}
"""What CloudFormation would put in; samtranslator needs the first two."""


@cache
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


class NoManagedPolicies:
    """Stands for AWS's own policies: the template names none."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def expanded() -> dict[str, Any]:
    """Return what SAM makes of the template; packaging would have put places in S3 in."""
    source = yaml_parse((ROOT / "template.yaml").read_text())
    source["Globals"]["Function"]["CodeUri"] = "s3://bucket/function"
    source["Resources"]["Bridge"]["Properties"]["ContentUri"] = "s3://bucket/layer"
    defaults = {name: parameter["Default"] for name, parameter in source["Parameters"].items()}
    made: dict[str, Any] = transform(source, {**defaults, **PSEUDO}, NoManagedPolicies())
    return made


def resources(kind: str, of: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    found = (of or template())["Resources"].items()
    return {name: resource for name, resource in found if resource["Type"] == kind}


def properties(kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource.get("Properties", {}) for name, resource in resources(kind).items()}


def folder_of(function: dict[str, Any]) -> str:
    return str(function["Properties"]["Handler"]).partition(".")[0]


def resource_of(folder: str) -> str:
    return "".join(word.capitalize() for word in folder.split("_"))


def environment(name: str) -> dict[str, Any]:
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = template()["Resources"][name]["Properties"].get("Environment", {}).get("Variables", {})
    return {**shared, **own}


def timeout(function: dict[str, Any]) -> int:
    return int(function.get("Timeout", template()["Globals"]["Function"].get("Timeout", 3)))


def queue_events() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Give function, event and queue of every queue that feeds a function."""
    queues = properties("AWS::SQS::Queue")
    for name, function in properties(FUNCTION).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                logical_id, _ = event["Properties"]["Queue"]["Fn::GetAtt"]
                yield name, event["Properties"], queues[logical_id]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements() -> Iterator[dict[str, Any]]:
    """Give every statement that allows a role of ours something."""
    for role in resources("AWS::IAM::Role", expanded()).values():
        for policy in role["Properties"].get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def granted(role: str) -> dict[str, list[str]]:
    """Return the resources that a role may use, by action, with the stage put in."""
    by_action: dict[str, list[str]] = {}
    for policy in template()["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            places = [substituted(place) for place in listed(statement["Resource"])]
            for action in listed(statement["Action"]):
                by_action.setdefault(action, []).extend(places)
    return by_action


def substituted(place: Any) -> str:
    text = str(place.get("Fn::Sub", place) if isinstance(place, dict) else place)
    for name, value in {**PSEUDO, "Stage": "dev"}.items():
        text = text.replace("${" + name + "}", value)
    return text
