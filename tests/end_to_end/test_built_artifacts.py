"""What `sam build` makes: complete, without traces of this machine, and it makes tickets in Lambda's own runtime."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backtrace_jira.settings.parameter_names import ParameterNames
from local import ROOT
from local.aws import built as building
from local.aws.built import Built
from local.aws.cloud import EmulatedAWS
from local.aws.lambda_runtime import FunctionError, LambdaRuntime, emulator
from local.aws.resources import FunctionSettings
from local.backtrace_stand_in.stand_in import BacktraceStandIn
from local.jira_stand_in import JiraStandIn
from tests.builders import group, integration, sample_body, sample_event

pytestmark = [
    pytest.mark.built,
    # In CI what is missing is a failure: the fixture that builds says what it is.
    pytest.mark.skipif(
        building.missing() is not None and "CI" not in os.environ, reason=str(building.missing())
    ),
]

FUNCTIONS = {
    "CreateTicket": "create_ticket",
    "ReceiveWebhook": "receive_webhook",
    "ApplyJiraChange": "apply_jira_change",
    "PollBacktrace": "poll_backtrace",
    "PollFixVersions": "poll_fix_versions",
}

IMPORT_ALL = """
import importlib, json, pkgutil, sys
places = json.loads(sys.argv[1])
sys.path[:] = places["stdlib"] + places["artifacts"] + places["runtime"]
for top in ("backtrace_jira", places["function"]):
    package = importlib.import_module(top)
    for module in pkgutil.walk_packages(package.__path__, top + "."):
        importlib.import_module(module.name)
print(json.dumps({name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)}))
"""


def loaded_files(built: Built, logical_id: str) -> dict[str, Path]:
    """Import every module of layer and function in a fresh interpreter; return where each loaded one came from."""
    function = built.function(logical_id)
    asked = [str(built.interpreter), "-I", "-S", "-c", "import sys, json; print(json.dumps(sys.path))"]
    stdlib = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    places = {
        "stdlib": stdlib,
        "artifacts": [str(function), str(built.layer / "python")],
        "runtime": [str(built.runtime)],
        "function": FUNCTIONS[logical_id],
    }
    command = [str(built.interpreter), "-I", "-S", "-B", "-c", IMPORT_ALL, json.dumps(places)]
    imported = subprocess.run(command, capture_output=True, text=True, check=False)
    assert imported.returncode == 0, imported.stderr
    return {name: Path(file) for name, file in json.loads(imported.stdout).items()}


@pytest.mark.parametrize("logical_id", FUNCTIONS)
def test_every_module_imports_from_the_artifacts_alone(built: Built, logical_id: str) -> None:
    loaded = loaded_files(built, logical_id)
    places = (built.function(logical_id), built.layer / "python", built.runtime)
    stdlib = base_prefix(built)
    elsewhere = {
        name: file
        for name, file in loaded.items()
        if not any(file.is_relative_to(place) for place in places)
        and not (file.is_relative_to(stdlib) and "site-packages" not in file.parts)
    }
    assert elsewhere == {}
    assert loaded["pydantic"].is_relative_to(built.layer)
    assert loaded["botocore"].is_relative_to(built.runtime), "botocore is the runtime's, not the layer's"


def base_prefix(built: Built) -> Path:
    command = [str(built.interpreter), "-I", "-c", "import sys; print(sys.base_prefix)"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def test_a_function_holds_its_own_folder_only(built: Built) -> None:
    for logical_id, folder in FUNCTIONS.items():
        assert {path.name for path in built.function(logical_id).iterdir()} == {folder}


def test_no_file_names_the_machine_that_built_it(built: Built) -> None:
    traces = {
        str(place).encode() for place in (ROOT, built.folder, sys.prefix, built.interpreter.parent.parent)
    }
    traces -= {b"/usr", b"/"}
    telling = [
        path
        for path in built.folder.rglob("*")
        if path.is_file() and any(trace in path.read_bytes() for trace in traces)
    ]
    assert telling == []


def test_byte_code_is_there_and_names_the_path_on_lambda(built: Built) -> None:
    python = built.layer / "python"
    sources = list(python.rglob("*.py"))
    tag = f"cpython-{built.version.replace('.', '')}"
    compiled = [path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" for path in sources]
    assert [path for path in compiled if not path.is_file()] == []
    unchecked_hash = (1).to_bytes(4, "little")
    assert [path for path in compiled if path.read_bytes()[4:8] != unchecked_hash] == []
    code = (python / "backtrace_jira/__pycache__" / f"batches.{tag}.pyc").read_bytes()
    assert b"/opt/python/backtrace_jira/batches.py" in code


def test_nothing_useless_is_deployed(built: Built) -> None:
    useless = ("bin", "tests", ".mypy_cache", ".pytest_cache", "boto3", "botocore")
    assert [path for path in (built.layer / "python").iterdir() if path.name in useless] == []
    assert sum(path.stat().st_size for path in built.layer.rglob("*")) < 40_000_000


def test_the_layer_s_versions_can_be_looked_up(built: Built) -> None:
    """pydantic and Powertools ask for versions through importlib.metadata."""
    packages = (built.layer / "python").glob("*.dist-info/METADATA")
    names = {path.parent.name.split("-")[0] for path in packages}
    assert {"pydantic", "pydantic_core", "requests", "aws_lambda_powertools"} <= names


class Deployment:
    """The stack of template.yaml in emulated AWS, set up for the stand-ins; a built function in Lambda's runtime."""

    def __init__(
        self, aws: EmulatedAWS, jira: JiraStandIn, backtrace: BacktraceStandIn, runtime: LambdaRuntime
    ):
        self.aws = aws
        self.jira = jira
        self.backtrace = backtrace
        self.runtime = runtime

    def link_row(self, fingerprint: str) -> dict[str, Any]:
        key = {"integration": {"S": integration().id}, "fingerprint": {"S": fingerprint}}
        table = self.aws.outputs["LinksTableName"]
        row: dict[str, Any] = self.aws.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
        return row

    def dead_letters(self) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = (
            self.aws.client("sqs")
            .receive_message(
                QueueUrl=self.aws.outputs["DeadLettersUrl"],
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
            )
            .get("Messages", [])
        )
        return letters

    def received(self, *bodies: str) -> dict[str, Any]:
        """Put bodies into the queue and return them as the batch that Lambda's poller would make of them."""
        sqs = self.aws.client("sqs")
        queue = self.aws.outputs["ErrorEventsQueueUrl"]
        for body in bodies:
            sqs.send_message(QueueUrl=queue, MessageBody=body)
        messages = sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"], VisibilityTimeout=300
        )["Messages"]
        assert len(messages) == len(bodies)
        return {
            "Records": [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "awsRegion": "eu-central-1",
                }
                for message in messages
            ]
        }


def configure(
    aws: EmulatedAWS, settings: FunctionSettings, jira: JiraStandIn, backtrace: BacktraceStandIn
) -> None:
    """Write the settings where the deployed function looks for them."""
    names = ParameterNames(settings.environment["SETTINGS_PREFIX"])
    connection = {"name": "main", "jira_api": jira.url, "email": jira.user}
    universe = {"universe": "my_universe", "address": backtrace.url}
    closed = integration(project="unreachable", connection="closed")
    plain = {
        names.connection("main"): json.dumps(connection),
        names.connection("closed"): json.dumps({**connection, "name": "closed", "jira_api": CLOSED}),
        names.universe("my_universe"): json.dumps(universe),
        names.integration(integration()): integration().model_dump_json(),
        names.integration(closed): closed.model_dump_json(),
    }
    secrets = {
        names.jira_secret("main"): jira.token,
        names.jira_secret("closed"): jira.token,
        names.backtrace_secret("my_universe"): backtrace.token,
    }
    ssm = aws.client("ssm")
    for kind, values in (("String", plain), ("SecureString", secrets)):
        for name, value in values.items():
            ssm.put_parameter(Name=name, Value=value, Type=kind)


CLOSED = "http://127.0.0.1:1/rest/api/2/"


@pytest.fixture(scope="module")
def deployment(built: Built) -> Iterator[Deployment]:
    if emulator() is None:
        absent = pytest.fail if "CI" in os.environ else pytest.skip
        absent("AWS's Runtime Interface Emulator is not here")
    with JiraStandIn() as jira, BacktraceStandIn() as backtrace, EmulatedAWS() as aws:
        settings = aws.function("CreateTicket")
        configure(aws, settings, jira, backtrace)
        with LambdaRuntime(
            built.function("CreateTicket"),
            built.layer,
            settings.handler,
            settings.environment,
            runtime_dir=built.runtime,
            interpreter=built.interpreter,
            timeout=settings.timeout,
        ) as runtime:
            yield Deployment(aws, jira, backtrace, runtime)


def test_the_sample_event_becomes_one_ticket_that_is_linked_on_both_sides(deployment: Deployment) -> None:
    assert deployment.runtime.invoke(sample_event()) == {"batchItemFailures": []}, deployment.runtime.output

    (ticket,) = deployment.jira.issues.values()
    row = deployment.link_row(group().fingerprint)
    assert row["issue_key"]["S"] == ticket.key, row
    issue = deployment.backtrace.issue("my_project", group().fingerprint)
    assert issue is not None
    assert issue.state == "in-progress"
    assert [entry.get("short") for entry in issue.ticket if entry["watcher"] == integration().name] == [
        ticket.key
    ]


def test_the_same_event_again_makes_no_second_ticket(deployment: Deployment) -> None:
    deployment.runtime.invoke(sample_event())
    tickets = dict(deployment.jira.issues)
    deployment.jira.clear_log()
    assert deployment.runtime.invoke(sample_event()) == {"batchItemFailures": []}
    assert deployment.jira.issues == tickets
    assert deployment.jira.requests == []


def test_a_bad_message_does_not_stop_the_good_ones_of_its_batch(deployment: Deployment) -> None:
    good = json.dumps(sample_body() | {"fingerprint": "a" * 64})
    later = json.dumps(sample_body() | {"fingerprint": "b" * 64, "project": "unreachable"})
    poison = "this is not an error group"
    before = set(deployment.jira.issues)
    event = deployment.received(good, poison, later)
    answer = deployment.runtime.invoke(event)

    ids = {record["body"]: record["messageId"] for record in event["Records"]}
    assert answer == {"batchItemFailures": [{"itemIdentifier": ids[later]}]}, deployment.runtime.output
    (key,) = set(deployment.jira.issues) - before
    assert deployment.link_row("a" * 64)["issue_key"]["S"] == key
    (letter,) = deployment.dead_letters()
    assert letter["Body"] == poison
    assert letter["MessageAttributes"]["Reason"]["StringValue"]


def test_an_event_that_is_neither_sqs_nor_sns_fails_the_invocation(deployment: Deployment) -> None:
    """A direct invocation that fails is what EventInvokeConfig sends to the dead letters."""
    with pytest.raises(FunctionError, match="neither SQS nor SNS"):
        deployment.runtime.invoke({"Records": [{"eventSource": "aws:s3"}]})


def test_what_it_logs_is_json_without_secrets(deployment: Deployment) -> None:
    deployment.runtime.invoke(sample_event())
    told = deployment.runtime.output
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert any(line.get("fingerprint") == group().fingerprint and line.get("issue_key") for line in lines)
    assert any(
        line.get("_aws", {}).get("CloudWatchMetrics", [{}])[0].get("Namespace") == "BacktraceJira"
        for line in lines
    )
    assert "left to the first event" not in told, "the init phase read all that it should"
    assert deployment.jira.token not in told
    assert deployment.backtrace.token not in told
