"""Settings in a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from backtrace_jira.errors import InvalidSettings
from backtrace_jira.settings.integration import Integration

J = TypeVar("J")
B = TypeVar("B")


@dataclass
class FakeConfiguration(Generic[J, B]):
    """The `Configuration` port, or synchronisation's, by the clients that it is given.

    `broken` has, by universe and project, the sentence of a parameter that does not validate; `missing_secret` is
    Jira's.
    """

    found: list[Integration]
    jira_client: J
    backtrace_client: B
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    missing_secret: bool = False

    def integrations(self, universe: str, project: str) -> Sequence[Integration]:
        if (universe, project) in self.broken:
            raise InvalidSettings(self.broken[universe, project])
        those = [each for each in self.found if (each.universe, each.project) == (universe, project)]
        return sorted(those, key=lambda each: each.name)

    def integration(self, integration_id: str) -> Integration | None:
        universe, project, name = integration_id.split("/", 2)
        found = next((each for each in self.found if each.id == integration_id), None)
        broken = self.broken.get((universe, project), "")
        if found is None and broken.partition(":")[0].rpartition("/")[2] == name:
            raise InvalidSettings(broken)
        return found

    def all_integrations(self) -> tuple[Sequence[Integration], Sequence[InvalidSettings]]:
        faults = [InvalidSettings(sentence) for sentence in self.broken.values()]
        return sorted(self.found, key=lambda each: each.id), faults

    def jira(self, integration: Integration) -> J:
        if self.missing_secret:
            raise InvalidSettings(f"secrets/jira/{integration.connection}: the parameter is missing")
        return self.jira_client

    def backtrace(self, universe: str) -> B:
        return self.backtrace_client
