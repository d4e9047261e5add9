"""The checks inside `backtrace-jira configure`: settings and secrets as they are about to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import SecretStr

from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.check.check_run import CheckRun
from backtrace_jira_cli.configure.configure_run import Prepared
from backtrace_jira_cli.configure.plan import list_parameters
from backtrace_jira_cli.configure.secret_sources import Origin
from backtrace_jira_cli.console import Console
from backtrace_jira_cli.deployment.parameter_store import Stored
from backtrace_jira_cli.deployment.stored_settings import IntegrationPath, NotKnownYet, StoredSettings
from backtrace_jira_cli.exits import Stop
from backtrace_jira_cli.faults import Fault

AGAIN = "Nothing was written. Mend it and run this again, or add --no-check to write it as it is."


def check_before_writing(names: ParameterNames, console: Console) -> Callable[[Prepared], Sequence[Fault]]:
    """Return the check of what a file holds; what is stored and not in the file is left alone."""

    def check(prepared: Prepared) -> Sequence[Fault]:
        settings = prepared.settings
        integrations = [IntegrationPath(one.universe, one.project, one.name) for one in settings.integrations]
        used = {one.connection for one in settings.integrations}
        others = [one.name for one in settings.connections if one.name not in used]
        if integrations or others:
            try:
                CheckRun(_stored_settings(prepared, names), console).run(integrations, others)
            except Stop as stop:
                raise Stop(f"{stop} {AGAIN}") from None
        return ()

    return check


def _stored_settings(prepared: Prepared, names: ParameterNames) -> StoredSettings:
    to_be = {
        parameter: Stored(False, text) for parameter, _, text in list_parameters(prepared.settings, names)
    }
    given = {one.needed.parameter: one.value for one in prepared.secrets if one.origin is not Origin.STORED}

    def read_secret(parameter: str) -> SecretStr | None:
        """Read a secret that stays; whoever writes settings need not be allowed to."""
        try:
            return prepared.store.secret(parameter)
        except Stop as stop:
            raise NotKnownYet(str(stop)) from None

    return StoredSettings(names, {**prepared.stored, **to_be}, read_secret, given)
