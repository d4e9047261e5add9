"""The checks of `backtrace-jira configure`, with the settings and secrets that it is about to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import SecretStr

from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.check.check_run import CheckRun
from backtrace_jira_cli.configure.configure_run import Preparation
from backtrace_jira_cli.configure.plan import list_parameters
from backtrace_jira_cli.configure.secret_sources import Origin
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.parameter_store import Stored
from backtrace_jira_cli.deployment.stored_settings import IntegrationPath, NotKnownYet, StoredSettings
from backtrace_jira_cli.exits import Stop
from backtrace_jira_cli.faults import Fault

AGAIN = "Nothing was written. Correct it and run this again, or add --no-check to write without checks."


def check_before_writing(names: ParameterNames, console: Console) -> Callable[[Preparation], Sequence[Fault]]:
    """Return a check of the file's integrations and connections. Those that are stored only are not checked."""

    def check(preparation: Preparation) -> Sequence[Fault]:
        settings = preparation.settings
        integrations = [IntegrationPath(one.universe, one.project, one.name) for one in settings.integrations]
        used = {one.connection for one in settings.integrations}
        others = [one.name for one in settings.connections if one.name not in used]
        if integrations or others:
            try:
                CheckRun(stored_settings(preparation, names), console).run(integrations, others)
            except Stop as stop:
                raise Stop(f"{stop} {AGAIN}") from None
        return ()

    return check


def stored_settings(preparation: Preparation, names: ParameterNames) -> StoredSettings:
    """Return the settings and secrets that this run is about to write, and those that are stored beside them."""
    new = {
        parameter: Stored(False, text) for parameter, _, text in list_parameters(preparation.settings, names)
    }
    new_secrets = {
        one.needed.parameter: one.value for one in preparation.secrets if one.origin is not Origin.STORED
    }

    def read_secret(parameter: str) -> SecretStr | None:
        """Read a secret that stays. An operator may write settings without the right to read secrets."""
        try:
            return preparation.store.read_secret(parameter)
        except Stop as stop:
            raise NotKnownYet(str(stop)) from None

    return StoredSettings(names, {**preparation.stored, **new}, read_secret, new_secrets)
