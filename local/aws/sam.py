"""template.yaml as the emulated CloudFormation can take it, and what that leaves to us."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import boto3
from moto.cloudformation.parsing import NULL_MODELS, get_model_map
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

BUCKET = "not-packaged"
"""A place for the packaged code of functions and layers; nobody runs it from there."""

LIFTED = "Lifted"

HTTP_API, HTTP_API_STAGE = "AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"
_INVOKES = re.compile(r"\$\{(\w+)\.Arn\}/invocations$")


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API: what a function is asked by. `api` and `function` are logical ids."""

    api: str
    method: str
    path: str
    function: str

    @property
    def key(self) -> str:
        """Return it as API Gateway names it."""
        return f"{self.method} {self.path}"


def expand(template: Path, parameters: dict[str, str], region: str) -> dict[str, Any]:
    """Return the CloudFormation template that SAM makes of ours, with placeholders for the packaged code."""
    source = yaml_parse(template.read_text())
    globals_ = source.get("Globals", {}).get("Function", {})
    for properties in (globals_, *(each.get("Properties", {}) for each in source["Resources"].values())):
        for key in ("CodeUri", "ContentUri"):
            if key in properties:
                properties[key] = {"Bucket": BUCKET, "Key": "code.zip"}
    defaults = {
        name: spec["Default"] for name, spec in source.get("Parameters", {}).items() if "Default" in spec
    }
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    expanded = translator.translate(source, {**defaults, **parameters})
    translator.metrics.publish()  # to nowhere; it complains at exit when this is not called
    return cast("dict[str, Any]", expanded)


def routes_of(template: dict[str, Any]) -> list[Route]:
    """Return the routes of an expanded template: SAM writes them into the OpenAPI document of the API.

    Raises:
        ValueError: a route does something else than to invoke a function with payload format 2.0.
    """
    return [
        Route(api, method.upper(), path, _invoked(operation["x-amazon-apigateway-integration"], path))
        for api, resource in template["Resources"].items()
        if resource["Type"] == HTTP_API
        for path, operations in resource["Properties"]["Body"]["paths"].items()
        for method, operation in operations.items()
    ]


def _invoked(integration: dict[str, Any], path: str) -> str:
    found = _INVOKES.search(integration["uri"]["Fn::Sub"])
    if found is None or integration["payloadFormatVersion"] != "2.0":
        raise ValueError(f"{path}: only functions with payload format 2.0 can be served here")
    return found[1]


@dataclass
class Leftovers:
    """Resources that moto's CloudFormation does not know; they are made by their service's own API.

    Types that have no maker here are left out and named in `skipped`, but for those that are served elsewhere.
    Whoever refers to what is left out gets its logical id: CloudFormation fails on what is not there.

    Their references (Ref, Fn::GetAtt, ...) are lifted into outputs of the stack, so that CloudFormation, not
    we, says what they stand for.
    """

    resources: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def create(self, outputs: dict[str, str], client: Callable[[str], Any]) -> None:
        for resource in self.resources:
            properties = _put_back(resource["Properties"], outputs)
            _MAKERS[resource["Type"]](client, properties)


def take_leftovers(template: dict[str, Any]) -> Leftovers:
    """Take the resources out that moto would skip, and add the outputs that they need."""
    left = Leftovers()
    known = {*get_model_map(), *NULL_MODELS}
    names = [name for name, each in template["Resources"].items() if each["Type"] not in known]
    for name in names:
        resource = template["Resources"].pop(name)
        if resource["Type"] in _MAKERS:
            left.resources.append({**resource, "Properties": _lift(resource["Properties"], left.outputs)})
            continue
        for part in ("Resources", "Outputs"):
            template[part] = _without_reference(template.get(part, {}), name)
        if resource["Type"] not in _SERVED_ELSEWHERE:
            left.skipped.append(resource["Type"])
    for resource in template["Resources"].values():
        needed = resource.get("DependsOn", [])
        needed = [needed] if isinstance(needed, str) else needed
        resource["DependsOn"] = [name for name in needed if name not in names]
    template["Outputs"] = {**template.get("Outputs", {}), **left.outputs}
    return left


def _without_reference(value: Any, name: str) -> Any:
    """Put the logical id where a reference to it is, by Ref or within Fn::Sub."""
    if isinstance(value, list):
        return [_without_reference(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": name}:
        return name
    replaced = {key: _without_reference(item, name) for key, item in value.items()}
    if isinstance(replaced.get("Fn::Sub"), str):
        replaced["Fn::Sub"] = replaced["Fn::Sub"].replace(f"${{{name}}}", name)
    return replaced


def _lift(value: Any, outputs: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_lift(item, outputs) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
        name = f"{LIFTED}{len(outputs)}"
        outputs[name] = {"Value": value}
        return {LIFTED: name}
    return {key: _lift(item, outputs) for key, item in value.items()}


def _put_back(value: Any, outputs: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_put_back(item, outputs) for item in value]
    if isinstance(value, dict):
        if LIFTED in value:
            return outputs[value[LIFTED]]
        return {key: _put_back(item, outputs) for key, item in value.items()}
    return value


def _set_queue_policy(client: Callable[[str], Any], properties: dict[str, Any]) -> None:
    for queue in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def _subscribe(client: Callable[[str], Any], properties: dict[str, Any]) -> None:
    attributes = {
        name: json.dumps(value)
        for name, value in properties.items()
        if name not in ("TopicArn", "Protocol", "Endpoint")
    }
    client("sns").subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
    )


def _set_invoke_config(client: Callable[[str], Any], properties: dict[str, Any]) -> None:
    """Set it, but for the qualifier: $LATEST is what moto takes anyway."""
    settings = {name: value for name, value in properties.items() if name != "Qualifier"}
    client("lambda").put_function_event_invoke_config(**settings)


_SERVED_ELSEWHERE = {HTTP_API, HTTP_API_STAGE}
"""By `local.http_api`."""

_MAKERS: dict[str, Callable[[Callable[[str], Any], dict[str, Any]], None]] = {
    "AWS::SQS::QueuePolicy": _set_queue_policy,
    "AWS::Lambda::EventInvokeConfig": _set_invoke_config,
    "AWS::SNS::Subscription": _subscribe,
}
