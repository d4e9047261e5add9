"""The contract of what the intake of webhooks asks for: the fakes, and SSM and DynamoDB.

Its users rely on this: a connection without a secret has an empty one; a secret that was replaced is found when it is
asked for anew; a webhook is known until its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from backtrace_jira.adapters.aws.webhook_secrets import SSMWebhookSecrets
from backtrace_jira.adapters.dynamodb.known_webhooks import DynamoDBKnownWebhooks
from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.receive_webhook import KnownWebhooks, WebhookSecrets
from tests.fakes.clock import Clock
from tests.fakes.webhooks import FakeKnownWebhooks, FakeWebhookSecrets
from tests.tables import new_table

PORTS = {WebhookSecrets: FakeWebhookSecrets, KnownWebhooks: FakeKnownWebhooks}
Store = Callable[[str], None]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "moto"])
def secrets(request: pytest.FixtureRequest, clock: Clock) -> Iterator[tuple[WebhookSecrets, Store]]:
    """Give the port, and what stores the secret of the connection "main"."""
    if request.param == "fake":
        fake = FakeWebhookSecrets()
        yield fake, lambda secret: fake.stored.update(main=secret)
        return
    with mock_aws():
        client, names = boto3.client("ssm"), ParameterNames("/backtrace-jira/test")

        def store(secret: str) -> None:
            client.put_parameter(
                Name=names.webhook_secret("main"), Value=secret, Type="SecureString", Overwrite=True
            )

        yield SSMWebhookSecrets(client, names, max_age=300, clock=clock), store


@pytest.fixture(params=["fake", "moto", "dynamodb-local"])
def known(request: pytest.FixtureRequest) -> Iterator[KnownWebhooks]:
    if request.param == "fake":
        yield FakeKnownWebhooks()
        return
    if request.param == "moto":
        with mock_aws():
            client = boto3.client("dynamodb")
            yield DynamoDBKnownWebhooks(Table(client, new_table(client)))
        return
    client = boto3.client("dynamodb", endpoint_url=request.getfixturevalue("dynamodb_local_endpoint"))
    yield DynamoDBKnownWebhooks(Table(client, new_table(client)))


def test_a_connection_without_a_secret_may_get_one(
    secrets: tuple[WebhookSecrets, Store], clock: Clock
) -> None:
    port, store = secrets
    assert port.find_secret("main") == port.find_new_secret("main") == ""
    store("s1")
    clock.advance(60)
    assert port.find_secret("main") == "s1"
    assert port.find_secret("other") == ""


def test_a_secret_that_was_replaced_is_found_anew(
    secrets: tuple[WebhookSecrets, Store], clock: Clock
) -> None:
    port, store = secrets
    store("old")
    assert port.find_secret("main") == "old"
    store("new\nold")
    clock.advance(60)
    assert port.find_secret("main") == "old"  # for a while, so that a webhook costs no request
    assert port.find_new_secret("main") == "new\nold"
    assert port.find_secret("main") == "new\nold"


def test_a_webhook_is_known_until_its_time_is_over(known: KnownWebhooks) -> None:
    assert not known.has_webhook("a", now=1000)
    known.remember_webhook("a", until=2000)
    assert known.has_webhook("a", now=1999)
    assert not known.has_webhook("a", now=2000)
    assert not known.has_webhook("b", now=1000)
    known.remember_webhook("a", until=3000)
    assert known.has_webhook("a", now=2500)
