"""AWS on one machine: the resources of template.yaml, made from template.yaml.

The template is expanded as SAM expands it and handed to moto's CloudFormation. What a test or a person then sees
(names, policies, limits, environment variables) is what the template says. The tables that CloudFormation made
are made once more, with the same keys, in DynamoDB Local where that runs: there conditions hold under
concurrency as they do in AWS.

moto's state belongs to the process, so a process has one `EmulatedAWS` at a time.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import boto3
import requests
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from local import ROOT
from local.aws.dynamodb_local import Engine
from local.aws.resources import FunctionSettings, QueueMapping, Schedule
from local.aws.sam import BUCKET, LIFTED, Route, expand, routes_of, take_leftovers
from local.http.serving import Quiet, Serving

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
_AWS_QUEUES = re.compile(r"^https://sqs\.[a-z0-9-]+\.amazonaws\.com(?=/)")
_AWS_API = re.compile(r"https://([A-Za-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


class _Handler(Quiet, MotoRequestHandler):  # type: ignore[misc]  # moto is not followed
    """moto's request handler without its log lines."""


class EmulatedAWS:
    """moto's services on a loopback port, with the stack of a template in them."""

    def __init__(
        self,
        *,
        template: Path = ROOT / "template.yaml",
        stack_name: str = "backtrace-jira-local",
        dynamodb: Engine | None = None,
        parameters: dict[str, str] | None = None,
    ) -> None:
        """Take the engine for the tables (launched or started; None leaves them to moto) and the stack's parameters."""
        self.stack_name = stack_name
        self.resources: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.skipped: list[str] = []
        """Types of the template that nothing here emulates."""
        self.routes: list[Route] = []
        """Of the template's HTTP APIs, which `local.http_api` serves."""
        self._template = template
        self._parameters = parameters or {}
        self._dynamodb = dynamodb
        self._serving = Serving(DomainDispatcherApplication(create_backend_app), _Handler)
        self._session: boto3.Session | None = None
        self._functions: dict[str, str] = {}
        self._parameter_names: list[str] = []
        self.dynamodb_fault = ""
        """The reason why the tables are not in the given engine; empty if they are."""

    def start(self) -> Self:
        # Made before anybody listens to requests of new sessions: what this one asks is not the function's doing.
        self._session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        self._serving.start()
        self._request("POST", "/moto-api/reset")
        self._deploy()
        if self._dynamodb:
            self._use_dynamodb(self._dynamodb)
        return self

    def stop(self) -> None:
        if self.endpoint:
            self._request("POST", "/moto-api/reset")
        self._serving.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        return self._serving.url

    @property
    def dynamodb_endpoint(self) -> str:
        return self._dynamodb.url if self._dynamodb else self.endpoint

    @property
    def access(self) -> dict[str, str]:
        """Return the environment variables by which any AWS client finds this one, and no other."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """Return a client of ours, whose requests are not counted as the function's."""
        endpoint = self.dynamodb_endpoint if service == "dynamodb" else self.endpoint
        return self._client(service, endpoint)

    @property
    def functions(self) -> list[str]:
        """Return the functions' logical ids, as the template orders them."""
        return list(self._functions.values())

    def function(self, logical_id: str) -> FunctionSettings:
        """Read a function's settings back from the emulated Lambda."""
        found = self.client("lambda").get_function_configuration(FunctionName=self.resources[logical_id])
        return FunctionSettings(
            logical_id=logical_id,
            name=found["FunctionName"],
            handler=found["Handler"],
            timeout=found["Timeout"],
            environment={**self._local(found["Environment"]["Variables"]), **self.access},
        )

    def queue_mappings(self) -> list[QueueMapping]:
        """Read back which queue feeds which function."""
        sqs = self.client("sqs")
        found = self.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        return [
            QueueMapping(
                function=self._functions[_last(mapping["FunctionArn"])],
                queue_arn=mapping["EventSourceArn"],
                queue_url=sqs.get_queue_url(QueueName=_last(mapping["EventSourceArn"]))["QueueUrl"],
                batch_size=mapping["BatchSize"],
                reports_batch_item_failures="ReportBatchItemFailures"
                in mapping.get("FunctionResponseTypes", []),
            )
            for mapping in found
        ]

    def schedules(self) -> list[Schedule]:
        """Read back which schedule runs which function."""
        events = self.client("events")
        return [
            Schedule(self._functions[_last(target["Arn"])], rule["Arn"], rule["ScheduleExpression"])
            for rule in events.list_rules()["Rules"]
            if rule.get("ScheduleExpression")
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        ]

    def put_api_address(self, logical_id: str, address: str) -> None:
        """Put an HTTP API's address on this machine where the stack has AWS's: in outputs and parameters.

        The address is known only once `HttpApi` serves the API, and that is after the functions were made.
        """

        def here(text: str) -> str:
            return _AWS_API.sub(lambda found: address if found[1] == logical_id else found[0], text)

        self.outputs = {name: here(value) for name, value in self.outputs.items()}
        ssm = self.client("ssm")
        for name in self._parameter_names:
            value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
            if here(value) != value:
                ssm.put_parameter(Name=name, Value=here(value), Type="String", Overwrite=True)

    def _local(self, values: dict[str, Any]) -> dict[str, str]:
        """Give values as text, with the addresses of queues on this machine: CloudFormation's name AWS's own."""
        return {name: _AWS_QUEUES.sub(self.endpoint, str(value)) for name, value in values.items()}

    def _client(self, service: str, endpoint: str) -> Any:
        if self._session is None:
            raise RuntimeError("not started")
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, proxies={})
        return self._session.client(cast("Any", service), endpoint_url=endpoint, config=config)

    def _request(self, method: str, path: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.request(method, self.endpoint + path, timeout=30).raise_for_status()

    def _deploy(self) -> None:
        template = expand(self._template, self._parameters, REGION)
        self.routes = routes_of(template)
        leftovers = take_leftovers(template)
        self._put_placeholder_for_code()
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=self.stack_name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in self._parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = cloudformation.describe_stacks(StackName=self.stack_name)["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise RuntimeError(f"the stack was not created: {stack['StackStatus']}")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        own = {name: value for name, value in outputs.items() if not name.startswith(LIFTED)}
        self.outputs = self._local(own)
        found = cloudformation.describe_stack_resources(StackName=self.stack_name)["StackResources"]
        self.resources = {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in found}
        self._functions = {
            self.resources[name]: name
            for name, each in template["Resources"].items()
            if each["Type"] == "AWS::Lambda::Function"
        }
        self._parameter_names = [
            each["PhysicalResourceId"] for each in found if each["ResourceType"] == "AWS::SSM::Parameter"
        ]
        leftovers.create(outputs, self.client)
        self.skipped = leftovers.skipped
        self._disable_event_sources()

    def _put_placeholder_for_code(self) -> None:
        """Put an empty archive where Lambda looks for code."""
        empty = b"PK\x05\x06" + bytes(18)
        s3 = self.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=BUCKET, Key="code.zip", Body=empty)

    def _disable_event_sources(self) -> None:
        """Keep moto from running the functions itself, which it does in containers; `local.event_source` does it."""
        client = self.client("lambda")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def _use_dynamodb(self, engine: Engine) -> None:
        """Move the tables to the engine; where it does not start, they stay with moto."""
        try:
            engine.start()
        except RuntimeError as error:
            self._dynamodb, self.dynamodb_fault = None, str(error)
        else:
            self._copy_tables()

    def _copy_tables(self) -> None:
        source, target = self._client("dynamodb", self.endpoint), self.client("dynamodb")
        for name in source.list_tables()["TableNames"]:
            target.create_table(**_table(source.describe_table(TableName=name)["Table"]))
            lifetime = source.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            if lifetime.get("AttributeName"):
                target.update_time_to_live(
                    TableName=name,
                    TimeToLiveSpecification={"AttributeName": lifetime["AttributeName"], "Enabled": True},
                )


def _last(arn: str) -> str:
    """Return the name at the end of an ARN."""
    return arn.rpartition(":")[2]


def _table(description: dict[str, Any]) -> dict[str, Any]:
    """Turn what a table is into what creates one like it."""
    table = {
        "TableName": description["TableName"],
        "KeySchema": description["KeySchema"],
        "AttributeDefinitions": description["AttributeDefinitions"],
        "BillingMode": "PAY_PER_REQUEST",
    }
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if description.get(kind):
            parts = ("IndexName", "KeySchema", "Projection")
            table[kind] = [{part: index[part] for part in parts} for index in description[kind]]
    if description.get("StreamSpecification", {}).get("StreamEnabled"):
        table["StreamSpecification"] = description["StreamSpecification"]
    return table
