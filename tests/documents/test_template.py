"""template.yaml agrees with the functions, the events, the code and the rules that every resource of a kind keeps."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from backtrace_jira.adapters.dynamodb.items import BY_ISSUE, BY_TICKET
from backtrace_jira.adapters.dynamodb.known_webhooks import WEBHOOK
from backtrace_jira.adapters.http import Timeouts
from backtrace_jira.batches import LONGEST_WAIT
from backtrace_jira.bootstrap import environment as environments
from backtrace_jira.links.pace import PROCESSES
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.poll import OVERLAP
from backtrace_jira.tickets.context import Timing
from backtrace_jira.times import LAST_MINUTE, LEASE, LONGEST_PAUSE, SEARCH_SETTLE, SETTINGS_MAX_AGE
from tests.builders import ROOT, integration
from tests.tables import new_table

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


# Files, functions and events


def test_every_function_has_a_resource_a_sample_event_a_use_case_and_a_build_target() -> None:
    resource_folders = {name: folder_of(resource) for name, resource in resources(FUNCTION).items()}
    assert resource_folders == {resource_of(folder): folder for folder in FUNCTIONS}
    assert sorted(path.stem for path in ROOT.glob("events/*.json")) == FUNCTIONS
    targets = re.findall(r"^build-(\w+):", (ROOT / "functions/Makefile").read_text(), re.MULTILINE)
    assert sorted(targets) == sorted(resource_folders)
    for folder in FUNCTIONS:
        rooms = {path.parent.name for path in ROOT.glob(f"layers/bridge/backtrace_jira/*/{folder}.py")}
        assert len(rooms - {"bootstrap"}) == 1


@pytest.mark.parametrize("name", resources(FUNCTION))
def test_a_function_s_handler_is_where_the_template_says(name: str) -> None:
    handler = template()["Resources"][name]["Properties"]["Handler"]
    folder, module, function = handler.split(".")
    source = ast.parse((ROOT / "functions" / folder / f"{module}.py").read_text())
    assert function in [node.name for node in source.body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("name", resources(FUNCTION))
def test_a_function_is_named_for_powertools_after_its_folder(name: str) -> None:
    assert environment(name)["POWERTOOLS_SERVICE_NAME"] == folder_of(template()["Resources"][name])


@pytest.mark.parametrize("name", resources(FUNCTION))
def test_a_function_reads_every_variable_that_is_set_for_it_and_no_other(name: str) -> None:
    model = getattr(environments, f"{name}Environment")
    read = {field.name.upper() for field in fields(model)}
    of_all = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    own = {variable for variable in set(environment(name)) - of_all if not variable.startswith("POWERTOOLS_")}
    assert read - of_all == own
    assert read <= set(environment(name))


def test_what_is_set_for_all_functions_is_read_by_one() -> None:
    of_all = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    models = [getattr(environments, f"{name}Environment") for name in resources(FUNCTION)]
    read = {field.name.upper() for model in models for field in fields(model)}
    assert {variable for variable in of_all if not variable.startswith("POWERTOOLS_")} <= read


def test_sam_expands_it() -> None:
    kinds = [resource["Type"] for resource in expanded()["Resources"].values()]
    for kind in ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::Lambda::EventSourceMapping"):
        assert kind in kinds
    assert "AWS::Lambda::EventInvokeConfig" in kinds


def test_samconfig_sets_parameters_that_exist_and_asks_before_prod() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    declared = template()["Parameters"]
    for stage in ("dev", "prod"):
        deploy = config[stage]["deploy"]["parameters"]
        given = dict(pair.split("=", 1) for pair in deploy["parameter_overrides"].split())
        assert given["Stage"] == stage
        for name, value in given.items():
            assert value in [str(each) for each in declared[name].get("AllowedValues", [value])]
        assert deploy["confirm_changeset"] is (stage == "prod")


# Queues


def test_no_message_becomes_a_dead_letter_by_waiting() -> None:
    """Its age is what counts; `tests/unit/batches` says how often it comes until then."""
    for _, _, queue in queue_events():
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 1000
        assert queue["MessageRetentionPeriod"] > LONGEST_WAIT + LONGEST_PAUSE


def test_the_pace_is_shared_by_as_many_processes_as_the_queue_starts() -> None:
    events = properties(FUNCTION)["CreateTicket"]["Events"]["ErrorEvents"]["Properties"]
    assert events["ScalingConfig"]["MaximumConcurrency"] == PROCESSES


def test_a_message_stays_hidden_for_six_times_the_function_s_time_out() -> None:
    for name, _, queue in queue_events():
        assert queue["VisibilityTimeout"] >= 6 * timeout(properties(FUNCTION)[name])


def test_who_holds_an_expired_lease_is_surely_dead() -> None:
    """And a create that is begun can end before the function does."""
    timing, timeouts = Timing(), Timeouts()
    assert timeout(properties(FUNCTION)["CreateTicket"]) < timing.lease
    assert timeouts.connect + timeouts.total <= timing.longest_create < timing.lease


def test_one_bad_message_does_not_bring_its_batch_back() -> None:
    assert list(queue_events())
    for _, event, _ in queue_events():
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_queue_is_encrypted_and_has_dead_letters_or_is_one() -> None:
    for name, queue in properties("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True
        assert "RedrivePolicy" in queue or "RedriveAllowPolicy" in queue, name
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_nobody_but_the_topic_may_send_by_the_queues_policy() -> None:
    (policy,) = properties("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "ErrorEvents"}}}


def test_a_subscription_delivers_raw_and_keeps_what_it_cannot_deliver() -> None:
    for subscription in properties("AWS::SNS::Subscription").values():
        assert subscription["RawMessageDelivery"] is True
        assert "deadLetterTargetArn" in subscription["RedrivePolicy"]


# Permissions


def test_no_role_has_a_wildcard_action_or_resource_or_a_policy_of_aws() -> None:
    assert list(statements())
    for role in resources("AWS::IAM::Role", expanded()).values():
        assert "ManagedPolicyArns" not in role["Properties"]
    for statement in statements():
        assert statement["Effect"] == "Allow"
        assert [action for action in listed(statement["Action"]) if "*" in action] == []
        for place in listed(statement["Resource"]):
            text = place.get("Fn::Sub", "") if isinstance(place, dict) else place
            assert "*" not in text.removesuffix("/*"), text
            assert text != "*"


def test_the_function_may_read_what_its_settings_are_called_and_no_other_secret() -> None:
    names = ParameterNames("/backtrace-jira/dev")
    may = granted("CreateTicketRole")

    def allowed(action: str, name: str) -> bool:
        arn = f"arn:aws:ssm:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:parameter{name}"
        return any(fnmatchcase(arn, place) for place in may[action])

    assert allowed("ssm:GetParametersByPath", names.integrations("my_universe", "my_project"))
    for name in (names.connection("main"), names.universe("my_universe")):
        assert allowed("ssm:GetParameter", name)
    for secret in (names.jira_secret("main"), names.backtrace_secret("my_universe")):
        assert allowed("ssm:GetParameter", secret)
        assert not allowed("ssm:GetParametersByPath", secret)
    assert not allowed("ssm:GetParameter", names.integration(integration()))
    assert not allowed("ssm:GetParameter", "/backtrace-jira/dev/secrets/webhook/main")
    assert not allowed("ssm:GetParameter", ParameterNames("/backtrace-jira/prod").jira_secret("main"))


POLLER = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
"""What Lambda's poller needs: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

TICKETS = ("dynamodb/table", "dynamodb/link_rows", "dynamodb/ticket_links")
SYNC = ("dynamodb/table", "dynamodb/link_rows", "dynamodb/synced_links")


@pytest.mark.parametrize(
    ("role", "service", "adapters", "unused"),
    [
        (
            "CreateTicketRole",
            "dynamodb",
            TICKETS,
            {"dynamodb:Query", "dynamodb:Scan"},
        ),
        ("CreateTicketRole", "sqs", ("aws/sqs_queue", "aws/message_queue"), set()),
        (
            "ReceiveWebhookRole",
            "dynamodb",
            ("dynamodb/known_webhooks", "dynamodb/table"),
            {"dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchGetItem"},
        ),
        ("ReceiveWebhookRole", "sqs", ("aws/sqs_queue",), set()),
        ("ReceiveWebhookRole", "ssm", ("aws/webhook_secrets",), set()),
        ("ApplyJiraChangeRole", "dynamodb", SYNC, {"dynamodb:Scan"}),
        ("ApplyJiraChangeRole", "sqs", ("aws/sqs_queue", "aws/message_queue"), set()),
        ("PollBacktraceRole", "dynamodb", SYNC, {"dynamodb:Scan"}),
        ("PollBacktraceRole", "sqs", ("aws/sqs_queue",), set()),
        ("PollFixVersionsRole", "dynamodb", SYNC, set()),
        ("PollFixVersionsRole", "sqs", ("aws/sqs_queue",), set()),
    ],
)
def test_a_function_may_do_what_its_adapters_ask_for(
    role: str, service: str, adapters: tuple[str, ...], unused: set[str]
) -> None:
    operations = boto3.client(service).meta.method_to_api_mapping  # type: ignore[call-overload]
    nodes = [node for name in adapters for node in ast.walk(ast.parse((ADAPTERS / f"{name}.py").read_text()))]
    named = {node.value for node in nodes if isinstance(node, ast.Constant)}
    named |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    asked = {f"{service}:{operation}" for method, operation in operations.items() if method in named}
    # SQS has one permission for a request and for its batch form (its service authorization reference).
    asked = {each.removesuffix("Batch") if service == "sqs" else each for each in asked}
    may = {action for action in granted(role) if action.startswith(f"{service}:")}
    assert asked
    assert may - POLLER == asked - unused


def test_the_function_behind_the_public_address_holds_one_secret_and_sees_no_link() -> None:
    names = ParameterNames("/backtrace-jira/dev")
    places = granted("ReceiveWebhookRole")["ssm:GetParameter"]
    arn = f"arn:aws:ssm:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:parameter"
    assert any(fnmatchcase(arn + names.webhook_secret("main"), place) for place in places)
    for secret in (names.jira_secret("main"), names.backtrace_secret("u"), names.connection("main")):
        assert not any(fnmatchcase(arn + secret, place) for place in places)
    (policy,) = template()["Resources"]["ReceiveWebhookRole"]["Properties"]["Policies"]
    (table,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Sid"] == "RememberWebhooks"]
    assert table["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [WEBHOOK]}}


@pytest.mark.parametrize(
    "role", ["ApplyJiraChangeRole", "PollBacktraceRole", "PollFixVersionsRole", "CreateTicketRole"]
)
def test_no_other_function_may_read_the_webhook_secret(role: str) -> None:
    arn = f"arn:aws:ssm:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:parameter"
    secret = arn + ParameterNames("/backtrace-jira/dev").webhook_secret("main")
    assert not any(fnmatchcase(secret, place) for place in granted(role)["ssm:GetParameter"])


@pytest.mark.parametrize(
    "role", ["ApplyJiraChangeRole", "PollBacktraceRole", "PollFixVersionsRole", "CreateTicketRole"]
)
def test_whoever_looks_at_all_projects_may_list_all_integrations(role: str) -> None:
    arn = f"arn:aws:ssm:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:parameter"
    path = arn + ParameterNames("/backtrace-jira/dev").all_integrations
    assert path in granted(role)["ssm:GetParametersByPath"]


SENDERS = {
    "CreateTicketRole": {"JiraChangesQueue", "ErrorEventsQueue", "ErrorEventsDeadLetters"},
    "ApplyJiraChangeRole": {"JiraChangesQueue", "JiraChangesDeadLetters", "ErrorEventsQueue"},
    "PollBacktraceRole": {"JiraChangesQueue", "ErrorEventsQueue"},
    "PollFixVersionsRole": {"JiraChangesQueue", "ErrorEventsQueue"},
    "ReceiveWebhookRole": {"JiraChangesQueue"},
}
"""Into which queues each function puts something: hints of regressions, and events that make new tickets, too."""


@pytest.mark.parametrize("role", sorted(SENDERS))
def test_a_function_may_send_to_the_queues_that_it_uses_and_no_others(role: str) -> None:
    (policy,) = template()["Resources"][role]["Properties"]["Policies"]
    places = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        if "sqs:SendMessage" in statement["Action"]:
            resources = statement["Resource"]
            for each in resources if isinstance(resources, list) else [resources]:
                places.add(each["Fn::GetAtt"][0])
    assert places == SENDERS[role]


def test_a_turn_outlives_the_function_behind_the_queue() -> None:
    assert timeout(properties(FUNCTION)["ApplyJiraChange"]) < LEASE
    assert timeout(properties(FUNCTION)["PollBacktrace"]) > LAST_MINUTE > LEASE
    assert timeout(properties(FUNCTION)["PollFixVersions"]) > LAST_MINUTE > LEASE


def test_the_next_poll_looks_back_to_before_this_run() -> None:
    """It has read once which tickets are linked; one that is linked later must not be missed."""
    assert timeout(properties(FUNCTION)["PollFixVersions"]) <= OVERLAP


def test_defaults_of_the_template_are_those_of_the_code() -> None:
    parameters = template()["Parameters"]
    assert parameters["SearchSettleInSeconds"]["Default"] == SEARCH_SETTLE
    assert parameters["SettingsMaxAgeInSeconds"]["Default"] == SETTINGS_MAX_AGE


def test_jira_s_changes_keep_their_order() -> None:
    queues = properties("AWS::SQS::Queue")
    for name in ("JiraChangesQueue", "JiraChangesDeadLetters"):
        assert queues[name]["FifoQueue"] is True
        assert str(queues[name]["QueueName"]["Fn::Sub"]).endswith(".fifo")


def test_webhooks_come_in_by_post_only() -> None:
    events = properties(FUNCTION)["ReceiveWebhook"]["Events"].values()
    assert {(event["Properties"]["Method"], event["Properties"]["Path"]) for event in events} == {
        ("POST", "/jira/{connection}"),
        ("POST", "/jira/{connection}/{secret}"),
    }


# Logs and state


def test_every_function_logs_as_json_into_a_group_that_forgets() -> None:
    groups = properties("AWS::Logs::LogGroup")
    assert all("RetentionInDays" in group for group in groups.values())
    for function in properties(FUNCTION).values():
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups


def test_log_levels_that_would_drop_metrics_cannot_be_chosen() -> None:
    """A metric is a log line without a level, which Lambda takes for INFO."""
    assert template()["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]


def test_tables_are_backed_up_encrypted_and_outlive_the_stack() -> None:
    for table in resources("AWS::DynamoDB::Table").values():
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["Properties"]["SSESpecification"]["SSEEnabled"] is True
        assert table["Properties"]["DeletionProtectionEnabled"] == {"Fn::If": ["IsProd", True, False]}


def test_functions_may_query_the_index_of_tickets_and_the_one_that_a_deployment_replaces() -> None:
    for role in ("ApplyJiraChangeRole", "PollBacktraceRole", "PollFixVersionsRole"):
        places = granted(role)["dynamodb:Query"]
        indexes = {place.partition("/index/")[2] for place in places} - {""}
        assert indexes == {BY_TICKET, BY_ISSUE}
    assert "dynamodb:Query" not in granted("CreateTicketRole")


def test_the_tests_table_has_the_template_s_keys() -> None:
    links = properties("AWS::DynamoDB::Table")["Links"]
    with mock_aws():
        client = boto3.client("dynamodb")
        made = client.describe_table(TableName=new_table(client))["Table"]
    assert made["KeySchema"] == links["KeySchema"]
    assert made["AttributeDefinitions"] == links["AttributeDefinitions"]
    described = [
        {"IndexName": each["IndexName"], "KeySchema": each["KeySchema"], "Projection": each["Projection"]}
        for each in made["GlobalSecondaryIndexes"]
    ]
    assert described == links["GlobalSecondaryIndexes"]


def test_a_deployment_says_where_it_is_under_the_names_that_commands_look_for() -> None:
    told = {
        each["Name"]["Fn::Sub"]: next(iter(each["Value"].values()))
        for each in properties("AWS::SSM::Parameter").values()
    }
    names = ParameterNames("/backtrace-jira/${Stage}")
    assert told == {
        names.deployment("links_table"): "Links",
        names.deployment("error_events_queue"): "ErrorEventsQueue",
        names.deployment("dead_letters"): "ErrorEventsDeadLetters",
        names.deployment("jira_changes_queue"): "JiraChangesQueue",
        names.deployment(
            "webhook_url"
        ): "https://${WebhookApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/jira",
    }


# The layer's lock file


@pytest.mark.parametrize(
    "lock", ["layers/bridge/requirements.txt", "tests/end_to_end/runtime-requirements.txt"]
)
def test_a_lock_file_has_hashes_and_neither_markers_nor_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[\w.-]+==\S+(.*)$", text, re.MULTILINE)
    assert pins
    assert set(pins) == {" \\"}, "a marker would be evaluated for the Python that builds"
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_the_layer_leaves_boto3_to_the_runtime() -> None:
    assert "boto" not in (ROOT / "layers/bridge/requirements.txt").read_text()


def test_sample_events_are_json() -> None:
    for path in ROOT.glob("events/*.json"):
        assert isinstance(json.loads(Path(path).read_text()), dict)
