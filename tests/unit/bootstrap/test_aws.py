"""Clients of AWS's services: what a request costs before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import botocore.useragent
import pytest

from backtrace_jira.bootstrap.aws import AWSClients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Sent(Exception):
    """The request would be sent now."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    """A client whose requests end as `Sent`, with the name by which the program introduces itself."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    made = AWSClients().dynamodb

    def send(request: Any, **_: Any) -> None:
        raise Sent(request.headers["User-Agent"])

    made.meta.events.register("before-send", send)
    yield made
    made.close()


def test_botocore_describes_this_machine_for_no_request(
    client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(botocore.useragent.UserAgentString, "_build_os_metadata", None)
    with pytest.raises(Sent, match="backtrace-jira Botocore/"):
        client.get_item(TableName="links", Key={"integration": {"S": "a"}})


def test_the_service_looks_through_what_is_sent_and_botocore_does_not(client: DynamoDBClient) -> None:
    with pytest.raises(Sent):
        client.get_item(TableName="links")  # type: ignore[call-arg]
