"""template.yaml agrees with the functions, the events, the code and the rules that every resource of a kind keeps."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.dynamodb.items import BY_ISSUE, BY_TICKET
from backtrace_jira.adapters.http import Timeouts
from backtrace_jira.batches import LONGEST_WAIT
from backtrace_jira.bootstrap import environment as environments
from backtrace_jira.links.pace import PROCESSES
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.poll import OVERLAP
from backtrace_jira.tickets.context import Timing
from backtrace_jira.times import LAST_MINUTE, LEASE, LONGEST_PAUSE, SEARCH_SETTLE, SETTINGS_MAX_AGE
from tests.builders import ROOT
from tests.documents.template import (
    FUNCTION,
    FUNCTIONS,
    environment,
    expanded,
    folder_of,
    granted,
    properties,
    queue_events,
    resource_of,
    resources,
    template,
    timeout,
)
from tests.tables import new_table

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


def test_the_public_function_reserves_concurrency_only_where_the_operator_says_so() -> None:
    """An account with a total of 10 has none to reserve: CloudFormation would roll the stack back."""
    parameter = template()["Parameters"]["WebhookConcurrency"]
    assert (parameter["Default"], parameter["MinValue"]) == (0, 0)
    function = expanded()["Resources"]["ReceiveWebhook"]["Properties"]
    assert function["ReservedConcurrentExecutions"] == {
        "Fn::If": ["ReservesWebhookConcurrency", {"Ref": "WebhookConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
    assert template()["Conditions"]["ReservesWebhookConcurrency"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "WebhookConcurrency"}, 0]}]
    }


# Logs and state


SAFE = {
    "$context.requestId",
    "$context.requestTime",
    "$context.identity.sourceIp",
    "$context.routeKey",
    "$context.status",
    "$context.error.responseType",
    "$context.integration.status",
    "$context.responseLatency",
}
"""Nothing of these is written by who sends the request. The path holds the secret of servers that cannot sign."""


def test_every_request_to_the_api_is_logged_and_no_secret_with_it() -> None:
    (stage,) = resources("AWS::ApiGatewayV2::Stage", expanded()).values()
    settings = stage["Properties"]["AccessLogSettings"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["WebhookApiLogs", "Arn"]}
    assert set(json.loads(settings["Format"]).values()) == SAFE
    name = properties("AWS::Logs::LogGroup")["WebhookApiLogs"]["LogGroupName"]
    assert name["Fn::Sub"].startswith("/aws/vendedlogs/")


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
