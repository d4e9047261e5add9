"""The secret with which Jira signs a connection's webhooks, and how it is replaced without losing a webhook.

The parameter holds one secret, or several, one a line: the first is the one that Jira has, or is about to have; the
others are still accepted (`backtrace_jira.jira.webhook`).

A new connection: Jira first, then the parameter. No webhook came before, so none is lost. A run that is cut off between
the two leaves no parameter, so that the next run makes another secret and writes it to both. In the other order, a run
that is cut off would leave a parameter without its registration. The next run would take that for complete, and on a
server that does not tell whether it signs, nobody would notice.

A rotation: the parameter first, with the new secret before the old one, then Jira. With one secret at a time, either
order would lose the webhooks that Jira signs between the two: Cloud does not repeat after a 401, and Data Center never
repeats. Wherever a run is cut off, both secrets are accepted, and the next run goes on from there. The old one is
accepted until `webhook install` is run again, for webhooks that are under way or repeated (Cloud repeats for an hour
and more).
"""

from __future__ import annotations

import secrets

from pydantic import SecretStr

from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira_cli.deployment.parameter_store import ParameterStore


class WebhookSecret:
    """The secret of one connection's webhooks."""

    def __init__(self, store: ParameterStore, names: ParameterNames, connection: str) -> None:
        self._store = store
        self.parameter = names.webhook_secret(connection)
        found = store.read_secret(self.parameter)
        self._stored = [] if found is None else _lines(found)
        self._made: SecretStr | None = None

    @property
    def exists(self) -> bool:
        """Whether a secret is stored."""
        return bool(self._stored)

    @property
    def replaces_another(self) -> bool:
        """Whether a former secret is accepted as well."""
        return len(self._stored) > 1

    @property
    def all(self) -> list[str]:
        """Return every secret that no output may show."""
        return [*self._stored, *([self._made.get_secret_value()] if self._made else [])]

    @property
    def current(self) -> SecretStr:
        """Return the secret for Jira. If none is stored, this makes one, and does not store it yet."""
        if self._stored:
            return SecretStr(self._stored[0])
        if self._made is None:
            self._made = SecretStr(secrets.token_urlsafe(32))
        return self._made

    def rotate(self) -> None:
        """Store a new secret before the present one. Both are accepted from then on."""
        self._put([secrets.token_urlsafe(32), *self._stored])

    def settle(self) -> None:
        """Store the current secret alone."""
        if not self.exists or self.replaces_another:
            self._put([self.current.get_secret_value()])

    def forget(self) -> None:
        """Delete the parameter."""
        self._store.delete(self.parameter)

    def _put(self, lines: list[str]) -> None:
        self._store.put(self.parameter, SecretStr("\n".join(lines)), secure=True)
        self._stored = lines


def _lines(text: SecretStr) -> list[str]:
    return [line.strip() for line in text.get_secret_value().splitlines() if line.strip()]
