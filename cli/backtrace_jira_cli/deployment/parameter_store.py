"""SSM Parameter Store, as the operator's commands use it. Each of AWS's errors becomes one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from pydantic import SecretStr

from backtrace_jira_cli.exits import Stop, wrong_usage

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# PutParameter is limited to three calls a second, so a larger file is throttled for a while.
# https://docs.aws.amazon.com/general/latest/gr/ssm.html
_CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 8})

LOG_IN = "log in (aws sso login), set AWS_PROFILE, or add --profile"
_NO_LOGIN = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
_STALE_LOGIN = (
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
)


class ParameterStore:
    """The parameters of an AWS account in one region."""

    def __init__(self, client: SSMClient) -> None:
        self._client = client
        self.region = client.meta.region_name

    def read(self, prefix: str) -> dict[str, Stored]:
        """Return the parameters below a path. Secrets are not decrypted."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(
            Path=prefix, Recursive=True, WithDecryption=False
        )
        with _translate_errors("read", prefix):
            found = [parameter for page in pages for parameter in page["Parameters"]]
        stored = {}
        for parameter in found:
            secure = parameter["Type"] == "SecureString"
            stored[parameter["Name"]] = Stored(secure, "" if secure else parameter["Value"])
        return stored

    def read_secret(self, name: str) -> SecretStr | None:
        """Return a secret, decrypted with the operator's own rights; None: it is not stored."""
        with _translate_errors("read and decrypt", name):
            try:
                found = self._client.get_parameter(Name=name, WithDecryption=True)
            except self._client.exceptions.ParameterNotFound:
                return None
        return SecretStr(found["Parameter"]["Value"])

    def holds(self, name: str, secret: SecretStr) -> bool:
        """Whether this very secret is stored. False if the operator may not read it."""
        try:
            found = self._client.get_parameter(Name=name, WithDecryption=True)
        except (BotoCoreError, ClientError):
            return False
        return found["Parameter"]["Value"] == secret.get_secret_value()

    def put(self, name: str, value: SecretStr, *, secure: bool) -> None:
        """Write one parameter. Intelligent-Tiering makes it an advanced one only if its size requires it."""
        with _translate_errors("write", name):
            self._client.put_parameter(
                Name=name,
                Value=value.get_secret_value(),
                Type="SecureString" if secure else "String",
                Tier="Intelligent-Tiering",
                Overwrite=True,
            )

    def delete(self, name: str) -> None:
        """Delete one parameter. It may be gone already."""
        with _translate_errors("delete", name):
            self._client.delete_parameters(Names=[name])


def open_store(*, region: str | None, profile: str | None, endpoint_url: str | None) -> ParameterStore:
    """Return the store of an account and region; None leaves it to AWS's own configuration."""
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return ParameterStore(session.client("ssm", config=_CONFIG, endpoint_url=endpoint_url))
    except ProfileNotFound:
        raise wrong_usage(
            "There is no AWS profile of that name; `aws configure list-profiles` shows them."
        ) from None
    except NoRegionError:
        raise wrong_usage(
            "No AWS region: add --region, set AWS_REGION, or put one into the profile."
        ) from None
    except (BotoCoreError, ValueError) as error:
        raise Stop(f"AWS's configuration on this machine is not usable ({type(error).__name__}).") from None


@contextmanager
def _translate_errors(verb: str, name: str) -> Iterator[None]:
    """Raise a Stop instead of AWS's errors. Their texts are left out: a ValidationException repeats the value."""
    try:
        yield
    except _NO_LOGIN:
        raise Stop(f"No AWS credentials: {LOG_IN}.") from None
    except ClientError as error:
        raise Stop(_refusal(error, verb, name)) from None
    except BotoCoreError as error:
        raise Stop(f"SSM could not be reached to {verb} {name} ({type(error).__name__}).") from None


def _refusal(error: ClientError, verb: str, name: str) -> str:
    code = str(error.response.get("Error", {}).get("Code", "no code"))
    if code in _STALE_LOGIN:
        return f"AWS does not accept these credentials ({code}): {LOG_IN}."
    if code.startswith("AccessDenied"):
        return f"These AWS credentials may not {verb} {name}: they need ssm:{error.operation_name} on it."
    return f"AWS refused to {verb} {name}: {code}."


@dataclass(frozen=True, slots=True)
class Stored:
    """A parameter as it is stored. Secrets are not read: their text is empty."""

    secure: bool
    text: str = ""
