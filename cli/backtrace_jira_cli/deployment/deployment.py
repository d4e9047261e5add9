"""Options that say where a stage's settings are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from backtrace_jira.settings.connection import parse_web_address
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.deployment.parameter_store import Stored
from backtrace_jira_cli.exits import Stop, wrong_usage

ROOT = "/backtrace-jira"
_PATH = re.compile(r"(/[A-Za-z0-9_.-]+){1,10}/?")
_STAGE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def parameter_names(stage: str | None, prefix: str | None) -> ParameterNames:
    """Return the names below a stage's path, or below the path that was given instead.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html (names)
    """
    if stage is not None and prefix is not None:
        raise wrong_usage("Give --stage or --prefix, not both: the prefix takes the stage's place.")
    if prefix is None:
        if not _STAGE.fullmatch(stage or "dev"):
            raise wrong_usage("--stage may hold letters, digits, `_`, `.` and `-`.")
        return ParameterNames(f"{ROOT}/{stage or 'dev'}")
    if not _PATH.fullmatch(prefix) or prefix.lower().startswith(("/aws", "/ssm")):
        raise wrong_usage(
            f"--prefix has to be a path like {ROOT}/dev: letters, digits, `_`, `.` and `-` between slashes, "
            "not beginning with aws or ssm."
        )
    return ParameterNames(prefix)


def local_or_encrypted(endpoint_url: str | None) -> str | None:
    """Return the address, which secrets are sent to."""
    try:
        return parse_web_address(endpoint_url) if endpoint_url else None
    except ValueError as error:
        raise wrong_usage(f"--endpoint-url {error}.") from None


def own_address(url: str | None) -> str | None:
    """Return the address that Jira is told to send to."""
    try:
        return parse_web_address(url) if url else None
    except ValueError as error:
        raise wrong_usage(f"--url {error}.") from None


def deployed(stored: Mapping[str, Stored], names: ParameterNames, name: str) -> str:
    """Return what the deployment wrote down of itself.

    Raises:
        Stop: there is none here.
    """
    parameter = names.deployment(name)
    if parameter not in stored:
        raise Stop(
            f"{parameter} is missing: nothing is deployed as this stage in this region. "
            "Try --stage or --region, or deploy (make deploy)."
        )
    return stored[parameter].text
