"""The synchronisation as the functions do it, by the operator's command: with its own rights and its own clients."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from backtrace_jira.adapters.aws.jira_changes import SQSChangeHints
from backtrace_jira.adapters.aws.message_queue import SQSNewEvents
from backtrace_jira.adapters.aws.sqs_queue import SQSQueue
from backtrace_jira.adapters.backtrace.client import BacktraceClient
from backtrace_jira.adapters.backtrace.groups import RestBacktraceGroups
from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.issues import RestJiraIssues
from backtrace_jira.errors import InvalidSettings
from backtrace_jira.outcomes import Outcome
from backtrace_jira.settings.integration import Integration
from backtrace_jira.synchronisation.poll import Poll
from backtrace_jira.synchronisation.synchronise import Synchronise
from backtrace_jira_cli.deployment.jira_server import TIMEOUTS
from backtrace_jira_cli.deployment.stored_settings import StoredSettings, Unusable

if TYPE_CHECKING:
    from backtrace_jira_cli.deployment.deployment import Deployment


class StoredConfiguration:
    """The `SyncConfiguration` port on the settings that a command has read."""

    def __init__(self, settings: StoredSettings, integrations: Sequence[Integration]) -> None:
        self._settings = settings
        self._integrations = {each.id: each for each in integrations}
        self._jira: dict[str, RestJiraIssues] = {}
        self._backtrace: dict[str, RestBacktraceGroups] = {}

    def integration(self, integration_id: str) -> Integration | None:
        """Return a valid integration."""
        return self._integrations.get(integration_id)

    def all_integrations(self) -> tuple[Sequence[Integration], Sequence[InvalidSettings]]:
        """Return the valid integrations; `check` reports the others."""
        return list(self._integrations.values()), []

    def jira(self, integration: Integration) -> RestJiraIssues:
        """Return the client of a connection."""
        name = integration.connection
        if name not in self._jira:
            try:
                settings = self._settings.read_connection(name)
                secret = self._settings.read_jira_secret(name)
            except Unusable as error:
                raise InvalidSettings(f"{error}. {error.remedy}") from None
            self._jira[name] = RestJiraIssues(JiraClient(settings, secret, timeouts=TIMEOUTS))
        return self._jira[name]

    def backtrace(self, universe: str) -> RestBacktraceGroups:
        """Return the client of a universe."""
        if universe not in self._backtrace:
            try:
                settings = self._settings.read_universe(universe)
                token = self._settings.read_backtrace_secret(universe)
            except Unusable as error:
                raise InvalidSettings(f"{error}. {error.remedy}") from None
            client = BacktraceClient(settings, token, timeouts=TIMEOUTS)
            self._backtrace[universe] = RestBacktraceGroups(client)
        return self._backtrace[universe]


def wire_poll(deployment: Deployment, report: Callable[[Outcome], None]) -> Poll:
    """Wire what `bootstrap/synchronise.py` wires for the functions.

    Raises:
        Stop: nothing is deployed here.
    """
    table = deployment.link_table
    configuration = StoredConfiguration(deployment.settings, list(deployment.integrations.values()))
    new_events = SQSQueue(deployment.sqs, deployment.read_output("error_events_queue"))
    changes = SQSQueue(deployment.sqs, deployment.read_output("jira_changes_queue"))
    synchronise = Synchronise(
        configuration=configuration,
        store=table.synced_links,
        new_events=SQSNewEvents(new_events),
        clock=time.time,
        sleep=time.sleep,
        new_owner=lambda: f"links {uuid.uuid4().hex}",
    )
    return Poll(
        synchronise=synchronise,
        configuration=configuration,
        store=table.synced_links,
        memory=table.poll_memory,
        hints=SQSChangeHints(changes),
        clock=time.time,
        report=report,
    )
