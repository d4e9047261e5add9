"""The integrations of a deployment, also those whose settings cannot be used: their links stay in the link table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backtrace_jira.outcomes import NO_INTEGRATION
from backtrace_jira.settings.integration import Integration
from backtrace_jira_cli.deployment.stored_settings import StoredSettings, Unusable, choose_integrations

NOT_IN_SETTINGS = "it is not in the settings (any more), so nobody looks at its links"


@dataclass(frozen=True, slots=True)
class KnownIntegrations:
    """Integrations by id: settings of those that are valid, and of the others why they are not."""

    valid: Mapping[str, Integration]
    broken: Mapping[str, str]

    @classmethod
    def read(cls, valid: Mapping[str, Integration], settings: StoredSettings) -> KnownIntegrations:
        """Find out what is wrong with the stored integrations that are not valid."""
        broken = {}
        for path in settings.find_integrations():
            if path.id not in valid:
                try:
                    settings.read_integration(path)
                except Unusable as error:
                    broken[path.id] = f"its settings are not valid, so nobody looks at its links: {error}"
        return cls(valid, broken)

    def choose(self, name: str | None) -> list[str]:
        """Return the ids with this id or name, valid or not; without a name, all.

        Raises:
            Stop: none has the name.
        """
        return choose_integrations(name, [*self.valid, *self.broken])

    def settings(self, integration: str) -> Integration | None:
        """Return an integration's settings; None if they cannot be used."""
        return self.valid.get(integration)

    def problem(self, integration: str) -> str:
        """Return why an integration's settings cannot be used; empty if they can, or if there is no integration."""
        if integration in self.valid or integration == NO_INTEGRATION:
            return ""
        return self.broken.get(integration, NOT_IN_SETTINGS)
