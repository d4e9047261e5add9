"""Clients of AWS's services, for one process.

They are botocore's: boto3 makes the same ones, and its import costs 60 modules more, for resources and transfers.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

import botocore
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

CONFIG = Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent=f"backtrace-jira Botocore/{botocore.__version__}",
    parameter_validation=False,
)
"""One connection attempt must not eat the function's life; botocore's own default is a minute each.

botocore would describe itself and this machine anew for each request, and look through what is sent, which the service
does anyway: together an eighth of what a new ticket costs.
"""


def new_session() -> botocore.session.Session:
    """Return a session; its credentials and region are the environment's."""
    return botocore.session.get_session()


class AWSClients:
    """Clients of one session, each made when it is first asked for."""

    def __init__(self) -> None:
        self._session = new_session()

    @cached_property
    def ssm(self) -> SSMClient:
        """The client of Parameter Store."""
        return cast("SSMClient", self._session.create_client("ssm", config=CONFIG))

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The client of DynamoDB."""
        return cast("DynamoDBClient", self._session.create_client("dynamodb", config=CONFIG))

    @cached_property
    def sqs(self) -> SQSClient:
        """The client of SQS."""
        return cast("SQSClient", self._session.create_client("sqs", config=CONFIG))
