"""What each function's role in template.yaml allows: what its adapters ask for, and nothing else."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase

import boto3
import pytest

from backtrace_jira.adapters.dynamodb.known_webhooks import WEBHOOK
from backtrace_jira.settings.parameter_names import ParameterNames
from tests.builders import integration
from tests.documents.template import (
    ADAPTERS,
    PSEUDO,
    expanded,
    granted,
    listed,
    resources,
    statements,
    template,
)


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
SYNC = ("dynamodb/table", "dynamodb/link_rows", "dynamodb/synced_links", "dynamodb/poll_memory")


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
    # One permission is for a request and its batch form (service authorization reference of SQS).
    asked = {
        f"{service}:{each.replace('VisibilityBatch', 'Visibility')}"
        for method, each in operations.items()
        if method in named
    }
    may = {action for action in granted(role) if action.startswith(f"{service}:")}
    assert asked
    assert may - POLLER == asked - unused


def test_the_function_behind_the_public_address_holds_one_secret_and_sees_no_link() -> None:
    names = ParameterNames("/backtrace-jira/dev")
    places = granted("ReceiveWebhookRole")["ssm:GetParameter"]
    arn = f"arn:aws:ssm:{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}:parameter"
    assert any(fnmatchcase(arn + names.webhook_secret("main"), place) for place in places)
    listed_places = granted("ReceiveWebhookRole")["ssm:GetParametersByPath"]
    assert arn + names.webhook_secrets in listed_places
    for secret in (names.jira_secret("main"), names.backtrace_secret("u"), names.connection("main")):
        assert not any(fnmatchcase(arn + secret, place) for place in [*places, *listed_places])
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
