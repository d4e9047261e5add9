"""One deployment, as the options of a command name it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from backtrace_jira.settings.connection import parse_web_address
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.deployment.known_integrations import KnownIntegrations
from backtrace_jira_cli.deployment.link_table import LinkTable, open_link_table
from backtrace_jira_cli.deployment.parameter_store import ParameterStore, Stored, open_store
from backtrace_jira_cli.deployment.stored_settings import (
    WRITE_IT,
    StoredSettings,
    choose_integrations,
    valid_integrations,
)
from backtrace_jira_cli.exits import Stop, wrong_usage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ROOT = "/backtrace-jira"
_PATH = re.compile(r"(/[A-Za-z0-9_.-]+){1,10}/?")
_STAGE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Deployment:
    """Settings, secrets and link table of one stage. Each is read from AWS when a command first needs it."""

    def __init__(
        self,
        stage: str | None = None,
        prefix: str | None = None,
        *,
        region: str | None = None,
        profile: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        """Take the options as the operator gave them.

        Raises:
            Stop: an option is not valid.
        """
        self.names = parameter_names(stage, prefix)
        self._region = region
        self._profile = profile
        self._endpoint_url = ensure_safe_address("--endpoint-url", endpoint_url)

    @property
    def stage(self) -> str:
        """Return the name of the stage: the last part of the path."""
        return self.names.prefix.rpartition("/")[2]

    @property
    def place(self) -> str:
        """Return where the settings are stored, for messages: `/backtrace-jira/dev in eu-west-1`."""
        return f"{self.names.prefix} in {self.store.region}"

    @cached_property
    def store(self) -> ParameterStore:
        """Open Parameter Store; nothing is read yet."""
        return open_store(region=self._region, profile=self._profile, endpoint_url=self._endpoint_url)

    @cached_property
    def stored(self) -> Mapping[str, Stored]:
        """Read all parameters below the path. Secrets are not decrypted."""
        return self.store.read(self.names.prefix)

    @cached_property
    def settings(self) -> StoredSettings:
        """Return the stored settings, valid or not."""
        return StoredSettings(self.names, self.stored, self.store.read_secret)

    @cached_property
    def integrations(self) -> dict[str, Integration]:
        """Return the valid integrations by id."""
        return valid_integrations(self.stored, self.names)

    @cached_property
    def known_integrations(self) -> KnownIntegrations:
        """Return all integrations, also those whose settings cannot be used."""
        return KnownIntegrations.read(self.integrations, self.settings)

    @property
    def is_deployed(self) -> bool:
        """Return whether the deployment has written its outputs here."""
        return self.names.deployment("links_table") in self.stored

    @cached_property
    def link_table(self) -> LinkTable:
        """Open the link table. The deployment wrote its name into a parameter."""
        table = self.read_output("links_table")
        return open_link_table(
            table, region=self._region, profile=self._profile, endpoint_url=self._endpoint_url
        )

    @cached_property
    def sqs(self) -> SQSClient:
        """Open SQS; nothing is sent yet."""
        session = boto3.Session(profile_name=self._profile, region_name=self._region)
        return session.client("sqs", endpoint_url=self._endpoint_url)

    def read_output(self, name: str) -> str:
        """Return a value that the deployment wrote into a parameter, such as the link table's name.

        Raises:
            Stop: nothing is deployed here.
        """
        parameter = self.names.deployment(name)
        if parameter not in self.stored:
            raise Stop(
                f"{parameter} is missing: nothing is deployed as this stage in this region. "
                "Try --stage or --region, or deploy (make deploy)."
            )
        return self.stored[parameter].text

    def choose_integrations(self, name: str | None) -> list[Integration]:
        """Return the valid integrations with this id or name; without a name, all of them.

        Raises:
            Stop: none has the name.
        """
        return [self.integrations[each] for each in choose_integrations(name, self.integrations)]

    def choose_integration(self, name: str | None) -> Integration:
        """Return the integration with this id or name. No name is needed if there is only one.

        Raises:
            Stop: there is none, or there are several.
        """
        if not self.integrations:
            raise wrong_usage(f"No integration is stored below {self.place}. {WRITE_IT}")
        ids = choose_integrations(name, self.integrations)
        if len(ids) != 1:
            raise wrong_usage(
                f"Several integrations are stored. Name one with --integration: {', '.join(ids)}."
            )
        return self.integrations[ids[0]]


def parameter_names(stage: str | None, prefix: str | None) -> ParameterNames:
    """Return the names below a stage's path, or below the path that was given instead.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html (names)
    """
    if stage is not None and prefix is not None:
        raise wrong_usage("Give --stage or --prefix, not both: the prefix replaces the stage's path.")
    if prefix is None:
        if not _STAGE.fullmatch(stage or "dev"):
            raise wrong_usage("--stage may hold letters, digits, `_`, `.` and `-`.")
        return ParameterNames(f"{ROOT}/{stage or 'dev'}")
    if not _PATH.fullmatch(prefix) or prefix.lower().startswith(("/aws", "/ssm")):
        raise wrong_usage(
            f"--prefix has to be a path like {ROOT}/dev: letters, digits, `_`, `.` and `-` between slashes, "
            "and not begin with aws or ssm."
        )
    return ParameterNames(prefix)


def ensure_safe_address(option: str, url: str | None) -> str | None:
    """Return the address of an option; secrets are sent there, so it has to be encrypted or this machine.

    Raises:
        Stop: the address is neither https nor this machine.
    """
    try:
        return parse_web_address(url) if url else None
    except ValueError as error:
        raise wrong_usage(f"{option} {error}.") from None
